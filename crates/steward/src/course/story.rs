//! The story of each rollout as it is kept: a record for each line, which stays when the journal has long forgotten.

use super::Helm;
use super::keep::RELEASES;
use crate::core::Core;
use crate::keep::Ledger;
use crate::serve::{Refusal, problem};
use http::StatusCode;
use towpath_api::Story;
use towpath_decide::rollout::Decision;
use towpath_decide::rollout::story::{self, Told};
use towpath_engine::Engine;
use towpath_model::run::{Course, Line, Reason};
use towpath_store::{StoreError, Written};

/// So many lines are kept of a rollout; of what only waits there are no more then. It is days of one that cannot decide.
const MOST_LINES: u64 = 2_000;

/// So far back the journal is read for a rollout that an earlier version has told of only there.
const FAR: u32 = 50_000;

/// A record of a ledger.
pub(super) type Record = (String, String, Option<serde_json::Value>);

/// Who tells the stories.
#[derive(Debug, Clone, Default)]
pub(super) struct Teller {
    /// The rollout that is told of.
    number: u64,
    /// How many lines there are of it.
    lines: u64,
    /// Why it was where it was, as it was told last.
    pub(super) last: Option<Reason>,
}

impl Teller {
    /// Goes on with a story of which there are so many lines.
    pub(super) fn after(number: u64, lines: u64) -> Self {
        Teller {
            number,
            lines,
            last: None,
        }
    }

    /// What is kept of these lines.
    pub(super) fn records(&mut self, told: Vec<Told>) -> Vec<Record> {
        let mut records = Vec::new();
        for (number, line) in told {
            // What an earlier one has asked for is of no more interest.
            if number < self.number {
                continue;
            }
            if number > self.number {
                (self.number, self.lines) = (number, 0);
            }
            if self.lines >= MOST_LINES && matches!(line.what.as_str(), "waits" | "holds" | "asks" | "answer")
            {
                continue;
            }
            let body = serde_json::to_value(line).unwrap_or_default();
            records.push((kind(number), format!("{:09}", self.lines), Some(body)));
            self.lines += 1;
        }
        records
    }

    /// What is kept of a step.
    pub(super) fn steps(
        &mut self,
        before: &Course,
        decision: &Decision,
        now: jiff::Timestamp,
    ) -> Vec<Record> {
        let told = story::steps(before, decision, self.last.as_ref(), now);
        if story::is_told(&decision.because) {
            self.last = Some(decision.because.clone());
        }
        self.records(told)
    }
}

/// The kind of records that a story is made of.
fn kind(number: u64) -> String {
    format!("rollout {number}")
}

impl Ledger {
    /// The lines of a rollout, the oldest first.
    pub(super) async fn story(&self, number: u64) -> Result<Vec<Line>, StoreError> {
        let records = self.records(&kind(number)).await?;
        let lines = records
            .into_iter()
            .map(|(_, body)| serde_json::from_value(body).ok());
        Ok(lines.flatten().collect())
    }
}

impl<E: Engine> Core<E> {
    /// Goes on with the story of what an earlier steward has begun.
    pub(super) async fn resume_story(&mut self) {
        let Some(number) = self.helm.as_ref().map(|helm| helm.course.number) else {
            return;
        };
        // Where it cannot be read, it cannot be written either, and it is begun anew behind what there can be of it.
        let lines = self
            .ledger
            .records(&kind(number))
            .await
            .map(|all| all.len() as u64);
        if let Some(helm) = &mut self.helm {
            helm.teller = Teller::after(number, lines.unwrap_or(MOST_LINES));
        }
    }

    /// Something has happened in a rollout that changes nothing of its course: it is written with what is written next.
    pub(crate) fn tell_story(&mut self, told: impl IntoIterator<Item = Told>) {
        let Some(helm) = &mut self.helm else { return };
        let records = helm.teller.records(told.into_iter().collect());
        self.ledger.add(records);
    }

    /// The whole story of a rollout.
    pub(super) async fn story(&self, number: u64) -> Result<Story, Refusal> {
        let lives = |helm: &Helm| {
            helm.course
                .rollout
                .as_ref()
                .is_some_and(|one| one.number == number)
        };
        let lives = self.helm.as_ref().is_some_and(lives);
        let mut lines = self.ledger.story(number).await.unwrap_or_default();
        if lines.is_empty() {
            let written = self.ledger.newest(Some(RELEASES), FAR).await.unwrap_or_default();
            lines = written
                .into_iter()
                .filter_map(|one| of_journal(one, number))
                .collect();
        }
        if lines.is_empty() {
            let message = format!("there has been no rollout {number} here");
            let hint = format!(
                "`towpath history {}` tells their numbers",
                self.config.environment
            );
            return Err(problem(
                StatusCode::NOT_FOUND,
                "unknown-rollout",
                &message,
                Some(&hint),
            ));
        }
        Ok(Story {
            rollout: number,
            lives,
            lines,
        })
    }
}

/// What the journal says of a rollout.
fn of_journal(written: Written, number: u64) -> Option<Line> {
    let body = &written.entry.body;
    if body.get("rollout").and_then(serde_json::Value::as_u64) != Some(number) {
        return None;
    }
    let read = |key: &str| body.get(key).cloned().unwrap_or_default();
    Some(Line {
        by: serde_json::from_value(read("by")).unwrap_or_default(),
        to: serde_json::from_value(read("release")).unwrap_or_default(),
        took: serde_json::from_value(read("took")).unwrap_or_default(),
        ..Line::new(
            written.at,
            &written.entry.what,
            String::new(),
            written.entry.because,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: u64, what: &str) -> Told {
        let at = jiff::Timestamp::UNIX_EPOCH;
        (number, Line::new(at, what, String::new(), String::new()))
    }

    #[test]
    fn lines_stand_behind_one_another_and_each_rollout_begins_anew() {
        let mut teller = Teller::after(3, 7);
        let records = teller.records(vec![
            told(3, "done"),
            told(2, "done"),
            told(4, "begins"),
            told(3, "late"),
        ]);
        let names: Vec<String> = records
            .iter()
            .map(|(kind, name, _)| format!("{kind} {name}"))
            .collect();
        assert_eq!(names, ["rollout 3 000000007", "rollout 4 000000000"]);
    }

    #[test]
    fn what_only_waits_is_not_told_for_ever_and_what_happens_is() {
        let mut teller = Teller::after(1, MOST_LINES);
        assert!(
            teller
                .records(vec![told(1, "waits"), told(1, "answer")])
                .is_empty()
        );
        assert_eq!(teller.records(vec![told(1, "promoted")]).len(), 1);
    }
}
