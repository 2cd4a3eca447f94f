//! From all runs to one verdict, in words that name the step, what was expected and what came.

use super::met::{in_time, met, raw};
use super::subject::ALL;
use super::words;
use super::{Act, Bound, Broken, Hash, Run, Script, Seen, Step, Subject, Veil};
use std::collections::BTreeSet;
use std::time::Duration as Span;
use towpath_model::run::{Evidence, Found, Verdict};

/// So many times are kept as evidence.
const TIMES: usize = 100;

/// What follows from the runs of a probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The verdict, with what it rests on.
    pub found: Found,
    /// The digest that a fixture's answer had in all runs.
    pub hash: Option<String>,
}

/// Why it does not pass.
struct Refused {
    verdict: Verdict,
    measured: Option<String>,
    bound: Option<String>,
}

/// Judges all runs of a probe. `stable` is the digest of the release that runs, where it is known.
pub fn judge(script: &Script, runs: &[Run], stable: Option<&str>, veil: &Veil) -> Judged {
    let hash = one_digest(script, runs);
    let judged = kept(script, runs, veil)
        .and_then(|()| timely(script, runs))
        .and_then(|()| same(script, runs, stable));
    let found = match judged {
        Ok(first) => {
            let (measured, bounds) = told(script, runs, stable, veil);
            let measured = match first {
                true => {
                    format!("{measured}; nothing to compare with yet, so it is kept for the next release")
                }
                false => measured,
            };
            Found {
                verdict: Verdict::Pass,
                measured: Some(measured),
                bound: (!bounds.is_empty()).then_some(bounds),
                evidence: evidence(runs, None, veil),
            }
        }
        Err(refused) => Found {
            verdict: refused.verdict,
            measured: refused.measured,
            bound: refused.bound,
            evidence: evidence(runs, last(runs), veil),
        },
    };
    Judged { found, hash }
}

/// The time of which a part of all times is no longer, by nearest rank: the smallest one such that at least this part of them
/// is no larger than it. `part` is in thousandths of a percent.
pub fn nearest_rank(times: &[Span], part: u32) -> Option<Span> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(rank(times.len(), part)?).copied()
}

/// The place in a list of so many in order.
fn rank(count: usize, part: u32) -> Option<usize> {
    let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
    let rank = (count * u64::from(part.min(ALL))).div_ceil(u64::from(ALL));
    usize::try_from(rank.max(1) - 1).ok()
}

/// Whether every run came to its end with the right answers. What has failed counts before what could not be asked.
fn kept(script: &Script, runs: &[Run], veil: &Veil) -> Result<(), Refused> {
    if runs.is_empty() {
        return Err(unknown("it has not been run".to_owned()));
    }
    let mut unsure = None;
    for (index, run) in runs.iter().enumerate() {
        let number = (script.runs > 1).then(|| format!(", in run {} of {}", index + 1, script.runs));
        let number = number.unwrap_or_default();
        match run_kept(script, run, &number, veil) {
            Err(refused) if matches!(refused.verdict, Verdict::Fail(_)) => return Err(refused),
            Err(refused) => unsure = unsure.or(Some(refused)),
            Ok(()) => {}
        }
    }
    match unsure {
        Some(refused) => Err(refused),
        None if (runs.len() as u64) < u64::from(script.runs) => Err(unknown(format!(
            "it came to {} of {} runs",
            runs.len(),
            script.runs
        ))),
        None => Ok(()),
    }
}

fn run_kept(script: &Script, run: &Run, number: &str, veil: &Veil) -> Result<(), Refused> {
    let of = script.steps.len();
    for (index, (step, seen)) in script.steps.iter().zip(&run.seen).enumerate() {
        if let Err(miss) = met(step, seen) {
            let place = words::place(index, of, &step.words);
            let waits = matches!(step.act, Act::Wait(_) | Act::WebSocket(_));
            let within = waits.then(|| step.bound.to_string());
            return Err(Refused {
                verdict: Verdict::Fail(format!("{place}: {}{number}", miss.told(within, veil))),
                measured: Some(miss.measured(veil)),
                bound: Some(miss.expected),
            });
        }
    }
    let next = script.steps.get(run.seen.len());
    let place = next.map(|step| words::place(run.seen.len(), of, &step.words));
    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
    match &run.broken {
        Some(Broken::Failed(why)) => {
            return Err(failed(format!("{place}{}{number}", veil.text(why))));
        }
        Some(Broken::Unknown(why)) => {
            return Err(unknown(format!("{place}{}{number}", veil.text(why))));
        }
        None if run.seen.len() < of => {
            return Err(unknown(format!("{place}it was not done{number}")));
        }
        None => {}
    }
    if let Some(within) = script.within.filter(|within| run.took > within.to_std()) {
        return Err(Refused {
            verdict: Verdict::Fail(format!(
                "all of it took {}, and may take {within}{number}",
                words::time(run.took)
            )),
            measured: Some(words::time(run.took)),
            bound: Some(format!("within {within}")),
        });
    }
    match script.each.iter().find(|bound| !in_time(&bound.keep, run.took)) {
        Some(bound) => Err(Refused {
            verdict: Verdict::Fail(format!(
                "`{}` is expected, and it took {}{number}",
                bound.keep,
                words::time(run.took)
            )),
            measured: Some(words::time(run.took)),
            bound: Some(bound.keep.to_string()),
        }),
        None => Ok(()),
    }
}

