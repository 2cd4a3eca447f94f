//! Rules about probes, and about objectives that rest on them.

use super::super::Scene;
use super::super::listed::{counted, listed};
use std::collections::BTreeSet;
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::metric::{Measured, Objective};
use towpath_model::desired::probe::Probe;
use towpath_model::desired::rollout::Strategy;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Comparison, Duration, Name};

/// A request, or a wait for one, says which answer is meant.
pub(super) fn expectations(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, probe) in &scene.product.probe {
        let at = Path::of(["probe", name.as_str()]);
        if probe.http.is_some() && probe.expect.is_empty() {
            let message = format!("probe `{name}` passes on any answer, on that of an error page, too");
            found.push(
                Finding::value(&code::PROBE_EXPECTS_NOTHING, at.key("http"), message)
                    .label("which answer is right?")
                    .hint("write what must hold: expect = [\"status = 200\"]"),
            );
        }
        for (index, step) in probe.steps.iter().enumerate() {
            let (field, what) = match step {
                step if !step.expect.is_empty() => continue,
                step if step.wait.is_some() => ("wait", "waits for nothing in particular"),
                step if step.http.is_some() => ("http", "passes on any answer"),
                _ => continue,
            };
            let message = format!("step {} of probe `{name}` {what}", index + 1);
            let at = at.key("steps").nth(index).key(field);
            found.push(
                Finding::value(&code::PROBE_EXPECTS_NOTHING, at, message)
                    .label("which answer is right?")
                    .hint("write what must hold: expect = \"status = 200\""),
            );
        }
    }
}

/// How many runs a percentile needs to differ from the slowest of them: `p95` needs 20.
fn runs_for(subject: &str) -> Option<u32> {
    let part: f64 = subject.trim().strip_prefix('p')?.parse().ok()?;
    // The median of three is one; above 99.9 nobody waits for the runs.
    if !(50.0..100.0).contains(&part) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the quotient lies between 2 and 100 000"
    )]
    let runs = (100.0 / (100.0 - part).max(0.001)).round() as u32;
    Some(runs.max(3))
}

/// The probes that are asked again and again while a release gets its share: their runs add up.
fn asked_repeatedly<'a>(scene: &Scene<'a>) -> BTreeSet<&'a str> {
    let rollouts = scene.rollouts().into_iter().map(|(_, rollout)| rollout);
    let canaries = rollouts.filter(|rollout| rollout.strategy == Strategy::Canary);
    canaries
        .flat_map(|rollout| rollout.gates.iter().map(|gate| gate.as_str()))
        .collect()
}

/// A percentile rests on enough runs. A probe that runs on a schedule, or while a canary is watched, has those.
pub(super) fn percentiles(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let repeated = asked_repeatedly(scene);
    for (name, probe) in &scene.product.probe {
        if probe.every.is_some() || repeated.contains(name.as_str()) {
            continue;
        }
        let needs = |bound: &Comparison| runs_for(&bound.subject).filter(|needed| *needed > probe.runs);
        let first = probe
            .expect
            .iter()
            .enumerate()
            .find_map(|(index, bound)| Some((index, bound, needs(bound)?)));
        let Some((index, bound, needed)) = first else {
            continue;
        };
        let subject = &bound.subject;
        let message = match probe.runs {
            1 => format!("probe `{name}` runs once, and a {subject} of one run is that run"),
            runs => format!(
                "probe `{name}` runs {runs} times, and the {subject} of {runs} runs is the slowest of them"
            ),
        };
        let at = Path::of(["probe", name.as_str(), "expect"]);
        found.push(
            Finding::value(&code::PERCENTILE_OF_FEW, at.nth(index), message)
                .label(format!("takes {needed} runs"))
                .hint(format!(
                    "write runs = {needed}, or bound each run: \"latency {} {}\"",
                    bound.op, bound.value
                )),
        );
    }
}

/// Whether a request names only a path, so that it has to be known whom it is sent to.
fn is_relative(request: &str) -> bool {
    !request.contains("://")
}

