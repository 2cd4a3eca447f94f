//! A JSON document, and the number that stands somewhere in it.

use crate::sources::{Sources, place};
use crate::{number, web};
use serde_json::Value;
use towpath_model::desired::metric::Metric;
use towpath_model::run::Reading;

pub(crate) async fn read(metric: &Metric, address: &str, sources: &Sources) -> Result<Reading, String> {
    let way = metric.value.as_deref().unwrap_or_default();
    let (url, secret) = sources.address(metric, address)?;
    let answer = web::get(&url, secret, "application/json", sources).await?;
    if !answer.status.is_success() {
        return Err(web::refused(&url, answer.status, secret.is_some()));
    }
    let read = serde_json::from_str::<Value>(&answer.text);
    let document = read.map_err(|why| format!("{}: it answers with no JSON: {why}", place(&url)))?;
    let value = at(&document, way).and_then(|value| of(value, way));
    value
        .map(Reading::Level)
        .map_err(|why| format!("{}: {why}", place(&url)))
}

/// What stands at `a.b.0.c` or `a.b[0].c`. A name may have a full stop in it: the longest one that is there is taken.
fn at<'a>(document: &'a Value, way: &str) -> Result<&'a Value, String> {
    let way = way
        .trim()
        .trim_start_matches("$.")
        .replace('[', ".")
        .replace(']', "");
    let steps: Vec<&str> = way.split('.').filter(|step| !step.is_empty()).collect();
    let (mut value, mut gone) = (document, 0);
    while gone < steps.len() {
        let step = (gone + 1..=steps.len()).rev().find_map(|end| {
            let name = steps[gone..end].join(".");
            let below = match value {
                Value::Object(fields) => fields.get(&name),
                Value::Array(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => None,
            };
            Some((below?, end))
        });
        let Some((below, end)) = step else {
            return Err(missing(value, &steps[..gone], steps[gone]));
        };
        (value, gone) = (below, end);
    }
    Ok(value)
}

fn missing(value: &Value, gone: &[&str], step: &str) -> String {
    let place = if gone.is_empty() {
        "its answer".to_owned()
    } else {
        format!("`{}`", gone.join("."))
    };
    match value {
        Value::Object(fields) if fields.is_empty() => format!("{place} is empty, and has no `{step}`"),
        Value::Object(fields) => {
            let names: Vec<&str> = fields.keys().take(5).map(String::as_str).collect();
            format!("{place} has no `{step}`; it has {}", names.join(", "))
        }
        Value::Array(items) => format!("{place} is a list of {}, and has no `{step}`", items.len()),
        other => format!("{place} is {}, and has nothing in it", kind(other)),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A number, or a text that is one, as some write large numbers.
fn of(value: &Value, way: &str) -> Result<f64, String> {
    let read = match value {
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        Value::String(text) => number(text),
        _ => None,
    };
    read.ok_or_else(|| {
        format!(
            "`{way}` is {}, and not a number; write the way to one: value = \"...\"",
            kind(value)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(way: &str) -> Result<f64, String> {
        let document = json!({
            "events": { "per_minute": 12.5, "a.b": 1, "a": { "b": 2 } },
            "rows": [{ "n": "7" }, { "n": null }],
            "none": {},
            "on": true,
        });
        at(&document, way).and_then(|value| of(value, way))
    }

    #[test]
    fn a_way_leads_to_a_number() {
        for (way, value) in [
            ("events.per_minute", 12.5),
            ("$.rows[0].n", 7.0),
            ("rows.0.n", 7.0),
            ("events.a.b", 1.0),
        ] {
            assert_eq!(found(way), Ok(value), "{way}");
        }
    }

    #[test]
    fn a_way_that_leads_nowhere_says_where_it_ends() {
        for (way, why) in [
            (
                "event",
                "its answer has no `event`; it has events, rows, none, on",
            ),
            (
                "events.per_hour",
                "`events` has no `per_hour`; it has per_minute, a.b, a",
            ),
            ("rows.2.n", "`rows` is a list of 2, and has no `2`"),
            ("on.off", "`on` is true or false, and has nothing in it"),
            ("none.x", "`none` is empty, and has no `x`"),
            (
                "rows.1.n",
                "`rows.1.n` is null, and not a number; write the way to one: value = \"...\"",
            ),
            (
                "",
                "`` is an object, and not a number; write the way to one: value = \"...\"",
            ),
        ] {
            assert_eq!(found(way).unwrap_err(), why, "{way}");
        }
    }
}
