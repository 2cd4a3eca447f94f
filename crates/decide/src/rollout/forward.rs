//! The way forward: stage after stage, and through the steps of a leg.

use super::{Act, Doing, Flow, Turn};
use std::sync::Arc;
use towpath_model::desired::rollout::{Strategy, WhenInconclusive};
use towpath_model::run::{ALL, Leg, Moved, Reason, Rollout, Stage, Step, Task, Vigil, Warm, Way, Work};
use towpath_model::unit::{Duration, Name, known};

/// What holds where a rollout has nothing of which anybody could have said how: only flags have changed, for example.
fn usual() -> Way {
    Way {
        of: None,
        strategy: Strategy::Rolling,
        steps: Vec::new(),
        tenants: None,
        gates: Vec::new(),
        after: Vec::new(),
        bake: Duration::ZERO,
        warm: Duration::ZERO,
        judge_every: Duration::from_minutes(1),
        min_sample: 300,
        inconclusive: WhenInconclusive::Hold,
        extend: Duration::ZERO,
        surge: ALL,
        missing: 0,
        progress: Duration::from_minutes(10),
        auto_rollback: true,
        window: None,
        zone: known("UTC"),
    }
}

/// What is watched at the next point. Looks are counted on, so that no verdict is taken for a later one.
pub(super) fn fresh(vigil: &Vigil) -> Vigil {
    Vigil {
        look: vigil.look,
        ..Vigil::default()
    }
}

