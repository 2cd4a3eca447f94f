//! Right manifests, sampled from the descriptions of the words: every field has a chance to stand in one.
#![allow(
    dead_code,
    reason = "each test file is a crate of its own, and uses a part of this one"
)]

use std::collections::BTreeMap;
use toml::{Table as Toml, Value};
use towpath_manifest::{Reading, locate, read};
use towpath_model::Desired;
use towpath_model::word::{Field, Shape, Table, UnitShape};

/// A source of choices: splitmix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).expect("it is below a bound")
    }

    /// Yes in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A right manifest, as TOML.
pub(crate) fn manifest(seed: u64) -> Toml {
    let mut dice = Dice(seed);
    let sparse = [2, 10, 40][dice.below(3)];
    let mut names: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for field in &Desired::table().fields {
        if let Shape::Map(unit, _) = (field.shape)() {
            let count = 1 + dice.below(2);
            let name = |number: usize| {
                let lower = format!("{}-{number}", field.name.replace('_', "-"));
                match (unit.check)(&lower) {
                    Ok(()) => lower,
                    Err(_) => lower.to_uppercase().replace('-', "_"),
                }
            };
            names.insert(field.name, (0..count).map(name).collect());
        }
    }
    let mut sampler = Sampler {
        dice,
        names,
        must: false,
        percent: sparse,
    };
    sampler.root()
}

struct Sampler {
    dice: Dice,
    /// What is declared, by table.
    names: BTreeMap<&'static str, Vec<String>>,
    /// What is sampled now has to say something.
    must: bool,
    /// How likely a field that may be missing is written.
    percent: usize,
}

impl Sampler {
    fn root(&mut self) -> Toml {
        let mut root = Toml::new();
        for field in &Desired::table().fields {
            if field.name == "include" {
                continue;
            }
            match (field.shape)() {
                Shape::Map(_, entry) => {
                    let names = self.names.get(field.name).cloned().unwrap_or_default();
                    let entries: Toml = names
                        .into_iter()
                        .filter_map(|name| Some((name, self.shape(entry(), field.kind, field)?)))
                        .collect();
                    root.insert(field.name.to_owned(), Value::Table(entries));
                }
                shape if field.required || self.dice.percent(self.percent) => {
                    if let Some(value) = self.field(field, shape, "") {
                        root.insert(field.name.to_owned(), value);
                    }
                }
                _ => {}
            }
        }
        self.overlays(&mut root);
        root
    }

    /// Lays words of components and resources over the root, in some environments.
    fn overlays(&mut self, root: &mut Toml) {
        for environment in self.names["environment"].clone() {
            for kind in ["service", "worker", "postgres"] {
                if !self.dice.percent(50) {
                    continue;
                }
                let Some(field) = Desired::table().field(kind) else {
                    continue;
                };
                let Shape::Map(_, entry) = (field.shape)() else {
                    continue;
                };
                let Shape::Table(table) = entry() else { continue };
                let over = self.table(table(), kind);
                let name = self.dice.pick(&self.names[kind]).clone();
                let own = root.get_mut("environment").and_then(Value::as_table_mut);
                if let Some(Value::Table(own)) = own.and_then(|all| all.get_mut(&environment)) {
                    let over = Value::Table(Toml::from_iter([(name, Value::Table(over))]));
                    own.insert(kind.to_owned(), over);
                }
            }
        }
    }

    fn field(&mut self, field: &Field, shape: Shape, kind: &str) -> Option<Value> {
        if field.optional && !field.required && !matches!(shape, Shape::Bool) && self.dice.percent(10) {
            return Some(Value::Boolean(false));
        }
        let kind = if field.kind.is_empty() { kind } else { field.kind };
        self.shape(shape, kind, field)
    }

