//! Changes that are judged: what people read, and what holds for all counts.

use super::*;
use proptest::prelude::*;
use std::fmt::Write;
use towpath_model::spec::{Entries, Kind, Node};
use towpath_model::unit::{Change, Unit};
use towpath_model::word::Word;

fn gate(by: &str, mode: ChangeMode) -> ChangeGate {
    let entries: Entries = [("metric", "incidents"), ("by", by)]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Node::text(text).into()))
        .collect();
    let read = ChangeGate::read(&Node::new(Kind::Table(entries)), "").expect("what is required is there");
    ChangeGate { mode, ..read }
}

fn of(events: u64) -> Counted {
    Counted { events, over: 14.0 }
}

#[test]
fn a_person_reads_the_change_and_how_sure_it_is() {
    let mut text = String::new();
    for (by, before, after) in [
        ("-30%", of(51), of(34)),
        ("-30%", of(510), of(240)),
        ("-30%", of(51), of(60)),
        ("-30%", of(51), of(0)),
        ("-30%", of(20), of(14)),
        ("-30%", of(0), of(3)),
        (
            "-30%",
            of(60),
            Counted {
                events: 30,
                over: 0.0,
            },
        ),
        // Half of the incidents, but of half of the messages.
        (
            "-30%",
            Counted {
                events: 60,
                over: 2e6,
            },
            Counted {
                events: 30,
                over: 1e6,
            },
        ),
        ("+10%", of(1_000), of(1_250)),
        ("+10%", of(1_000), of(1_120)),
        ("+10%", of(1_000), of(900)),
        ("0%", of(1_000), of(1_001)),
        ("0%", of(1_000), of(800)),
    ] {
        for mode in [ChangeMode::Point, ChangeMode::Confident] {
            let finding = judge(&gate(by, mode), before, after);
            let answer = match &finding.verdict {
                Verdict::Pass => format!("passes: {}", finding.measured),
                Verdict::Fail(why) => format!("fails: {why}"),
                Verdict::Inconclusive(why) => format!("nobody can say: {why}"),
                Verdict::Waived(why) => format!("waived: {why}"),
                Verdict::Awaits(why) => format!("waits: {why}"),
            };
            let _ = writeln!(text, "{by} {mode:?} {answer}");
        }
    }
    insta::assert_snapshot!(text);
}

fn exposures() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-1.0),
        0.001..1e9_f64,
        Just(1e300)
    ]
}

fn events() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..1_000_000_u64, Just(u64::MAX), any::<u64>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_count_and_every_exposure_has_an_answer(
        before in (events(), exposures()),
        after in (events(), exposures()),
        by in -1_000_000..2_000_000_i64,
        is_point in any::<bool>(),
    ) {
        let mode = if is_point { ChangeMode::Point } else { ChangeMode::Confident };
        let gate = ChangeGate { by: Change::from_ppm(by), ..gate("-30%", mode) };
        let of = |(events, over)| Counted { events, over };
        let finding = judge(&gate, of(before), of(after));
        prop_assert!(!finding.measured.contains("NaN"));
        if let Some(change) = finding.change {
            prop_assert!(change.low <= change.point + 1e-6 && change.point <= change.high * (1.0 + 1e-6) + 1e-6, "{change:?}");
        }
    }

    #[test]
    fn another_event_never_helps_a_gate_that_asks_for_fewer(
        before in 0..300_u64,
        after in 0..300_u64,
        more in 1..50_u64,
        is_point in any::<bool>(),
    ) {
        let mode = if is_point { ChangeMode::Point } else { ChangeMode::Confident };
        let rank = |after| match judge(&gate("-30%", mode), of(before), of(after)).verdict {
            Verdict::Fail(_) => 0,
            Verdict::Inconclusive(_) => 1,
            _ => 2,
        };
        prop_assert!(rank(after + more) <= rank(after));
    }
}

#[test]
fn a_bound_is_reached_by_what_equals_it() {
    let bound = Change::parse("-30%").expect("a change");
    assert_eq!(bound.ppm(), -300_000);
    assert_eq!(
        judge(&gate("-30%", ChangeMode::Point), of(100), of(70)).verdict,
        Verdict::Pass
    );
    assert!(matches!(
        judge(&gate("-30%", ChangeMode::Point), of(100), of(71)).verdict,
        Verdict::Fail(_)
    ));
}
