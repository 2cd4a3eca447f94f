//! The mathematics of the gates beside scipy's: thousands of seeded cases, from an implementation that shares nothing with ours.
#![allow(clippy::disallowed_methods, reason = "scipy is asked in a process of its own")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use towpath_decide::gate::canary::{Asked, Kept, Seen, Side, most_possible, urgent};
use towpath_decide::gate::change::{Counted, ratio};
use towpath_decide::gate::statistics::{
    beta_share, exact_interval, ln_gamma, won_against_other, won_against_share,
};
use towpath_model::desired::gate::CanaryGate;
use towpath_model::spec::{Kind, Node};
use towpath_model::unit::Share;
use towpath_model::word::Word;

/// Another one makes other cases; this one is printed with whatever fails.
const SEED: &str = "20261122";

/// A Python that has scipy: of the folder that `./test` makes, or of this machine.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/scipy/bin/python3");
    [made, PathBuf::from("python3")].into_iter().find(|python| {
        let asked = Command::new(python).args(["-c", "import scipy"]).output();
        asked.is_ok_and(|output| output.status.success())
    })
}

#[test]
fn scipy_finds_the_same_in_thousands_of_cases() {
    let Some(python) = python() else {
        println!("left out: scipy is not installed");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate_expected.py");
    let output = Command::new(python)
        .arg(script)
        .arg(SEED)
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("text");
    let mut cases = 0;
    for line in text.lines() {
        let (what, given, expected): (String, Vec<f64>, Vec<f64>) = serde_json::from_str(line).expect(line);
        check(&what, &given, &expected);
        cases += 1;
    }
    assert!(
        cases > 8_000,
        "only {cases} cases came from scipy with seed {SEED}"
    );
}

fn check(what: &str, given: &[f64], expected: &[f64]) {
    let whole = |at: usize| given[at] as u64;
    let near = |ours: f64, expected: f64, relative: f64| {
        let off = (ours - expected).abs();
        assert!(
            off <= relative * expected.abs() + 1e-9,
            "{what} of {given:?} is {ours} and not {expected}"
        );
    };
    match what {
        "ln_gamma" => near(ln_gamma(given[0]), expected[0], 1e-12),
        "beta_share" => near(beta_share(given[0], given[1], given[2]), expected[0], 1e-7),
        "exact_interval" => {
            let (low, high) = exact_interval(whole(0), whole(1), given[2]);
            near(low, expected[0], 1e-7);
            near(high, expected[1], 1e-7);
        }
        "change" => {
            let counted = |at: usize| Counted {
                events: whole(at),
                over: given[at + 1],
            };
            let found = ratio(counted(0), counted(2)).expect("there were some before");
            near(found.point, expected[0], 1e-9);
            near(found.low, expected[1], 1e-6);
            near(found.high.min(1e308), expected[2], 1e-6);
        }
        "won_against_share" => near(
            won_against_share(given[0], given[1], whole(2), whole(3)),
            expected[0],
            1e-8,
        ),
        "mean_against_other" => fair_or_worse(given, expected[0]),
        "boundary" => boundary(given, expected),
        "shown" => near(most_possible(whole(0), whole(1)), expected[0], 1e-6),
        other => panic!("nobody knows what {other} is"),
    }
}

/// What a bet is divided by has to be its mean or more, and not much more where failures are few.
fn fair_or_worse(given: &[f64], mean: f64) {
    let [odds, requests, failed, all] = [given[0], given[1], given[2], given[3]];
    let divided_by = -won_against_other(odds, 0, requests as u64, failed as u64, all as u64);
    assert!(
        divided_by >= mean - 1e-8 * (1.0 + mean),
        "{given:?}: {divided_by} below {mean}"
    );
    if failed <= 0.02 * all {
        assert!(
            divided_by <= 1.4 * mean + 1e-9,
            "{given:?}: {divided_by} far above {mean}"
        );
    }
}

/// The ceiling is refuted from exactly the failures on that the other implementation finds; and the chance that this happens at
/// some look to a release that is just at the ceiling, summed over all paths, is below what was allowed.
fn boundary(given: &[f64], expected: &[f64]) {
    let [ceiling, needed, refuted] = [given[0], given[1], given[2]];
    let alpha = 4.0 * (-needed).exp();
    assert!(refuted > 0.0 && refuted <= alpha / 4.0, "{refuted} of {alpha}");
    let gate = CanaryGate {
        errors: Share::from_ppm((ceiling * 1e6).round() as u32),
        confidence: Share::from_ppm(((1.0 - alpha) * 1e6).round() as u32),
        ..CanaryGate::read(&Node::new(Kind::Table(Default::default())), "").expect("defaults")
    };
    let fails = |errors: u64, requests: u64| {
        let asked = Asked {
            gate: &gate,
            min_sample: 300,
        };
        let new = Side {
            requests,
            errors,
            times: &[],
        };
        urgent(
            asked,
            Seen {
                new,
                ..Seen::default()
            },
            &mut Kept::default(),
        )
        .is_some()
    };
    for (requests, limit) in [10, 50, 100, 500, 1_000, 3_000].into_iter().zip(expected) {
        // A handful is needed however unlikely it is.
        let limit = (*limit as u64).max(5);
        assert!(fails(limit, requests), "{limit} of {requests} against {ceiling}");
        assert!(
            !fails(limit - 1, requests),
            "{} of {requests} against {ceiling}",
            limit - 1
        );
    }
}

#[test]
fn what_is_kept_is_written_and_read_again() {
    let kept = Kept::default();
    let text = serde_json::to_string(&kept).expect("it is written");
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    assert_eq!(serde_json::from_str::<Kept>(&text).expect("it is read"), kept);
}
