//! Times: how long a release is watched, when it may run, and how long it waits.

use crate::review::setting::environment_at;
use crate::review::{Scene, component_at};
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::rollout::{Rollout, Strategy};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;

/// Whether a rollout is of something of which the old release never waits beside the new one.
fn nothing_warm(at: &Path) -> bool {
    [ComponentKind::Bot, ComponentKind::Job, ComponentKind::Extension]
        .iter()
        .any(|kind| Path::of([kind.word()]).holds(at))
}

/// The old release is gone while the new one is still watched.
pub(super) fn warm(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (at, rollout) in scene.rollouts() {
        let (warm, bake) = (rollout.warm, rollout.bake);
        if rollout.strategy == Strategy::Recreate || warm >= bake || nothing_warm(&at) {
            continue;
        }
        found.push(
            Finding::value(
                &code::WARM_TOO_SHORT,
                at.key("bake"),
                format!("a release is watched for {bake}, but the old one stays warm for {warm} only"),
            )
            .label("then a rollback has to start it first")
            .also(Where::Value(at.key("warm")), format!("warm for {warm}"))
            .hint(format!(
                "write `warm = \"{bake}\"`, if there is room for both releases as long"
            )),
        );
    }
}

/// A window that a freeze closes for good.
pub(super) fn window(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment else {
        return;
    };
    for (at, rollout) in scene.rollouts() {
        let Some(window) = &rollout.window else { continue };
        for (position, freeze) in own.freeze.iter().enumerate() {
            let Some(every) = freeze
                .every
                .as_ref()
                .filter(|every| every.covers(window) == Some(true))
            else {
                continue;
            };
            let place = environment_at(name).key("freeze").nth(position).key("every");
            found.push(
                Finding::value(
                    &code::NEVER_OPEN,
                    at.key("window"),
                    format!("a rollout in `{name}` may run {window}, but nothing is deployed {every}: it never runs"),
                )
                .label("always frozen")
                .also(Where::Value(place), "nothing is deployed then")
                .hint("let the window reach beyond the freeze, or take one of them out"),
            );
        }
    }
}

/// A freeze without a time, or one that ends before it begins.
pub(super) fn freeze(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment else {
        return;
    };
    for (position, freeze) in own.freeze.iter().enumerate() {
        let at = environment_at(name).key("freeze").nth(position);
        if let (Some(from), Some(to)) = (freeze.from, freeze.to) {
            if to < from {
                found.push(
                    Finding::value(
                        &code::FREEZE_NEVER,
                        at.key("to"),
                        format!("a freeze of `{name}` ends on {to}, before it begins"),
                    )
                    .label("before the first day")
                    .also(Where::Value(at.key("from")), "the first day")
                    .hint("write the later day as `to`; it belongs to the freeze"),
                );
            }
        } else if freeze.from.is_none() && freeze.to.is_none() && freeze.every.is_none() {
            found.push(
                Finding::key(
                    &code::FREEZE_NEVER,
                    at,
                    format!("a freeze of `{name}` says why, but not when: `{}`", freeze.why),
                )
                .label("no time")
                .hint("add days, as in `from = \"2026-12-20\", to = \"2027-01-03\"`, or times, as in `every = \"fri 16:00-23:59\"`"),
            );
        }
    }
}

/// An instance may take longer to be ready than the rollout waits.
pub(super) fn ready(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let usual = scene.usual_rollout();
    let nothing = Rollout::usual();
    for (kind, name, component) in scene.product.components() {
        let Some(health) = &component.health else { continue };
        let at = component_at(kind, name);
        let holds = component.own_rollout(kind, name).or_else(|| usual.clone());
        let progress = holds
            .as_ref()
            .map_or(nothing.progress, |(_, rollout)| rollout.progress);
        if health.deadline <= progress {
            continue;
        }
        let mut finding = Finding::value(
            &code::READY_TOO_LATE,
            at.key("health").key("deadline"),
            format!(
                "{kind} `{name}` may take {} to be ready, but a rollout fails after {progress} without progress",
                health.deadline
            ),
        )
        .label("longer than a rollout waits")
        .hint(format!(
            "write `progress = \"{}\"` in the rollout, or a shorter `deadline`",
            health.deadline.times(2)
        ));
        if let Some((place, _)) = holds {
            finding = finding.also(Where::Value(place.key("progress")), format!("waits {progress}"));
        }
        found.push(finding);
    }
}
