//! The lineup: which release has how many instances of each component, and how much of its work. It follows from the course.

use super::{Known, Sight, Turn};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use towpath_model::run::{ALL, Component, Content, Course, Kind, Leg, Portion, ReleaseId, Rollout, Stage};
use towpath_model::unit::Name;

/// What has to stand.
pub type Lineup = BTreeMap<Name, Row>;

/// What has to stand of a component.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Each release of it, the oldest first.
    pub sides: Vec<Side>,
    /// Nothing of one may live beside another.
    pub apart: bool,
}

impl Row {
    /// The digest and the component that stand for all of its releases: those of the one with most of the work.
    pub fn lead(&self) -> Option<(String, Arc<Component>)> {
        let most = self.sides.iter().map(|side| side.parts).max()?;
        let lead = self.sides.iter().find(|side| side.parts == most)?;
        Some((lead.digest.clone(), Arc::clone(&lead.component)))
    }
}

/// A component in one release.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// The release.
    pub release: ReleaseId,
    /// What it is.
    pub component: Arc<Component>,
    /// What its instances are started from.
    pub digest: String,
    /// How many instances; nothing is as many as are wanted of it.
    pub instances: Option<u32>,
    /// How much of its work it has, of ten thousand visitors. What is at none stays reachable: its files, its own address.
    pub parts: u16,
    /// The only tenants that it may treat its own way.
    pub pilot: Option<Vec<String>>,
}

/// How many of each side there are at a point of a leg.
struct Count {
    old: u32,
    new: u32,
}

/// So much of a number of instances, and at least one of any.
fn part(parts: u16, of: u32) -> u32 {
    let part = (u64::from(parts) * u64::from(of)).div_ceil(u64::from(ALL));
    u32::try_from(part).unwrap_or(of)
}

/// The fewest instances of a component that have to take its visitors while a leg is under way.
pub fn least(leg: &Leg, wanted: u32) -> u32 {
    wanted - missing(leg, wanted).min(wanted)
}

fn missing(leg: &Leg, wanted: u32) -> u32 {
    let few = u64::from(leg.way.missing) * u64::from(wanted) / u64::from(ALL);
    u32::try_from(few).unwrap_or(wanted)
}

fn count(leg: &Leg, portion: &Portion, old: u32, new: u32) -> Count {
    if portion.is_shared() {
        let few = if leg.early { missing(leg, old) } else { 0 };
        // Whoever has visitors still has somebody who answers them.
        let stays = part(ALL - leg.left.min(ALL), old).saturating_sub(few);
        let stays = stays.max(u32::from(leg.left < ALL && old > 0));
        return Count {
            old: if leg.way.warm.is_zero() { stays } else { old },
            new: part(leg.grown, new),
        };
    }
    Count {
        old: old.saturating_sub(part(leg.left, old)),
        new: part(leg.moved, new),
    }
}

/// Whether it is one or the other, and never both.
fn flips(portion: &Portion, leg: &Leg) -> bool {
    leg.apart || portion.stands_alone() || matches!(portion.component.kind, Kind::Job | Kind::Extension)
}

/// Whether what is one or the other is the new one by now.
fn flipped(leg: &Leg) -> bool {
    leg.moved == ALL || leg.tenants.is_some()
}

/// How many are wanted of a component in a release.
fn wanted(portion: &Portion, sight: Option<&Sight>, other: Option<&Portion>) -> u32 {
    let written = portion.component.instances;
    let same = other.is_none_or(|other| other.component.instances == written);
    let wanted = match sight.and_then(|sight| sight.wanted) {
        Some(wanted) if same || wanted == 0 && sight.is_some_and(|sight| !sight.sleeps) => wanted,
        _ => written,
    };
    // What sleeps is woken: nobody would know else whether it can be.
    let wakes =
        portion.component.idle.is_some() && sight.is_none_or(|sight| sight.sleeps || sight.wanted.is_none());
    if wakes { wanted.max(1) } else { wanted }
}

