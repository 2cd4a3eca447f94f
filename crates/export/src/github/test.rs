//! The job that tests a change, on every system, with every version, in every browser that the manifest names.

use super::Pipeline;
use super::asked::{self, Asked};
use super::steps::{self, History};
use super::tools::{By, fetchers};
use crate::Untold;
use crate::yaml::{Table, Value, given};

/// The job, where there is anything to test.
pub(super) fn job(pipeline: &Pipeline<'_>) -> Result<Option<Table>, Untold> {
    let gates = pipeline.tested();
    let running: Vec<Asked<'_>> = gates
        .iter()
        .copied()
        .filter(|(_, gate)| asked::command(gate).is_some())
        .collect();
    if running.is_empty() {
        return Ok(None);
    }
    let group = format!(
        "{}-test-${{{{ github.ref }}}}-${{{{ strategy.job-index }}}}",
        pipeline.product.root.product
    );
    let concurrency = Table::new()
        .put("group", Value::Expression(group))
        .put("cancel-in-progress", given("github.event_name == 'pull_request'"))
        .because("Tests change nothing anywhere, so those of a pull request end when something newer is pushed to it.");
    let strategy = Table::new()
        .put("fail-fast", false)
        .put("matrix", matrix(pipeline));
    let mut job = Table::new()
        .put("name", "Test")
        .put("strategy", strategy)
        .put("runs-on", given("matrix.system"))
        .put("timeout-minutes", asked::minutes_of(&running))
        .put("permissions", Table::new().put("contents", "read"))
        .put("concurrency", concurrency);
    if !pipeline.browsers().is_empty() {
        job = job
            .put(
                "env",
                Table::new().put("TOWPATH_BROWSER", given("matrix.browser")),
            )
            .because("The commands of gates find here which browser they are to test with.");
    }
    let job = job.put("steps", steps::listed(all_steps(pipeline, &gates, &running)?));
    Ok(Some(job))
}

/// Systems, versions of each language, browsers.
fn matrix(pipeline: &Pipeline<'_>) -> Table {
    let mut matrix = Table::new().put("system", pipeline.systems());
    for tool in pipeline.tools_of_tests() {
        if tool.has_row() {
            matrix = matrix.put(&tool.name, tool.versions.clone());
        }
    }
    let browsers = pipeline.browsers();
    match browsers.is_empty() {
        true => matrix,
        false => matrix.put("browser", browsers),
    }
}

fn all_steps(
    pipeline: &Pipeline<'_>,
    gates: &[Asked<'_>],
    running: &[Asked<'_>],
) -> Result<Vec<Table>, Untold> {
    let tools = pipeline.tools_of_tests();
    let commands = running.iter().filter_map(|(_, gate)| asked::command(gate));
    let fetchers = fetchers(commands.map(|command| command.as_str()));
    let mut all = vec![steps::sources(History::Last)];
    all.extend(steps::tooling(&tools, &fetchers, By::Matrix));
    let is_played = |(_, gate): &Asked<'_>| {
        asked::command(gate).is_some_and(|command| command.as_str().contains("playwright"))
    };
    if running.iter().any(is_played) {
        let run = "npx playwright install --with-deps";
        all.push(
            Table::new()
                .put("name", "Install browsers for Playwright")
                .put("run", run),
        );
    }
    for gate in running {
        all.extend(asked::steps(*gate, pipeline.product.folder)?);
    }
    let reports = super::when::distinct(
        gates
            .iter()
            .filter(|(_, gate)| gate.over.is_empty())
            .filter_map(|(_, gate)| asked::report(gate))
            .map(str::to_owned),
    );
    if !reports.is_empty() {
        let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
        all.push(asked::keep(
            "Keep the reports",
            "reports",
            &reports,
            pipeline.product.folder,
        ));
    }
    Ok(all)
}