/// Whether the percentiles are kept.
fn timely(script: &Script, runs: &[Run]) -> Result<(), Refused> {
    for (bound, times, place) in percentiles(script, runs) {
        let Subject::Percentile(part) = bound.subject else {
            continue;
        };
        let Some(measured) = nearest_rank(&times, part) else {
            return Err(unknown(format!("`{}` has no times to rest on", bound.keep)));
        };
        if !in_time(&bound.keep, measured) {
            let told = percentile(bound, &times);
            let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
            return Err(Refused {
                verdict: Verdict::Fail(format!("{place}`{}` is expected, and {told} came", bound.keep)),
                measured: Some(told),
                bound: Some(bound.keep.to_string()),
            });
        }
    }
    Ok(())
}

/// The percentiles that are bounded, with their times and the step that they are of.
fn percentiles<'s>(
    script: &'s Script,
    runs: &[Run],
) -> impl Iterator<Item = (&'s Bound, Vec<Span>, Option<String>)> {
    let whole: Vec<Span> = runs.iter().map(|run| run.took).collect();
    let mut all = Vec::new();
    for (index, step) in script.steps.iter().enumerate() {
        let times = runs.iter().filter_map(|run| run.seen.get(index));
        let times: Vec<Span> = times.map(|seen| seen.took).collect();
        let place = words::place(index, script.steps.len(), &step.words);
        let of = |bound| (bound, times.clone(), Some(place.clone()));
        all.extend(step.across.iter().map(of));
    }
    all.extend(script.across.iter().map(|bound| (bound, whole.clone(), None)));
    all.into_iter()
}

/// `p95 212 ms of 20 runs`
fn percentile(bound: &Bound, times: &[Span]) -> String {
    let Subject::Percentile(part) = bound.subject else {
        return String::new();
    };
    let measured = nearest_rank(times, part).map(words::time).unwrap_or_default();
    let slowest = match rank(times.len(), part) {
        Some(rank) if rank + 1 == times.len() && times.len() > 1 => ", the slowest",
        _ => "",
    };
    let runs = match times.len() {
        1 => "one run".to_owned(),
        count => format!("{count} runs"),
    };
    format!("{} {measured} of {runs}{slowest}", bound.keep.subject)
}

/// Whether a fixture has the answer that it had. True where there was nothing to compare with.
fn same(script: &Script, runs: &[Run], stable: Option<&str>) -> Result<bool, Refused> {
    let Some((step, hash)) = fixture(script) else {
        return Ok(false);
    };
    let came = digests(runs);
    let Some(one) = came.first().filter(|_| came.len() == 1) else {
        return Err(match came.is_empty() {
            true => unknown(format!("{}: no digest was taken", step.words)),
            false => failed(format!(
                "{}: {} answers to the same question came in {} runs",
                step.words,
                came.len(),
                runs.len()
            )),
        });
    };
    let (wanted, whose) = match (hash, stable) {
        (Hash::Is(wanted), _) => (wanted.as_str(), "is expected"),
        (Hash::Stable, Some(wanted)) => (wanted, "is what the release that runs answers"),
        (Hash::Stable, None) => return Ok(true),
    };
    match one.as_str() == wanted {
        true => Ok(false),
        false => Err(Refused {
            verdict: Verdict::Fail(format!("{}: {wanted} {whose}, and {one} came", step.words)),
            measured: Some(one.clone()),
            bound: Some(wanted.to_owned()),
        }),
    }
}

