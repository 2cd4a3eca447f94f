//! Prints the dictionary of the fuzzer: every word of the language, from the descriptions that the checker uses.

use std::collections::BTreeSet;
use towpath_model::Desired;
use towpath_model::word::{Shape, Table};

fn main() {
    let mut words = BTreeSet::new();
    let mut seen = BTreeSet::new();
    table(Desired::table(), &mut words, &mut seen);
    words.extend(["secret:", "from:", "flag:", "# file: ", "[environment.prod.", "\"\"\"", "[["].map(str::to_owned));
    for word in words {
        println!("\"{}\"", escaped(&word));
    }
}

/// A word as the fuzzer's dictionaries want it: what is not plain as its bytes.
fn escaped(word: &str) -> String {
    let one = |byte: u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => format!("\\x{byte:02X}"),
    };
    word.bytes().map(one).collect()
}

fn table(table: &'static Table, words: &mut BTreeSet<String>, seen: &mut BTreeSet<&'static str>) {
    if !seen.insert(table.name) {
        return;
    }
    for field in &table.fields {
        words.insert(field.name.to_owned());
        shape((field.shape)(), words, seen);
    }
}

fn shape(of: Shape, words: &mut BTreeSet<String>, seen: &mut BTreeSet<&'static str>) {
    match of {
        Shape::List(element) => shape(element(), words, seen),
        Shape::Map(unit, value) => {
            words.extend(unit.examples.iter().map(|example| (*example).to_owned()));
            shape(value(), words, seen);
        }
        Shape::Table(below) => table(below(), words, seen),
        Shape::Unit(unit) => words.extend(unit.examples.iter().map(|example| (*example).to_owned())),
        Shape::Choice(choices) => words.extend(choices.iter().map(|choice| choice.word.to_owned())),
        Shape::Text | Shape::Bool | Shape::Integer { .. } | Shape::Refer(_) => {}
    }
}
