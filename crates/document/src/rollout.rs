//! A rollout in words.

use crate::product::Product;
use crate::words;
use towpath_model::Desired;
use towpath_model::desired::component::{Component, ComponentKind, Handover};
use towpath_model::desired::environment::Environment;
use towpath_model::desired::rollout::{CanaryUnit, Rollout, Strategy, WhenInconclusive};
use towpath_model::unit::Share;

/// How an environment goes from one release to another.
pub(crate) fn of_environment(environment: &Environment, here: &Desired) -> Rollout {
    let written = environment.rollout.clone().or_else(|| here.rollout.clone());
    written.unwrap_or_else(Rollout::usual)
}

/// The strategy by its name.
pub(crate) fn strategy(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Rolling => "rolling",
        Strategy::Recreate => "recreate",
        Strategy::BlueGreen => "blue-green",
        Strategy::Canary => "canary",
    }
}

fn unit(unit: Option<CanaryUnit>) -> &'static str {
    match unit {
        None | Some(CanaryUnit::Traffic) => "traffic",
        Some(CanaryUnit::Jobs) => "jobs",
        Some(CanaryUnit::Tenants) => "tenants",
        Some(CanaryUnit::Cohort) => "visitors",
        Some(CanaryUnit::Store) => "users",
    }
}

/// The steps, short enough for a node of a diagram.
pub(crate) fn short(rollout: &Rollout) -> String {
    let unit = unit(rollout.unit);
    let steps: Vec<String> = rollout.steps.iter().map(|step| words::step(step, unit)).collect();
    match steps.is_empty() {
        true => strategy(rollout.strategy).to_owned(),
        false => format!("{}: {}", strategy(rollout.strategy), steps.join(", then ")),
    }
}

/// The whole of it, as sentences.
pub(crate) fn told(rollout: &Rollout) -> String {
    let mut sentences = vec![first(rollout)];
    sentences.extend(judged(rollout));
    if !rollout.together.is_empty() {
        sentences.push(format!(
            "{} switch together, in one instant.",
            words::codes(&rollout.together)
        ));
    }
    sentences.push(last(rollout));
    let asks = if rollout.auto_rollback {
        "goes back without asking"
    } else {
        "is told, and a person decides"
    };
    sentences.push(format!(
        "What fails on the way {asks}; going back takes at most {}.",
        words::time(rollout.rollback_within)
    ));
    if let Some(rehearse) = &rollout.rehearse {
        sentences.push(format!(
            "A rollback is rehearsed {}: back to the release before, and forward again.",
            rehearse.spoken()
        ));
    }
    if let Some(window) = &rollout.window {
        sentences.push(format!("It runs only {}.", words::window(window)));
    }
    sentences.join(" ")
}

fn first(rollout: &Rollout) -> String {
    match rollout.strategy {
        Strategy::Recreate => "The old release stops before the new one starts.".to_owned(),
        Strategy::BlueGreen => {
            "The new release starts whole beside the old one, and everything switches at once.".to_owned()
        }
        Strategy::Rolling => {
            let fewer = match rollout.missing {
                Share::NONE => "never fewer".to_owned(),
                missing => format!("up to {missing} fewer"),
            };
            format!(
                "Instances are replaced a few at a time, with up to {} more than wanted and {fewer}.",
                rollout.surge
            )
        }
        Strategy::Canary => canary(rollout),
    }
}

fn canary(rollout: &Rollout) -> String {
    let unit = unit(rollout.unit);
    let steps: Vec<String> = rollout.steps.iter().map(|step| words::step(step, unit)).collect();
    let mut sentence = match steps.as_slice() {
        [] => format!("The new release gets a small share of {unit} first, which grows while it does well."),
        [only] => format!("The new release gets {only}."),
        [first, others @ ..] => format!("The new release gets {first}, then {}.", others.join(", then ")),
    };
    if !rollout.first.is_empty() {
        sentence.push_str(&format!(" The first ones are {}.", words::texts(&rollout.first)));
    }
    sentence
}

/// How a step is judged, and what it takes to go on.
fn judged(rollout: &Rollout) -> Option<String> {
    let gates = words::codes(&rollout.gates);
    if rollout.strategy != Strategy::Canary {
        let hold = if rollout.gates.len() > 1 { "hold" } else { "holds" };
        return (!gates.is_empty()).then(|| format!("It goes on only while {gates} {hold}."));
    }
    let every = words::each_time(rollout.judge_every);
    let first = match rollout.gates.len() {
        0 => format!("It is judged {every}."),
        1 => format!("It is judged {every}, and goes on when {gates} passes."),
        _ => format!("It is judged {every}, and goes on when {gates} pass."),
    };
    let sample = words::grouped(u64::from(rollout.min_sample));
    let what = if rollout.unit == Some(CanaryUnit::Jobs) {
        "jobs"
    } else {
        "requests"
    };
    let short_of = match rollout.inconclusive {
        WhenInconclusive::Hold => {
            format!(
                "the step is extended by up to {}, then held, and somebody is told",
                words::time(rollout.extend)
            )
        }
        WhenInconclusive::Promote => "it goes on".to_owned(),
        WhenInconclusive::Rollback => "it goes back".to_owned(),
    };
    Some(format!(
        "{first} A verdict rests on at least {sample} {what}; with fewer {short_of}."
    ))
}

/// What happens behind the last step.
fn last(rollout: &Rollout) -> String {
    let after = words::codes(&rollout.after);
    let watched = match (rollout.bake.is_zero(), after.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("At the end {after} must pass"),
        (false, true) => format!("It then bakes for {}", words::time(rollout.bake)),
        (false, false) => format!(
            "At the end {after} must pass, and it bakes for {}",
            words::time(rollout.bake)
        ),
    };
    let warm = match (rollout.warm.is_zero(), rollout.strategy) {
        (true, _) => "the old release does not stay ready".to_owned(),
        (false, Strategy::Recreate) => format!(
            "the old release stays ready to be started again for {}",
            words::time(rollout.warm)
        ),
        (false, _) => format!(
            "the old release stays warm for {}, so that going back takes seconds",
            words::time(rollout.warm)
        ),
    };
    match watched.is_empty() {
        true => format!("{}.", words::capital(&warm)),
        false => format!("{watched}; {warm}."),
    }
}

/// How a component differs from its environment's way: its own rollout, or the handover of a bot.
pub(crate) fn of_component(kind: ComponentKind, component: &Component) -> Option<String> {
    let own = component.rollout.as_ref();
    // A bot that is recreated has said already that its old instance stops first.
    let recreated = own.is_some_and(|own| own.strategy == Strategy::Recreate);
    let handover = match component.handover {
        Handover::StopFirst => "As a bot has one session, the old instance stops before the new one starts.",
        Handover::Lease => "The new instance starts and waits for a lease, which the old one gives up.",
        Handover::Shards => "Its shards move one by one.",
    };
    let handover = (kind == ComponentKind::Bot && !recreated).then(|| handover.to_owned());
    let told: Vec<String> = own.map(told).into_iter().chain(handover).collect();
    (!told.is_empty()).then(|| told.join(" "))
}

/// How long a rollback may take where the product is used for real.
pub(crate) fn rollback_within(product: &Product<'_>) -> String {
    let rollout = product
        .main_place()
        .map(|environment| of_environment(environment, product.main));
    words::time(rollout.unwrap_or_else(Rollout::usual).rollback_within)
}
