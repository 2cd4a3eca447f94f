//! `health-check.yml`: a look from outside, again and again, at what should be well.

use super::Pipeline;
use super::steps::{self, History};
use crate::yaml::{Table, Value, given};
use towpath_model::unit::Duration;

/// GitHub starts nothing more often, and late when much is to do: what has to be seen at once is seen by the machine.
const SHORTEST: u64 = 5;

/// Minutes that divide an hour, so that the time between two runs is always the same.
const STEPS: &[u64] = &[5, 6, 10, 12, 15, 20, 30];

pub(super) fn workflow(pipeline: &Pipeline<'_>) -> Option<Table> {
    let names: Vec<&str> = pipeline.lasting().map(|place| place.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let on = Table::new()
        .put(
            "schedule",
            vec![Table::new().put("cron", cron(shortest(pipeline)))],
        )
        .put("workflow_dispatch", Table::new());
    let group = format!(
        "{}-health-${{{{ matrix.environment }}}}",
        pipeline.product.root.product
    );
    let concurrency = Table::new()
        .put("group", Value::Expression(group))
        .put("cancel-in-progress", true)
        .because("A look changes nothing: a later one takes its place.");
    let matrix = Table::new().put("environment", names);
    let job = Table::new()
        .put(
            "name",
            Value::Expression("Look at ${{ matrix.environment }}".to_owned()),
        )
        .put(
            "strategy",
            Table::new().put("fail-fast", false).put("matrix", matrix),
        )
        .put("runs-on", pipeline.runner())
        .put("timeout-minutes", SHORTEST)
        .put("environment", given("matrix.environment"))
        .put("permissions", steps::known())
        .because("`id-token` lets the job prove to the machine who it is, so that no key is stored here.")
        .put("concurrency", concurrency)
        .put(
            "steps",
            steps::listed(vec![steps::sources(History::Last), steps::towpath(), look()]),
        );
    Some(
        pipeline
            .head("Health check")
            .put("on", on)
            .because(told(pipeline))
            .put("permissions", Table::new())
            .because("Nothing is allowed that the job does not ask for.")
            .put("defaults", pipeline.defaults())
            .put("jobs", Table::new().put("look", job)),
    )
}

fn look() -> Table {
    let env = Table::new().put("ENVIRONMENT", given("matrix.environment"));
    let lines = "towpath status --env \"$ENVIRONMENT\" --to \"$TOWPATH_HOST\"";
    steps::ask("Look", lines, env).because_first(
        "It fails where something is not well, and where nobody answers. Who has to know is told by the alerts of the \
         manifest; GitHub tells whoever has changed this file last.",
    )
}

/// What is looked at, and what it is for.
fn told(pipeline: &Pipeline<'_>) -> String {
    let root = pipeline.product.root;
    let probes: Vec<String> = root
        .probe
        .iter()
        .filter_map(|(name, probe)| Some(format!("{name} every {}", probe.every?)))
        .collect();
    let objectives: Vec<String> = root.objective.keys().map(ToString::to_string).collect();
    let mut told = "The machine asks its probes by itself".to_owned();
    if !probes.is_empty() {
        told.push_str(&format!(" ({})", probes.join(", ")));
    }
    if !objectives.is_empty() {
        told.push_str(&format!(
            ", and counts them for its objectives ({})",
            objectives.join(", ")
        ));
    }
    told.push_str(". This is somebody outside, who notices when the machine itself does not answer.");
    told
}

/// How often the probe runs that runs most.
fn shortest(pipeline: &Pipeline<'_>) -> u64 {
    let every = pipeline
        .product
        .root
        .probe
        .values()
        .filter_map(|probe| probe.every);
    let shortest = every.min().unwrap_or(Duration::from_secs(SHORTEST * 60));
    shortest.millis().div_ceil(60_000).max(SHORTEST)
}

/// So many minutes, or the next longer time that cron can count.
fn cron(minutes: u64) -> String {
    match STEPS.iter().find(|step| **step >= minutes) {
        Some(step) => format!("*/{step} * * * *"),
        None if minutes <= 60 => "7 * * * *".to_owned(),
        None => "7 3 * * *".to_owned(),
    }
}
