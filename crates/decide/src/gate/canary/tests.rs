//! Canaries that are judged: what people read, and what holds for all counts.

use super::*;
use proptest::prelude::*;
use std::fmt::Write;
use towpath_model::spec::{Kind, Node};
use towpath_model::unit::Share;
use towpath_model::word::Word;

fn gate() -> CanaryGate {
    CanaryGate::read(&Node::new(Kind::Table(Default::default())), "").expect("every field has a default")
}

fn asked(gate: &CanaryGate) -> Asked<'_> {
    Asked {
        gate,
        min_sample: 300,
    }
}

fn side<'a>(requests: u64, errors: u64, times: &'a [(u64, u64)]) -> Side<'a> {
    Side {
        requests,
        errors,
        times,
    }
}

/// What is said when counts have grown evenly over so many looks.
fn after(gate: &CanaryGate, looks: u64, new: (u64, u64), old: (u64, u64), probes: (u64, u64)) -> Finding {
    timed(gate, looks, (new.0, new.1, &[]), (old.0, old.1, &[]), probes)
}

type Counts<'a> = (u64, u64, &'a [(u64, u64)]);

fn timed(gate: &CanaryGate, looks: u64, new: Counts<'_>, old: Counts<'_>, probes: (u64, u64)) -> Finding {
    let mut kept = Kept::default();
    let part = |count: u64, look: u64| count * look / looks;
    let parts = |times: &[(u64, u64)], look: u64| -> Vec<(u64, u64)> {
        times
            .iter()
            .map(|(took, count)| (*took, part(*count, look)))
            .collect()
    };
    for look in 1..looks {
        let times = [parts(new.2, look), parts(old.2, look)];
        let seen = Seen {
            new: side(part(new.0, look), part(new.1, look), &times[0]),
            old: side(part(old.0, look), part(old.1, look), &times[1]),
            probes: Probes {
                good: part(probes.0, look),
                bad: part(probes.1, look),
            },
        };
        kept = judge(asked(gate), seen, &kept).next;
    }
    let seen = Seen {
        new: side(new.0, new.1, new.2),
        old: side(old.0, old.1, old.2),
        probes: Probes {
            good: probes.0,
            bad: probes.1,
        },
    };
    judge(asked(gate), seen, &kept)
}

const NONE: (u64, u64) = (0, 0);

fn told(name: &str, finding: &Finding) -> String {
    match &finding.verdict {
        Verdict::Pass => format!("{name}: passes\n  {}\n", finding.measured),
        Verdict::Fail(why) => format!("{name}: fails\n  {why}\n"),
        Verdict::Inconclusive(why) => format!("{name}: nobody can say\n  {why}\n"),
        Verdict::Waived(why) => format!("{name}: waived\n  {why}\n"),
        Verdict::Awaits(why) => format!("{name}: waits\n  {why}\n"),
    }
}

