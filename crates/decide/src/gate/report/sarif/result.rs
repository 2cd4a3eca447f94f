//! The results of a SARIF report that count, each with how bad it is.

use super::super::dig::pointer;
use super::super::outcome::{Fault, shown};
use jiff::Timestamp;
use serde_json::Value;
use towpath_model::desired::gate::Weakness;

/// What is wrong with a report that is not as the standard says.
const NEXT: &str = "look what has written it";

/// A weakness that was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct One {
    /// The rule by which it was found.
    pub(super) name: String,
    /// How bad it is.
    pub(super) severity: Weakness,
    /// Where it is, and what about it.
    about: String,
    /// The baseline has it, too.
    pub(super) is_known: bool,
    /// Since when it is known.
    pub(super) since: Option<Timestamp>,
}

impl One {
    /// A line of evidence.
    pub(super) fn words(&self) -> String {
        let about = match self.about.as_str() {
            "" => String::new(),
            about => format!(": {about}"),
        };
        shown(&format!("{} {}{about}", self.severity.word(), self.name))
    }
}

/// A place in the report.
type Way<'w> = &'w [String];

fn fault(way: Way<'_>, what: impl Into<String>) -> Fault {
    Fault::new(what, NEXT).at(pointer(way))
}

fn below(way: Way<'_>, more: &[&str]) -> Vec<String> {
    way.iter()
        .cloned()
        .chain(more.iter().map(|part| (*part).to_owned()))
        .collect()
}

/// A list that has to be one where it is there at all.
fn list<'v>(of: &'v Value, name: &str, way: Way<'_>) -> Result<Option<&'v [Value]>, Fault> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(all)) => Ok(Some(all)),
        Some(_) => Err(fault(&below(way, &[name]), "is no list")),
    }
}

fn word<'v>(of: &'v Value, name: &str, way: Way<'_>) -> Result<Option<&'v str>, Fault> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(fault(&below(way, &[name]), "is no text")),
    }
}

/// Every result of every run that counts.
pub(super) fn results(report: &Value) -> Result<Vec<One>, Fault> {
    let root: Vec<String> = Vec::new();
    match report.get("version") {
        Some(Value::String(version)) if version == "2.1.0" => {}
        Some(Value::String(other)) => {
            let what = format!("is of version {}, and 2.1.0 is what is read", shown(other));
            return Err(Fault::new(what, "have it written as SARIF 2.1.0").at("/version"));
        }
        _ => {
            let what = "has no version, so it is no SARIF";
            return Err(Fault::new(what, "name the report that is SARIF").at(pointer(&root)));
        }
    }
    let runs = list(report, "runs", &root)?.unwrap_or_default();
    if runs.is_empty() {
        return Err(fault(
            &below(&root, &["runs"]),
            "has no run in it: nothing was looked at",
        ));
    }
    let mut all = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let way = below(&root, &["runs", &number.to_string()]);
        if !run.is_object() {
            return Err(fault(&way, "is no run"));
        }
        has_ended_well(run, &way)?;
        let Some(found) = list(run, "results", &way)? else {
            return Err(fault(&way, "has no `results`: nothing was looked at"));
        };
        for (number, result) in found.iter().enumerate() {
            let way = below(&way, &["results", &number.to_string()]);
            all.extend(one(run, result, &way)?);
        }
    }
    Ok(all)
}

/// A scan that did not come to its end has not looked at everything.
fn has_ended_well(run: &Value, way: Way<'_>) -> Result<(), Fault> {
    for (number, invocation) in list(run, "invocations", way)?
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        if invocation.get("executionSuccessful") == Some(&Value::Bool(false)) {
            let way = below(way, &["invocations", &number.to_string()]);
            return Err(Fault::new(
                "says that the scan failed",
                "mend the scan, and have it run again",
            )
            .at(pointer(&way)));
        }
    }
    Ok(())
}

fn one(run: &Value, result: &Value, way: Way<'_>) -> Result<Option<One>, Fault> {
    if !result.is_object() {
        return Err(fault(way, "is no result"));
    }
    let kind = word(result, "kind", way)?.unwrap_or("fail");
    let state = word(result, "baselineState", way)?;
    if kind != "fail" || state == Some("absent") || is_suppressed(result, way)? {
        return Ok(None);
    }
    let rule = rule(run, result);
    let since = result.pointer("/provenance/firstDetectionTimeUtc");
    let since = since.filter(|since| !since.is_null()).map(|since| {
        let read = since.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        read.ok_or_else(|| {
            fault(
                &below(way, &["provenance", "firstDetectionTimeUtc"]),
                "is no time",
            )
        })
    });
    let id = word(result, "ruleId", way)?
        .or_else(|| result.pointer("/rule/id").and_then(Value::as_str))
        .or_else(|| rule.and_then(|rule| rule.get("id")).and_then(Value::as_str));
    Ok(Some(One {
        name: shown(id.unwrap_or("a result without a rule")),
        severity: severity(result, rule, way)?,
        about: about(result),
        is_known: state == Some("unchanged"),
        since: since.transpose()?,
    }))
}