/// What has to stand by a course.
pub fn lineup(course: &Course, known: &Known, sights: &BTreeMap<Name, Sight>) -> Lineup {
    let content = |id: &Option<ReleaseId>| {
        id.as_ref()
            .and_then(|id| Some((id.clone(), &known.get(id)?.content)))
    };
    let mut rows = Lineup::new();
    match &course.rollout {
        Some(rollout) => {
            let from = content(&rollout.from);
            let to = content(&Some(rollout.to.clone()));
            for name in names([&from, &to]) {
                let row = underway(rollout, &name, [&from, &to], sights.get(&name));
                rows.insert(name, row);
            }
        }
        None => {
            let current = content(&course.current);
            let warm = content(&course.warm.as_ref().map(|warm| warm.release.clone()));
            let before = content(&course.before);
            for name in names([&current, &warm]) {
                let row = resting(&name, [&current, &warm, &before], sights.get(&name));
                rows.insert(name, row);
            }
        }
    }
    rows.retain(|_, row| !row.sides.is_empty());
    rows
}

type At<'a> = Option<(ReleaseId, &'a Content)>;

fn names(all: [&At<'_>; 2]) -> BTreeSet<Name> {
    let contents = all.into_iter().flatten();
    contents
        .flat_map(|(_, content)| content.components.keys().cloned())
        .collect()
}

fn find<'a>(at: &At<'a>, name: &Name) -> Option<(ReleaseId, &'a Portion)> {
    let (id, content) = at.as_ref()?;
    Some((id.clone(), content.components.get(name)?))
}

fn side((release, portion): &(ReleaseId, &Portion), instances: Option<u32>, parts: u16) -> Side {
    Side {
        release: release.clone(),
        component: Arc::clone(&portion.component),
        digest: portion.digest.clone(),
        instances,
        parts,
        pilot: None,
    }
}

fn resting(name: &Name, [current, warm, before]: [&At<'_>; 3], sight: Option<&Sight>) -> Row {
    let current = find(current, name);
    let mut sides = Vec::new();
    let other =
        |one: &(ReleaseId, &Portion)| current.as_ref().is_none_or(|(_, now)| now.digest != one.1.digest);
    if let Some(warm) = find(warm, name).filter(other)
        && warm.1.is_shared()
        && !warm.1.stands_alone()
        && current.as_ref().is_none_or(|(_, now)| !now.way.warm.is_zero())
    {
        let count = wanted(warm.1, sight, current.as_ref().map(|(_, now)| *now));
        sides.push(side(&warm, Some(count), 0));
    } else if let Some(before) = find(before, name).filter(other)
        && before.1.component.kind == Kind::Site
        && current.is_some()
    {
        sides.push(side(&before, None, 0));
    }
    sides.extend(current.as_ref().map(|current| side(current, None, ALL)));
    Row { sides, apart: false }
}

fn underway(rollout: &Rollout, name: &Name, [from, to]: [&At<'_>; 2], sight: Option<&Sight>) -> Row {
    let (old, new) = (find(from, name), find(to, name));
    let Some(leg) = leg_of(rollout, name) else {
        // The same in both: what is said about it beside its instances changes with the pointer.
        let (first, second) = if rollout.switched {
            (&new, &old)
        } else {
            (&old, &new)
        };
        let sides = first.as_ref().or(second.as_ref()).map(|one| side(one, None, ALL));
        return Row {
            sides: sides.into_iter().collect(),
            apart: false,
        };
    };
    let any = new.as_ref().or(old.as_ref()).map(|(_, portion)| *portion);
    if any.is_some_and(|portion| flips(portion, leg)) {
        let new = new.filter(|_| flipped(leg));
        let is_new = new.is_some();
        let one = new.or(old.filter(|_| !flipped(leg)));
        let pilot = leg.way.tenants.as_ref().zip(leg.tenants.filter(|_| is_new));
        let pilot = pilot.map(|(tenants, count)| {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            tenants.iter().take(count).cloned().collect()
        });
        let sides = one.map(|one| Side {
            pilot,
            ..side(&one, None, ALL)
        });
        return Row {
            sides: sides.into_iter().collect(),
            apart: true,
        };
    }
    let (old_portion, new_portion) = (
        old.as_ref().map(|(_, one)| *one),
        new.as_ref().map(|(_, one)| *one),
    );
    let old_wanted = old_portion.map_or(0, |one| wanted(one, sight, new_portion));
    let new_wanted = new_portion.map_or(0, |one| wanted(one, sight, old_portion));
    let runs = any.is_some_and(Portion::runs);
    let count = any.map_or(Count { old: 0, new: 0 }, |portion| {
        count(leg, portion, old_wanted, new_wanted)
    });
    let mut sides = Vec::new();
    let gone = new.is_none();
    sides.extend(old.map(|old| {
        side(
            &old,
            runs.then_some(count.old),
            if gone { ALL } else { ALL - leg.moved.min(ALL) },
        )
    }));
    sides.extend(new.map(|new| side(&new, runs.then_some(count.new), leg.moved.min(ALL))));
    Row { sides, apart: false }
}

pub(super) fn leg_of<'a>(rollout: &'a Rollout, name: &Name) -> Option<&'a Leg> {
    rollout.stages.iter().find_map(|stage| match stage {
        Stage::Leg(leg) if leg.components.contains(name) => Some(leg),
        _ => None,
    })
}

