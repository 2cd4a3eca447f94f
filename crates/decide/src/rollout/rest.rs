//! Between two rollouts: what waits begins, what was kept warm goes, and what takes away runs.

use super::ask::begin;
use super::{Doing, Turn};
use towpath_model::desired::resource::Phase;
use towpath_model::run::{Course, Ended, Moved, Next, Reason, Work};
use towpath_model::unit::Duration;

/// Something that waited is not done after all.
fn left_out(course: &mut Course, next: Next, because: Reason, now: jiff::Timestamp) {
    course.number += 1;
    course.ended = Some(Ended {
        number: course.number,
        from: course.current.clone(),
        promoted: course.current.as_ref() == Some(&next.to),
        to: next.to,
        because,
        at: now,
        took: Duration::ZERO,
    });
}

impl Turn<'_> {
    pub(super) fn rest(&mut self) -> Option<Reason> {
        if let Some(next) = self.next.next.take() {
            if self.next.current.as_ref() == Some(&next.to) {
                left_out(&mut self.next, next, Reason::Unchanged, self.now);
            } else if let Err(refusal) = begin(&mut self.next, &next, self.known, self.now) {
                left_out(&mut self.next, next, Reason::Refused(refusal), self.now);
            }
            return None;
        }
        if let Some(mut warm) = self.next.warm.take() {
            if self.spend(&mut warm.clock, warm.keep) >= warm.keep {
                return None;
            }
            self.next.warm = Some(warm);
            self.waits = true;
        }
        let Some(current) = self.next.current.clone() else {
            return Some(Reason::Nothing);
        };
        let contract = self.contract();
        Some(contract.unwrap_or(Reason::Rests(current)))
    }

    /// What takes away, where there is any that has not run.
    fn contract(&mut self) -> Option<Reason> {
        let current = self.next.current.as_ref().filter(|_| self.next.may_contract)?;
        let content = &self.known.get(current)?.content;
        let all = content.schema.iter().flat_map(|(resource, schema)| {
            let taking = schema
                .migrations
                .iter()
                .filter(|one| one.phase == Phase::Contract);
            taking.map(move |one| {
                let moved = Moved {
                    resource: resource.clone(),
                    migration: one.name.clone(),
                };
                (moved, schema.contract.as_ref().or(schema.window.as_ref()))
            })
        });
        let zone = content
            .components
            .values()
            .next()
            .map(|portion| portion.way.zone.clone());
        let mut first = None;
        for (moved, window) in all {
            match self.due(&moved) {
                None => return Some(Reason::AsksSchema(moved.resource)),
                Some(false) => {}
                Some(true) => {
                    first = Some((moved, window.cloned()));
                    break;
                }
            }
        }
        let Some((moved, window)) = first else {
            self.next.may_contract = false;
            return None;
        };
        self.waits = true;
        if self.next.warm.is_some() {
            return Some(Reason::ContractWaits(moved, None));
        }
        let (task, doing) = self.doing(self.next.number, &Work::Migrate(moved.clone()));
        match doing {
            Some(Doing::Underway) => return Some(Reason::Migrates(moved)),
            Some(Doing::Failed(why)) => return Some(Reason::ContractFailed(moved, why)),
            _ => {}
        }
        if let Some(frozen) = self.frozen() {
            return Some(frozen);
        }
        let zone = zone.as_ref().map_or("UTC", |zone| zone.name());
        if let Some(window) = window.filter(|window| !window.contains(self.now, zone)) {
            return Some(Reason::ContractWaits(moved, Some(window.to_string())));
        }
        if !self.next.contracted.contains(&moved) {
            self.next.contracted.push(moved.clone());
        }
        self.act(task, &[]);
        Some(Reason::Migrates(moved))
    }
}
