//! Several releases of one component: each is brought to what it should have by itself, as if there were no other.

use super::{Decided, Part};
use crate::converge::{Because, Scene, Standing, Step, Well, Will, converge};
use crate::rollout::Row;
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::run::Component;

impl Part {
    /// What an instance is of that was started from this.
    pub fn component_of(&self, digest: &str) -> Option<&Arc<Component>> {
        let sides = self.row.iter().flat_map(|row| &row.sides);
        let side = sides.into_iter().find(|side| side.digest == digest);
        side.map(|side| &side.component).or(self.component.as_ref())
    }

    /// Why something could not be started, and from what it was to be.
    pub fn not_started(&self) -> Option<(&str, &str)> {
        let (why, _) = self.trouble.as_ref()?;
        Some((self.trouble_of.as_deref()?, why))
    }

    /// How many instances are wanted; and whether there are none because nobody asks.
    pub fn wanted(&self) -> (u32, bool) {
        match self.will {
            Will::Up => (self.instances(), false),
            Will::Asleep => (0, true),
            Will::Stopped | Will::Down => (0, false),
        }
    }

    /// How many the lineup says, where it is about one release only.
    pub(super) fn lined_instances(&self) -> Option<u32> {
        let row = self.row.as_ref().filter(|row| row.sides.len() == 1)?;
        row.sides.first()?.instances
    }

    /// Whether more than one release of it has instances.
    pub(in crate::tend) fn has_sides(&self) -> bool {
        let has = |row: &Row| row.sides.len() > 1 && !row.apart;
        let runs = |component: &Arc<Component>| component.command.is_some() || component.resource.is_some();
        self.component.as_ref().is_some_and(runs) && self.row.as_ref().is_some_and(has)
    }

    /// Brings each release to what it should have. What belongs to none of them is stopped.
    pub(super) fn converge_sides(
        &self,
        whole: &Scene<'_>,
    ) -> (Decided, BTreeMap<u64, (String, Arc<Component>)>) {
        let mut next = whole.next;
        let mut decided: Option<Decided> = None;
        let mut starting = BTreeMap::new();
        let sides = self.row.iter().flat_map(|row| &row.sides);
        for side in sides.clone() {
            let of_it = whole.standing.iter().filter(|one| one.seen.digest == side.digest);
            let standing: Vec<Standing> = of_it.cloned().collect();
            let scene = Scene {
                component: Some(&side.component),
                digest: &side.digest,
                instances: side.instances.unwrap_or(whole.instances),
                standing: &standing,
                hours: None,
                apart: false,
                next,
                ..*whole
            };
            let one = converge(&scene);
            for (step, _) in &one.steps {
                if let Step::Start(id) = step {
                    next = next.max(id.number + 1);
                    starting.insert(id.number, (side.digest.clone(), Arc::clone(&side.component)));
                }
            }
            let again = one.again.into_iter();
            match &mut decided {
                None => decided = Some(one.into()),
                Some(all) => {
                    all.again = again.chain(all.again).min();
                    all.steps.extend(one.steps);
                    let better = one.state.is_well() && !all.state.is_well();
                    if better || side.parts > 5_000 {
                        (all.state, all.because) = (one.state, one.because);
                    }
                }
            }
        }
        let mut decided = decided.unwrap_or_else(|| converge(whole).into());
        let strays = whole
            .standing
            .iter()
            .filter(|one| one.busy.is_none() && !sides.clone().any(|side| side.digest == one.seen.digest));
        for one in strays {
            let id = one.seen.id.clone();
            if one.seen.life.is_over() {
                decided.steps.push((Step::Forget(id), Because::Over));
            } else if !one.leaves() {
                decided.steps.push((Step::Stop(id), Because::Replaced));
            }
        }
        (decided, starting)
    }

    /// Whether it is known how each of its instances is, or that it takes too long to say.
    pub fn is_known(&self) -> bool {
        let unknown = |one: &Standing| {
            let runs = matches!(one.seen.life, towpath_model::run::Life::Running { .. });
            runs && one.well == Well::NotYet { late: None }
        };
        !self.standing.iter().any(unknown)
    }
}
