//! One try of one question: run what is to be run, read what is to be read, and have it judged.

use crate::door::{clock, files};
use crate::read::{Before, read};
use crate::run::{Run, run};
use crate::veil::Veil;
use crate::weigh::weigh;
use crate::{Place, door};
use towpath_decide::gate::report::{self, Ended, Report, Unread, stopped, unread};
use towpath_model::desired::gate::{Gate, SizeGate};
use towpath_model::run::{Evidence, Found, Verdict};
use towpath_model::unit::Command;

/// Whether something is run for it.
pub(crate) fn runs(gate: &Gate) -> bool {
    gate.command.is_some() || gate.load.is_some() || command(gate).is_some()
}

/// The command that makes the report of a gate.
fn command(gate: &Gate) -> Option<&Command> {
    let junit = gate.junit.as_ref().and_then(|one| one.run.as_ref());
    let sarif = gate.sarif.as_ref().and_then(|one| one.run.as_ref());
    let performance = gate.performance.as_ref().and_then(|one| one.run.as_ref());
    junit.or(sarif).or(performance)
}

/// A question on its way.
struct Asking<'a> {
    gate: &'a Gate,
    name: &'a str,
    place: &'a Place,
    over: Option<&'a str>,
    veil: &'a Veil,
}

pub(crate) async fn once(gate: &Gate, name: &str, place: &Place, over: Option<&str>, veil: &Veil) -> Found {
    let asking = Asking {
        gate,
        name,
        place,
        over,
        veil,
    };
    if let Some(command) = &gate.command {
        return report::command(command.as_str(), &asking.run(command).await);
    }
    if let Some(asked) = &gate.junit {
        let judge = |read: Report<'_>| report::junit(asked, read);
        return asking
            .report(asked.report.as_str(), asked.run.as_ref(), judge)
            .await;
    }
    if let Some(asked) = &gate.sarif {
        let judge = |read: Report<'_>| report::sarif(asked, read, place.is_first, clock::now());
        return asking
            .report(asked.report.as_str(), asked.run.as_ref(), judge)
            .await;
    }
    if let Some(asked) = &gate.performance {
        let judge = |read: Report<'_>| report::performance(asked, read);
        return asking
            .report(asked.report.as_str(), asked.run.as_ref(), judge)
            .await;
    }
    if let Some(asked) = &gate.load {
        let judge = |read: Report<'_>| report::load(asked, read);
        return asking
            .report(asked.report.as_str(), Some(&asked.command), judge)
            .await;
    }
    match &gate.size {
        Some(asked) => size(asked, place),
        None => Found {
            verdict: Verdict::Inconclusive("it asks nothing that a folder could answer".to_owned()),
            measured: None,
            bound: None,
            evidence: Vec::new(),
        },
    }
}

impl Asking<'_> {
    async fn run(&self, command: &Command) -> Ended {
        run(Run {
            command: command.as_str(),
            folder: &self.place.folder,
            env: self.place.variables(self.name, self.over),
            within: self.gate.timeout,
            say: &*self.place.say,
            veil: self.veil,
        })
        .await
    }

    /// Runs what makes a report, and has the report judged. A command that does not end well is a failure whatever the report
    /// says; where the report says why, that is what is told.
    async fn report(
        &self,
        file: &str,
        command: Option<&Command>,
        judge: impl Fn(Report<'_>) -> Found,
    ) -> Found {
        let path = self.place.folder.join(file);
        let Some(command) = command else {
            return match read(&path, None) {
                Ok(bytes) => judge(Report { file, bytes: &bytes }),
                Err(why) => unread(file, &why, None),
            };
        };
        let before = Before {
            stamp: files::stamp(&path),
            began: door::clock::stamp(),
        };
        let ended = self.run(command).await;
        let found = match read(&path, Some(&before)) {
            Ok(bytes) => judge(Report { file, bytes: &bytes }),
            Err(_) if !ended.exit.is_success() => return stopped(command.as_str(), &ended),
            Err(Unread::Stale(_)) => {
                let why = Unread::Stale(command.as_str().to_owned());
                return told(unread(file, &why, Some(command.as_str())), command, &ended);
            }
            Err(why) => return told(unread(file, &why, Some(command.as_str())), command, &ended),
        };
        match &found.verdict {
            Verdict::Fail(_) => told(found, command, &ended),
            _ if !ended.exit.is_success() => {
                let mut stopped = stopped(command.as_str(), &ended);
                if let Some(measured) = found.measured {
                    stopped.measured = stopped
                        .measured
                        .map(|words| format!("{words}; its report: {measured}"));
                }
                stopped.evidence.extend(found.evidence);
                stopped
            }
            _ => found,
        }
    }
}

/// What was found, with the last lines of the command that has made it.
fn told(mut found: Found, command: &Command, ended: &Ended) -> Found {
    if !ended.last.is_empty() {
        found.evidence.push(Evidence {
            name: format!("the last lines of `{command}`"),
            text: ended.last.join("\n"),
            digest: None,
        });
    }
    found
}

fn size(asked: &SizeGate, place: &Place) -> Found {
    match (&asked.file, &asked.artifact) {
        (Some(pattern), _) => match weigh(&place.folder, pattern) {
            Ok(files) => report::size(pattern.as_str(), &files, asked.most),
            Err(why) => Found {
                verdict: Verdict::Fail(format!("{pattern}: {why}")),
                measured: None,
                bound: Some(format!("<= {}", asked.most)),
                evidence: Vec::new(),
            },
        },
        (None, Some(component)) => {
            let bytes = place.weights.get(component.as_str()).copied();
            report::weight(component.as_str(), bytes, asked.most)
        }
        (None, None) => Found {
            verdict: Verdict::Fail("it names neither a file nor the artifact of a component".to_owned()),
            measured: None,
            bound: Some(format!("<= {}", asked.most)),
            evidence: Vec::new(),
        },
    }
}
