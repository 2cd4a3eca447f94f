//! Rules about alerts, and whom they reach.

use super::super::Scene;
use super::super::listed::listed;
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::code;
use towpath_model::desired::gate::{OnFail, Stage};
use towpath_model::desired::metric::{Alert, AlertAction, Event};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Comparison, Name, Op, Quantity, Severity, Share};

/// Every severity that an alert or an objective has leads to a channel.
pub(super) fn severities(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    let all: BTreeSet<Severity> = product
        .channel
        .values()
        .flat_map(|channel| channel.severities.iter())
        .collect();
    let heard = |severity: Severity| all.contains(&severity);
    for (name, alert) in &product.alert {
        let acts = alert.action != AlertAction::Tell && product.channel.is_empty();
        if !alert.to.is_empty() || heard(alert.severity) || acts {
            continue;
        }
        let at = Path::of(["alert", name.as_str(), "severity"]);
        found.push(unheard(scene, at, &format!("alert `{name}`"), alert.severity));
    }
    // Without any channel an objective still serves its gates and the status page.
    for (name, objective) in &product.objective {
        if product.channel.is_empty() || heard(objective.severity) {
            continue;
        }
        let at = Path::of(["objective", name.as_str(), "severity"]);
        found.push(unheard(
            scene,
            at,
            &format!("objective `{name}`"),
            objective.severity,
        ));
    }
}

fn unheard(scene: &Scene<'_>, at: Path, what: &str, severity: Severity) -> Finding {
    let channels = &scene.product.channel;
    let Some((name, first)) = channels.first() else {
        return Finding::value(
            &code::SEVERITY_UNHEARD,
            at,
            format!("{what} tells nobody: there is no channel"),
        )
        .label(format!("{severity} reaches nobody"))
        .hint("declare where people are told: [channel.team] with email = \"team@example.com\"");
    };
    let message = format!("{what} is {severity}, and no channel is told of {severity}");
    let mut finding = Finding::value(&code::SEVERITY_UNHEARD, at, message)
        .label(format!("{severity} reaches nobody"))
        .hint(format!(
            "add {severity} to the severities of {}",
            listed(channels.keys().map(|name| name.as_str()).take(3), "or")
        ));
    if channels.len() <= 3 {
        for (name, channel) in channels {
            let at = Path::of(["channel", name.as_str(), "severities"]);
            finding = finding.also(Where::Value(at), format!("is told of {}", channel.severities));
        }
    } else {
        let at = Path::of(["channel", name.as_str(), "severities"]);
        finding = finding.also(Where::Value(at), format!("is told of {}", first.severities));
    }
    finding
}

/// A channel that is opened by a secret names it.
pub(super) fn channels(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, channel) in &scene.product.channel {
        let (field, opens, example) = if channel.discord.is_some() {
            ("discord", "the address of its webhook", "DISCORD_WEBHOOK")
        } else if channel.slack.is_some() {
            ("slack", "the address of its webhook", "SLACK_WEBHOOK")
        } else if channel.pagerduty.is_some() {
            ("pagerduty", "its routing key", "PAGERDUTY_ROUTING_KEY")
        } else {
            continue;
        };
        if channel.secret.is_some() {
            continue;
        }
        let message = format!("channel `{name}` has no secret with {opens}, so nothing can be sent there");
        found.push(
            Finding::key(
                &code::CHANNEL_WITHOUT_SECRET,
                Path::of(["channel", name.as_str(), field]),
                message,
            )
            .label("cannot be reached")
            .hint(format!(
                "write secret = \"{example}\" here, and declare [secret.{example}]"
            )),
        );
    }
}

/// An alert about a metric has a bound that the metric can pass and can keep.
pub(super) fn bounds(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, alert) in &scene.product.alert {
        let at = Path::of(["alert", name.as_str()]);
        match (&alert.metric, &alert.past) {
            (Some(metric), None) => found.push(
                Finding::value(
                    &code::ALERT_WITHOUT_BOUND,
                    at.key("metric"),
                    format!("alert `{name}` watches `{metric}`, and no bound says when that is ill"),
                )
                .label("which value is too much?")
                .hint("write the bound that must not be passed: past = \"> 100\""),
            ),
            (None, Some(past)) => found.push(
                Finding::value(
                    &code::ALERT_WITHOUT_BOUND,
                    at.key("past"),
                    format!("alert `{name}` has a bound, `{past}`, and no metric that could pass it"),
                )
                .label("a bound of what?")
                .hint(instead(alert)),
            ),
            (Some(metric), Some(past)) => {
                let metric = scene.product.metric.get(metric.as_str());
                let counts = metric.is_some_and(|metric| metric.measured.is_some() || metric.redis.is_some());
                if let Some(finding) = pointless(name.as_str(), past, counts, at.key("past")) {
                    found.push(finding);
                }
            }
            (None, None) => {}
        }
    }
}