#[test]
fn a_person_reads_what_happened_and_what_is_asked() {
    let gate = gate();
    let zero = CanaryGate {
        errors: Share::NONE,
        ..gate.clone()
    };
    let quick: &[(u64, u64)] = &[(80_000, 1_700), (150_000, 250), (180_000, 50)];
    let slow: &[(u64, u64)] = &[(80_000, 1_400), (190_000, 250), (312_000, 350)];
    let near: &[(u64, u64)] = &[(80_000, 1_700), (150_000, 150), (168_000, 150)];
    let unsure: &[(u64, u64)] = &[(80_000, 426), (150_000, 2), (240_000, 24)];
    let scenes = [
        ("nothing came", after(&gate, 30, NONE, NONE, NONE)),
        (
            "none reached the new one",
            after(&gate, 30, NONE, (3_900, 3), (180, 0)),
        ),
        ("probes alone", after(&gate, 30, NONE, NONE, (400, 0))),
        ("good", after(&gate, 30, (1_900, 2), (17_000, 15), NONE)),
        ("above the ceiling", after(&gate, 30, (431, 30), (3_900, 3), NONE)),
        (
            "above the ceiling so far",
            after(&gate, 30, (431, 7), (3_900, 3), NONE),
        ),
        (
            "below the ceiling, but worse",
            after(&gate, 30, (9_000, 72), (90_000, 45), NONE),
        ),
        (
            "worse by nothing that matters",
            after(&gate, 30, (900_000, 360), (9_000_000, 1_800), NONE),
        ),
        (
            "both fail alike",
            after(&gate, 30, (4_800, 240), (43_000, 2_100), NONE),
        ),
        ("tiny traffic", after(&gate, 30, (18, 0), (162, 0), NONE)),
        (
            "tiny traffic with probes",
            after(&gate, 30, (18, 0), (162, 0), (400, 0)),
        ),
        (
            "tiny traffic, probes fail",
            after(&gate, 30, (18, 0), (162, 0), (160, 20)),
        ),
        (
            "not enough to be sure",
            after(&gate, 30, (320, 1), (2_900, 3), NONE),
        ),
        ("one request", after(&gate, 1, (1, 1), (9, 0), NONE)),
        (
            "no old one to compare with",
            after(&gate, 30, (1_900, 2), NONE, NONE),
        ),
        (
            "slower",
            timed(&gate, 30, (2_000, 2, slow), (2_000, 2, quick), NONE),
        ),
        (
            "slower, but under the tolerance",
            timed(&gate, 30, (2_000, 2, near), (2_000, 2, quick), NONE),
        ),
        (
            "slower so far",
            timed(&gate, 30, (452, 0, unsure), (2_000, 2, quick), NONE),
        ),
        (
            "no failure allowed, none there",
            after(&zero, 30, (320, 0), (2_900, 3), NONE),
        ),
        (
            "no failure allowed, one there",
            after(&zero, 30, (320, 1), (2_900, 3), NONE),
        ),
    ];
    let mut text = String::new();
    for (name, finding) in &scenes {
        let _ = writeln!(text, "{}", told(name, finding).trim_end());
    }
    let _ = writeln!(text, "{}", scenes[0].1.bound);
    insta::assert_snapshot!(text);
}

#[test]
fn a_total_failure_is_known_from_its_first_handful_of_requests() {
    let gate = gate();
    let mut kept = Kept::default();
    let seen = |failed| Seen {
        new: side(failed, failed, &[]),
        old: side(19 * failed, 0, &[]),
        ..Seen::default()
    };
    assert_eq!(urgent(asked(&gate), seen(4), &mut kept), None);
    assert!(matches!(
        urgent(asked(&gate), seen(5), &mut kept),
        Some(Verdict::Fail(_))
    ));
}

#[test]
fn what_both_suffer_is_left_by_whoever_is_urgent_to_the_next_look() {
    let gate = gate();
    let mut kept = Kept::default();
    let seen = Seen {
        new: side(50, 50, &[]),
        old: side(950, 950, &[]),
        ..Seen::default()
    };
    assert_eq!(urgent(asked(&gate), seen, &mut kept), None);
    assert!(matches!(
        judge(asked(&gate), seen, &kept).verdict,
        Verdict::Fail(_)
    ));
}

#[test]
fn a_blip_of_both_below_the_ceiling_says_nothing_against_the_new_one_though_its_share_grows() {
    let gate = CanaryGate {
        errors: Share::from_percent(20),
        ..gate()
    };
    let mut kept = Kept::default();
    // First 1 % of the traffic and no failure, then a half of it, and a tenth of everything fails.
    let (mut new, mut old) = (0, 0);
    let mut errors = [0, 0];
    for look in 0..200 {
        let (more_new, more_old, failing) = if look < 100 {
            (10, 990, false)
        } else {
            (500, 500, true)
        };
        new += more_new;
        old += more_old;
        if failing {
            errors[0] += more_new / 10;
            errors[1] += more_old / 10;
        }
        let seen = Seen {
            new: side(new, errors[0], &[]),
            old: side(old, errors[1], &[]),
            ..Seen::default()
        };
        assert_eq!(urgent(asked(&gate), seen, &mut kept), None, "{kept:?}");
    }
    assert!(kept.sure.worse < 1.0);
}

#[test]
fn counts_that_begin_again_are_no_evidence() {
    let gate = gate();
    let first = Seen {
        new: side(1_000, 0, &[]),
        old: side(9_000, 9, &[]),
        ..Seen::default()
    };
    let kept = judge(asked(&gate), first, &Kept::default()).next;
    let second = Seen {
        new: side(50, 0, &[]),
        old: side(450, 0, &[]),
        ..Seen::default()
    };
    let next = judge(asked(&gate), second, &kept).next;
    assert_eq!(next.worse, kept.worse);
    assert_eq!(next.since, [(50, 0), (450, 0)]);
}

