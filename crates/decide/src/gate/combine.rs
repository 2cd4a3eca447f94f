//! The verdict of several gates: what follows from all that they have answered, and from what is waived.
//!
//! **One that fails fails all**, unless its failure is only to be told (`fails = "warn"`) or it is waived. Then one that
//! nobody could answer holds all, and one that has not answered yet is such a one; then one that waits for somebody. A gate
//! that is only to be told holds nothing either, since even its failure would not. Only then what was waived is said, and
//! otherwise it passes.
//!
//! **The newest answer counts.** A gate that is asked again has found out something newer, whichever way.
//!
//! **A release that goes no further** than a first environment, by what its scan has found, fails in each environment that
//! comes after another, although the answer that was given where it was built is a pass.

use super::report::goes_no_further;
use super::waiver::counts;
use jiff::Timestamp;
use towpath_model::desired::gate::OnFail;
use towpath_model::run::{Answer, Questions, Verdict, Waiver};

/// What follows from what these gates have answered. Each sentence begins with the name of its gate.
pub fn combine(
    questions: &Questions,
    gates: &[String],
    answers: &[Answer],
    waivers: &[Waiver],
    now: Timestamp,
) -> Verdict {
    let (mut bad, mut open, mut awaited, mut waived) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for name in gates {
        let verdict = verdict(questions, name, answers);
        if verdict == Verdict::Pass {
            continue;
        }
        let gate = questions.gates.get(name.as_str());
        let only_told = gate.is_some_and(|gate| gate.fails == OnFail::Warn);
        let (list, why) = match verdict {
            Verdict::Pass => continue,
            Verdict::Waived(why) => {
                waived.push(format!("{name}: {why}"));
                continue;
            }
            _ if only_told => continue,
            Verdict::Fail(why) => (&mut bad, why),
            Verdict::Inconclusive(why) => (&mut open, why),
            Verdict::Awaits(why) => (&mut awaited, why),
        };
        let mut aside = Vec::new();
        let mut own = waivers.iter().filter(|waiver| waiver.gate == *name);
        let holding = own.find(|waiver| match counts(gate, waiver, now) {
            Ok(()) => true,
            Err(why) => {
                aside.push(why);
                false
            }
        });
        match holding {
            Some(waiver) => waived.push(format!(
                "{name}: waived by {} until {:.0}: {}",
                waiver.by, waiver.until, waiver.reason
            )),
            None if aside.is_empty() => list.push(format!("{name}: {why}")),
            None => list.push(format!("{name}: {why} ({})", aside.join("; "))),
        }
    }
    match (bad.is_empty(), open.is_empty(), waived.is_empty()) {
        (false, ..) => Verdict::Fail(bad.join("; ")),
        (true, false, _) => Verdict::Inconclusive(open.join("; ")),
        (true, true, _) if !awaited.is_empty() => Verdict::Awaits(awaited.join("; ")),
        (true, true, false) => Verdict::Waived(waived.join("; ")),
        (true, true, true) => Verdict::Pass,
    }
}

/// What a gate has said last, as it is meant here.
fn verdict(questions: &Questions, name: &str, answers: &[Answer]) -> Verdict {
    let own = answers.iter().filter(|answer| answer.gate == name);
    let Some(answer) = own.max_by_key(|answer| answer.at) else {
        return Verdict::Inconclusive("nobody has answered yet".to_owned());
    };
    match goes_no_further(&answer.found) {
        Some(why) if answer.found.verdict == Verdict::Pass => match &questions.after {
            Some(after) => Verdict::Fail(format!("it goes no further than `{after}`: {why}")),
            None => Verdict::Pass,
        },
        _ => answer.found.verdict.clone(),
    }
}
