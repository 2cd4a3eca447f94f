//! Whether what is wanted was reached, once nothing goes wrong any more.

use crate::world::World;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use towpath_decide::converge::Will;
use towpath_decide::hours::hours;
use towpath_decide::tend::Part;
use towpath_model::desired::component::Restart;
use towpath_model::run::{Component, Kind, Life, State};
use towpath_model::unit::Name;

impl World {
    /// What was not reached; nothing, where all is as it should be.
    pub fn unreached(&self) -> Vec<String> {
        let Some(steward) = self.steward() else {
            return vec!["there is no steward".to_owned()];
        };
        let parts = steward.tended().parts();
        let mut unreached = Vec::new();
        let components = &self.product.components;
        for seen in self.machine.observe() {
            if !components.contains_key(&seen.id.component) {
                unreached.push(format!("{} is there, and no part of the product", seen.id));
            }
        }
        for (name, (component, digest)) in components {
            match parts.get(name) {
                Some(part) => unreached.extend(self.unreached_part(component, digest, part)),
                None => unreached.push(format!("{name} is unknown to the steward")),
            }
        }
        unreached
    }

    /// Whether a schedule changes what it wants about now: what follows from that takes its time.
    pub fn is_about_to_turn(&self) -> bool {
        let now = self.clock.today();
        let near = SignedDuration::from_mins(3);
        let turns = self.product.components.values().filter_map(|(component, _)| {
            let before = now.checked_sub(near).unwrap_or(now);
            hours(component, before)?.turn
        });
        turns.into_iter().any(|turn| turn.at.duration_since(now) < near)
    }

    fn unreached_part(&self, component: &Component, digest: &str, part: &Part) -> Option<String> {
        let name = &component.name;
        let living: Vec<_> = self.machine.living(name).collect();
        if part.will != Will::Up {
            let stands = living.first();
            return stands.map(|seen| format!("{} lives, though {name} is {}", seen.id, part.state));
        }
        if component.kind == Kind::Job {
            let old = living
                .iter()
                .find(|seen| seen.digest != digest && component.timeout.is_some());
            return old.map(|seen| format!("{} runs still", seen.id));
        }
        // What it needs may have been stopped by a person: then it need not run, and may.
        if part.state == State::Blocked && self.is_held_up(name, &mut BTreeSet::new()) {
            return None;
        }
        if part.state == State::Failed && component.restart != Restart::Always {
            return None;
        }
        let rests = part.instances() == 0 && !component.shifts.is_empty();
        if rests && part.state == State::Asleep {
            let stands = living.first();
            return stands.map(|seen| format!("{} lives, though {name} sleeps", seen.id));
        }
        if part.state != State::Ready {
            return Some(format!("{name} is {}: {}", part.state, part.because));
        }
        component.command.as_ref()?;
        let serves = |seen: &&&towpath_model::run::Seen| {
            seen.digest == digest && matches!(seen.life, Life::Running { .. })
        };
        let serving = living.iter().filter(serves).count();
        let wanted = part.instances();
        if serving != wanted as usize || living.len() != serving {
            return Some(format!(
                "{} of {name} live and {serving} of {digest} serve, where {wanted} are wanted",
                living.len()
            ));
        }
        None
    }

    /// Whether something that it needs, or that needs in turn, does not run by somebody's will.
    fn is_held_up(&self, name: &Name, seen: &mut BTreeSet<Name>) -> bool {
        let Some(steward) = self.steward().filter(|_| seen.insert(name.clone())) else {
            return false;
        };
        let Some((component, _)) = self.product.components.get(name) else {
            return true;
        };
        component.needs.iter().filter(|need| !need.optional).any(|need| {
            let part = steward.tended().parts().get(&need.name);
            part.is_none_or(|part| {
                let ended = part.state == State::Failed;
                part.will == Will::Stopped || ended || self.is_held_up(&need.name, seen)
            })
        })
    }
}
