//! Asking instances how they are, as the real steward does.

use super::{Around, Message, Steward};
use crate::clock::{after, between};
use jiff::Timestamp;
use towpath_decide::converge::Well;
use towpath_decide::health::{Answers, Meaning, hear};
use towpath_decide::tend::Fact;
use towpath_model::run::{Ask, Health, InstanceId, Life};
use towpath_model::unit::{Duration, Name};

/// An instance that is asked how it is.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) due: Option<Timestamp>,
    /// The process that is meant: answers of an earlier one do not count.
    pid: u32,
    health: Health,
    answers: Answers,
    since: Timestamp,
}

impl Steward {
    /// Begins and ends to ask the instances of a component.
    pub(super) fn question(&mut self, name: &Name, now: Timestamp) {
        let part = self.tended.parts().get(name);
        let of_it = |id: &InstanceId| id.component == *name;
        let Some((part, component)) = part.and_then(|part| Some((part, part.component.as_ref()?))) else {
            self.asked.retain(|id, _| !of_it(id));
            return;
        };
        if component.health.ask == Ask::Runs {
            return;
        }
        let standing = |id: &InstanceId| part.standing.iter().any(|one| one.seen.id == *id);
        self.asked.retain(|id, _| !of_it(id) || standing(id));
        for one in &part.standing {
            let id = &one.seen.id;
            let known = self.asked.get(id).map(|asked| asked.pid);
            match one.seen.life {
                Life::Running { pid } if one.busy.is_none() => {
                    if known != Some(pid) {
                        let asked = Asked {
                            due: Some(now),
                            pid,
                            health: component.health.clone(),
                            answers: Answers::default(),
                            since: now,
                        };
                        self.asked.insert(id.clone(), asked);
                    }
                }
                _ => drop(self.asked.remove(id)),
            }
        }
    }

    pub(super) fn due_question(&self, now: Timestamp) -> Option<InstanceId> {
        let due = |asked: &Asked| asked.due.is_some_and(|at| at <= now);
        self.asked
            .iter()
            .find(|(_, asked)| due(asked))
            .map(|(id, _)| id.clone())
    }

    /// Asks once.
    pub(super) fn ask(&mut self, id: &InstanceId, around: &mut Around<'_>) {
        let now = around.clock.steady;
        let Some(asked) = self.asked.get_mut(id) else {
            return;
        };
        let answer = around.machine.ask(id, now);
        let answer = answer.unwrap_or_else(|| Err("nobody listens".to_owned()));
        let lived = between(asked.since, now).to_std();
        let (answers, meaning, pause) = hear(&asked.health, asked.answers, answer, lived);
        asked.answers = answers;
        // Time passes by thousandths here, and a pause of none would not pass.
        let millis = u64::try_from(pause.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        let pause = Duration::from_millis(millis.max(1));
        asked.due = Some(after(now, pause));
        let well = match meaning {
            Meaning::Same => return,
            Meaning::Well => Well::Yes,
            Meaning::Late(why) => Well::NotYet { late: Some(why) },
            Meaning::Lost(why) => Well::Lost {
                since: around.clock.today(),
                why,
            },
        };
        let id = id.clone();
        self.inbox.push_back(Message::Fact(Fact::Answered { id, well }));
    }
}
