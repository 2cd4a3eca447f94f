//! Finding a value in JSON by a path that people write: `modal.render.p95`, `runs[0].total`, `/a~1b/0`.

use super::outcome::{Fault, shown};
use serde_json::Value;

/// So many names that are there are told in place of one that is not.
const TOLD: usize = 8;

/// What stands at a path. A point separates names, and may be part of one; what begins with a slash is a JSON pointer.
pub(super) fn dig<'v>(value: &'v Value, path: &str) -> Result<&'v Value, Fault> {
    if path.starts_with('/') {
        return value.pointer(path).ok_or_else(|| {
            Fault::new(
                "has nothing there",
                "write the pointer as it stands in the report",
            )
            .at(path)
        });
    }
    let parts = parts(path);
    let mut deepest = (Vec::new(), value);
    walk(value, &parts, &mut Vec::new(), &mut deepest).ok_or_else(|| missing(path, &deepest.0, deepest.1))
}

/// The parts of a path. A number in brackets is one of a list.
fn parts(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for part in path.split('.') {
        let mut rest = part;
        let mut behind = Vec::new();
        while let Some((before, number)) = rest.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                break;
            }
            behind.push(number.to_owned());
            rest = before;
        }
        if !rest.is_empty() || behind.is_empty() {
            parts.push(rest.to_owned());
        }
        parts.extend(behind.into_iter().rev());
    }
    parts
}

/// Each place of the document is come to by one way only, so no document makes this long.
fn walk<'v>(
    value: &'v Value,
    parts: &[String],
    way: &mut Vec<String>,
    deepest: &mut (Vec<String>, &'v Value),
) -> Option<&'v Value> {
    if parts.is_empty() {
        return Some(value);
    }
    if way.len() > deepest.0.len() {
        *deepest = (way.clone(), value);
    }
    let mut try_at = |child: &'v Value, name: String, rest: &[String]| {
        way.push(name);
        let found = walk(child, rest, way, deepest);
        way.pop();
        found
    };
    match value {
        Value::Object(map) => (1..=parts.len()).find_map(|count| {
            let name = parts[..count].join(".");
            try_at(map.get(&name)?, name.clone(), &parts[count..])
        }),
        Value::Array(all) => {
            let at: usize = parts[0].parse().ok()?;
            try_at(all.get(at)?, parts[0].clone(), &parts[1..])
        }
        _ => None,
    }
}

fn missing(path: &str, way: &[String], value: &Value) -> Fault {
    let there = match value {
        Value::Object(map) if map.is_empty() => "nothing is there".to_owned(),
        Value::Object(map) => {
            let names: Vec<String> = map.keys().take(TOLD).map(|name| format!("`{name}`")).collect();
            let more = if map.len() > TOLD { ", and more" } else { "" };
            format!("there are {}{more}", names.join(", "))
        }
        Value::Array(all) => format!("there is a list of {}", all.len()),
        _ => "there is a value without parts".to_owned(),
    };
    let fault = Fault::new(
        format!("has no `{path}`"),
        shown(&format!("{there}; write the path as it stands in the report")),
    );
    fault.at(pointer(way))
}

/// A way as a JSON pointer; the root is said in words.
pub(super) fn pointer(way: &[String]) -> String {
    if way.is_empty() {
        return "at its root".to_owned();
    }
    let parts = way.iter().map(|part| part.replace('~', "~0").replace('/', "~1"));
    shown(&parts.map(|part| format!("/{part}")).collect::<String>())
}
