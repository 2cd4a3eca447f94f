//! What is kept from look to look, and what one look adds to it.

use super::{Facts, Seen, Side, beyond, quantile};
use crate::gate::statistics::{Bet, owned, won_against_other, won_against_share};
use serde::{Deserialize, Serialize};

const fn bet(part: f64, odds: f64) -> Bet {
    Bet { part, odds }
}

/// Against "no more fail than the ceiling": from a release that is a little above it to one that always fails.
const ABOVE: [Bet; 5] = [
    bet(0.2, 1.5),
    bet(0.2, 3.0),
    bet(0.2, 10.0),
    bet(0.2, 100.0),
    bet(0.2, 10_000.0),
];

/// Against "no more fail than of the old release". The middle is where faults are that nobody notices at once: 2 % instead of 0.1 %.
const WORSE: [Bet; 6] = [
    bet(0.1, 2.0),
    bet(0.2, 5.0),
    bet(0.25, 12.0),
    bet(0.25, 30.0),
    bet(0.1, 150.0),
    bet(0.1, 10_000.0),
];

/// Against "no more are slow than of the old release": slowness moves much smaller shares than faults do.
const SLOWER: [Bet; 5] = [
    bet(0.2, 1.2),
    bet(0.2, 1.5),
    bet(0.2, 2.2),
    bet(0.2, 4.0),
    bet(0.2, 16.0),
];

/// Against "at least as many fail as the ceiling allows": that none fails at all, and that there are a few.
pub(super) const PASSED: [Bet; 4] = [bet(0.4, 0.0), bet(0.3, 0.1), bet(0.2, 0.25), bet(0.1, 0.5)];

/// The fewest requests in a stretch. Where there are fewer, who of them was the new release's says little; where there are more,
/// a thousand requests a second are looked at too seldom.
const STRETCH: u64 = 50;

/// The times of the old release that are marks, beside the asked quantile where that is above them.
const MARKS: [u32; 2] = [750_000, 900_000];

/// As sure as can be written down.
const CERTAIN: f64 = 1e300;

/// What is kept from look to look. A new rollout begins with `Kept::default()`, and keeps it over all of its steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Kept {
    /// Requests and errors of the new and of the old release when the running stretch began.
    pub since: [(u64, u64); 2],
    /// What each bet against "no worse than the old release" has won, as a logarithm.
    pub worse: [f64; WORSE.len()],
    /// The same for each mark of time.
    pub slow: Vec<Slow>,
    /// How sure it has been.
    pub sure: Sure,
}

/// What has been owned at the most against each claim, as a logarithm: once sure, sure for ever.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Sure {
    pub ceiling: f64,
    pub worse: f64,
    pub slower: f64,
}

/// What is known of one quantile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// The share of requests, in millionths.
    pub share: u32,
    /// What each bet has won, as a logarithm.
    pub won: [f64; SLOWER.len()],
    /// What is slow in the running stretch; nothing before the old release has answered.
    pub mark: Option<Mark>,
}

/// From where on a request is slow, and how many there were when the stretch began.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// In microseconds, for the new release and for the old one.
    pub beyond: [u64; 2],
    /// All requests and slow ones, of the new release and of the old one.
    pub since: [(u64, u64); 2],
}

