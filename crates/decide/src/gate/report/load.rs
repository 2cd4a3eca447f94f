//! The summary of a load test: `p95 < 300ms`, `error rate < 1%`, by the names that people use for what tools call otherwise.
//!
//! k6 (`--summary-export`, and what `handleSummary` is given), oha (`--output-format json`) and vegeta (`report -type=json`)
//! are known, each with its unit. Of any other report a subject is the name of a quantile (looked for at the root, in
//! `latency`, `latencies` and `duration`), or a path in it. A test that has made no request has tested nothing, and fails.

mod tool;

use super::dig::dig;
use super::number::{Measure, keeps, measure};
use super::outcome::{Fault, failed, file, passed, shown};
use super::text::json;
use super::{NAMED, Report};
use serde_json::Value;
use tool::Tool;
use towpath_model::desired::gate::LoadGate;
use towpath_model::run::Found;
use towpath_model::unit::Comparison;

/// What a load test says, by its summary.
pub fn load(asked: &LoadGate, report: Report<'_>) -> Found {
    let keep: Vec<String> = asked.keep.iter().map(ToString::to_string).collect();
    let bound = match keep.is_empty() {
        true => "a summary of at least one request".to_owned(),
        false => keep.join(", "),
    };
    judge(asked, &report, &bound).unwrap_or_else(|fault| fault.found(&report, &bound))
}

fn judge(asked: &LoadGate, report: &Report<'_>, bound: &str) -> Result<Found, Fault> {
    let value = json(report.bytes)?;
    if !value.is_object() {
        return Err(Fault::new("is no table", "name the summary of the load test").at("at its root"));
    }
    let tool = Tool::of(&value);
    let requests = tool.requests(&value);
    if requests.is_some_and(|requests| requests.is_zero()) {
        let fault = Fault::new("no request was made", "look why the load test reaches nothing");
        return Err(fault);
    }
    let mut words = Vec::new();
    let mut broken = Vec::new();
    for keep in &asked.keep {
        let subject = subject(keep);
        let measured = measured(tool, &value, keep)?;
        let is_kept = keeps(keep, &measured).map_err(|fault| fault.at(format!("`{subject}`")))?;
        words.push(format!("{subject} {}", measured.words()));
        if !is_kept {
            broken.push(format!(
                "{subject} is {}, and not {} {}",
                measured.words(),
                keep.op,
                keep.value
            ));
        }
    }
    if let Some(requests) = requests {
        words.push(format!("{} requests", Measure::Count(requests).words()));
    }
    let evidence = vec![file(
        report,
        words
            .iter()
            .map(|line| shown(line))
            .collect::<Vec<_>>()
            .join("\n"),
    )];
    let words = shown(&words.join(", "));
    Ok(if broken.is_empty() {
        passed(words, bound, evidence)
    } else {
        let why: Vec<&str> = broken.iter().take(NAMED).map(String::as_str).collect();
        failed(shown(&why.join("; ")), Some(words), bound, evidence)
    })
}

fn subject(keep: &Comparison) -> &str {
    match keep.subject.as_str() {
        "" => "p95",
        subject => subject,
    }
}

/// What the summary says about the subject of a bound; of one without a subject, about the 95th percentile.
fn measured(tool: Tool, value: &Value, keep: &Comparison) -> Result<Measure, Fault> {
    let subject = subject(keep);
    if let Some(known) = tool.measure(value, subject, &keep.value) {
        return known.map_err(|fault| fault.at(format!("`{subject}`")));
    }
    let found = dig(value, subject)?;
    measure(found, &keep.value).map_err(|fault| fault.at(format!("`{subject}`")))
}
