//! The JSON Schema that editors use knows what the checker knows: it takes every right manifest, and not wrong ones.
#![allow(
    clippy::disallowed_methods,
    reason = "examples are files of the repository, and tests read them as they are"
)]

mod sample;

use jsonschema::Validator;
use serde_json::{Value, json};
use std::path::Path;
use towpath_model::Desired;
use towpath_model::word::{Shape, Table};

fn validator() -> Validator {
    jsonschema::validator_for(&towpath_manifest::schema()).expect("it is a schema")
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(time) => json!(time.to_string()),
        toml::Value::Array(list) => list.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(name, value)| (name, json_of(value)))
            .collect(),
    }
}

fn complaints(validator: &Validator, table: toml::Table) -> Vec<String> {
    let value = json_of(toml::Value::Table(table));
    validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error:.200}", error.instance_path()))
        .collect()
}

#[test]
fn the_schema_takes_every_example() {
    let validator = validator();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of examples is there") {
        let folder = entry.expect("it can be listed").path();
        let Ok(text) = std::fs::read_to_string(folder.join("towpath.toml")) else {
            continue;
        };
        let table: toml::Table = text.parse().expect("an example is TOML");
        let name = folder.display().to_string();
        assert_eq!(complaints(&validator, table), Vec::<String>::new(), "{name}");
        count += 1;
    }
    assert!(count >= 3, "only {count} examples");
}

#[test]
fn the_schema_takes_sampled_manifests() {
    let validator = validator();
    for seed in 0..60 {
        let table = sample::manifest(seed);
        let complaints = complaints(&validator, table.clone());
        assert!(complaints.is_empty(), "{complaints:#?} in\n{table}");
    }
}

#[test]
fn the_schema_refuses_what_the_checker_refuses() {
    let validator = validator();
    for text in [
        "[service.web]\nrun = \"x\"",
        "product = \"x\"\nprodct = 1",
        "product = \"x\"\n[service.web]\nhelth = \"/\"",
        "product = \"x\"\n[service.web]\nreplicas = \"two\"",
        "product = \"x\"\n[service.web]\nreplicas = -1",
        "product = \"x\"\n[service.web]\nrestart = \"sometimes\"",
        "product = \"x\"\n[site.docs]\nrun = \"npm start\"",
        "product = \"x\"\n[registry.ghcr]\nabout = \"images\"",
        "product = \"x\"\n[channel.ops]\nslack = \"#a\"\nemail = \"a@example.com\"",
        "product = \"x\"\n[environment.prod]\nproduct = \"y\"",
        "product = \"x\"\n[postgres.db]\npublic = true",
        "product = [\"x\"]",
    ] {
        let table: toml::Table = text.parse().expect("it is TOML");
        assert_ne!(complaints(&validator, table), Vec::<String>::new(), "{text}");
        assert_ne!(
            sample::told(&sample::reading(text), &["TP"]),
            Vec::<String>::new(),
            "{text}"
        );
    }
}

/// Every table of the language, each once.
fn collect(table: &'static Table, tables: &mut Vec<&'static Table>) {
    if tables.iter().any(|known| known.name == table.name) {
        return;
    }
    tables.push(table);
    for field in &table.fields {
        let mut shape = (field.shape)();
        while let Shape::List(inner) | Shape::Map(_, inner) = shape {
            shape = inner();
        }
        if let Shape::Table(inner) = shape {
            collect(inner(), tables);
        }
    }
}

#[test]
fn a_bare_value_stands_for_all_that_its_table_requires() {
    let mut tables = Vec::new();
    collect(Desired::table(), &mut tables);
    for table in tables.iter().filter(|table| !table.short.is_empty()) {
        for field in table.fields.iter().filter(|field| field.required) {
            assert!(
                table.short.contains(&field.name),
                "{}: {}",
                table.name,
                field.name
            );
        }
    }
}