/// Where the bound of an alert that watches no metric belongs.
fn instead(alert: &Alert) -> &'static str {
    if alert.probe.is_some() {
        "a probe's bounds stand in its `expect`; leave `past` out"
    } else if alert.objective.is_some() {
        "an objective's bound is its `target`; leave `past` out"
    } else {
        "leave `past` out, or watch a metric"
    }
}

/// What a bound is worth that everything or nothing passes: what is counted and measured is never below zero.
fn pointless(name: &str, past: &Comparison, counts: bool, at: Path) -> Option<Finding> {
    let least = match &past.value {
        Quantity::Duration(bound) => bound.is_zero(),
        Quantity::Bytes(bound) => bound.is_zero(),
        Quantity::Share(bound) => bound.is_zero(),
        Quantity::Money(bound) => bound.is_zero(),
        // A number of one's own may be negative: a balance, a difference.
        Quantity::Count(bound) => bound.is_zero() && counts,
        Quantity::Text(_) => return None,
    };
    let most = past.value == Quantity::Share(Share::ALL);
    let (verdict, why) = match past.op {
        Op::Ge if least => ("always", "nothing is below zero"),
        Op::Le if most => ("always", "nothing is above 100%"),
        Op::Lt if least => ("never", "nothing is below zero"),
        Op::Gt if most => ("never", "nothing is above 100%"),
        _ => return None,
    };
    let hint = if verdict == "always" {
        "write the bound past which it is ill, for example past = \"> 100\""
    } else {
        "write a bound that can be passed, for example past = \"> 100\""
    };
    Some(
        Finding::value(
            &code::ALERT_WITHOUT_BOUND,
            at,
            format!("alert `{name}` {verdict} tells: {why}"),
        )
        .label(format!("{verdict} holds"))
        .hint(hint),
    )
}

/// A rollback is asked for where a release may be at fault.
pub(super) fn rollbacks(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, alert) in &scene.product.alert {
        let Some(event) = alert.when else { continue };
        if alert.action != AlertAction::Rollback || may_come_of_a_release(event) {
            continue;
        }
        let message = format!("alert `{name}` rolls back on `{event}`, which no release has caused");
        found.push(
            Finding::value(
                &code::ROLLBACK_OF_NOTHING,
                Path::of(["alert", name.as_str(), "action"]),
                message,
            )
            .label("would not mend it")
            .hint("write action = \"tell\", and `runbook` for what helps"),
        );
    }
    for (name, gate) in &scene.product.gate {
        let stage = match gate.stage {
            Some(Stage::Build) => "build",
            Some(Stage::Enter) => "enter",
            _ => continue,
        };
        if gate.fails != OnFail::Rollback {
            continue;
        }
        let message =
            format!("gate `{name}` rolls back at stage `{stage}`, when nothing has been deployed yet");
        found.push(
            Finding::value(
                &code::ROLLBACK_OF_NOTHING,
                Path::of(["gate", name.as_str(), "fails"]),
                message,
            )
            .label("nothing to take back")
            .also(
                Where::Value(Path::of(["gate", name.as_str(), "stage"])),
                "before the release runs",
            )
            .hint("write fails = \"block\", or stage = \"after\" to ask once everything runs"),
        );
    }
}

fn may_come_of_a_release(event: Event) -> bool {
    match event {
        Event::CrashLoop | Event::RolloutStuck | Event::JobFailed | Event::DiskFull | Event::DeadLetters => {
            true
        }
        Event::BackupFailed
        | Event::DrillFailed
        | Event::CertificateEnding
        | Event::SecretOld
        | Event::ReviewOverdue
        | Event::OverBudget => false,
    }
}

/// A rotation has somebody in it, and gives them time to answer.
pub(super) fn rotations(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let named: BTreeMap<&str, &Name> = scene
        .product
        .channel
        .iter()
        .filter_map(|(name, channel)| Some((channel.oncall.as_ref()?.as_str(), name)))
        .collect();
    for (name, rotation) in &scene.product.oncall {
        let at = Path::of(["oncall", name.as_str()]);
        if rotation.people.is_empty() {
            let message = format!("nobody is on call in `{name}`");
            let mut finding = Finding::key(&code::ROTATION_EMPTY, at.clone(), message)
                .label("has no people")
                .hint("name them in turn: people = [\"ana\", \"ben\"]");
            if let Some(channel) = named.get(name.as_str()) {
                let at = Path::of(["channel", channel.as_str(), "oncall"]);
                finding = finding.also(Where::Value(at), "names whoever is on call");
            }
            found.push(finding);
        }
        if rotation.after.is_zero() && !rotation.escalate.is_empty() {
            let next = rotation.escalate.first().map_or("the next", String::as_str);
            let message =
                format!("`{name}` escalates at once: {next} is told together with whoever is on call");
            found.push(
                Finding::value(&code::ROTATION_EMPTY, at.key("after"), message)
                    .label("no time to answer")
                    .hint("write how long nobody may answer: after = \"15m\""),
            );
        }
    }
}
