//! The manifest's JSON Schema, for editors.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use towpath_model::Desired;
use towpath_model::spec::{Kind, Node};
use towpath_model::word::{Field, Shape, Table};

/// The schema of a whole manifest.
pub fn schema() -> Value {
    let mut writer = Writer {
        definitions: BTreeMap::new(),
    };
    let root = writer.table(Desired::table(), "");
    let mut whole = Map::new();
    whole.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    whole.insert("title".to_owned(), json!("towpath.toml"));
    if let Value::Object(root) = root {
        whole.extend(root);
    }
    whole.insert(
        "$defs".to_owned(),
        Value::Object(writer.definitions.into_iter().collect()),
    );
    Value::Object(whole)
}

struct Writer {
    definitions: BTreeMap<String, Value>,
}

impl Writer {
    /// A reference to the definition of a table of a kind, which is written when it is first needed.
    fn refer(&mut self, table: &'static Table, kind: &str) -> Value {
        let kinds = table.fields.iter().any(|field| !field.on.is_empty());
        let name = if kinds && !kind.is_empty() {
            format!("{}-{kind}", table.name)
        } else {
            table.name.to_owned()
        };
        if !self.definitions.contains_key(&name) {
            self.definitions.insert(name.clone(), Value::Null);
            let written = self.table_or_short(table, kind);
            self.definitions.insert(name.clone(), written);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn table_or_short(&mut self, table: &'static Table, kind: &str) -> Value {
        let whole = self.table(table, kind);
        let mut forms = vec![whole];
        if let Some(field) = table.short.first().and_then(|name| table.field(name)) {
            forms.push(self.shape((field.shape)(), kind));
        }
        if table.fields.iter().all(|field| !field.required) && table.one_of.is_empty() {
            forms.push(json!({ "const": true }));
        }
        match forms.len() {
            1 => forms.remove(0),
            _ => json!({ "description": first(table.about), "anyOf": forms }),
        }
    }

    fn table(&mut self, table: &'static Table, kind: &str) -> Value {
        let mut properties = Map::new();
        for field in table.fields_on(kind) {
            properties.insert(field.name.to_owned(), self.field(field, kind));
        }
        if table.overlays {
            for field in &Desired::table().fields {
                if !properties.contains_key(field.name) && !crate::normal::FIXED.contains(&field.name) {
                    // What is laid over is a part, so nothing in it is required; its shape is checked by `check`.
                    properties.insert(
                        field.name.to_owned(),
                        json!({ "description": first(field.about) }),
                    );
                }
            }
        }
        let required: Vec<&str> = table
            .fields_on(kind)
            .filter(|field| field.required)
            .map(|field| field.name)
            .collect();
        let mut written = json!({
            "type": "object",
            "description": prose(table.about),
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            written["required"] = json!(required);
        }
        if !table.one_of.is_empty() {
            let each: Vec<Value> = table
                .one_of
                .iter()
                .map(|name| json!({ "required": [name] }))
                .collect();
            written["oneOf"] = json!(each);
        }
        written
    }

    fn field(&mut self, field: &Field, kind: &str) -> Value {
        let below = if field.kind.is_empty() { kind } else { field.kind };
        let mut written = self.shape((field.shape)(), below);
        if field.optional && !matches!((field.shape)(), Shape::Bool) {
            written = json!({ "anyOf": [written, { "const": false }] });
        }
        written["description"] = json!(prose(field.about));
        if let Some(default) = (field.default)(kind) {
            written["default"] = plain(&default);
        }
        written
    }

    fn shape(&mut self, shape: Shape, kind: &str) -> Value {
        match shape {
            Shape::Text => json!({ "type": ["string", "number", "boolean"] }),
            Shape::Refer(_) => json!({ "type": "string" }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Shape::Unit(unit) => {
                json!({ "type": ["string", "number"], "title": unit.what, "examples": unit.examples })
            }
            Shape::Choice(choices) => {
                let each: Vec<Value> = choices
                    .iter()
                    .map(|choice| json!({ "const": choice.word, "description": prose(choice.about) }))
                    .collect();
                json!({ "oneOf": each })
            }
            Shape::List(element) => {
                let element = self.shape(element(), kind);
                json!({ "anyOf": [element.clone(), { "type": "array", "items": element }] })
            }
            Shape::Map(_, value) => {
                let value = self.shape(value(), kind);
                json!({ "type": "object", "additionalProperties": value })
            }
            Shape::Table(table) => self.refer(table(), kind),
        }
    }
}

/// A default as JSON.
fn plain(node: &Node) -> Value {
    match &node.kind {
        Kind::Text(text) | Kind::Decimal(text) => json!(text),
        Kind::Integer(number) => json!(number),
        Kind::Bool(flag) => json!(flag),
        Kind::List(list) => list.iter().map(|one| plain(one)).collect(),
        Kind::Table(entries) => Value::Object(
            entries
                .iter()
                .map(|(name, node)| (name.clone(), plain(node)))
                .collect(),
        ),
        Kind::Off | Kind::Bad => json!(false),
    }
}

/// Documentation as running text.
fn prose(about: &str) -> String {
    about
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

/// Its first sentence.
fn first(about: &str) -> String {
    let text = prose(about);
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text,
    }
}