#[test]
fn a_failure_that_was_sure_stays_one_at_the_next_look_and_ends_when_it_is_over() {
    let gate = gate();
    let mut kept = Kept::default();
    let seen = |good: u64| Seen {
        new: side(20 + good, 20, &[]),
        old: side(9_000, 9, &[]),
        ..Seen::default()
    };
    assert!(urgent(asked(&gate), seen(0), &mut kept).is_some());
    assert!(urgent(asked(&gate), seen(100), &mut kept).is_some());
    assert_eq!(urgent(asked(&gate), seen(100_000), &mut kept), None);
}

fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![0..20_u64, 0..5_000_u64, Just(u64::MAX), any::<u64>()]
}

fn times() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::btree_map(prop_oneof![0..10_000_000_u64, any::<u64>()], counts(), 0..6)
        .prop_map(|times| times.into_iter().collect())
}

fn gates() -> impl Strategy<Value = CanaryGate> {
    let share = || prop_oneof![Just(0), Just(1_000_000), 0..1_000_000_u32].prop_map(Share::from_ppm);
    (share(), share(), 0..5_000_u64, share(), share()).prop_map(
        |(errors, slower, tolerance, quantile, confidence)| CanaryGate {
            errors,
            slower,
            tolerance: towpath_model::unit::Duration::from_millis(tolerance),
            quantile,
            confidence,
        },
    )
}

proptest! {
    #[test]
    fn every_count_in_every_order_has_an_answer_that_can_be_written_down(
        gate in gates(),
        looks in prop::collection::vec((counts(), counts(), times(), counts(), counts(), times(), counts(), counts()), 1..6),
        min_sample in any::<u32>(),
    ) {
        let mut kept = Kept::default();
        for (requests, errors, new, others, their, old, good, bad) in &looks {
            let seen = Seen {
                new: side(*requests, *errors, new),
                old: side(*others, *their, old),
                probes: Probes { good: *good, bad: *bad },
            };
            let asked = Asked { gate: &gate, min_sample };
            let finding = judge(asked, seen, &kept);
            prop_assert!(!finding.measured.contains("NaN") && !finding.measured.contains("inf"));
            let text = serde_json::to_string(&finding.next).expect("it is written");
            // The last place of a number may be lost on the way; nothing hangs on it.
            prop_assert!(serde_json::from_str::<Kept>(&text).is_ok());
            let mut urgently = kept.clone();
            if urgent(asked, seen, &mut urgently).is_some() {
                prop_assert!(matches!(finding.verdict, Verdict::Fail(_)));
            }
            kept = finding.next;
        }
    }

    #[test]
    fn another_failure_never_makes_a_verdict_better(
        looks in prop::collection::vec((0..300_u64, 0..40_u64, 0..2_000_u64, 0..40_u64), 1..8),
        at in any::<prop::sample::Index>(),
        more in 1..50_u64,
        ceiling in 0..200_000_u32,
    ) {
        let gate = CanaryGate { errors: Share::from_ppm(ceiling), ..gate() };
        let rank = |looks: &[(u64, u64, u64, u64)]| {
            let mut kept = Kept::default();
            let mut sum = (0, 0, 0, 0);
            let mut rank = 0;
            for look in looks {
                sum = (sum.0 + look.0, sum.1 + look.1.min(look.0), sum.2 + look.2, sum.3 + look.3.min(look.2));
                let seen = Seen { new: side(sum.0, sum.1, &[]), old: side(sum.2, sum.3, &[]), ..Seen::default() };
                let finding = judge(asked(&gate), seen, &kept);
                kept = finding.next;
                rank = match finding.verdict {
                    Verdict::Fail(_) => 0,
                    Verdict::Inconclusive(_) => 1,
                    _ => 2,
                };
            }
            rank
        };
        let mut worse = looks.clone();
        let at = at.index(worse.len());
        worse[at].1 += more;
        prop_assert!(rank(&worse) <= rank(&looks));
    }
}
