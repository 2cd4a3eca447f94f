//! How many instances there are, and what changes it.

use super::bots::most_at;
use crate::review::setting::{at_home, scenes};
use crate::review::{Scene, Whole, component_at};
use std::collections::BTreeMap;
use towpath_model::code;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::desired::scale::Scale;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// Something sleeps, gets no requests, and nothing else wakes it.
pub(super) fn never_woken(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for kind in [ComponentKind::Worker, ComponentKind::Bot] {
        for (name, component) in scene.product.components_of(kind) {
            let at = component_at(kind, name);
            let scale = component.scale.as_ref();
            let zero_after = scale.and_then(|scale| scale.zero_after);
            let counted = kind == ComponentKind::Worker
                && scale.is_some_and(|scale| !scale.queue.is_empty() || !scale.metric.is_empty());
            let timed = scale.is_some_and(|scale| scale.schedule.iter().any(|time| time.replicas > 0));
            let sleeps = component.replicas.min == 0 && component.replicas.most() > 0;
            let place = if zero_after.is_some() && !counted {
                at.key("scale").key("zero_after")
            } else if sleeps && !counted && !timed {
                at.key("replicas").key("min")
            } else {
                continue;
            };
            // That it must never sleep is told by another rule.
            if component.always_on {
                continue;
            }
            let what = if kind == ComponentKind::Bot {
                "bot"
            } else {
                "worker"
            };
            let message =
                format!("{what} `{name}` sleeps at zero, and nothing would wake it: it gets no requests");
            let hint = match (kind, zero_after) {
                (ComponentKind::Bot, Some(_)) => {
                    "take `zero_after` out; to let it rest at known times give it a `schedule` and `replicas = { min \
                     = 0, max = 1 }`"
                }
                (ComponentKind::Bot, None) => {
                    "keep one with `replicas = 1`, or say when it runs, as in `scale = { schedule = [{ when = \
                     \"weekdays 08:00-20:00\", replicas = 1 }] }`"
                }
                _ => {
                    "say what waits for it, as in `scale = { queue = { redis = \"jobs:wait\", each = 100 } }`, or keep \
                     one with `replicas = 1`"
                }
            };
            found.push(
                Finding::value(&code::NEVER_WOKEN, place, message)
                    .label("goes to sleep here")
                    .hint(hint),
            );
        }
    }
}

/// Something must never sleep, and is stopped all the same.
pub(super) fn always_on(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components().filter(|(_, _, one)| one.always_on) {
        let at = component_at(kind, name);
        let mut stops: Vec<(Path, String)> = Vec::new();
        if component.replicas.min == 0 && component.replicas.most() > 0 {
            stops.push((at.key("replicas").key("min"), "may have no instance".to_owned()));
        }
        if let Some(scale) = &component.scale {
            if let Some(after) = scale.zero_after {
                stops.push((
                    at.key("scale").key("zero_after"),
                    format!("sleeps after {after} without work"),
                ));
            }
            for (position, time) in scale
                .schedule
                .iter()
                .enumerate()
                .filter(|(_, time)| time.replicas == 0)
            {
                let place = at.key("scale").key("schedule").nth(position).key("replicas");
                stops.push((place, format!("is stopped {}", time.when)));
            }
        }
        for (place, how) in stops {
            found.push(
                Finding::value(
                    &code::ALWAYS_ON_STOPS,
                    place,
                    format!("{kind} `{name}` is always on, but {how}"),
                )
                .label("stops it")
                .also(Where::Value(at.key("always_on")), "must never sleep")
                .hint("take one of the two out: `always_on = true`, or what stops it"),
            );
        }
    }
}

/// The most instances are fewer than the fewest.
pub(super) fn crossed(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let min = component.replicas.min;
        let Some(max) = component.replicas.max.filter(|max| *max < min) else {
            continue;
        };
        let at = component_at(kind, name).key("replicas");
        found.push(
            Finding::value(
                &code::MAX_BELOW_MIN,
                at.key("max"),
                format!("{kind} `{name}` has at most {max} instances, but at least {min}"),
            )
            .label("fewer than the fewest")
            .also(Where::Value(at.key("min")), "the fewest")
            .hint(format!("write `replicas = {{ min = {max}, max = {min} }}`")),
        );
    }
}

/// What may change the number of instances up to the most, by the name of its field.
fn triggers(scale: &Scale) -> Option<&'static str> {
    [
        ("cpu", scale.cpu.is_some()),
        ("memory", scale.memory.is_some()),
        ("connections", scale.connections.is_some()),
        ("requests", scale.requests.is_some()),
        ("p95", scale.p95.is_some()),
        ("queue", !scale.queue.is_empty()),
        ("metric", !scale.metric.is_empty()),
        ("zero_after", scale.zero_after.is_some()),
    ]
    .into_iter()
    .find_map(|(field, written)| written.then_some(field))
}

/// Something that scales, seen where it has no room to.
#[derive(Clone, Copy)]
struct Cramped<'a> {
    scene: Scene<'a>,
    trigger: &'static str,
    component: &'a Component,
}

