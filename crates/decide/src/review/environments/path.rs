//! The way of a release through the environments.

use crate::review::listed::listed;
use crate::review::setting::environment_at;
use crate::review::{Scene, Whole};
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::code;
use towpath_model::desired::environment::Environment;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Name, Trigger};
use towpath_model::word::Map;

/// The environments that a release has come through before it enters one, the nearest first.
fn before<'a>(all: &'a Map<Name, Environment>, name: &'a str) -> Vec<&'a str> {
    let mut seen = BTreeSet::from([name]);
    let mut way = Vec::new();
    let mut here = name;
    while let Some(after) = all.get(here).and_then(|own| own.after.as_ref()) {
        here = after.as_str();
        if !seen.insert(here) {
            break;
        }
        way.push(here);
    }
    way
}

/// Environments that come after each other in a circle; each circle is told once.
pub(super) fn circle(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let all = &whole.root.environment;
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for name in all.keys() {
        let mut way: Vec<&str> = Vec::new();
        let mut steps: BTreeMap<&str, usize> = BTreeMap::new();
        let mut here = Some(name.as_str());
        while let Some(one) = here.filter(|one| !known.contains(one) && !steps.contains_key(one)) {
            steps.insert(one, way.len());
            way.push(one);
            here = all.get(one).and_then(|own| Some(own.after.as_ref()?.as_str()));
        }
        let round = here.and_then(|start| way.get(*steps.get(start)?..));
        // What comes after itself is told as a reference to itself.
        if let Some(round) = round.filter(|round| round.len() > 1) {
            found.push(round_trip(round));
        }
        known.extend(way);
    }
}

fn round_trip(round: &[&str]) -> Finding {
    let first = round.first().copied().unwrap_or_default();
    let message = format!(
        "a release never enters {}: they wait for each other",
        listed(round.iter().copied(), "and")
    );
    Finding::value(
        &code::PATH_LOOP,
        Path::of(["environment", first, "after"]),
        message,
    )
    .label("leads back")
    .hint("let one of them begin: take its `after` out and say `on`, as in `on = \"push main\"`")
}

/// A pull request that has to come from another environment.
pub(super) fn pull_request(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment else {
        return;
    };
    let position = own.on.iter().position(|one| *one == Trigger::PullRequest);
    let (Some(after), Some(position)) = (&own.after, position) else {
        return;
    };
    found.push(
        Finding::value(
            &code::PULL_REQUEST_AFTER,
            environment_at(name).key("after"),
            format!("a pull request arrives in `{name}`, but its release has to come from `{after}`"),
        )
        .label("has never seen the pull request")
        .also(
            Where::Value(environment_at(name).key("on").nth(position)),
            "a change that is not merged",
        )
        .hint("take `after` out, or let merged changes arrive here, as in `on = \"push main\"`"),
    );
}

/// Previews that nothing makes, and releases that come from a preview.
pub(super) fn previews(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment else {
        return;
    };
    let at = environment_at(name);
    let branch = |one: &Trigger| matches!(one, Trigger::PullRequest | Trigger::Push(_));
    if own.preview.is_some() && !own.on.is_empty() && !own.on.iter().any(branch) {
        let on: Vec<String> = own.on.iter().map(ToString::to_string).collect();
        found.push(
            Finding::key(
                &code::PREVIEW_UNTRIGGERED,
                at.key("preview"),
                format!(
                    "`{name}` is made for each pull request, but only `{}` makes something arrive there",
                    on.join("`, `")
                ),
            )
            .label("never made")
            .also(Where::Key(at.key("on")), "no pull request, no branch")
            .hint("write `on = \"pull-request\"`, or take `preview` out"),
        );
    }
    let Some(after) = &own.after else { return };
    let before = scene.product.environment.get(after.as_str());
    if before.is_some_and(|before| before.preview.is_some()) {
        found.push(
            Finding::value(
                &code::AFTER_PREVIEW,
                at.key("after"),
                format!(
                    "releases of `{name}` come from `{after}`, of which there is one for each pull request"
                ),
            )
            .label("which of them?")
            .hint(
                "let it come from an environment that stays, or from a trigger, as in `on = \"push main\"`",
            ),
        );
    }
}

/// The most environments with the same trigger that one is compared with: more are a mistake of another kind.
const MOST_COMPARED: usize = 8;

/// An environment with real data that a change reaches at the same moment as one that is there to try it.
pub(super) fn same_trigger(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let all = &whole.root.environment;
    let mut by_trigger: BTreeMap<String, Vec<(&Name, usize, bool)>> = BTreeMap::new();
    for (name, own) in all {
        for (position, trigger) in own.on.iter().enumerate() {
            if matches!(trigger, Trigger::Push(_) | Trigger::Tag(_)) {
                let one = (name, position, own.data.real);
                by_trigger.entry(trigger.to_string()).or_default().push(one);
            }
        }
    }
    for (trigger, group) in by_trigger {
        for (name, position, _) in group.iter().filter(|(_, _, real)| *real) {
            let way = before(all, name.as_str());
            let other = group
                .iter()
                .filter(|(other, _, real)| other != name && !real)
                .take(MOST_COMPARED)
                .find(|(other, _, _)| {
                    !way.contains(&other.as_str()) && !before(all, other.as_str()).contains(&name.as_str())
                });
            let Some((other, theirs, _)) = other else { continue };
            found.push(
                Finding::value(
                    &code::SAME_TRIGGER,
                    environment_at(name).key("on").nth(*position),
                    format!("`{trigger}` reaches the real data of `{name}` at the same moment as `{other}`"),
                )
                .label("nothing has tried it before")
                .also(
                    Where::Value(environment_at(other).key("on").nth(*theirs)),
                    "the same trigger",
                )
                .hint(format!("write `after = \"{other}\"` for `{name}`, or give it a trigger of its own, as in `on = \"tag v*\"`")),
            );
        }
    }
}
