//! The gates of the pipeline as steps: their commands are run, and their reports kept.

use super::pins;
use crate::Untold;
use crate::yaml::{EXPRESSION, Table, Value};
use towpath_model::desired::gate::{Gate, OnFail};
use towpath_model::unit::{Command, Name};

/// A gate by its name.
pub(super) type Asked<'a> = (&'a Name, &'a Gate);

/// What a gate runs, where it runs anything.
pub(super) fn command(gate: &Gate) -> Option<&Command> {
    let junit = gate.junit.as_ref().and_then(|junit| junit.run.as_ref());
    let sarif = gate.sarif.as_ref().and_then(|sarif| sarif.run.as_ref());
    let performance = gate
        .performance
        .as_ref()
        .and_then(|performance| performance.run.as_ref());
    let load = gate.load.as_ref().map(|load| &load.command);
    gate.command.as_ref().or(junit).or(sarif).or(performance).or(load)
}

/// Where a gate finds its answer, where that is a file.
pub(super) fn report(gate: &Gate) -> Option<&str> {
    let junit = gate.junit.as_ref().map(|junit| &junit.report);
    let sarif = gate.sarif.as_ref().map(|sarif| &sarif.report);
    let performance = gate.performance.as_ref().map(|performance| &performance.report);
    let load = gate.load.as_ref().map(|load| &load.report);
    let path = junit.or(sarif).or(performance).or(load)?;
    Some(path.as_str())
}

/// What people read of a gate while it runs.
fn title((name, gate): Asked<'_>) -> String {
    match &gate.about {
        Some(about) => format!("{name}: {about}"),
        None => name.to_string(),
    }
}

/// The steps of a gate: one for each of what it runs against.
pub(super) fn steps(asked: Asked<'_>, folder: &str) -> Result<Vec<Table>, Untold> {
    let (name, gate) = asked;
    let Some(command) = command(gate) else {
        return Ok(Vec::new());
    };
    let lines = lines(asked, command)?;
    if let Some(report) = report(gate).filter(|report| report.contains("{{") || report.contains("}}")) {
        return Err(Untold {
            what: format!(
                "the report `{report}` of gate `{name}` has a name that GitHub would take for its own"
            ),
            hint: "call it something without `{{` and `}}`".to_owned(),
        });
    }
    let step = |title: String, over: Option<&str>| {
        let step = Table::new()
            .put("name", title)
            .put("run", Value::Lines(lines.clone()))
            .put("timeout-minutes", minutes(gate));
        let step = match over {
            Some(over) => step.put("env", Table::new().put("TOWPATH_OVER", over)),
            None => step,
        };
        match gate.fails {
            OnFail::Warn => step
                .put("continue-on-error", true)
                .because("A failure is told, and goes on."),
            OnFail::Block | OnFail::Rollback => step,
        }
    };
    if gate.over.is_empty() {
        return Ok(vec![step(title(asked), None)]);
    }
    let mut steps = Vec::new();
    for over in &gate.over {
        steps.push(step(format!("{} ({over})", title(asked)), Some(over)));
        if let Some(report) = report(gate) {
            let kept = format!("Keep the report of {name} ({over})");
            let suffix = over.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
            steps.push(keep(&kept, &format!("{name}-{suffix}"), &[report], folder));
        }
    }
    Ok(steps)
}

/// The lines of a gate's command, again as often as it is tried again.
fn lines((name, gate): Asked<'_>, command: &Command) -> Result<String, Untold> {
    let command = command.as_str();
    if command.contains(EXPRESSION) {
        return Err(Untold {
            what: format!(
                "the command of gate `{name}` has `{EXPRESSION}` in it, which GitHub would take for its own"
            ),
            hint: "put it into a script, and name that".to_owned(),
        });
    }
    Ok(match gate.retries {
        0 => command.to_owned(),
        more => format!(
            "for try in $(seq {}); do\n  ({command}) && exit 0\n  echo \"try $try failed\"\ndone\nexit 1",
            more + 1
        ),
    })
}

/// How long a gate may take with all its tries, in whole minutes.
fn minutes(gate: &Gate) -> u64 {
    let tries = u64::from(gate.retries) + 1;
    gate.timeout
        .millis()
        .saturating_mul(tries)
        .div_ceil(60_000)
        .clamp(1, 360)
}

/// How long several gates may take, one after the other, with what comes before them.
pub(super) fn minutes_of(all: &[Asked<'_>]) -> u64 {
    let of = |(_, gate): &Asked<'_>| minutes(gate).saturating_mul(gate.over.len().max(1) as u64);
    let all: u64 = all.iter().map(of).sum();
    // GitHub ends every job after six hours.
    (all + super::steps::GRACE).min(360)
}

/// The step that keeps reports with the run.
pub(super) fn keep(title: &str, name: &str, reports: &[&str], folder: &str) -> Table {
    let paths: Vec<String> = reports.iter().map(|report| below(folder, report)).collect();
    let path = match paths.as_slice() {
        [only] => Value::from(only.as_str()),
        several => Value::Lines(several.join("\n")),
    };
    let name = Value::Expression(format!("{name}-${{{{ strategy.job-index }}}}"));
    let with = Table::new()
        .put("name", name)
        .put("path", path)
        .put("if-no-files-found", "ignore");
    pins::UPLOAD
        .step(Some(title))
        .put("if", Value::Expression("${{ !cancelled() }}".to_owned()))
        .put("with", with)
}

/// A path of the manifest, from the root of the repository.
pub(super) fn below(folder: &str, path: &str) -> String {
    match folder {
        "" => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}
