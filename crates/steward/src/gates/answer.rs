//! What people say about gates, and what they are told.

use super::{APPROVED, WAIVER, brought};
use crate::core::Core;
use crate::door::clock;
use crate::serve::{Refusal, problem, unwritten};
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use towpath_api::{AboutGate, Answered, Ask};
use towpath_decide::gate::may_waive;
use towpath_decide::rollout::Wish;
use towpath_engine::Engine;
use towpath_model::desired::gate::Gate;
use towpath_model::run::{Answer, Approved, Questions, ReleaseId, Verdict};

/// The most answers that are told.
const MOST: u32 = 500;

/// Something that is asked about gates.
#[derive(Debug)]
pub(crate) enum Question {
    /// What they have answered.
    Told(oneshot::Sender<Answered>),
    /// Something about one of them.
    About(Box<AboutGate>, oneshot::Sender<Told>),
    /// Some are asked of what runs here.
    Ask(Box<Ask>, oneshot::Sender<Asked>),
}

/// What whoever said something is told.
pub(crate) type Told = Result<Answered, Refusal>;

/// What comes of it, when each has answered.
pub(crate) type Asked = Result<Answered, Refusal>;

impl<E: Engine> Core<E> {
    /// Answers what is asked about gates. That whoever asked has gone meanwhile changes nothing.
    pub(crate) async fn answer_about_gates(&mut self, question: Question) {
        match question {
            Question::Told(to) => drop(to.send(self.gates_told().await)),
            Question::About(about, to) => {
                let done = self.about_gate(*about).await;
                let told = match done {
                    Ok(()) => Ok(self.gates_told().await),
                    Err(refusal) => Err(refusal),
                };
                let _ = to.send(told);
            }
            Question::Ask(ask, to) => self.ask_here(*ask, to).await,
        }
    }

    /// What gates have answered here, the newest first.
    async fn gates_told(&self) -> Answered {
        // What cannot be read is not told.
        let written = self
            .ledger
            .newest(Some(super::GATES), MOST)
            .await
            .unwrap_or_default();
        let answer = |body: &serde_json::Value| serde_json::from_value(body.get("answer")?.clone()).ok();
        let answers = written.iter().rev().filter_map(|one| answer(&one.entry.body));
        let gates = self.helm.as_ref().map(|helm| &helm.gates);
        Answered {
            answers: answers.collect(),
            waivers: gates.map_or_else(Vec::new, |gates| gates.waivers.values().cloned().collect()),
            approved: gates.map_or_else(Vec::new, |gates| gates.approved.clone()),
        }
    }

    /// The questions of the release that is on its way, or else of the one that is current.
    fn questions(&self) -> Option<&Questions> {
        let helm = self.helm.as_ref()?;
        let going = helm.course.rollout.as_ref().filter(|one| one.back.is_none());
        let id = going.map(|one| &one.to).or(helm.course.current.as_ref())?;
        Some(&helm.releases.get(id)?.release.content.questions)
    }

    async fn about_gate(&mut self, about: AboutGate) -> Result<(), Refusal> {
        if !self.restore().await {
            return Err(no_release());
        }
        let now = clock::today();
        let questions = self.questions().ok_or_else(no_release)?;
        let (record, what, because) = match &about {
            AboutGate::Waive(waiver) => {
                let gate = known(questions, &waiver.gate)?;
                may_waive(gate, waiver).map_err(|why| not_waived(&waiver.gate, &why))?;
                let record = (WAIVER.to_owned(), waiver.gate.clone(), Some(json!(waiver)));
                let because = format!("{}: {}", waiver.by, waiver.reason);
                (record, "waive", because)
            }
            AboutGate::Unwaive { gate, by } => {
                let record = (WAIVER.to_owned(), gate.clone(), None);
                (record, "unwaive", format!("{by} wants it so"))
            }
            AboutGate::Approve(approved) => {
                if known(questions, &approved.gate)?.is_none_or(|gate| gate.approval.is_none()) {
                    let message = format!("`{}` does not wait for anybody's yes", approved.gate);
                    return Err(refused(&message, "`towpath gates` tells which gates do"));
                }
                let name = format!("{}/{}", approved.gate, approved.by);
                let record = (APPROVED.to_owned(), name, Some(json!(approved)));
                let because = format!("{} says yes to `{}`", approved.by, approved.gate);
                (record, "approve", because)
            }
            AboutGate::Answered(answer) => {
                let to = self.going().ok_or_else(no_release)?;
                let mut all = self.brought(&to);
                all.retain(|one| (&one.gate, one.stage) != (&answer.gate, answer.stage));
                all.push((**answer).clone());
                (
                    brought(&to, &all),
                    "brought",
                    format!("{} has asked it", answer.by),
                )
            }
        };
        self.ledger
            .about_gate(record, (what, &because), now)
            .await
            .map_err(|error| unwritten(&error))?;
        self.note_about_gate(about);
        self.ask_again().await
    }

