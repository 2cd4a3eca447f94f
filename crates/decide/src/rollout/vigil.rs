//! What is watched and judged at a point of a rollout, until it goes on, goes back, or a person has to say.

use super::forward::fresh;
use super::{Doing, Flow, PATIENCE, Turn};
use towpath_model::desired::rollout::WhenInconclusive;
use towpath_model::run::{Reason, Rollout, Stage, Verdict, Work};
use towpath_model::unit::Duration;

/// How often gates are asked that wait for somebody.
const AWAITED: Duration = Duration::from_minutes(5);

impl Turn<'_> {
    /// Watches for as long as it says, asks the gates all along and once more at the end, and then a person, if one is to say.
    pub(super) fn watch(
        &mut self,
        rollout: &mut Rollout,
        hold: Duration,
        gates: &[String],
        person: bool,
    ) -> Flow {
        let spent = self.spend(&mut rollout.vigil.clock, hold);
        if rollout.vigil.waved.is_some() {
            return Flow::On;
        }
        if let Some(why) = self.seen.alarm.as_ref().filter(|_| !rollout.is_rollback) {
            return Flow::Back(Reason::GateFailed(why.clone()));
        }
        if !gates.is_empty()
            && let Some(flow) = self.judge(rollout, spent, hold, gates)
        {
            return flow;
        }
        if spent < hold {
            return Flow::Wait(Reason::Watches(spent, hold));
        }
        // What has just been started again may end again; where nothing is watched, nobody waits for that.
        if !hold.is_zero() && rollout.restarts.1 > 0 && rollout.calm.spent < PATIENCE {
            return Flow::Wait(Reason::Steadies(PATIENCE));
        }
        if person {
            return Flow::Wait(Reason::AwaitsPerson);
        }
        Flow::On
    }

    /// What the gates say; nothing where they have no objection.
    fn judge(
        &mut self,
        rollout: &mut Rollout,
        spent: Duration,
        hold: Duration,
        gates: &[String],
    ) -> Option<Flow> {
        let way = self.way(rollout);
        if rollout.vigil.asked.is_some() && rollout.vigil.verdict.is_none() {
            let (task, doing) = self.doing(rollout.number, &look(rollout));
            let verdict = match doing {
                Some(Doing::Judged(verdict)) => verdict,
                // Whoever asks could not: nothing is known, and that is no pass.
                Some(Doing::Failed(why)) => Verdict::Inconclusive(why),
                Some(Doing::Done) => Verdict::Inconclusive("the gates said nothing".to_owned()),
                Some(Doing::Underway) => return Some(Flow::Wait(Reason::Asks(gates.to_vec()))),
                None => {
                    self.act(task, gates);
                    return Some(Flow::Wait(Reason::Asks(gates.to_vec())));
                }
            };
            rollout.vigil.verdict = Some(verdict);
        }
        if let Some(Verdict::Fail(why)) = &rollout.vigil.verdict {
            return Some(Flow::Back(Reason::GateFailed(why.clone())));
        }
        let next = match rollout.vigil.asked {
            // Who was asked before is asked at once.
            None if rollout.vigil.again => spent,
            None => hold.min(way.judge_every),
            // Whoever has to say something first says so, and then they are asked; a time of day comes by itself.
            Some(asked) if matches!(rollout.vigil.verdict, Some(Verdict::Awaits(_))) => {
                asked.plus(way.judge_every.max(AWAITED))
            }
            Some(asked) if asked < hold => hold.min(asked.plus(way.judge_every)),
            Some(asked) => asked.plus(way.judge_every),
        };
        let is_due = spent >= next;
        if !is_due {
            self.soon = self.soon.min(next.minus(spent));
        }
        if is_due {
            rollout.vigil.look += 1;
            rollout.vigil.asked = Some(spent);
            rollout.vigil.again = false;
            rollout.vigil.verdict = None;
            let (task, _) = self.doing(rollout.number, &look(rollout));
            self.act(task, gates);
            return Some(Flow::Wait(Reason::Asks(gates.to_vec())));
        }
        match &rollout.vigil.verdict {
            Some(Verdict::Inconclusive(why)) if spent >= hold => {
                let why = why.clone();
                if spent < hold.plus(way.extend) {
                    return Some(Flow::Wait(Reason::TooLittle(why)));
                }
                match way.inconclusive {
                    WhenInconclusive::Hold => Some(Flow::Wait(Reason::Undecided(why))),
                    WhenInconclusive::Rollback => Some(Flow::Back(Reason::NeverConclusive(why))),
                    WhenInconclusive::Promote => None,
                }
            }
            Some(Verdict::Awaits(why)) if spent >= hold => {
                let why = why.clone();
                Some(Flow::Wait(Reason::Awaits(why)))
            }
            _ => None,
        }
    }
}

/// Something is known now that was not when the gates were asked: they are asked once more, at once.
pub(super) fn ask_again(rollout: &mut Rollout) {
    if rollout.vigil.asked.is_some() && rollout.vigil.verdict.is_some() {
        rollout.vigil.asked = None;
        rollout.vigil.verdict = None;
        rollout.vigil.again = true;
    }
}

fn look(rollout: &Rollout) -> Work {
    let step = match rollout.stages.get(rollout.at) {
        Some(Stage::Leg(leg)) => leg.step,
        _ => 0,
    };
    Work::Judge {
        stage: rollout.at,
        step,
        look: rollout.vigil.look,
    }
}

/// A person says that it goes on.
pub(super) fn wave(rollout: &mut Rollout, why: String) {
    rollout.vigil = towpath_model::run::Vigil {
        clock: rollout.vigil.clock,
        waved: Some(why),
        cleared: rollout.vigil.cleared,
        ..fresh(&rollout.vigil)
    };
}
