//! Which buckets belong to which release, and what moves when shares change.
//!
//! Of two releases the newer one has the buckets from zero on. Where there are more, what moves depends on who has what: no
//! rule that looks at the new shares alone moves as few as it could. So a division follows from the one before: what is too
//! much for a release is cut off at an edge, where its neighbour needs it if one does, and who needs more takes what is free, beside
//! its own where it can.

use serde::{Deserialize, Serialize};

use super::{Bucket, Share, WHOLE};

/// Neighbouring ranges of buckets, from zero on: the release, and how many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division(Vec<(String, u16)>);

/// A range while it is thought about: whose it is, by its place among the shares, and how many.
type Range = (Option<usize>, u16);

impl Division {
    /// The division after this one for these shares.
    pub fn after(&self, shares: &[Share]) -> Division {
        let wanted = wanted(shares);
        let place = |release: &str| shares.iter().position(|share| share.release == release);
        let mut ranges: Vec<Range> = self.0.iter().map(|(who, long)| (place(who), *long)).collect();
        let known: u16 = ranges.iter().fold(0, |all, (_, long)| all.saturating_add(*long));
        // What somebody else has written may be no division of the whole; then it is none at all.
        if known != WHOLE {
            ranges = vec![(None, WHOLE)];
        }
        let has = |at: usize| -> u16 {
            let own = ranges.iter().filter(|(who, _)| *who == Some(at));
            own.map(|(_, long)| long).sum()
        };
        let beside = wanted.iter().enumerate().map(|(at, wanted)| (*wanted, has(at)));
        let (mut lacks, has_too_much): (Vec<u16>, Vec<u16>) = beside
            .map(|(wanted, has)| (wanted.saturating_sub(has), has.saturating_sub(wanted)))
            .unzip();
        for (at, count) in has_too_much.into_iter().enumerate() {
            cut(&mut ranges, at, count, &lacks);
        }
        let filled = fill(&ranges, &mut lacks);
        let named = |(at, long): (usize, u16)| (shares[at].release.clone(), long);
        Division(filled.into_iter().map(named).collect())
    }

    /// Whether nothing was divided yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where ranges end, and whose they are, by their place among the shares.
    pub(crate) fn ranges(&self, shares: &[Share]) -> Ranges {
        let mut end = 0;
        let row = |(who, long): &(String, u16)| {
            end += long;
            let at = shares.iter().position(|share| share.release == *who)?;
            Some((end, at))
        };
        Ranges(self.0.iter().filter_map(row).collect())
    }
}

/// A division that is made ready for requests.
#[derive(Debug, Default)]
pub(crate) struct Ranges(Box<[(u16, usize)]>);

impl Ranges {
    /// Whose a bucket is, by its place among the shares.
    pub(crate) fn of(&self, bucket: Bucket) -> Option<usize> {
        let at = self.0.partition_point(|(end, _)| *end <= bucket.number());
        self.0.get(at).map(|(_, who)| *who)
    }
}

/// What each gets, in sum the whole.
fn wanted(shares: &[Share]) -> Vec<u16> {
    let mut left = WHOLE;
    let mut wanted = Vec::with_capacity(shares.len());
    for share in shares {
        let gets = share.parts.min(left);
        left -= gets;
        wanted.push(gets);
    }
    if let Some(first) = wanted.first_mut() {
        *first += left;
    }
    wanted
}

/// Frees so many buckets of a release, at the edges of its ranges.
fn cut(ranges: &mut Vec<Range>, who: usize, mut count: u16, lacks: &[u16]) {
    while count > 0 {
        let own = (0..ranges.len()).filter(|at| ranges[*at].0 == Some(who));
        let needs = |at: Option<&Range>| at.is_some_and(|(who, _)| who.is_some_and(|who| lacks[who] > 0));
        let before = |at: usize| at.checked_sub(1).and_then(|at| ranges.get(at));
        // A range beside one that needs more, or else the smallest: it is the first that may go as a whole.
        let best = own.min_by_key(|at| {
            let is_wanted = needs(before(*at)) || needs(ranges.get(at + 1));
            (!is_wanted, ranges[*at].1, *at)
        });
        let Some(at) = best else { return };
        let is_at_end = !needs(before(at)) && needs(ranges.get(at + 1));
        let cut = count.min(ranges[at].1);
        ranges[at].1 -= cut;
        ranges.insert(if is_at_end { at + 1 } else { at }, (None, cut));
        ranges.retain(|(_, long)| *long > 0);
        count -= cut;
    }
}