impl Turn<'_> {
    /// The way that holds now.
    pub(super) fn way(&self, rollout: &Rollout) -> Arc<Way> {
        let of = |stage: &Stage| match stage {
            Stage::Leg(leg) => Some(Arc::clone(&leg.way)),
            Stage::Bake(way) => Some(Arc::clone(way)),
            _ => None,
        };
        let here = rollout.stages.get(rollout.at).and_then(of);
        let any = || rollout.stages.iter().rev().find_map(of);
        here.or_else(any).unwrap_or_else(|| Arc::new(usual()))
    }

    pub(super) fn forward(&mut self, rollout: &mut Rollout) -> Flow {
        let Some(stage) = rollout.stages.get(rollout.at).cloned() else {
            self.finish(rollout);
            return Flow::On;
        };
        let flow = match stage {
            Stage::Enter(gates) => self.watch(rollout, Duration::ZERO, &gates, false),
            Stage::Try(jobs) => self.try_all(rollout, &jobs),
            Stage::Migrate(all) | Stage::Fill(all) => self.migrate(rollout, &all),
            Stage::Leg(leg) if leg.step < leg.steps.len() => return self.walk_leg(rollout, leg),
            Stage::Leg(_) => Flow::On,
            Stage::Bake(way) => {
                self.switch(rollout);
                self.watch(rollout, way.bake, &way.after, false)
            }
        };
        if matches!(flow, Flow::On) {
            rollout.at += 1;
            // How long it was watched at its end counts for what is kept warm.
            if rollout.at < rollout.stages.len() {
                rollout.vigil = fresh(&rollout.vigil);
            }
        }
        flow
    }

    /// The pointer moves.
    fn switch(&mut self, rollout: &mut Rollout) {
        if !rollout.switched {
            rollout.switched = true;
            self.next.before = if rollout.is_rollback {
                None
            } else {
                self.next.current.take()
            };
            self.next.current = Some(rollout.to.clone());
        }
    }

    fn finish(&mut self, rollout: &mut Rollout) {
        self.switch(rollout);
        let way = self.way(rollout);
        let from = rollout
            .from
            .clone()
            .filter(|_| !rollout.is_rollback && !way.warm.is_zero());
        self.next.warm = from.map(|release| Warm {
            release,
            clock: rollout.vigil.clock,
            keep: way.warm,
        });
        self.next.may_contract = !rollout.is_rollback;
        let because = match &self.next.next {
            Some(next) if rollout.rehearses && next.rehearses => Reason::Rehearsed,
            Some(next) => Reason::Superseded(next.to.clone()),
            None if rollout.is_rollback => Reason::RolledBack(rollout.by.clone()),
            None => Reason::Promoted,
        };
        self.end(rollout, true, because);
    }

    pub(super) fn doing(&self, number: u64, work: &Work) -> (Task, Option<Doing>) {
        let task = Task {
            number,
            work: work.clone(),
        };
        let doing = self.seen.tasks.get(&task).cloned();
        (task, doing)
    }

    pub(super) fn act(&mut self, task: Task, gates: &[String]) {
        if !self.acts.iter().any(|act| act.task == task) {
            let gates = gates.to_vec();
            self.acts.push(Act { task, gates });
        }
    }

    fn try_all(&mut self, rollout: &Rollout, jobs: &[Name]) -> Flow {
        for name in jobs {
            let (task, doing) = self.doing(rollout.number, &Work::Try(name.clone()));
            match doing {
                Some(Doing::Done | Doing::Judged(_)) => continue,
                Some(Doing::Failed(why)) => return Flow::Back(Reason::TryFailed(name.clone(), why)),
                Some(Doing::Underway) => {}
                None => self.act(task, &[]),
            }
            return Flow::Wait(Reason::Tries(name.clone()));
        }
        Flow::On
    }

    fn migrate(&mut self, rollout: &Rollout, all: &[Moved]) -> Flow {
        for moved in all {
            match self.due(moved) {
                None => return Flow::Wait(Reason::AsksSchema(moved.resource.clone())),
                Some(false) => continue,
                Some(true) => {}
            }
            let (task, doing) = self.doing(rollout.number, &Work::Migrate(moved.clone()));
            match doing {
                Some(Doing::Failed(why)) => return Flow::Back(Reason::MigrationFailed(moved.clone(), why)),
                Some(Doing::Underway) => {}
                _ => {
                    if let Some(window) = self.outside_window(rollout, moved) {
                        return Flow::Wait(Reason::OutsideWindow(window));
                    }
                    self.act(task, &[]);
                }
            }
            return Flow::Wait(Reason::Migrates(moved.clone()));
        }
        Flow::On
    }

    fn outside_window(&self, rollout: &Rollout, moved: &Moved) -> Option<String> {
        let content = &self.known.get(&rollout.to)?.content;
        let window = content.schema.get(&moved.resource)?.window.as_ref()?;
        let zone = self.way(rollout).zone.clone();
        (!window.contains(self.now, zone.name())).then(|| window.to_string())
    }

    fn walk_leg(&mut self, rollout: &mut Rollout, mut leg: Leg) -> Flow {
        let Some(step) = leg.steps.get(leg.step).cloned() else {
            return Flow::On;
        };
        let before = (leg.moved, leg.tenants);
        let flow = self.walk(rollout, &mut leg, &step);
        if before != (leg.moved, leg.tenants) {
            self.next.turn += 1;
        }
        if let Some(stage) = rollout.stages.get_mut(rollout.at) {
            *stage = Stage::Leg(leg);
        }
        flow
    }

    fn walk(&mut self, rollout: &mut Rollout, leg: &mut Leg, step: &Step) -> Flow {
        if leg.apart && leg.moved < ALL {
            (leg.grown, leg.moved, leg.left) = (ALL, ALL, ALL);
            return Flow::On;
        }
        let target = step.parts.clamp(leg.moved, ALL);
        let way = Arc::clone(&leg.way);
        let gates = if rollout.is_rollback {
            &[][..]
        } else {
            way.gates.as_slice()
        };
        if !leg.apart {
            if leg.grown < target {
                let few = way.missing > 0 && way.warm.is_zero() && !leg.early;
                // Whoever is to answer for those that stop has to be known to visitors before.
                if few && !self.confirmed() {
                    return Flow::Wait(Reason::EdgeFollows);
                } else if few {
                    leg.early = true;
                } else if let Some(name) = self.too_many(rollout, leg) {
                    return Flow::Wait(Reason::StopsFirst(name));
                } else {
                    leg.grown = target;
                }
                return Flow::On;
            }
            if let Some((name, ready, of)) = self.lacking(rollout, leg, true, Some(true)) {
                return Flow::Wait(Reason::Starts(name, ready, of));
            }
            let moves = leg.moved < target || leg.tenants != step.tenants;
            let asks_before = way.strategy == Strategy::BlueGreen || leg.steps.len() == 1;
            if moves && asks_before && !gates.is_empty() && !rollout.vigil.cleared {
                let flow = self.watch(rollout, Duration::ZERO, gates, false);
                if matches!(flow, Flow::On) {
                    rollout.vigil = Vigil {
                        cleared: true,
                        ..fresh(&rollout.vigil)
                    };
                }
                return flow;
            }
            if moves {
                leg.moved = target;
                leg.tenants = step.tenants;
                return Flow::On;
            }
        }
        if !self.confirmed() {
            return Flow::Wait(Reason::EdgeFollows);
        }
        if let Some((name, ready, of)) = self.lacking(rollout, leg, true, None) {
            return Flow::Wait(Reason::Starts(name, ready, of));
        }
        if leg.left < target || leg.early {
            leg.left = target;
            leg.early = false;
            return Flow::On;
        }
        self.hold(rollout, leg, step, gates)
    }

    /// What follows when all of a step has moved.
    fn hold(&mut self, rollout: &mut Rollout, leg: &mut Leg, step: &Step, gates: &[String]) -> Flow {
        let is_last = leg.step + 1 == leg.steps.len();
        let watched = !is_last || step.hold.is_some();
        let asks = watched && !leg.apart && leg.way.strategy != Strategy::BlueGreen;
        let gates = if asks { gates } else { &[] };
        let flow = self.watch(rollout, step.hold.unwrap_or(Duration::ZERO), gates, step.person);
        if matches!(flow, Flow::On) {
            leg.step += 1;
            rollout.vigil = fresh(&rollout.vigil);
        }
        flow
    }

    /// A component of which more old ones stand than may by now.
    fn too_many(&self, rollout: &Rollout, leg: &Leg) -> Option<Name> {
        let stands = |name: &&Name| {
            let old = self.side(rollout, leg, name, false);
            old.is_some_and(|old| self.tally(name, &old.digest).stands > old.count)
        };
        leg.components.iter().find(stands).filter(|_| leg.early).cloned()
    }
}