/// The field in which a probe asks a component that it does not name.
fn asks(probe: &Probe) -> Option<&'static str> {
    let relative = |request: &Option<String>| request.as_deref().is_some_and(is_relative);
    if relative(&probe.http) {
        Some("http")
    } else if relative(&probe.websocket) {
        Some("websocket")
    } else if probe
        .fixture
        .as_ref()
        .is_some_and(|fixture| is_relative(&fixture.request))
    {
        Some("fixture")
    } else if probe
        .steps
        .iter()
        .any(|step| relative(&step.http) || relative(&step.websocket) || relative(&step.wait))
    {
        Some("steps")
    } else {
        None
    }
}

/// Every probe has one component or resource that it can mean.
pub(super) fn aims(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let public: Vec<&str> = scene
        .product
        .components()
        .filter(|(_, _, component)| component.public)
        .map(|(_, name, _)| name.as_str())
        .collect();
    let databases: Vec<&str> = scene.product.postgres.keys().map(Name::as_str).collect();
    for (name, probe) in &scene.product.probe {
        let at = Path::of(["probe", name.as_str()]);
        if let Some(field) = asks(probe) {
            found.extend(aim(scene, name, probe, &at.key(field), &public));
        }
        let steps = probe
            .steps
            .iter()
            .any(|step| step.sql.is_some() && step.on.is_none());
        if (probe.sql.is_some() || steps) && probe.on.is_none() && databases.len() > 1 {
            let field = if probe.sql.is_some() { "sql" } else { "steps" };
            let message = format!(
                "probe `{name}` queries one of {}",
                listed(databases.iter().copied().take(5), "or")
            );
            found.push(
                Finding::key(&code::PROBE_AIM, at.key(field), message)
                    .label("which database?")
                    .hint(format!(
                        "name the one that is meant, for example on = \"{}\"",
                        databases.first().unwrap_or(&"db")
                    )),
            );
        }
    }
}

fn aim(scene: &Scene<'_>, name: &Name, probe: &Probe, at: &Path, public: &[&str]) -> Option<Finding> {
    if let Some(of) = &probe.of {
        let (kind, _, component) = scene.product.component(of.as_str())?;
        let answers = kind.takes_requests()
            || (matches!(kind, ComponentKind::Worker | ComponentKind::Bot)
                && (component.port.is_some()
                    || component
                        .health
                        .as_ref()
                        .is_some_and(|health| health.path.is_some())));
        if answers {
            return None;
        }
        let message = format!("probe `{name}` sends a request to {kind} `{of}`, which takes none");
        let at = Path::of(["probe", name.as_str(), "of"]);
        return Some(
            Finding::value(&code::PROBE_AIM, at, message)
                .label("takes no requests")
                .hint("aim it at a service, or write a `command` that looks whether it is well"),
        );
    }
    if public.len() < 2 {
        return None;
    }
    let message = format!(
        "probe `{name}` could mean any of {}",
        listed(public.iter().copied().take(5), "or")
    );
    Some(
        Finding::key(&code::PROBE_AIM, at.clone(), message)
            .label("sent to which of them?")
            .hint(format!(
                "name the one that is meant, for example of = \"{}\"",
                public.first().unwrap_or(&"api")
            )),
    )
}

/// What is watched by a probe has one that runs by itself.
pub(super) fn schedules(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    let still = |probe: &str| {
        product
            .probe
            .get(probe)
            .is_some_and(|probe| probe.every.is_none())
    };
    let alerts = product
        .alert
        .iter()
        .filter_map(|(name, alert)| Some(("alert", name, alert.probe.as_ref()?)));
    let objectives = product
        .objective
        .iter()
        .filter_map(|(name, objective)| Some(("objective", name, objective.probe.as_ref()?)));
    for (table, name, probe) in alerts.chain(objectives) {
        if !still(probe.as_str()) {
            continue;
        }
        let message = format!("{table} `{name}` watches probe `{probe}`, which only runs with a release");
        found.push(
            Finding::value(
                &code::PROBE_NOT_SCHEDULED,
                Path::of([table, name.as_str(), "probe"]),
                message,
            )
            .label("does not run by itself")
            .also(Where::Key(Path::of(["probe", probe.as_str()])), "has no `every`")
            .hint(format!("write every = \"5m\" in [probe.{probe}]")),
        );
    }
}

