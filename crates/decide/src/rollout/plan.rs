//! What a rollout goes through: reckoned once, when it begins, and written down with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::desired::resource::Phase;
use towpath_model::desired::rollout::Strategy;
use towpath_model::run::{ALL, Content, Kind, Leg, Moved, Portion, Refusal, Stage, Step, Way};
use towpath_model::unit::Name;

/// The stages from one release to another; or why there are none.
pub fn stages(from: Option<&Content>, to: &Content, is_rollback: bool) -> Result<Vec<Stage>, Refusal> {
    let changed = changed(from, to);
    let mut stages = Vec::new();
    if !is_rollback && !to.questions.enter.is_empty() {
        let gates = to.questions.enter.iter().map(|gate| gate.as_str().to_owned());
        stages.push(Stage::Enter(gates.collect()));
    }
    let at_once = is_rollback || from.is_none();
    let jobs = changed.iter().filter(|(name, portion)| {
        portion.component.kind == Kind::Job && to.components.contains_key::<Name>(name)
    });
    let jobs: Vec<Name> = jobs.map(|(name, _)| (*name).clone()).collect();
    if !jobs.is_empty() && !is_rollback {
        stages.push(Stage::Try(jobs));
    }
    // A pooler is made like its database, and who asks that one asks it. What has gone goes with those who needed it.
    let (ground, rest): (Members<'_>, Members<'_>) = changed.into_iter().partition(|(name, portion)| {
        let kind = portion.component.kind;
        (kind.is_resource() || kind == Kind::Pool) && to.components.contains_key::<Name>(name)
    });
    stages.extend(at_once_leg(ground).map(Stage::Leg));
    if !is_rollback {
        let phases: &[Phase] = if from.is_none() {
            &[Phase::Expand, Phase::Contract]
        } else {
            &[Phase::Expand]
        };
        let expand = due(from, to, phases);
        let fill = due(from, to, &[Phase::Backfill]);
        if !expand.is_empty() {
            stages.push(Stage::Migrate(expand));
        }
        if !fill.is_empty() {
            stages.push(Stage::Fill(fill));
        }
    }
    if !at_once {
        stand_beside_themselves(&rest, from, to)?;
    }
    // Nothing was there before that could be missed, and those who need it would wait for it for ever.
    let (first, rest): (Members<'_>, Members<'_>) = rest
        .into_iter()
        .partition(|(name, _)| is_needed_anew(name, from, to));
    let first = at_once_leg(first);
    let legs = legs(&rest, at_once);
    let bake = bake(legs.iter().chain(&first));
    stages.extend(first.into_iter().chain(legs).map(Stage::Leg));
    if let Some(way) = bake.filter(|_| !is_rollback) {
        stages.push(Stage::Bake(way));
    }
    Ok(stages)
}

/// What differs, of the new release where it is there, else of the old one.
fn changed<'a>(from: Option<&'a Content>, to: &'a Content) -> BTreeMap<&'a Name, &'a Portion> {
    let mut changed: BTreeMap<&Name, &Portion> = BTreeMap::new();
    let old = |name: &Name| from.and_then(|from| from.components.get(name));
    for (name, portion) in &to.components {
        if old(name).is_none_or(|old| old.digest != portion.digest) {
            changed.insert(name, portion);
        }
    }
    let gone = from.into_iter().flat_map(|from| &from.components);
    changed.extend(gone.filter(|(name, _)| !to.components.contains_key::<Name>(name)));
    changed
}

/// Whether nothing of it is there yet, and somebody cannot start without it.
fn is_needed_anew(name: &Name, from: Option<&Content>, to: &Content) -> bool {
    let is_new = from.is_none_or(|from| !from.components.contains_key(name));
    let mut needs = to
        .components
        .values()
        .flat_map(|portion| &portion.component.needs);
    is_new && to.components.contains_key(name) && needs.any(|need| need.name == *name && !need.optional)
}

/// What is in both releases and cannot stand beside itself goes before it comes, and only where that is said.
fn stand_beside_themselves(
    changed: &[(&Name, &Portion)],
    from: Option<&Content>,
    to: &Content,
) -> Result<(), Refusal> {
    for (name, portion) in changed {
        let is_in = |content: &Content| content.components.contains_key::<Name>(name);
        let strategy = portion.way.strategy;
        let alone = portion.stands_alone() && portion.component.listens.is_some();
        if alone && strategy != Strategy::Recreate && is_in(to) && from.is_some_and(is_in) {
            return Err(Refusal::StandsAlone((*name).clone(), strategy.to_string()));
        }
    }
    Ok(())
}