impl Facts<'_> {
    /// Adds what this look has shown.
    pub(super) fn learn(&self, kept: &mut Kept) {
        let (failed, all) = self.tried();
        // One failure refutes that none happens, and that is no bet any more.
        if self.ceiling == 0.0 && failed > 0 {
            kept.sure.ceiling = CERTAIN;
        }
        let above = ABOVE.map(|bet| won_against_share(bet.odds, self.ceiling, failed, all));
        kept.sure.ceiling = kept.sure.ceiling.max(finite(owned(&ABOVE, above)));
        let Seen { new, old, .. } = self.seen;
        let now = [(new.requests, new.errors), (old.requests, old.errors)];
        match stretch(now, kept.since) {
            Stretch::Runs => return,
            Stretch::Broken => {}
            Stretch::Over { new, old } => {
                add(&mut kept.worse, &WORSE, new, old);
                kept.sure.worse = kept.sure.worse.max(finite(owned(&WORSE, kept.worse)));
            }
        }
        kept.since = now;
        self.learn_times(kept);
    }

    fn learn_times(&self, kept: &mut Kept) {
        let sides = [self.seen.new, self.seen.old];
        let shares = self.marks();
        if kept.slow.iter().map(|slow| slow.share).ne(shares.iter().copied()) {
            kept.slow = shares.into_iter().map(Slow::new).collect();
        }
        for slow in &mut kept.slow {
            if let Some(mark) = slow.mark {
                let now = [0, 1].map(|at| beyond(sides[at].times, mark.beyond[at]));
                if let Some((new, old)) = grown(now, mark.since) {
                    add(&mut slow.won, &SLOWER, new, old);
                }
            }
            slow.mark = self.mark(slow.share, sides);
        }
        // The coin is split over the marks, too.
        let parts = kept.slow.len() as f64;
        let bets: Vec<Bet> = kept
            .slow
            .iter()
            .flat_map(|_| SLOWER.map(|each| bet(each.part / parts, each.odds)))
            .collect();
        let won = kept.slow.iter().flat_map(|slow| slow.won);
        kept.sure.slower = kept.sure.slower.max(finite(owned(&bets, won)));
    }

    /// The quantiles at which times are compared.
    fn marks(&self) -> Vec<u32> {
        let asked = self.asked.gate.quantile.ppm();
        let lower = MARKS.into_iter().filter(|mark| *mark < asked);
        lower.chain([asked]).collect()
    }

    fn mark(&self, share: u32, sides: [Side<'_>; 2]) -> Option<Mark> {
        let old = quantile(sides[1].times, f64::from(share) / 1e6)?;
        let marks = [self.allowed(old), old];
        Some(Mark {
            beyond: marks,
            since: [0, 1].map(|at| beyond(sides[at].times, marks[at])),
        })
    }
}

impl Slow {
    fn new(share: u32) -> Slow {
        Slow {
            share,
            won: [0.0; SLOWER.len()],
            mark: None,
        }
    }
}

/// All requests and the bad ones of one side within a stretch.
type Counted = (u64, u64);

enum Stretch {
    /// There is too little in it.
    Runs,
    /// Whoever counts began again.
    Broken,
    Over {
        new: Counted,
        old: Counted,
    },
}

/// Whether a stretch is over depends on how many requests there were, never on how they went: or it would end when it suits.
fn stretch(now: [Counted; 2], since: [Counted; 2]) -> Stretch {
    let Some((new, old)) = grown(now, since) else {
        return Stretch::Broken;
    };
    if new.0 == 0 || old.0 == 0 || new.0.saturating_add(old.0) < STRETCH {
        return Stretch::Runs;
    }
    Stretch::Over { new, old }
}

/// What has come since; nothing where a count has shrunk.
fn grown(now: [Counted; 2], since: [Counted; 2]) -> Option<(Counted, Counted)> {
    let grown = |at: usize| {
        let all = now[at].0.checked_sub(since[at].0)?;
        Some((all, now[at].1.checked_sub(since[at].1)?.min(all)))
    };
    Some((grown(0)?, grown(1)?))
}

/// Adds what each bet wins in a stretch.
fn add(won: &mut [f64], bets: &[Bet], new: Counted, old: Counted) {
    if new.0 == 0 || old.0 == 0 {
        return;
    }
    let (all, bad) = (new.0.saturating_add(old.0), new.1.saturating_add(old.1));
    for (won, bet) in won.iter_mut().zip(bets) {
        *won = finite(*won + won_against_other(bet.odds, new.1, new.0, bad, all));
    }
}

/// What is kept has to be a number that can be written down.
fn finite(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-CERTAIN, CERTAIN)
    }
}
