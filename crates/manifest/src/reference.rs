//! The reference of the manifest, written from its description.

use crate::print::print_value;
use std::fmt::Write;
use towpath_model::Desired;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::resource::ResourceKind;
use towpath_model::word::{Field, Shape, Table, prose};

/// The reference, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# The manifest\n\nEvery word of `towpath.toml`. This page is generated from the definitions that the checker uses; \
         `towpath explain WORD` shows the same with the values of your own manifest.\n",
    );
    let mut tables: Vec<&'static Table> = Vec::new();
    collect(Desired::table(), &mut tables);
    let _ = writeln!(page, "\n## Units\n\n| a value | is written |\n| --- | --- |");
    let mut units: Vec<(&str, &[&str])> = Vec::new();
    for table in &tables {
        for field in &table.fields {
            gather_units((field.shape)(), &mut units);
        }
    }
    units.sort_by_key(|(what, _)| what.trim_start_matches("an ").trim_start_matches("a "));
    for (what, examples) in units {
        let shown: Vec<String> = examples
            .iter()
            .take(5)
            .map(|one| code(&format!("\"{one}\"")))
            .collect();
        let _ = writeln!(page, "| {what} | {} |", shown.join(" "));
    }
    for table in tables {
        section(&mut page, table);
    }
    page
}

fn collect(table: &'static Table, tables: &mut Vec<&'static Table>) {
    if tables.iter().any(|known| known.name == table.name) {
        return;
    }
    tables.push(table);
    for field in &table.fields {
        if let Some(below) = table_in((field.shape)()) {
            collect(below, tables);
        }
    }
}

/// The table that a shape leads to, through lists and maps.
fn table_in(shape: Shape) -> Option<&'static Table> {
    match shape {
        Shape::Table(table) => Some(table()),
        Shape::List(element) => table_in(element()),
        Shape::Map(_, value) => table_in(value()),
        _ => None,
    }
}

fn gather_units(shape: Shape, units: &mut Vec<(&'static str, &'static [&'static str])>) {
    match shape {
        Shape::Unit(unit) if units.iter().all(|(what, _)| *what != unit.what) => {
            units.push((unit.what, unit.examples))
        }
        Shape::List(element) => gather_units(element(), units),
        Shape::Map(names, value) => {
            gather_units(Shape::Unit(names), units);
            gather_units(value(), units);
        }
        _ => {}
    }
}

fn section(page: &mut String, table: &'static Table) {
    let title = if table.name == "Desired" {
        "The root"
    } else {
        table.name
    };
    let _ = writeln!(page, "\n## {title}\n\n{}", prose(table.about));
    if !table.short.is_empty() {
        let fields: Vec<String> = table.short.iter().map(|name| code(name)).collect();
        let _ = writeln!(page, "\nA bare value stands for {}.", fields.join(" and "));
    }
    if !table.one_of.is_empty() {
        let fields: Vec<String> = table.one_of.iter().map(|name| code(name)).collect();
        let _ = writeln!(page, "\nExactly one of {} is written.", fields.join(", "));
    }
    let kinds = table.fields.iter().any(|field| !field.on.is_empty());
    let _ = writeln!(
        page,
        "\n| field | is | default | says |{}\n| --- | --- | --- | --- |{}",
        if kinds { " in |" } else { "" },
        if kinds { " --- |" } else { "" }
    );
    for field in &table.fields {
        row(page, field, kinds);
    }
}

fn row(page: &mut String, field: &Field, kinds: bool) {
    let kind = field.on.first().copied().unwrap_or_default();
    let default = match (field.default)(kind) {
        Some(node) => code(&print_value(&node)),
        None if field.required => "required".to_owned(),
        None => String::new(),
    };
    let number = matches!((field.shape)(), Shape::Integer { .. } | Shape::Bool);
    let example = match field.example {
        "" => String::new(),
        text if number || text.starts_with(['{', '[']) => format!(" Example: {}", code(text)),
        text => format!(" Example: {}", code(&format!("\"{text}\""))),
    };
    let on = match (kinds, field.on.is_empty()) {
        (false, _) => String::new(),
        (true, true) => " all |".to_owned(),
        (true, false) => format!(" {} |", field.on.join(", ")),
    };
    let _ = writeln!(
        page,
        "| {} | {} | {default} | {}{example} |{on}",
        code(field.name),
        is((field.shape)()),
        prose(field.about).replace('|', "\\|")
    );
}

/// What may stand there, in a few words.
fn is(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Bool => "true or false".to_owned(),
        Shape::Integer { .. } => "a whole number".to_owned(),
        Shape::Unit(unit) => unit.what.to_owned(),
        Shape::Choice(choices) => choices
            .iter()
            .map(|choice| code(choice.word))
            .collect::<Vec<_>>()
            .join(" "),
        Shape::Refer(tables) => format!("the name of {}", named(tables)),
        Shape::List(element) => format!("list: {}", is(element())),
        Shape::Map(_, value) => format!("by name: {}", is(value())),
        Shape::Table(table) => {
            let name = table().name;
            format!("[{name}](#{})", name.to_lowercase())
        }
    }
}

/// What a reference may name. The kinds of components and of resources go by one word each, as there are many.
fn named(tables: &[&str]) -> String {
    let kinds: Vec<&str> = ComponentKind::ALL.iter().map(|kind| kind.word()).collect();
    let stores: Vec<&str> = ResourceKind::ALL.iter().map(|kind| kind.word()).collect();
    let mut words: Vec<String> = Vec::new();
    for (group, word) in [(&kinds, "a component"), (&stores, "a resource")] {
        if group.len() > 1 && group.iter().all(|kind| tables.contains(kind)) {
            words.push(word.to_owned());
        }
    }
    for table in tables {
        let told = |group: &[&str]| group.contains(table) && group.iter().all(|kind| tables.contains(kind));
        if !told(&kinds) && !told(&stores) {
            let article = if table.starts_with(['a', 'e', 'i', 'o']) {
                "an"
            } else {
                "a"
            };
            words.push(format!("{article} {}", code(table)));
        }
    }
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}
