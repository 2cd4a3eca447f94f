//! What the programs are told by their environment.
#![allow(clippy::disallowed_methods, reason = "this is the door to the environment")]

use crate::Fault;
use std::env;

/// A setting without which a program cannot do its work.
pub fn needed(name: &str) -> Result<String, Fault> {
    match env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(format!("{name} is not set").into()),
    }
}

/// Whether a flag is on. One that nobody set is on its safe side.
pub fn flag(name: &str, otherwise: bool) -> bool {
    env::var(name).map_or(otherwise, |value| value == "true")
}

/// A whole number, or what is usual.
pub fn number(name: &str, usual: i64) -> Result<i64, Fault> {
    match env::var(name) {
        Ok(value) => value
            .parse()
            .map_err(|_| format!("{name} is no whole number: {value}").into()),
        Err(_) => Ok(usual),
    }
}

/// A time such as `90s`, `30m` or `1h`, in seconds.
pub fn seconds(name: &str, usual: u64) -> Result<u64, Fault> {
    let Ok(value) = env::var(name) else {
        return Ok(usual);
    };
    let unit = match value.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        _ => 0,
    };
    let count = value.get(..value.len().saturating_sub(1)).unwrap_or_default();
    match count.parse::<u64>() {
        Ok(count) if unit > 0 => Ok(count * unit),
        _ => Err(format!("{name} is no time like 1h: {value}").into()),
    }
}