    fn table(&mut self, table: &'static Table, kind: &str) -> Toml {
        let mut written = Toml::new();
        let chosen = (!table.one_of.is_empty()).then(|| *self.dice.pick(table.one_of));
        let fields: Vec<&Field> = table.fields_on(kind).collect();
        for field in fields {
            let must = field.required || chosen == Some(field.name);
            if !must && (table.one_of.contains(&field.name) || !self.dice.percent(self.percent)) {
                continue;
            }
            let value = if must {
                self.must = true;
                let value = self.shape((field.shape)(), kind, field);
                self.must = false;
                value
            } else {
                self.field(field, (field.shape)(), kind)
            };
            if let Some(value) = value {
                written.insert(field.name.to_owned(), value);
            }
        }
        written
    }

    fn shape(&mut self, shape: Shape, kind: &str, field: &Field) -> Option<Value> {
        Some(match shape {
            Shape::Text => Value::String(
                self.dice
                    .pick(&["some text", "\"quoted\" #", "ümlaut", "x"])
                    .to_string(),
            ),
            Shape::Bool => Value::Boolean(self.dice.percent(50)),
            Shape::Integer { least, most } => {
                let above = i64::try_from(self.dice.below(100)).unwrap_or(0);
                Value::Integer((least + above).min(most))
            }
            Shape::Unit(unit) => self.unit(unit),
            Shape::Choice(choices) => Value::String(self.dice.pick(choices).word.to_owned()),
            Shape::Refer(tables) => {
                let table = *self.dice.pick(tables);
                let names = self.names.get(table)?.clone();
                Value::String(self.dice.pick(&names).clone())
            }
            Shape::List(element) => {
                if self.dice.percent(30) {
                    // One alone may stand without brackets.
                    return self.shape(element(), kind, field);
                }
                let count = self.dice.below(3) + usize::from(self.must || field.required);
                Value::Array(
                    (0..count)
                        .filter_map(|_| self.shape(element(), kind, field))
                        .collect(),
                )
            }
            Shape::Map(unit, entry) => {
                let mut entries = Toml::new();
                for _ in 0..self.dice.below(3) {
                    let name = self.dice.pick(unit.examples).to_string();
                    if let Some(value) = self.shape(entry(), kind, field) {
                        entries.insert(name, value);
                    }
                }
                Value::Table(entries)
            }
            Shape::Table(table) => self.table_or_short(table(), kind),
        })
    }

    fn table_or_short(&mut self, table: &'static Table, kind: &str) -> Value {
        let first = table.short.first().and_then(|name| table.field(name));
        let alone = table
            .fields_on(kind)
            .all(|field| !field.required || table.short.contains(&field.name));
        match first {
            Some(field) if alone && table.one_of.is_empty() && self.dice.percent(40) => self
                .shape((field.shape)(), kind, field)
                .unwrap_or_else(|| Value::Table(self.table(table, kind))),
            _ => Value::Table(self.table(table, kind)),
        }
    }

    fn unit(&mut self, unit: UnitShape) -> Value {
        let text = *self.dice.pick(unit.examples);
        match text.parse::<i64>() {
            Ok(number) if number.to_string() == text && self.dice.percent(50) => Value::Integer(number),
            _ => Value::String(text.to_owned()),
        }
    }
}

/// Reads one text.
pub(crate) fn reading(text: &str) -> Reading {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.as_bytes().to_vec())]);
    read("towpath.toml", &sources)
}

/// What is told, with the words that it points at, of the families that begin so.
pub(crate) fn told(reading: &Reading, families: &[&str]) -> Vec<String> {
    let findings = reading.findings.iter();
    findings
        .filter(|finding| families.iter().any(|family| finding.code.id.starts_with(family)))
        .map(|finding| {
            let at = locate(reading, finding).span;
            let text = &reading.sources[usize::from(at.source)].text;
            let words = text.get(at.start as usize..at.end as usize).unwrap_or("?");
            format!("{} `{words}` {}", finding.code.id, finding.message)
        })
        .collect()
}
