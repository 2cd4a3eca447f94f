//! The page that says what `towpath status --json` prints says what the type says.
#![allow(clippy::disallowed_methods, reason = "the page is a real file")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use towpath_api::Status;
use towpath_model::run::{Kind, State};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/status.md");
    std::fs::read_to_string(path).expect("the page is there")
}

/// The example of the page.
fn example() -> Value {
    let page = page();
    let (_, after) = page.split_once("```json\n").expect("there is an example");
    let (example, _) = after.split_once("```").expect("it ends");
    serde_json::from_str(example).expect("it is JSON")
}

/// Every key in a value.
fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        Value::Array(list) => list.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

#[test]
fn the_example_is_what_is_printed() {
    let example = example();
    let status: Status = serde_json::from_value(example.clone()).expect("it is a status");
    let printed = serde_json::to_value(&status).expect("it can be printed");
    assert_eq!(
        printed, example,
        "a key is missing in the example, or the type has lost one"
    );
}

#[test]
fn each_key_is_explained() {
    let page = page();
    let mut all = BTreeSet::new();
    keys(&example(), &mut all);
    for key in all {
        assert!(page.contains(&format!("\n| `{key}` | ")), "`{key}` has no row");
    }
}

#[test]
fn each_state_and_kind_is_named() {
    let page = page();
    for state in State::ALL {
        assert!(
            page.contains(&format!("\n| `{}` | ", state.word())),
            "{state} has no row"
        );
    }
    for kind in Kind::ALL {
        assert!(
            page.contains(&format!("`{}`", kind.word())),
            "{kind} is not named"
        );
    }
}
