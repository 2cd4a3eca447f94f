//! A lineup is learned: which releases of each component have to stand.

use super::{Part, Tended};
use crate::converge::Will;
use crate::rollout::{Lineup, Row};
use std::sync::Arc;
use towpath_model::unit::Name;

impl Tended {
    /// This has to stand from now on.
    pub(super) fn line(&mut self, lineup: Lineup) {
        let gone = |(name, part): (&Name, &Part)| {
            let is_gone = part.component.is_some() && !lineup.contains_key(name);
            is_gone.then(|| name.clone())
        };
        let gone: Vec<Name> = self.parts.iter().filter_map(gone).collect();
        for name in gone {
            if let Some(part) = self.parts.get_mut(&name) {
                part.row = None;
            }
            self.replace(&name, None);
        }
        for (name, row) in lineup {
            self.line_one(&name, row);
        }
    }

    fn line_one(&mut self, name: &Name, row: Row) {
        let Some((digest, component)) = row.lead() else {
            return;
        };
        let part = self.parts.or_default(name);
        let new = part.component.is_none();
        if !new && part.row.as_ref() == Some(&row) {
            return;
        }
        part.last = part.last.max(self.given.remove(name).unwrap_or(0));
        let sleeps = component.idle.is_some() && component.instances == 0 && !part.lives();
        if new && sleeps {
            part.will = Will::Asleep;
        } else if new && part.will != Will::Stopped {
            part.will = Will::Up;
        }
        // Whether it can be woken is asked before anybody needs it.
        let wakes = row
            .sides
            .iter()
            .any(|side| side.instances.is_some_and(|count| count > 0));
        if part.will == Will::Asleep && wakes {
            part.will = Will::Up;
        }
        let same = part
            .component
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, &component));
        part.row = Some(row);
        part.digest = digest;
        part.retry();
        if same {
            part.accustom();
            self.touched.insert(name.clone());
        } else {
            self.replace(name, Some(component));
        }
    }
}
