//! What must hold while releases move.

use crate::laws::Laws;
use crate::machine::Machine;
use crate::shore::Shore;
use jiff::Timestamp;
use towpath_decide::converge::Will;
use towpath_decide::rollout::{Known, Lineup, Row, least};
use towpath_decide::tend::{Part, Tended};
use towpath_model::run::{ALL, Course, InstanceId, ReleaseId, Stage};
use towpath_model::unit::Name;

/// The fewest instances of a component that have to take its visitors. What is no part of both releases
/// has nobody yet, or nobody any more, and so has everything where there is no release to go back to.
fn needed(name: &Name, part: &Part, course: &Course, known: &Known) -> u32 {
    let has = |id: Option<&ReleaseId>| {
        let release = id.and_then(|id| known.get(id));
        release.is_some_and(|release| release.content.components.contains_key(name))
    };
    let is_in_both = match &course.rollout {
        Some(rollout) => has(rollout.from.as_ref()) && has(Some(&rollout.to)),
        None => has(course.current.as_ref()),
    };
    if !is_in_both {
        return 0;
    }
    let stages = course.rollout.iter().flat_map(|rollout| &rollout.stages);
    let mut legs = stages.filter_map(|stage| match stage {
        Stage::Leg(leg) => Some(leg),
        _ => None,
    });
    let (wanted, _) = part.wanted();
    let leg = legs.find(|leg| leg.components.contains(name));
    leg.map_or(wanted, |leg| least(leg, wanted))
}

fn ready(part: &Part, digest: &str) -> u32 {
    let own = part
        .standing
        .iter()
        .filter(|one| one.seen.digest == digest && one.serves());
    u32::try_from(own.count()).unwrap_or(u32::MAX)
}

/// How many can take visitors by a row.
fn capacity(row: &Row, part: &Part) -> u32 {
    let sides = row.sides.iter().filter(|side| side.parts > 0);
    sides.map(|side| ready(part, &side.digest)).sum()
}

impl Laws {
    /// A course goes from one lineup to another.
    pub(crate) fn moves(
        &mut self,
        [before, after]: &[Lineup; 2],
        course: &Course,
        tended: &Tended,
        known: &Known,
    ) {
        for (name, row) in after {
            let found = before
                .get(name)
                .zip(tended.parts().get(name))
                .filter(|(_, part)| part.faces());
            let Some((old, part)) =
                found.filter(|(old, part)| !row.apart && !old.apart && part.will == Will::Up)
            else {
                continue;
            };
            if part
                .component
                .as_ref()
                .is_none_or(|component| component.listens.is_none())
            {
                continue;
            }
            let need = needed(name, part, course, known);
            let (was, is) = (capacity(old, part), capacity(row, part));
            if is < need.min(was) {
                self.break_by(format!(
                    "{is} of {name} take visitors after a step, where {was} did and {need} have to"
                ));
            }
            let comes_back = course
                .rollout
                .as_ref()
                .is_none_or(|rollout| rollout.back.is_some());
            for side in row.sides.iter().filter(|_| !comes_back) {
                let had = old
                    .sides
                    .iter()
                    .find(|old| old.digest == side.digest)
                    .map_or(0, |side| side.parts);
                let share = u64::from(side.parts) * u64::from(need);
                let enough = u32::try_from(share.div_ceil(u64::from(ALL))).unwrap_or(u32::MAX);
                let ready = ready(part, &side.digest);
                if side.parts > had && ready < enough {
                    self.break_by(format!(
                        "{} gets {} of {ALL} visitors with {ready} ready, and needs {enough}",
                        side.digest, side.parts
                    ));
                }
            }
        }
    }

    /// An instance is about to be stopped.
    pub(crate) fn stops(
        &mut self,
        id: &InstanceId,
        shore: &Shore,
        (machine, now): (&Machine, Timestamp),
        tended: &Tended,
        course: Option<&Course>,
        rows: Option<&Lineup>,
    ) {
        let name = &id.component;
        let (Some(part), Some(course)) = (tended.parts().get(name), course) else {
            return;
        };
        let is_apart = rows.and_then(|rows| rows.get(name)).is_none_or(|row| row.apart);
        let known = &shore.known;
        let Some(target) = shore
            .table
            .targets
            .get(name)
            .filter(|_| part.will == Will::Up && !is_apart)
        else {
            return;
        };
        // What really answers counts, whether or not the steward knows; of the others also what it has reason to believe in.
        let is_well = |id: &InstanceId| matches!(machine.ask(id, now), Some(Ok(())));
        let serves = |id: &InstanceId| part.standing.iter().any(|it| it.seen.id == *id && it.serves());
        let is_leaving = |id: &InstanceId| {
            part.standing
                .iter()
                .any(|it| it.seen.id == *id && it.busy.is_some())
        };
        let listed = target
            .iter()
            .filter(|(_, parts, _)| *parts > 0)
            .flat_map(|(.., ids)| ids);
        let listed: Vec<&InstanceId> = listed.collect();
        let others = listed
            .iter()
            .filter(|other| ***other != *id && !is_leaving(other) && (serves(other) || is_well(other)));
        let others = others.count();
        let need = needed(name, part, course, known);
        if listed.contains(&id) && is_well(id) && others < need as usize {
            self.break_by(format!("{id} is stopped while the edge sends visitors to it, and {others} others are there where {need} have to be"));
        }
    }
}