fn fixture(script: &Script) -> Option<(&Step, &Hash)> {
    script.steps.iter().find_map(|step| match &step.act {
        Act::Fixture { hash, .. } => Some((step, hash)),
        _ => None,
    })
}

fn digests(runs: &[Run]) -> BTreeSet<String> {
    let seen = runs.iter().flat_map(|run| &run.seen);
    seen.filter_map(|seen| seen.digest.clone()).collect()
}

/// The digest that all answers to a right question had.
fn one_digest(script: &Script, runs: &[Run]) -> Option<String> {
    let (step, _) = fixture(script)?;
    let mut seen = runs.iter().flat_map(|run| &run.seen);
    let all_met = seen.all(|seen| met(step, seen).is_ok());
    let mut digests = digests(runs);
    (all_met && digests.len() == 1).then(|| digests.pop_first())?
}

/// What was measured, and what it was held against, of runs that were all right.
fn told(script: &Script, runs: &[Run], stable: Option<&str>, veil: &Veil) -> (String, String) {
    let (mut measured, mut bounds) = (Vec::new(), Vec::new());
    let last: Option<&Run> = runs.last();
    let in_all = match runs.len() {
        0 | 1 => String::new(),
        count => format!(" in all {count} runs"),
    };
    let steps = script.steps.iter().enumerate();
    for (index, step) in steps {
        let Some(seen) = last.and_then(|run| run.seen.get(index)) else {
            continue;
        };
        for bound in &step.expect {
            measured.push(format!("{}{in_all}", value(bound, seen, veil)));
            bounds.push(bound.keep.to_string());
        }
    }
    for (bound, times, _) in percentiles(script, runs) {
        measured.push(percentile(bound, &times));
        bounds.push(bound.keep.to_string());
    }
    if let Some((_, hash)) = fixture(script) {
        measured.extend(digests(runs));
        match (hash, stable) {
            (Hash::Is(wanted), _) => bounds.push(wanted.clone()),
            (Hash::Stable, Some(stable)) => bounds.push(stable.to_owned()),
            (Hash::Stable, None) => {}
        }
    }
    bounds.extend(script.each.iter().map(|bound| bound.keep.to_string()));
    bounds.extend(script.within.map(|within| format!("within {within}")));
    if measured.is_empty() || !script.each.is_empty() || script.within.is_some() {
        let longest = runs.iter().map(|run| run.took).max().unwrap_or_default();
        let took = match runs.len() {
            0 | 1 => format!("took {}", words::time(longest)),
            count => format!("at most {} in {count} runs", words::time(longest)),
        };
        measured.push(took);
    }
    (measured.join(", "), bounds.join(", "))
}

/// `status 200`, or what a field says.
fn value(bound: &Bound, seen: &Seen, veil: &Veil) -> String {
    let subject = match &bound.subject {
        Subject::Value => "value",
        Subject::Body => "body",
        Subject::Latency => "latency",
        _ => bound.keep.subject.as_str(),
    };
    let raw = raw(&bound.subject, seen).unwrap_or_default();
    match bound.subject {
        Subject::Status | Subject::Rows | Subject::Messages | Subject::Latency => format!("{subject} {raw}"),
        _ => format!("{subject} {}", words::came(&raw, veil)),
    }
}

fn last(runs: &[Run]) -> Option<&Seen> {
    runs.iter().rev().find_map(|run| run.seen.last())
}

/// The times of all runs where there are several, and the answer that was wrong.
fn evidence(runs: &[Run], wrong: Option<&Seen>, veil: &Veil) -> Vec<Evidence> {
    let mut all = Vec::new();
    if let Some(seen) = wrong.filter(|seen| !seen.body.trim().is_empty()) {
        all.push(Evidence {
            name: "the last answer".to_owned(),
            text: words::kept(&seen.body, veil),
            digest: None,
        });
    }
    if runs.len() > 1 {
        let times = runs.iter().take(TIMES).map(|run| words::time(run.took));
        let rest = match runs.len() {
            count if count > TIMES => format!(", and {} more", count - TIMES),
            _ => String::new(),
        };
        all.push(Evidence {
            name: format!("the times of {} runs", runs.len()),
            text: times.collect::<Vec<_>>().join(", ") + &rest,
            digest: None,
        });
    }
    all
}

fn failed(why: String) -> Refused {
    Refused {
        verdict: Verdict::Fail(why),
        measured: None,
        bound: None,
    }
}

fn unknown(why: String) -> Refused {
    Refused {
        verdict: Verdict::Inconclusive(why),
        measured: None,
        bound: None,
    }
}
