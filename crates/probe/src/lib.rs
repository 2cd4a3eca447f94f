//! Synthetic users, run for real.
//!
//! What a probe means is decided elsewhere (`towpath_decide::gate::probe`): which steps it has, whether an answer is the right
//! one, and what follows from all runs. Here it is done: requests are sent, WebSockets held open, statements run, jobs put on
//! queues, commands started; and what came is measured.
//!
//! **A run** is one visitor: it has its own connections, keeps to one of the addresses that it is aimed at, and ends with the
//! first answer that is wrong. The next run goes to the next address. After a failed one there is no further run.
//!
//! **Bounds.** Every step ends within its time, every run within that of the probe; what is read has a largest size. A command is
//! a process group that ends with its step, whatever it has started. Nothing of a run outlives it.
//!
//! **Secrets** are sent, and never told: whatever came back is looked through for them before a word of it is kept.

mod aim;
mod ask;
mod carry;
mod door;
mod run;
mod socket;
mod store;
mod stream;

pub use aim::{Aim, Base};

use door::clock;
use run::Session;
use towpath_decide::gate::probe::{Broken, Judged, judge, read};
use towpath_model::desired::probe::Probe;
use towpath_model::run::{Found, Verdict};
use towpath_model::unit::Duration;

/// What a probe has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The verdict, and what it rests on.
    pub found: Found,
    /// The digest of a fixture's answer, to be kept with the release that was asked.
    pub hash: Option<String>,
    /// How long all of it took.
    pub took: Duration,
    /// How many runs there were.
    pub runs: usize,
}

/// Runs a probe against what it is aimed at.
pub async fn probe(probe: &Probe, name: &str, aim: &Aim) -> Outcome {
    let begun = clock::now();
    let (mut found, hash, runs) = match read(probe) {
        Ok(script) => {
            let mut runs = Vec::new();
            let veil = aim.veil();
            for number in 0..script.runs {
                let mut session = Session::new(name, aim, number, begun);
                let run = session.run(&script).await;
                let goes_on = run.broken.is_none() && session.is_met;
                runs.push(run);
                if !goes_on {
                    break;
                }
            }
            let Judged { found, hash } = judge(&script, &runs, aim.stable.as_deref(), &veil);
            (found, hash, runs.len())
        }
        Err(why) => (unknown(why), None, 0),
    };
    found.verdict = named(name, found.verdict);
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Outcome {
        found,
        hash,
        took: Duration::from_millis(took),
        runs,
    }
}

/// Runs a probe, and where it fails again, as often as it says itself (`confirm`), spread over half a minute: what fails once
/// may be nothing. The first pass ends it; the last failure stands.
pub async fn confirmed(which: &Probe, name: &str, aim: &Aim) -> Outcome {
    let mut outcome = probe(which, name, aim).await;
    for _ in 0..which.confirm {
        if !matches!(outcome.found.verdict, Verdict::Fail(_)) {
            break;
        }
        tokio::time::sleep(HALF_A_MINUTE / which.confirm.max(1)).await;
        outcome = probe(which, name, aim).await;
    }
    outcome
}

/// The time in which a failure is confirmed.
const HALF_A_MINUTE: std::time::Duration = std::time::Duration::from_secs(30);

fn unknown(why: String) -> Found {
    Found {
        verdict: Verdict::Inconclusive(why),
        measured: None,
        bound: None,
        evidence: Vec::new(),
    }
}

fn named(name: &str, verdict: Verdict) -> Verdict {
    let told = |why: String| format!("probe `{name}`: {why}");
    match verdict {
        Verdict::Fail(why) => Verdict::Fail(told(why)),
        Verdict::Inconclusive(why) => Verdict::Inconclusive(told(why)),
        other => other,
    }
}

/// What was asked did not answer as it should.
fn failed(why: impl Into<String>) -> Broken {
    Broken::Failed(why.into())
}

/// It could not be asked.
fn unasked(why: impl Into<String>) -> Broken {
    Broken::Unknown(why.into())
}
