//! The log: one JSON object a line. Secrets, addresses of people and diaries never stand in it.

use crate::clock;
use serde_json::{Value, json};

/// Says that something happened, with what it was about.
pub fn say(event: &str, about: Value) {
    line("info", event, about);
}

/// Says that something went wrong and goes on.
pub fn warn(event: &str, about: Value) {
    line("warn", event, about);
}

fn line(level: &str, event: &str, about: Value) {
    let at = clock::now().to_string();
    println!(
        "{}",
        json!({ "at": at, "level": level, "event": event, "about": about })
    );
}
