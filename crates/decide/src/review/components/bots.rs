//! Bots: one live instance, and how it changes.
//!
//! A chat gateway takes one session for a token. A second instance with the same token answers everything twice or
//! throws the first one out, so nothing that starts a second one may be written, however it is written.

use crate::review::{Scene, component_at};
use towpath_model::code;
use towpath_model::desired::component::{ComponentKind, Handover, Replicas};
use towpath_model::desired::rollout::Strategy;
use towpath_model::finding::Finding;
use towpath_model::spec::Path;

const BE_ONE: &str =
    "write `replicas = 1`; work that has to scale belongs into a [worker.NAME] that the bot feeds";

/// The place where the most instances are asked for.
pub(super) fn most_at(at: &Path, replicas: &Replicas) -> Path {
    let field = if replicas.max.is_some_and(|max| max >= replicas.min) {
        "max"
    } else {
        "min"
    };
    at.key("replicas").key(field)
}

/// A bot asks for more than one instance.
pub(super) fn one_instance(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, bot) in &scene.product.bot {
        let at = component_at(ComponentKind::Bot, name);
        let most = bot.replicas.most();
        if most > 1 {
            let message = format!("bot `{name}` asks for {most} instances, but a bot is always one");
            found.push(
                Finding::value(&code::BOT_IS_ONE, most_at(&at, &bot.replicas), message)
                    .label("more than one session on one token")
                    .hint(BE_ONE),
            );
        }
        let Some(scale) = &bot.scale else { continue };
        let scale_at = at.key("scale");
        let triggers = [
            ("cpu", scale.cpu.is_some()),
            ("memory", scale.memory.is_some()),
            ("queue", !scale.queue.is_empty()),
            ("metric", !scale.metric.is_empty()),
        ];
        for (field, _) in triggers.into_iter().filter(|(_, written)| *written) {
            let message = format!("bot `{name}` grows by `{field}`, but a bot is always one instance");
            found.push(
                Finding::key(&code::BOT_IS_ONE, scale_at.key(field), message)
                    .label("would start a second session")
                    .hint(format!(
                        "take `{field}` out; a bot knows only `schedule`, with 0 or 1 instances, and work that has to \
                         scale belongs into a [worker.NAME]"
                    )),
            );
        }
        for (position, time) in scale
            .schedule
            .iter()
            .enumerate()
            .filter(|(_, time)| time.replicas > 1)
        {
            let place = scale_at.key("schedule").nth(position).key("replicas");
            let message = format!(
                "bot `{name}` asks for {} instances on a schedule, but a bot is always one",
                time.replicas
            );
            found.push(
                Finding::value(&code::BOT_IS_ONE, place, message)
                    .label("more than one session on one token")
                    .hint("write `replicas = 1` here, or 0 to let it rest"),
            );
        }
    }
}

/// A bot is rolled out in a way that runs the old and the new one at once.
pub(super) fn handover(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, bot) in &scene.product.bot {
        let Some(rollout) = &bot.rollout else { continue };
        let (how, hint) = match (rollout.strategy, bot.handover) {
            (Strategy::BlueGreen, Handover::StopFirst) => (
                "blue-green",
                "take the strategy out, and the old one stops before the new one starts; or write `handover = \
                 \"lease\"` if the bot waits for a lease before it connects",
            ),
            (Strategy::Canary, Handover::StopFirst | Handover::Lease) => (
                "as a canary",
                "take the strategy out, and the bot changes by its `handover`; a canary of a bot needs `handover = \
                 \"shards\"`, a `shard` key and `unit = \"tenants\"`",
            ),
            _ => continue,
        };
        let place = component_at(ComponentKind::Bot, name)
            .key("rollout")
            .key("strategy");
        let message = format!("bot `{name}` is rolled out {how}, which keeps two sessions on one token");
        found.push(
            Finding::value(&code::BOT_HANDOVER, place, message)
                .label("old and new run side by side")
                .hint(hint),
        );
    }
}

/// A hand-over by shards without a key.
pub(super) fn shards(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, bot) in &scene.product.bot {
        if bot.handover == Handover::Shards && bot.shard.is_none() {
            let place = component_at(ComponentKind::Bot, name).key("handover");
            let message = format!("bot `{name}` hands over by shards, but has no key that they are made by");
            found.push(
                Finding::value(&code::SHARDS_WITHOUT_KEY, place, message)
                    .label("which shards?")
                    .hint("add what spreads its work, as in `shard = \"guild id\"`, or write `handover = \"stop-first\"`"),
            );
        }
    }
}
