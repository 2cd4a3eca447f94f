//! `rollback.yml`: the way back, from any browser.

use super::steps::{self, History};
use super::{Pipeline, when};
use crate::yaml::{Table, Value, given};

/// How long it is looked on. The machine goes on without anybody who looks.
const MINUTES: u64 = 15;

pub(super) fn workflow(pipeline: &Pipeline<'_>) -> Option<Table> {
    let names: Vec<&str> = pipeline.lasting().map(|place| place.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let release = Table::new()
        .put(
            "description",
            "The release, or a beginning of its name; otherwise the one before",
        )
        .put("required", false)
        .put("type", "string")
        .put("default", "");
    let inputs = when::environments(&names).put("release", release);
    let group = format!(
        "{}-rollback-${{{{ inputs.environment }}}}",
        pipeline.product.root.product
    );
    let concurrency = Table::new()
        .put("group", Value::Expression(group))
        .put("cancel-in-progress", false)
        .because(
            "Not the group of deploying: going back never waits for a release that comes. The machine sees to it that \
             they do not meet.",
        );
    let job = Table::new()
        .put(
            "name",
            Value::Expression("Roll back ${{ inputs.environment }}".to_owned()),
        )
        .put("runs-on", pipeline.runner())
        .put("timeout-minutes", MINUTES)
        .put("environment", given("inputs.environment"))
        .put("permissions", steps::known())
        .because("`id-token` lets the job prove to the machine who it is, so that no key is stored here.")
        .put("concurrency", concurrency)
        .put(
            "steps",
            steps::listed(vec![steps::sources(History::Last), steps::towpath(), back()]),
        );
    Some(
        pipeline
            .head("Roll back")
            .put(
                "on",
                Table::new().put("workflow_dispatch", Table::new().put("inputs", inputs)),
            )
            .because(told(pipeline))
            .put("permissions", Table::new())
            .because("Nothing is allowed that the job does not ask for.")
            .put("defaults", pipeline.defaults())
            .put("jobs", Table::new().put("rollback", job)),
    )
}

/// How soon it has to be done.
fn told(pipeline: &Pipeline<'_>) -> String {
    let within = pipeline.lasting().filter_map(|place| {
        let own = place
            .environment
            .rollout
            .as_ref()
            .or(pipeline.product.root.rollout.as_ref())?;
        Some((own.rollback_within, place.name))
    });
    let started = "Somebody starts this in the list of workflows. Nothing is built on the way";
    match within.min() {
        Some((within, name)) => format!(
            "{started}. In `{name}` it has to be done within {}, and each rollback is measured against that.",
            within.spoken()
        ),
        None => format!("{started}, so it takes as long as the machine needs."),
    }
}

fn back() -> Table {
    let env = Table::new()
        .put("ENVIRONMENT", given("inputs.environment"))
        .because("What somebody has typed reaches the shell as values, never as a part of its lines.")
        .put("RELEASE", given("inputs.release"));
    let lines = "towpath rollback --to \"$TOWPATH_HOST\" -- \"$ENVIRONMENT\" ${RELEASE:+\"$RELEASE\"}";
    steps::ask("Roll back", lines, env)
}
