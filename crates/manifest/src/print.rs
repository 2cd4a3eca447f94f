//! What is desired, printed as a manifest again.

use towpath_model::Desired;
use towpath_model::spec::{Kind, Node};
use towpath_model::word::Word;

/// A manifest that means the same. Every default is spelled out, so that it still means the same under later ones.
pub fn print(desired: &Desired) -> String {
    let Some(Node {
        kind: Kind::Table(entries),
        ..
    }) = desired.write("")
    else {
        return String::new();
    };
    let table: toml::Table = entries
        .iter()
        .filter_map(|(name, node)| Some((name.clone(), value(node)?)))
        .collect();
    // Plain values come before tables in TOML; the printer sorts that out.
    toml::to_string(&table).unwrap_or_default()
}

/// One value as it would be written on a line.
pub fn print_value(node: &Node) -> String {
    match value(node) {
        Some(toml::Value::Table(table)) if table.is_empty() => "{}".to_owned(),
        Some(value) => value.to_string(),
        None => "?".to_owned(),
    }
}

fn value(node: &Node) -> Option<toml::Value> {
    Some(match &node.kind {
        Kind::Text(text) | Kind::Decimal(text) => toml::Value::String(text.clone()),
        Kind::Integer(number) => toml::Value::Integer(*number),
        Kind::Bool(flag) => toml::Value::Boolean(*flag),
        Kind::List(list) => toml::Value::Array(list.iter().filter_map(|one| value(one)).collect()),
        Kind::Table(entries) => toml::Value::Table(
            entries
                .iter()
                .filter_map(|(name, node)| Some((name.clone(), value(node)?)))
                .collect(),
        ),
        Kind::Off => toml::Value::Boolean(false),
        Kind::Bad => return None,
    })
}