/// Something scales, and in no environment there is room to. One that pins the number is no fault.
pub(super) fn no_room(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let mut cramped: BTreeMap<(ComponentKind, &Name), Option<Cramped<'_>>> = BTreeMap::new();
    for scene in scenes(whole) {
        for (kind, name, component) in scene.product.components() {
            let Some(trigger) = component.scale.as_ref().and_then(triggers) else {
                continue;
            };
            let room = component.replicas.most() > component.replicas.min;
            // Both are told by rules of their own.
            let crossed = component
                .replicas
                .max
                .is_some_and(|max| max < component.replicas.min);
            let told = kind == ComponentKind::Bot || crossed;
            let here = Cramped {
                scene,
                trigger,
                component,
            };
            let known = cramped.entry((kind, name)).or_insert(Some(here));
            match known {
                Some(_) if room || told => *known = None,
                // The environment that comes closest shows best what is missing.
                Some(other) if other.component.replicas.most() < component.replicas.most() => *other = here,
                _ => {}
            }
        }
    }
    for ((kind, name), cramped) in cramped {
        let Some(Cramped {
            scene,
            trigger,
            component,
        }) = cramped
        else {
            continue;
        };
        let at = component_at(kind, name);
        let most = component.replicas.most();
        let message = match (most, trigger) {
            (0, _) => format!("{kind} `{name}` has `scale`, but may never have an instance"),
            (_, "zero_after") => format!("{kind} `{name}` sleeps without work, but always keeps {most}"),
            _ => format!("{kind} `{name}` grows by `{trigger}`, but never beyond {most}"),
        };
        let limit = match component.replicas.max {
            Some(_) => "the most".to_owned(),
            None => format!("no `max`, so {most} is the most"),
        };
        let room = match trigger {
            "zero_after" => format!("replicas = {{ min = 0, max = {} }}", most.max(1)),
            _ => format!(
                "replicas = {{ min = {most}, max = {} }}",
                (most.saturating_mul(2)).max(4)
            ),
        };
        let finding = Finding::key(&code::NO_ROOM_TO_SCALE, at.key("scale").key(trigger), message)
            .label("has no room to")
            .also(Where::Value(most_at(&at, &component.replicas)), limit)
            .hint(format!("give it room: `{room}`"));
        let in_root = whole
            .root
            .components_of(kind)
            .get(name.as_str())
            .is_some_and(|root| root.scale.as_ref().and_then(triggers).is_some());
        found.push(at_home(finding, &scene, in_root));
    }
}

/// What is wrong with a schedule in one environment.
fn schedule_fault(component: &Component) -> Option<(usize, String, String)> {
    let (min, most) = (component.replicas.min, component.replicas.most());
    let schedule = &component.scale.as_ref()?.schedule;
    for (position, time) in schedule.iter().enumerate() {
        let n = time.replicas;
        if n > most {
            let hint =
                format!("write `replicas = {{ min = {min}, max = {n} }}` for the component, or fewer here");
            return Some((
                position,
                format!("asks for {n} instances at times, but has at most {most}"),
                hint,
            ));
        }
        if n < min {
            let hint =
                format!("write `replicas = {{ min = {n}, max = {most} }}` for the component, or more here");
            return Some((
                position,
                format!("asks for {n} instances at times, but has at least {min}"),
                hint,
            ));
        }
    }
    let idle = !schedule.is_empty() && schedule.iter().all(|time| time.replicas == min);
    idle.then(|| {
        let message = format!("has {min} at times, and {min} at all others: its schedule changes nothing");
        let hint = format!(
            "at other times the smallest number runs that `replicas` allows: write `replicas = {{ min = 0, max = {} }}` \
             to let it rest then",
            most.max(1)
        );
        (0, message, hint)
    })
}

/// A schedule asks for a number that is not allowed, or changes nothing, in every environment that has it.
pub(super) fn schedules(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    type Fault<'a> = Option<(Scene<'a>, u32, (usize, String, String))>;
    let mut faults: BTreeMap<(ComponentKind, &Name), Fault<'_>> = BTreeMap::new();
    for scene in scenes(whole) {
        for (kind, name, component) in scene.product.components() {
            let Some(scale) = component
                .scale
                .as_ref()
                .filter(|scale| !scale.schedule.is_empty())
            else {
                continue;
            };
            // Both are told by rules of their own.
            let told = kind == ComponentKind::Bot && scale.schedule.iter().any(|time| time.replicas > 1)
                || component.always_on && scale.schedule.iter().any(|time| time.replicas == 0);
            let fault = schedule_fault(component).filter(|_| !told);
            let most = component.replicas.most();
            let fault = fault.map(|fault| (scene, most, fault));
            match (faults.get_mut(&(kind, name)), fault) {
                (None, fault) => {
                    faults.insert((kind, name), fault);
                }
                (Some(known), None) => *known = None,
                // The environment that comes closest shows best what is wrong.
                (Some(Some(known)), Some(fault)) if known.1 < most => *known = fault,
                _ => {}
            }
        }
    }
    for ((kind, name), fault) in faults {
        let Some((scene, _, (position, message, hint))) = fault else {
            continue;
        };
        let at = component_at(kind, name);
        let place = at.key("scale").key("schedule").nth(position).key("replicas");
        let finding = Finding::value(
            &code::SCHEDULE_WITHOUT_EFFECT,
            place,
            format!("{kind} `{name}` {message}"),
        )
        .label("cannot be what is meant")
        .hint(hint);
        let in_root = whole
            .root
            .components_of(kind)
            .get(name.as_str())
            .is_some_and(|root| {
                root.scale
                    .as_ref()
                    .is_some_and(|scale| !scale.schedule.is_empty())
            });
        found.push(at_home(finding, &scene, in_root));
    }
}

/// A share of memory, without a limit that it is a share of.
pub(super) fn memory_share(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some(share) = component.scale.as_ref().and_then(|scale| scale.memory) else {
            continue;
        };
        if component.memory.is_some() || component.size.is_some() || kind == ComponentKind::Bot {
            continue;
        }
        let place = component_at(kind, name).key("scale").key("memory");
        found.push(
            Finding::value(
                &code::SHARE_OF_NOTHING,
                place,
                format!("{kind} `{name}` grows at {share} of its memory, but has no limit of memory"),
            )
            .label("a share of what?")
            .hint("say how much one instance may use, as in `memory = \"256MiB\"`"),
        );
    }
}