fn is_suppressed(result: &Value, way: Way<'_>) -> Result<bool, Fault> {
    let all = list(result, "suppressions", way)?.unwrap_or_default();
    let holds = |one: &Value| {
        !matches!(
            one.get("status").and_then(Value::as_str),
            Some("underReview" | "rejected")
        )
    };
    Ok(!all.is_empty() && all.iter().all(holds))
}

/// The rule of a result: of the tool itself or of one of its extensions, by its number or its name.
fn rule<'v>(run: &'v Value, result: &'v Value) -> Option<&'v Value> {
    let tool = run.get("tool")?;
    let named = result.get("rule");
    let extension = named
        .and_then(|rule| rule.pointer("/toolComponent/index"))
        .and_then(Value::as_u64);
    let number = |value: Option<&Value>| {
        value
            .and_then(Value::as_u64)
            .and_then(|at| usize::try_from(at).ok())
    };
    let holder = match extension.and_then(|at| usize::try_from(at).ok()) {
        Some(at) => tool.get("extensions").and_then(|all| all.get(at)),
        None => tool.get("driver"),
    };
    let at = number(result.get("ruleIndex")).or_else(|| number(named.and_then(|rule| rule.get("index"))));
    let by_number = at.and_then(|at| holder?.get("rules")?.get(at));
    let id = result
        .get("ruleId")
        .or_else(|| named.and_then(|rule| rule.get("id")))?;
    if let Some(rule) = by_number
        && rule.get("id").is_none_or(|own| is_of(id, own))
    {
        return Some(rule);
    }
    let extensions = tool
        .get("extensions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut rules = tool
        .get("driver")
        .into_iter()
        .chain(extensions)
        .filter_map(|holder| holder.get("rules").and_then(Value::as_array))
        .flatten();
    rules.find(|rule| rule.get("id").is_some_and(|own| is_of(id, own)))
}

/// The name of a result's rule may go on behind that of its rule: `CA1000/1`.
fn is_of(id: &Value, rule: &Value) -> bool {
    match (id.as_str(), rule.as_str()) {
        (Some(id), Some(rule)) => {
            let rest = id.strip_prefix(rule);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => false,
    }
}

fn severity(result: &Value, rule: Option<&Value>, way: Way<'_>) -> Result<Weakness, Fault> {
    for (of, name) in [(Some(result), "its own"), (rule, "its rule's")] {
        let score = of.and_then(|of| of.pointer("/properties/security-severity"));
        if let Some(score) = score.filter(|score| !score.is_null()) {
            return scored(score).ok_or_else(|| {
                let what = format!(
                    "{name} `security-severity` is {}, which is no score from 0 to 10",
                    shown(&score.to_string())
                );
                fault(way, what)
            });
        }
    }
    let own = word(result, "level", way)?;
    let usual = rule
        .and_then(|rule| rule.pointer("/defaultConfiguration/level"))
        .and_then(Value::as_str);
    match own.or(usual).unwrap_or("warning") {
        "error" => Ok(Weakness::High),
        "warning" => Ok(Weakness::Medium),
        "note" | "none" => Ok(Weakness::Low),
        other => {
            let what = format!("is `{}`, which is no level", shown(other));
            Err(fault(&below(way, &["level"]), what))
        }
    }
}

/// A CVSS score, as a text or a number, or the word for one.
fn scored(score: &Value) -> Option<Weakness> {
    let number = match score {
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "critical" => return Some(Weakness::Critical),
            "high" => return Some(Weakness::High),
            "medium" | "moderate" => return Some(Weakness::Medium),
            "low" => return Some(Weakness::Low),
            number => number.parse::<f64>().ok()?,
        },
        other => other.as_f64()?,
    };
    match number {
        number if !(0.0..=10.0).contains(&number) => None,
        number if number >= 9.0 => Some(Weakness::Critical),
        number if number >= 7.0 => Some(Weakness::High),
        number if number >= 4.0 => Some(Weakness::Medium),
        _ => Some(Weakness::Low),
    }
}

/// Where it is, and what it says.
fn about(result: &Value) -> String {
    let at = result.pointer("/locations/0/physicalLocation");
    let file = at
        .and_then(|at| at.pointer("/artifactLocation/uri"))
        .and_then(Value::as_str);
    let line = at
        .and_then(|at| at.pointer("/region/startLine"))
        .and_then(Value::as_u64);
    let said = result
        .pointer("/message/text")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}:{line} {said}"),
        (Some(file), None) => format!("{file} {said}"),
        _ => said.to_owned(),
    }
}