/// A side of a component, and how many of it there should be.
pub(super) struct Expected {
    pub(super) digest: String,
    pub(super) count: u32,
}

impl Turn<'_> {
    pub(super) fn portion(&self, id: Option<&ReleaseId>, name: &Name) -> Option<&Portion> {
        self.known.get(id?)?.content.components.get(name)
    }

    /// What should be there of the new release by now, and whether it is still coming up.
    pub(super) fn expected(&self, rollout: &Rollout) -> Vec<(Name, Expected, bool)> {
        let mut all = Vec::new();
        for (at, stage) in rollout.stages.iter().enumerate() {
            let Stage::Leg(leg) = stage else { continue };
            for name in &leg.components {
                let growing =
                    at == rollout.at && (leg.grown > leg.moved || leg.moved > leg.left || leg.apart);
                if let Some(new) = self.side(rollout, leg, name, true) {
                    all.push((name.clone(), new, growing && rollout.back.is_none()));
                }
            }
        }
        all
    }

    /// How many of a component there should be in the new release, or in the old one.
    pub(super) fn side(&self, rollout: &Rollout, leg: &Leg, name: &Name, is_new: bool) -> Option<Expected> {
        let old = self.portion(rollout.from.as_ref(), name);
        let new = self.portion(Some(&rollout.to), name);
        let one = if is_new { new } else { old }?;
        if !one.runs() {
            return None;
        }
        let sight = self.seen.sights.get(name);
        let (old_wanted, new_wanted) = (
            old.map_or(0, |one| wanted(one, sight, new)),
            new.map_or(0, |one| wanted(one, sight, old)),
        );
        let count = if flips(one, leg) {
            let all = sight
                .and_then(|sight| sight.wanted)
                .unwrap_or(one.component.instances);
            if flipped(leg) == is_new { all } else { 0 }
        } else {
            let count = count(leg, one, old_wanted, new_wanted);
            if is_new { count.new } else { count.old }
        };
        Some(Expected {
            digest: one.digest.clone(),
            count,
        })
    }

    /// A component of which fewer are ready than should be, of those that are asked for.
    pub(super) fn lacking(
        &self,
        rollout: &Rollout,
        leg: &Leg,
        is_new: bool,
        shared: Option<bool>,
    ) -> Option<(Name, u32, u32)> {
        leg.components.iter().find_map(|name| {
            let id = if is_new {
                Some(&rollout.to)
            } else {
                rollout.from.as_ref()
            };
            let portion = self.portion(id, name)?;
            if shared.is_some_and(|shared| shared != (portion.is_shared() && !portion.stands_alone())) {
                return None;
            }
            let wanted = self.side(rollout, leg, name, is_new)?;
            let ready = self.tally(name, &wanted.digest).ready;
            (ready < wanted.count).then(|| (name.clone(), ready, wanted.count))
        })
    }
}
