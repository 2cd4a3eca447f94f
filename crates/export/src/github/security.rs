//! `security.yml`: every scan of the manifest, each day and in each change that is on its way.

use super::Pipeline;
use super::asked::{self, Asked};
use super::pins;
use super::steps::{self, History};
use super::tools::{By, fetchers, tools};
use crate::Untold;
use crate::yaml::{Table, Value};

/// Each night, and not on the hour, when everybody starts something.
const CRON: &str = "17 3 * * *";

pub(super) fn workflow(pipeline: &Pipeline<'_>) -> Result<Option<Table>, Untold> {
    let scanned = pipeline.scanned();
    if scanned.is_empty() {
        return Ok(None);
    }
    let mut jobs = Table::new();
    for one in &scanned {
        let tool = one
            .1
            .tool
            .as_ref()
            .map(|tool| format!(" The tool is {tool}."))
            .unwrap_or_default();
        let about = one.1.about.clone().unwrap_or_else(|| one.0.to_string());
        jobs = jobs
            .put(&format!("scan-{}", one.0), job(pipeline, *one)?)
            .because(format!("{about}.{tool} {}", judged(*one)));
    }
    let on = Table::new()
        .put("schedule", vec![Table::new().put("cron", CRON)])
        .put("workflow_call", Table::new())
        .put("workflow_dispatch", Table::new());
    Ok(Some(
        pipeline
            .head("Security")
            .put("on", on)
            .because(
                "Each night, because weaknesses become known without a change; and called by deploy.yml, in pull requests \
                 and before anything is deployed.",
            )
            .put("permissions", Table::new())
            .because("Nothing is allowed that a job does not ask for.")
            .put("defaults", pipeline.defaults())
            .put("jobs", jobs),
    ))
}

/// What is too bad, in words.
fn judged((_, gate): Asked<'_>) -> String {
    let Some(sarif) = &gate.sarif else {
        return String::new();
    };
    let age = sarif
        .older_than
        .map(|age| format!(", and so does one that is known for longer than {}", age.spoken()));
    format!(
        "`towpath deploy` judges the report: from severity {} on nothing moves on, from {} on it fails{}.",
        sarif.block.word(),
        sarif.fail.word(),
        age.unwrap_or_default()
    )
}

/// What scans may do: what they find is shown to those who may see it.
pub(super) fn permissions() -> Table {
    Table::new()
        .put("contents", "read")
        .put("actions", "read")
        .because("Of a private repository, what uploads findings asks which run this is.")
        .put("security-events", "write")
}

fn job(pipeline: &Pipeline<'_>, one: Asked<'_>) -> Result<Table, Untold> {
    let (name, gate) = one;
    let command = asked::command(gate).map(|command| command.as_str());
    let fetchers = fetchers(command.into_iter());
    let wanted = tools([pipeline.runtimes()]);
    // What a scan does not call is not installed for it.
    let wanted: Vec<_> = wanted
        .into_iter()
        .filter(|tool| {
            fetchers
                .iter()
                .any(|fetcher| fetcher.tool == tool.name || fetcher.name == tool.name)
        })
        .collect();
    let mut all = vec![steps::sources(History::Whole)];
    all.extend(steps::tooling(&wanted, &fetchers, By::First));
    all.extend(asked::steps(one, pipeline.product.folder)?);
    if let Some(report) = asked::report(gate) {
        all.push(upload(
            name.as_str(),
            &asked::below(pipeline.product.folder, report),
        ));
        all.push(asked::keep(
            "Keep the report",
            name.as_str(),
            &[report],
            pipeline.product.folder,
        ));
    }
    Ok(Table::new()
        .put("name", format!("Scan: {name}"))
        .put("runs-on", pipeline.runner())
        .put("timeout-minutes", asked::minutes_of(&[one]))
        .put("permissions", permissions())
        .put("steps", steps::listed(all)))
}

/// The step that shows what was found beside the code.
fn upload(name: &str, report: &str) -> Table {
    let path = report.replace('\'', "''");
    let there = format!("${{{{ !cancelled() && hashFiles('{path}') != '' }}}}");
    let with = Table::new().put("sarif_file", report).put("category", name);
    pins::UPLOAD_SARIF
        .step(Some("Show what was found"))
        .put("if", Value::Expression(there))
        .put("with", with)
}
