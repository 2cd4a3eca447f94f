//! How one release takes the place of another: the strategy, what it is a share of, and the words that belong to it.

use super::written::{Written, written};
use crate::review::{Scene, Whole, component_at};
use towpath_model::code;
use towpath_model::desired::component::{ComponentKind, Handover};
use towpath_model::desired::rollout::{CanaryUnit, Rollout, Strategy};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Share;

/// Whether components of a kind get something of that unit.
fn gets(kind: ComponentKind, unit: CanaryUnit) -> bool {
    match unit {
        CanaryUnit::Traffic | CanaryUnit::Cohort => kind.takes_requests(),
        CanaryUnit::Jobs => kind == ComponentKind::Worker,
        CanaryUnit::Tenants => !matches!(
            kind,
            ComponentKind::Site | ComponentKind::Job | ComponentKind::Extension
        ),
        CanaryUnit::Store => kind == ComponentKind::Extension,
    }
}

/// What a kind can take a share of, as a hint.
fn offer(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Worker => "a worker takes jobs: write `unit = \"jobs\"`, or take `unit` out",
        ComponentKind::Bot => {
            "a bot takes no requests: write `unit = \"tenants\"` with `handover = \"shards\"`, or take the rollout out"
        }
        ComponentKind::Extension => {
            "the store rolls an extension out: write `unit = \"store\"`, or take `unit` out"
        }
        ComponentKind::Job => {
            "a job runs and ends: take the rollout out, and the next run is of the new release"
        }
        ComponentKind::Site => "visitors come to a site: write `unit = \"cohort\"`, or take `unit` out",
        ComponentKind::Service | ComponentKind::Function => {
            "requests come here: write `unit = \"traffic\"`, or take `unit` out"
        }
    }
}

fn spoken(unit: CanaryUnit) -> &'static str {
    match unit {
        CanaryUnit::Traffic => "requests",
        CanaryUnit::Jobs => "jobs",
        CanaryUnit::Tenants => "tenants",
        CanaryUnit::Cohort => "visitors",
        CanaryUnit::Store => "users of a store",
    }
}

/// A canary of something that is not there.
pub(super) fn unit(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some(rollout) = component
            .rollout
            .as_ref()
            .filter(|one| one.strategy == Strategy::Canary)
        else {
            continue;
        };
        let at = component_at(kind, name).key("rollout");
        let (field, message) = match rollout.unit {
            Some(unit) if !gets(kind, unit) => (
                "unit",
                format!(
                    "the canary of {kind} `{name}` is a share of {}, but a {kind} gets none",
                    spoken(unit)
                ),
            ),
            None if kind == ComponentKind::Job => (
                "strategy",
                format!("job `{name}` is rolled out as a canary, but there is nothing to take a share of"),
            ),
            _ => continue,
        };
        found.push(
            Finding::value(&code::WRONG_UNIT, at.key(field), message)
                .label("a share of what?")
                .hint(offer(kind)),
        );
    }
    unit_of_all(scene, found);
}

