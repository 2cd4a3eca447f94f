//! Logs: a JSON object a line.

use serde_json::{Value, json};

/// What only somebody who looks for something wants to read.
pub fn detail(message: &str, fields: Value) {
    if std::env::var("LOG_LEVEL").is_ok_and(|level| level == "debug") {
        line("debug", message, fields);
    }
}

pub fn well(message: &str, fields: Value) {
    line("info", message, fields);
}

/// Something went wrong, and the program goes on.
pub fn trouble(message: &str, fields: Value) {
    line("warn", message, fields);
}

pub fn fatal(why: &str) {
    line("error", why, json!({}));
}

fn line(level: &str, message: &str, fields: Value) {
    let mut line = json!({
        "at": jiff::Timestamp::now().to_string(),
        "level": level,
        "message": message,
    });
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
    println!("{line}");
}