/// Gives what is free to those who lack something: to a neighbour if it does, else to the newest.
fn fill(ranges: &[Range], lacks: &mut [u16]) -> Vec<(usize, u16)> {
    let mut filled: Vec<(usize, u16)> = Vec::with_capacity(ranges.len() + 2);
    let mut push = |who: usize, long: u16| match filled.last_mut() {
        Some((last, has)) if *last == who => *has += long,
        _ if long > 0 => filled.push((who, long)),
        _ => {}
    };
    let mut last: Option<usize> = None;
    for (place, (who, long)) in ranges.iter().enumerate() {
        if let Some(who) = who {
            push(*who, *long);
            last = Some(*who);
            continue;
        }
        let after = ranges[place..].iter().find_map(|(who, _)| *who);
        let mut left = *long;
        let give = |who: usize, lacks: &mut [u16], left: &mut u16| {
            let gets = lacks[who].min(*left);
            lacks[who] -= gets;
            *left -= gets;
            gets
        };
        if let Some(before) = last {
            let gets = give(before, lacks, &mut left);
            push(before, gets);
        }
        let for_next = after.map_or(0, |after| give(after, lacks, &mut left));
        for who in (0..lacks.len()).rev() {
            let gets = give(who, lacks, &mut left);
            push(who, gets);
            if gets > 0 {
                last = Some(who);
            }
        }
        if let Some(after) = after {
            push(after, for_next);
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(parts: &[(&str, u16)]) -> Vec<Share> {
        let share = |(release, parts): &(&str, u16)| Share {
            release: (*release).to_owned(),
            parts: *parts,
            instances: Vec::new(),
        };
        parts.iter().map(share).collect()
    }

    /// Whose each bucket is.
    fn owners(division: &Division) -> Vec<&str> {
        let each = |(who, long): &'_ (String, u16)| (who.clone(), usize::from(*long));
        let all = division.0.iter().zip(division.0.iter().map(each));
        all.flat_map(|((who, _), (_, long))| std::iter::repeat_n(who.as_str(), long))
            .collect()
    }

    #[test]
    fn a_visitor_of_a_canary_stays_while_it_grows_and_comes_back_when_it_goes() {
        let mut division = Division::default().after(&shares(&[("one", 10_000)]));
        let mut steps = Vec::new();
        for parts in [1_000, 2_500, 1_000, 5_000, 0] {
            division = division.after(&shares(&[("one", 10_000 - parts), ("two", parts)]));
            steps.push(division.0.clone());
        }
        let with = |canary: u16| vec![("two".to_owned(), canary), ("one".to_owned(), 10_000 - canary)];
        assert_eq!(steps[..4], [with(1_000), with(2_500), with(1_000), with(5_000)]);
        assert_eq!(steps[4], [("one".to_owned(), 10_000)]);
        // An edge that knows nothing of the past comes to the same.
        let anew = Division::default().after(&shares(&[("one", 7_500), ("two", 2_500)]));
        assert_eq!(anew.0, with(2_500));
    }

    #[test]
    fn what_is_missing_gets_the_first_and_what_is_too_much_is_cut_off() {
        let few = Division::default().after(&shares(&[("one", 1), ("two", 100)]));
        assert_eq!(few.0, [("two".to_owned(), 100), ("one".to_owned(), 9_900)]);
        let many = Division::default().after(&shares(&[("one", 9_000), ("two", 9_000)]));
        assert_eq!(many.0, [("two".to_owned(), 1_000), ("one".to_owned(), 9_000)]);
        assert_eq!(Division::default().after(&[]), Division::default());
        let wrong = Division(vec![("one".to_owned(), u16::MAX), ("two".to_owned(), 7)]);
        assert_eq!(
            wrong.after(&shares(&[("one", 10_000)])).0,
            [("one".to_owned(), 10_000)]
        );
    }

    fn some_shares() -> impl Strategy<Value = Vec<Share>> {
        let names = ["one", "two", "three", "four", "five"];
        let weights = proptest::collection::vec(prop_oneof![Just(0_u32), 1_u32..100], 5);
        weights.prop_map(move |weights| {
            let all: u32 = weights.iter().sum::<u32>().max(1);
            let parts = weights.iter().map(|weight| weight * u32::from(WHOLE) / all);
            let parts: Vec<u16> = parts.map(|parts| parts as u16).collect();
            shares(&names.into_iter().zip(parts).collect::<Vec<_>>())
        })
    }

    proptest! {
        #[test]
        fn shares_are_exact_and_no_bucket_moves_that_need_not(steps in proptest::collection::vec(some_shares(), 1..12)) {
            let mut division = Division::default();
            for (step, shares) in steps.iter().enumerate() {
                let next = division.after(shares);
                let (before, after) = (owners(&division), owners(&next));
                prop_assert_eq!(after.len(), usize::from(WHOLE));
                let has = |owners: &[&str], who: &str| owners.iter().filter(|owner| **owner == who).count();
                let mut needed = 0;
                for (share, wanted) in shares.iter().zip(wanted(shares)) {
                    prop_assert_eq!(has(&after, &share.release), usize::from(wanted));
                    needed += usize::from(wanted).saturating_sub(has(&before, &share.release));
                }
                if step > 0 {
                    let moved = before.iter().zip(&after).filter(|(one, other)| one != other).count();
                    prop_assert_eq!(moved, needed);
                }
                prop_assert!(next.0.len() <= 5 * (step + 1), "ranges stay few");
                let ranges = next.ranges(shares);
                for (bucket, owner) in after.iter().enumerate() {
                    let of = ranges.of(Bucket::of(bucket as u64));
                    prop_assert_eq!(of.map(|at| shares[at].release.as_str()), Some(*owner));
                }
                division = next;
            }
        }
    }
}
