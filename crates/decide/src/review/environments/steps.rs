//! The steps of a canary, in an environment and in stores.

use crate::review::{Scene, component_at};
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::extension::Store;
use towpath_model::desired::rollout::{Rollout, Strategy};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Amount, Hold, Share};

const ALL: Amount = Amount::Share(Share::ALL);

/// Whether one step gives no more than the one before it; amounts of different sorts are not compared.
fn no_more(before: &Amount, now: &Amount) -> bool {
    match (before, now) {
        (Amount::Share(before), Amount::Share(now)) => now <= before,
        (Amount::Count { n: before, unit }, Amount::Count { n: now, unit: other }) => {
            unit == other && now <= before
        }
        _ => false,
    }
}

/// Steps that do not grow, stop short, or are over before anybody has looked.
pub(super) fn steps(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (at, rollout) in scene.rollouts() {
        if rollout.strategy != Strategy::Canary || rollout.steps.is_empty() {
            continue;
        }
        let at = at.key("steps");
        growing(&at, rollout, found);
        watched(&at, rollout, found);
    }
}

fn growing(at: &Path, rollout: &Rollout, found: &mut Vec<Finding>) {
    let moving: Vec<(usize, &Amount)> = rollout
        .steps
        .iter()
        .enumerate()
        .map(|(position, step)| (position, step.amount()))
        .filter(|(_, amount)| **amount != Amount::Same)
        .collect();
    if let Some((position, _)) = moving.first().filter(|(_, amount)| **amount == ALL) {
        found.push(
            Finding::value(
                &code::STEPS_SHRINK,
                at.nth(*position),
                "the first step of the canary is all of it already",
            )
            .label("nothing is tried first")
            .hint("begin with a part, as in `steps = [\"10% for 30m\", \"100%\"]`"),
        );
    }
    for pair in moving.windows(2) {
        let [(_, before), (position, now)] = pair else {
            continue;
        };
        if no_more(before, now) {
            let message = format!("the canary goes from {before} to {now}, which is not more");
            found.push(
                Finding::value(&code::STEPS_SHRINK, at.nth(*position), message)
                    .label("not more than before")
                    .hint(
                        "let each step give more than the one before it; to go back is what a rollback does",
                    ),
            );
        }
    }
    let Some((position, last)) = moving.last().filter(|(_, last)| **last != ALL) else {
        return;
    };
    found.push(
        Finding::value(
            &code::STEPS_STOP_SHORT,
            at.nth(*position),
            format!("after {last} all of it follows at once, which no step says"),
        )
        .label("the last step is not all of it")
        .hint("add \"100%\" at the end, or further steps before it"),
    );
}

fn watched(at: &Path, rollout: &Rollout, found: &mut Vec<Finding>) {
    let last = rollout.steps.len().saturating_sub(1);
    for (position, step) in rollout.steps.iter().enumerate().take(last) {
        let (message, hint) = match step.hold() {
            // A pause behind it holds it, and gates hold it until they are answered.
            Hold::None if rollout.gates.is_empty() => {
                let next = rollout.steps.get(position + 1).map(|next| next.amount());
                if next == Some(&Amount::Same) {
                    continue;
                }
                (
                    format!(
                        "the canary leaves {} at once, before anything can be seen",
                        step.amount()
                    ),
                    format!("say how long it is watched, as in \"{} for 30m\"", step.amount()),
                )
            }
            Hold::For(time) if time < rollout.judge_every => (
                format!(
                    "the canary stays at {} for {time}, but is judged only every {}",
                    step.amount(),
                    rollout.judge_every
                ),
                format!("watch it longer, or judge it more often, as in `judge_every = \"{time}\"`"),
            ),
            _ => continue,
        };
        found.push(
            Finding::value(&code::STEP_UNWATCHED, at.nth(position), message)
                .label("over before it is judged")
                .hint(hint),
        );
    }
}

/// A share of users in a store that gives none.
pub(super) fn stores(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, extension) in &scene.product.extension {
        for (store, one) in &extension.store {
            let at = component_at(ComponentKind::Extension, name);
            let store_at = at.key("store").key(store);
            let Some((rollout_at, rollout)) = extension.rollout_in_store(name, store) else {
                continue;
            };
            let part = |amount: &Amount| matches!(amount, Amount::Share(share) if *share < Share::ALL);
            let position = rollout.steps.iter().position(|step| part(step.amount()));
            let (Some(position), Strategy::Canary) = (position, rollout.strategy) else {
                continue;
            };
            let step_at = rollout_at.key("steps").nth(position);
            found.extend(share(one, store.as_str(), &store_at, step_at));
        }
    }
}

fn share(store: &Store, name: &str, at: &Path, step: Path) -> Option<Finding> {
    let title = store.kind.title();
    let (place, message, hint) = match (store.kind.share_needs_users(), store.users) {
        (None, _) => (
            at.key("kind"),
            format!("{title} gives a release to all users at once, but store `{name}` is rolled out to a share"),
            "write `rollout = \"rolling\"` for this store, and hold a release back with a flag".to_owned(),
        ),
        (Some(needed), Some(users)) if users < needed => (
            at.key("users"),
            format!("{title} rolls out to a share from {needed} users on, but store `{name}` has {users}"),
            "write `rollout = \"rolling\"` for this store until it has grown, and try it in an environment before".to_owned(),
        ),
        _ => return None,
    };
    let finding = Finding::value(&code::STORE_SHARE, place, message).label("everybody gets it at once");
    Some(finding.also(Where::Value(step), "a share of users").hint(hint))
}
