//! Logs: a JSON object a line.

use serde_json::{Value, json};

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