/// A canary of an environment in which nothing takes a share.
fn unit_of_all(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    // What the product says is a default, and need not fit every environment.
    let own = |at: &Path| scene.environment.is_none() || at.steps().len() > 1;
    let usual = scene
        .usual_rollout()
        .filter(|(at, one)| one.strategy == Strategy::Canary && own(at));
    let Some((at, rollout)) = usual else {
        return;
    };
    let mut kinds = Vec::new();
    for (kind, _, component) in scene
        .product
        .components()
        .filter(|(_, _, one)| one.rollout.is_none())
    {
        // Hand-overs but that by shards have no share.
        let whole = kind == ComponentKind::Bot && component.handover != Handover::Shards;
        let shares = !whole && !matches!(kind, ComponentKind::Job | ComponentKind::Extension);
        if shares && rollout.unit.is_none_or(|unit| gets(kind, unit)) {
            return;
        }
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let Some(first) = kinds.first() else { return };
    let field = if rollout.unit.is_some() {
        "unit"
    } else {
        "strategy"
    };
    let what = rollout.unit.map_or("a share of anything", |unit| spoken(unit));
    let all: Vec<String> = kinds.iter().map(|kind| format!("{kind}s")).collect();
    let message = format!(
        "a canary shifts requests, jobs or tenants, but there are only {} here",
        all.join(" and ")
    );
    let message = match rollout.unit {
        Some(_) => format!("the canary is a share of {what}, but nothing here gets any"),
        None => message,
    };
    found.push(
        Finding::value(&code::WRONG_UNIT, at.key(field), message)
            .label("a share of what?")
            .hint(offer(*first)),
    );
}

/// What is written for one strategy, while another one is followed.
pub(super) fn words(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    for Written { at, node, strategies } in written(whole) {
        // Where it is present nowhere, there is nothing to follow.
        if strategies.is_empty() {
            continue;
        }
        let said = node.get("strategy").and_then(|node| node.scalar());
        let canary = match &said {
            Some(said) => said == Strategy::Canary.word(),
            None => strategies.contains(&Strategy::Canary),
        };
        let only = |strategy: Strategy| match &said {
            Some(said) => said == strategy.word(),
            None => strategies.iter().all(|one| *one == strategy),
        };
        let strategy = said
            .clone()
            .unwrap_or_else(|| Strategy::Rolling.word().to_owned());
        let idle = ["steps", "first", "unit"]
            .into_iter()
            .find(|word| node.get(word).is_some());
        if let (Some(word), false) = (idle, canary) {
            let message = match said {
                Some(_) => format!("`{word}` belongs to a canary, but the strategy is `{strategy}`"),
                None => format!(
                    "`{word}` belongs to a canary, but no strategy is written, which means `{strategy}`"
                ),
            };
            let mut finding = Finding::key(&code::WORDS_OF_ANOTHER_STRATEGY, at.key(word), message)
                .label("without effect")
                .hint(format!("write `strategy = \"canary\"`, or take `{word}` out"));
            if said.is_some() {
                finding = finding.also(Where::Value(at.key("strategy")), "the strategy");
            }
            found.push(finding);
        }
        if node.get("gates").is_some() && only(Strategy::Recreate) {
            found.push(
                Finding::key(
                    &code::WORDS_OF_ANOTHER_STRATEGY,
                    at.key("gates"),
                    "`gates` are asked between two steps, but `recreate` has none: the old release has stopped by then",
                )
                .label("without effect")
                .hint("move them to `after`: they are asked when all of it runs, and a failure rolls back"),
            );
        }
        if node.get("together").is_some() && only(Strategy::Rolling) {
            found.push(
                Finding::key(
                    &code::TOGETHER_APART,
                    at.key("together"),
                    "components are to switch in one instant, but a rolling rollout replaces a few instances at a time",
                )
                .label("never in one instant")
                .hint("write `strategy = \"blue-green\"`, or \"canary\" with `steps`"),
            );
        }
    }
}

/// Rolling, with neither one instance more nor one fewer: nothing can be replaced.
pub(super) fn no_room(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (at, rollout) in scene.rollouts() {
        let room = rollout.surge > Share::NONE || rollout.missing > Share::NONE;
        if rollout.strategy != Strategy::Rolling || room {
            continue;
        }
        found.push(
            Finding::value(
                &code::NO_ROOM_TO_ROLL,
                at.key("surge"),
                "a rolling rollout may start no instance more, and stop none: it never begins",
            )
            .label("none more")
            .also(Where::Value(at.key("missing")), "none fewer")
            .hint("take `surge` out, or allow some to be missing, as in `missing = \"25%\"`, where there is no room for more"),
        );
    }
}

/// Components that are to switch in one instant, and cannot.
pub(super) fn together(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (at, rollout) in scene.rollouts() {
        // Rolling is told where it is written: an environment that is like another one takes the names over.
        if rollout.together.is_empty() || rollout.strategy == Strategy::Rolling {
            continue;
        }
        let at = at.key("together");
        for (position, name) in rollout.together.iter().enumerate() {
            let Some((kind, _, component)) = scene.product.component(name.as_str()) else {
                continue;
            };
            let Some((message, hint)) =
                apart(kind, name.as_str(), component.rollout.as_ref(), rollout.strategy)
            else {
                continue;
            };
            found.push(
                Finding::value(&code::TOGETHER_APART, at.nth(position), message)
                    .label("goes its own way")
                    .hint(hint),
            );
        }
    }
}

/// Why a component cannot switch with others, and what to do.
fn apart(
    kind: ComponentKind,
    name: &str,
    own: Option<&Rollout>,
    strategy: Strategy,
) -> Option<(String, String)> {
    if matches!(
        kind,
        ComponentKind::Bot | ComponentKind::Job | ComponentKind::Extension
    ) {
        let how = match kind {
            ComponentKind::Bot => "changes by its hand-over",
            ComponentKind::Job => "changes with its next run",
            _ => "waits for the review of a store",
        };
        let message = format!("{kind} `{name}` {how}, and cannot switch in one instant with others");
        return Some((
            message,
            format!("take `{name}` out, and let the others work with both releases of it"),
        ));
    }
    let own = own.filter(|own| own.strategy != strategy)?;
    let message = format!(
        "{kind} `{name}` is to switch together with others, but has the strategy `{}` of its own",
        own.strategy
    );
    let hint = format!("take `{name}` out, or its own `rollout`, so that `{strategy}` holds for it, too");
    Some((message, hint))
}