/// Objectives leave a budget, know what is good, and are measured often enough.
pub(super) fn objectives(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, objective) in &scene.product.objective {
        let at = Path::of(["objective", name.as_str()]);
        if objective.target.rest().is_zero() || objective.target.is_zero() {
            found.push(without_budget(name, objective, at.key("target")));
            continue;
        }
        let counts = matches!(
            objective.measure,
            Measured::Availability | Measured::Errors | Measured::Uptime
        );
        let own = objective.probe.is_some() || objective.metric.is_some();
        if !counts && !own && objective.good.is_none() {
            let message = format!(
                "objective `{name}` measures {}, and does not say which is good",
                objective.measure
            );
            let example = match objective.measure {
                Measured::Latency => "latency < 250ms",
                Measured::Cpu | Measured::Memory => "< 80%",
                _ => "< 100",
            };
            found.push(
                Finding::value(&code::OBJECTIVE_WITHOUT_GOOD, at.key("measure"), message)
                    .label("how much is good?")
                    .hint(format!("write good = \"{example}\"")),
            );
        }
        let probe = objective
            .probe
            .as_ref()
            .and_then(|probe| scene.product.probe.get_key_value(probe.as_str()));
        if let Some((probe, every)) = probe.and_then(|(name, probe)| Some((name, probe.every?))) {
            found.extend(too_rare(name, objective, probe, every));
        }
    }
}

fn without_budget(name: &Name, objective: &Objective, at: Path) -> Finding {
    if objective.target.is_zero() {
        return Finding::value(
            &code::OBJECTIVE_OF_ALL,
            at,
            format!("objective `{name}` promises nothing: it is kept when everything fails"),
        )
        .label("promises nothing")
        .hint("write the share that has to be good: \"99.9%\"");
    }
    let window = objective.window.spoken();
    Finding::value(
        &code::OBJECTIVE_OF_ALL,
        at,
        format!("objective `{name}` allows no error at all, so a single one breaks it for {window}"),
    )
    .label("leaves no budget")
    .hint("write what users would notice: \"99.9%\" allows 43 minutes in 30 days")
}

/// Intervals to propose, the longest first.
const INTERVALS: &[u64] = &[1800, 900, 600, 300, 120, 60, 30, 10];

fn too_rare(name: &Name, objective: &Objective, probe: &Name, every: Duration) -> Option<Finding> {
    let budget = |every: Duration| {
        let runs = objective.window.millis().checked_div(every.millis())?;
        Some((runs, objective.target.rest().of(runs)))
    };
    let (runs, failed) = budget(every)?;
    if failed >= 1 {
        return None;
    }
    let target = objective.target;
    let message = format!(
        "probe `{probe}` runs {} in {}, so one failed run already breaks {target}",
        counted(runs, "time"),
        objective.window.spoken()
    );
    let better = INTERVALS
        .iter()
        .map(|seconds| Duration::from_secs(*seconds))
        .find_map(|every| Some((every, budget(every)?.1)).filter(|(_, failed)| *failed >= 2));
    let hint = better.map_or_else(
        || "promise less, or measure requests instead of a probe".to_owned(),
        |(every, failed)| {
            format!("write every = \"{every}\" in [probe.{probe}]: {failed} runs may fail then")
        },
    );
    Some(
        Finding::value(
            &code::PROBE_TOO_RARE,
            Path::of(["objective", name.as_str(), "target"]),
            message,
        )
        .label("less than one failed run")
        .also(
            Where::Value(Path::of(["probe", probe.as_str(), "every"])),
            format!("{} in {}", counted(runs, "run"), objective.window.spoken()),
        )
        .hint(hint),
    )
}
