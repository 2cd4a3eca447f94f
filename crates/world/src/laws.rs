//! What must hold in every world at every moment, whatever goes wrong.
//!
//! - Of a single component nothing lives beside another of it, not even while it is being stopped.
//! - When something is started there are never more of the new ones than are wanted, and beside them never more older ones
//!   than that.
//! - What a person has stopped is not started, once that it was stopped is written down.
//! - Where releases move: no share grows beyond what of its release is ready, and what takes visitors is never made fewer than
//!   the manifest allows; nothing is stopped that the edge still sends visitors to and that is needed.
//! - No value of a secret is in the journal: in no intent, outcome, record, course or release.
//! - Nothing is started that was not written down before; no number is given twice; no port is given to two.

use crate::journal::Journal;
use crate::machine::{Machine, Order};
use crate::steward::Prepared;
use std::collections::{BTreeMap, BTreeSet};
use towpath_decide::converge::Busy;
use towpath_decide::tend::Tended;
use towpath_model::run::{InstanceId, Kind, Life};
use towpath_model::unit::Name;
use towpath_store::Batch;

/// What is watched, and what was broken.
#[derive(Debug, Default)]
pub struct Laws {
    stopped: BTreeSet<Name>,
    broken: Vec<String>,
}

impl Laws {
    /// What was broken since it was last asked.
    pub fn broken(&mut self) -> Vec<String> {
        std::mem::take(&mut self.broken)
    }

    pub(crate) fn break_by(&mut self, what: String) {
        self.broken.push(what);
    }

    /// A batch was written down, and with it what is about to be done.
    pub(crate) fn wrote(&mut self, batch: &Batch, prepared: &[Prepared]) {
        for (kind, name, body) in &batch.records {
            let name = crate::product::name_of(name)
                .ok()
                .filter(|_| kind == "remembered");
            let stopped = body.as_ref().and_then(|body| body["stopped"].as_bool());
            match (name, stopped) {
                (Some(name), Some(true)) => drop(self.stopped.insert(name)),
                (Some(name), _) => drop(self.stopped.remove(&name)),
                _ => {}
            }
        }
        for prepared in prepared {
            if let Prepared::Start(order, _) = prepared
                && self.stopped.contains(&order.id.component)
            {
                let told = format!("{} is started, and was stopped by a person", order.id);
                self.broken.push(told);
            }
        }
    }

    /// This was decided by a steward that knows this.
    pub(crate) fn decided(&mut self, prepared: &[Prepared], tended: &Tended) {
        let mut started: BTreeMap<&Name, &Order> = BTreeMap::new();
        for prepared in prepared {
            if let Prepared::Start(order, _) = prepared {
                started.insert(&order.id.component, order);
            }
        }
        for (name, order) in started {
            self.look_at_surge(name, order, tended);
        }
    }

    fn look_at_surge(&mut self, name: &Name, order: &Order, tended: &Tended) {
        let Some(part) = tended.parts().get(name).filter(|part| !part.is(Kind::Job)) else {
            return;
        };
        let stays = part.standing.iter().filter(|one| {
            let stops = matches!(one.seen.life, Life::Stopping { .. }) && one.busy.is_none();
            one.lives() && one.busy != Some(Busy::Stopping) && !stops
        });
        let (new, mut old): (Vec<_>, Vec<_>) = stays.partition(|one| one.seen.digest == order.digest);
        // One that something is being done to cannot be stopped before that is done.
        old.retain(|one| one.busy.is_none());
        let wanted = part.instances();
        for (which, count) in [("new", new.len()), ("older", old.len())] {
            if count > wanted as usize {
                let told = format!("{count} {which} ones of {name} stand there, where {wanted} are wanted");
                self.broken.push(told);
            }
        }
    }

    /// An instance is about to be started.
    pub(crate) fn starts(&mut self, order: &Order, journal: &Journal) {
        let subject = order.id.to_string();
        let written = |what: &str| {
            let entries = journal.written().iter().rev();
            entries
                .take(1000)
                .any(|written| written.entry.what == what && written.entry.subject == subject)
        };
        if !written("start") {
            self.broken
                .push(format!("{subject} is started and was not written down"));
        }
    }

    /// Something has happened on the machine.
    pub(crate) fn look(&mut self, machine: &mut Machine, journal: &mut Journal, single: &BTreeSet<Name>) {
        self.broken.extend(machine.faults());
        self.broken.extend(journal.leaks());
        for name in single {
            let living: Vec<InstanceId> = machine.living(name).map(|seen| seen.id.clone()).collect();
            if living.len() > 1 {
                let living: Vec<String> = living.iter().map(InstanceId::to_string).collect();
                self.broken
                    .push(format!("{} live at the same time", living.join(" and ")));
            }
        }
    }
}