    /// What was written down is known from now on.
    fn note_about_gate(&mut self, about: AboutGate) {
        let to = self.going();
        let Some(helm) = &mut self.helm else { return };
        let gates = &mut helm.gates;
        match about {
            AboutGate::Waive(waiver) => drop(gates.waivers.insert(waiver.gate.clone(), waiver)),
            AboutGate::Unwaive { gate, .. } => drop(gates.waivers.remove(&gate)),
            AboutGate::Approve(approved) => {
                gates
                    .approved
                    .retain(|one| (&one.gate, &one.by) != (&approved.gate, &approved.by));
                gates.approved.push(approved);
            }
            AboutGate::Answered(answer) => {
                let Some(to) = to else { return };
                let all = gates.brought.entry(to).or_default();
                all.retain(|one| (&one.gate, one.stage) != (&answer.gate, answer.stage));
                gates.awaits.remove(&answer.gate);
                all.push(*answer);
            }
        }
    }

    /// Something is known now that was not: what is judged is judged again.
    async fn ask_again(&mut self) -> Result<(), Refusal> {
        let live = self.helm.as_ref().and_then(|helm| helm.course.rollout.as_ref());
        match live.filter(|rollout| rollout.back.is_none()) {
            Some(_) => self.wish_about_releases(&Wish::Ask, "towpath", None).await,
            None => Ok(()),
        }
    }

    /// The release that is on its way.
    pub(super) fn going(&self) -> Option<ReleaseId> {
        let rollout = self.helm.as_ref()?.course.rollout.as_ref()?;
        Some(rollout.to.clone())
    }

    /// What has been answered elsewhere of a release.
    pub(super) fn brought(&self, release: &ReleaseId) -> Vec<Answer> {
        let helm = self.helm.as_ref();
        let found = helm.and_then(|helm| helm.gates.brought.get(release));
        found.cloned().unwrap_or_default()
    }

    /// What was answered elsewhere came with a release: it is written down before the release is.
    pub(crate) async fn bring_answers(
        &mut self,
        release: &ReleaseId,
        answers: Vec<Answer>,
    ) -> Result<(), Refusal> {
        if answers.is_empty() {
            return Ok(());
        }
        let words = format!("{} answers came with release {release}", answers.len());
        let record = brought(release, &answers);
        let now = clock::today();
        self.ledger
            .about_gate(record, ("brought", &words), now)
            .await
            .map_err(|error| unwritten(&error))?;
        for answer in &answers {
            self.ledger.answered(answer, None, &super::ask::words(answer));
        }
        if let Some(helm) = &mut self.helm {
            helm.gates.brought.insert(release.clone(), answers);
        }
        Ok(())
    }

    /// Whether what is under way waits for somebody's yes.
    pub(crate) fn waits_for_yes(&self) -> bool {
        let rollout = self.helm.as_ref().and_then(|helm| helm.course.rollout.as_ref());
        rollout.is_some_and(|rollout| matches!(rollout.vigil.verdict, Some(Verdict::Awaits(_))))
    }

    /// Whoever approves a rollout says yes to all gates of it that wait for that.
    pub(crate) async fn say_yes(&mut self, by: &str) -> Result<(), Refusal> {
        let at = clock::today();
        let asks = self
            .questions()
            .into_iter()
            .flat_map(|questions| &questions.gates);
        let asks = asks.filter(|(_, gate)| gate.approval.is_some());
        let yes: Vec<Approved> = asks
            .map(|(name, _)| Approved {
                gate: name.to_string(),
                by: by.to_owned(),
                at,
            })
            .collect();
        for approved in yes {
            self.about_gate(AboutGate::Approve(approved)).await?;
        }
        Ok(())
    }
}

/// A gate that is asked on the way.
fn known<'a>(questions: &'a Questions, name: &str) -> Result<Option<&'a Gate>, Refusal> {
    let gate = questions.gates.get(name);
    if gate.is_none() && !questions.probes.contains_key(name) {
        let all: BTreeMap<&str, ()> = questions
            .gates
            .keys()
            .chain(questions.probes.keys())
            .map(|name| (name.as_str(), ()))
            .collect();
        let all: Vec<&str> = all.into_keys().collect();
        let message = format!("there is no gate `{name}` on the way into this environment");
        let hint = match all.as_slice() {
            [] => "there is none at all".to_owned(),
            all => format!("there are {}", all.join(", ")),
        };
        return Err(refused(&message, &hint));
    }
    Ok(gate)
}

fn not_waived(gate: &str, why: &str) -> Refusal {
    let message = format!("`{gate}` is not waived: {why}");
    refused(
        &message,
        "mend what it has found, or ask somebody who may waive it",
    )
}

fn refused(message: &str, hint: &str) -> Refusal {
    problem(StatusCode::UNPROCESSABLE_ENTITY, "gate", message, Some(hint))
}

pub(super) fn no_release() -> Refusal {
    let message = "there is no release here of which anything could be asked";
    problem(
        StatusCode::CONFLICT,
        "no-release",
        message,
        Some("`towpath deploy` brings one"),
    )
}
