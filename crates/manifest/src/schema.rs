//! The manifest's JSON Schema, for editors.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use towpath_model::Desired;
use towpath_model::spec::{Kind, Node};
use towpath_model::word::{Field, Shape, Table, prose, summary};

/// The schema of a whole manifest.
pub fn schema() -> Value {
    let mut writer = Writer {
        definitions: BTreeMap::new(),
    };
    let root = writer.table(Desired::table(), "", Extent::Whole);
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

/// What is asked of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// All that is required.
    Whole,
    /// A part: it is laid over a whole one.
    Part,
}

struct Writer {
    definitions: BTreeMap<String, Value>,
}

impl Writer {
    /// A reference to the definition of a table of a kind, which is written when it is first needed.
    fn refer(&mut self, table: &'static Table, kind: &str, extent: Extent) -> Value {
        let kinds = table.fields.iter().any(|field| !field.on.is_empty());
        let mut name = if kinds && !kind.is_empty() {
            format!("{}-{kind}", table.name)
        } else {
            table.name.to_owned()
        };
        if extent == Extent::Part {
            name.push_str("-part");
        }
        if !self.definitions.contains_key(&name) {
            self.definitions.insert(name.clone(), Value::Null);
            let written = self.table_or_short(table, kind, extent);
            self.definitions.insert(name.clone(), written);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// A definition that stands once, however often it is needed.
    fn once(&mut self, name: &str, written: Value) -> Value {
        self.definitions.entry(name.to_owned()).or_insert(written);
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn table_or_short(&mut self, table: &'static Table, kind: &str, extent: Extent) -> Value {
        let whole = self.table(table, kind, extent);
        let mut forms = vec![whole];
        if let Some(field) = table.short.first().and_then(|name| table.field(name)) {
            forms.push(self.shape((field.shape)(), kind, extent));
        }
        if table.fields.iter().all(|field| !field.required) && table.one_of.is_empty() {
            forms.push(json!({ "const": true }));
        }
        match forms.len() {
            1 => forms.remove(0),
            _ => json!({ "description": summary(table.about), "anyOf": forms }),
        }
    }

    fn table(&mut self, table: &'static Table, kind: &str, extent: Extent) -> Value {
        let mut properties = Map::new();
        for field in table.fields_on(kind) {
            properties.insert(field.name.to_owned(), self.field(field, kind, extent));
        }
        if table.overlays {
            for field in &Desired::table().fields {
                if !properties.contains_key(field.name) && !crate::normal::FIXED.contains(&field.name) {
                    properties.insert(field.name.to_owned(), self.field(field, "", Extent::Part));
                }
            }
        }
        let mut written = json!({
            "type": "object",
            "description": prose(table.about),
            "properties": properties,
            "additionalProperties": false,
        });
        let required = table
            .fields_on(kind)
            .filter(|field| field.required && extent == Extent::Whole);
        let required: Vec<&str> = required.map(|field| field.name).collect();
        if !required.is_empty() {
            written["required"] = json!(required);
        }
        if !table.one_of.is_empty() && extent == Extent::Whole {
            let each: Vec<Value> = table
                .one_of
                .iter()
                .map(|name| json!({ "required": [name] }))
                .collect();
            written["oneOf"] = json!(each);
        }
        written
    }

    fn field(&mut self, field: &Field, kind: &str, extent: Extent) -> Value {
        let below = if field.kind.is_empty() { kind } else { field.kind };
        let mut written = self.shape((field.shape)(), below, extent);
        if field.optional && !matches!((field.shape)(), Shape::Bool) {
            written = json!({ "anyOf": [written, { "const": false }] });
        }
        written["description"] = json!(prose(field.about));
        if let Some(default) = (field.default)(kind) {
            written["default"] = plain(&default);
        }
        written
    }

    fn shape(&mut self, shape: Shape, kind: &str, extent: Extent) -> Value {
        match shape {
            Shape::Text => json!({ "type": ["string", "number", "boolean"] }),
            Shape::Refer(_) => json!({ "type": "string" }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Shape::Unit(unit) => self.once(
                &slug([unit.what]),
                json!({ "type": ["string", "number"], "title": unit.what, "examples": unit.examples }),
            ),
            Shape::Choice(choices) => {
                let each: Vec<Value> = choices
                    .iter()
                    .map(|choice| json!({ "const": choice.word, "description": prose(choice.about) }))
                    .collect();
                self.once(
                    &slug(choices.iter().map(|choice| choice.word)),
                    json!({ "oneOf": each }),
                )
            }
            Shape::List(element) => {
                // A list is replaced as a whole, so what stands in it is whole in an environment, too.
                let element = self.shape(element(), kind, Extent::Whole);
                json!({ "anyOf": [element.clone(), { "type": "array", "items": element }] })
            }
            Shape::Map(_, value) => {
                let value = self.shape(value(), kind, extent);
                json!({ "type": "object", "additionalProperties": value })
            }
            Shape::Table(table) => self.refer(table(), kind, extent),
        }
    }
}

/// A name that can stand in a reference without being escaped.
fn slug<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    words
        .into_iter()
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .map(plain)
        .collect()
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