/// Those that come all at once, in the order of their needs.
fn at_once_leg(members: Members<'_>) -> Option<Leg> {
    let way = Arc::clone(&members.first()?.1.way);
    let names = members.into_iter().map(|(name, _)| name.clone()).collect();
    Some(leg(names, way, true, vec![Step::all()]))
}

/// The migrations of some phases that the release before does not know.
fn due(from: Option<&Content>, to: &Content, phases: &[Phase]) -> Vec<Moved> {
    let mut due = Vec::new();
    for (resource, schema) in &to.schema {
        let new = schema.migrations.iter().filter(|one| {
            phases.contains(&one.phase) && from.is_none_or(|from| !from.knows(resource, &one.name))
        });
        due.extend(new.map(|one| Moved {
            resource: resource.clone(),
            migration: one.name.clone(),
        }));
    }
    due
}

/// What goes together.
type Members<'a> = Vec<(&'a Name, &'a Portion)>;

/// Whose way they go, whether the old ones go first, and who they are.
type Group<'a> = (Option<&'a Name>, bool, Members<'a>);

fn legs(changed: &[(&Name, &Portion)], at_once: bool) -> Vec<Leg> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (name, portion) in changed {
        let way = &portion.way;
        let alone = portion.stands_alone() && portion.component.listens.is_some();
        let key = if at_once {
            (None, alone)
        } else {
            (way.of.as_ref(), way.strategy == Strategy::Recreate)
        };
        match groups.iter_mut().find(|(of, apart, _)| (*of, *apart) == key) {
            Some((.., members)) => members.push((name, portion)),
            None => groups.push((key.0, key.1, vec![(name, portion)])),
        }
    }
    // What has no way of its own goes first.
    groups.sort_by_key(|(of, apart, _)| (of.is_some(), *apart));
    let legs = groups.into_iter().filter_map(|(_, apart, members)| {
        let way = Arc::clone(&members.first()?.1.way);
        let steps = if at_once || apart {
            vec![Step::all()]
        } else {
            steps(&way, &members)
        };
        let names = members.into_iter().map(|(name, _)| name.clone()).collect();
        Some(leg(names, way, apart, steps))
    });
    legs.collect()
}

fn leg(components: Vec<Name>, way: Arc<Way>, apart: bool, steps: Vec<Step>) -> Leg {
    Leg {
        components,
        way,
        apart,
        steps,
        step: 0,
        grown: 0,
        moved: 0,
        left: 0,
        early: false,
        tenants: None,
    }
}

fn steps(way: &Way, members: &[(&Name, &Portion)]) -> Vec<Step> {
    match way.strategy {
        Strategy::BlueGreen | Strategy::Recreate => vec![Step::all()],
        Strategy::Rolling => {
            let most = members
                .iter()
                .map(|(_, portion)| portion.component.instances)
                .max();
            let most = u16::try_from(most.unwrap_or(1).max(1)).unwrap_or(ALL);
            // A step that moves not even one instance of the largest would only be told to the edge.
            let each = way
                .surge
                .saturating_add(way.missing)
                .max(ALL.div_ceil(most))
                .clamp(1, ALL);
            (1..=ALL.div_ceil(each))
                .map(|nth| Step {
                    parts: each.saturating_mul(nth).min(ALL),
                    ..Step::all()
                })
                .collect()
        }
        Strategy::Canary => {
            let mut steps = way.steps.clone();
            if steps
                .last()
                .is_none_or(|last| last.parts < ALL || last.tenants.is_some())
            {
                steps.push(Step::all());
            }
            steps
        }
    }
}

/// How the whole is watched at its end: for as long as any part of it wants, by all that they ask.
fn bake<'a>(mut legs: impl Iterator<Item = &'a Leg>) -> Option<Arc<Way>> {
    let mut way = Way::clone(&legs.next()?.way);
    for other in legs {
        let new = other.way.after.iter().filter(|gate| !way.after.contains(gate));
        let new: Vec<String> = new.cloned().collect();
        way.after.extend(new);
        way.bake = way.bake.max(other.way.bake);
        way.warm = way.warm.max(other.way.warm);
    }
    Some(Arc::new(way))
}
