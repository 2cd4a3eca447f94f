//! Whether the whole is complete: what is required is there, and what is referred to exists.

use crate::near::nearest;
use crate::normal::list_of;
use std::collections::BTreeSet;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::{Kind, Node, Place, Tree};
use towpath_model::unit::Name;
use towpath_model::word::{Field, Map, Shape, Table};

/// Checks the root, and of each environment what it lays over the root.
pub(crate) fn check(root: &Tree, layers: &Map<Name, Tree>, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    let known: Vec<&Tree> = std::iter::once(root).chain(layers.values()).collect();
    for tree in std::iter::once(root).chain(layers.values()) {
        let base = if Arc::ptr_eq(tree, root) { None } else { Some(root) };
        let mut found = Vec::new();
        let mut walk = Walk {
            known: &known,
            findings: &mut found,
        };
        walk.table(tree, base.map(|base| &**base), Desired::table(), "", tree.at, "");
        for finding in found {
            if seen.insert((finding.at.clone(), finding.message.clone())) {
                findings.push(finding);
            }
        }
    }
}

/// Takes out what only follows from something that has been told.
pub(crate) fn silence(root: &Tree, findings: &mut Vec<Finding>) {
    let _ = root;
    findings.sort_by(|one, other| one.at.cmp(&other.at));
    findings.dedup();
}

struct Walk<'a> {
    /// The trees in which names may be declared.
    known: &'a [&'a Tree],
    findings: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    /// `base` is the same table in the root: what is the same there has been checked.
    fn table(
        &mut self,
        node: &Node,
        base: Option<&Node>,
        table: &'static Table,
        kind: &str,
        from: Option<Place>,
        name: &str,
    ) {
        let Some(entries) = node.table() else { return };
        let at = node.at.or(from);
        self.required(node, table, kind, at, name);
        for (key, value) in entries {
            let Some(field) = table.field(key) else { continue };
            let before = base.and_then(|base| base.get(key));
            if before.is_some_and(|before| Arc::ptr_eq(before, value)) {
                continue;
            }
            let below = if field.kind.is_empty() { kind } else { field.kind };
            self.value(
                value,
                before.map(|before| &**before),
                (field.shape)(),
                below,
                value.at.or(at),
                key,
            );
        }
    }

    fn required(&mut self, node: &Node, table: &Table, kind: &str, at: Option<Place>, name: &str) {
        let place = Where::Span(at.map(|place| place.key).unwrap_or_default());
        for field in table
            .fields_on(kind)
            .filter(|field| field.required && node.get(field.name).is_none())
        {
            let whose = if name.is_empty() {
                "the manifest".to_owned()
            } else {
                format!("`{}`", Shown(name))
            };
            self.findings.push(
                Finding::new(
                    &code::MISSING_WORD,
                    place.clone(),
                    format!("{whose} has no `{}`", field.name),
                )
                .label(format!("`{}` is missing", field.name))
                .hint(proposal(field)),
            );
        }
        if table.one_of.is_empty() {
            return;
        }
        let written: Vec<&str> = table
            .one_of
            .iter()
            .copied()
            .filter(|one| node.get(one).is_some())
            .collect();
        if written.len() == 1 {
            return;
        }
        let all = list_of(table.one_of.iter().copied(), "or");
        let name = Shown(name);
        let (message, label) = if written.is_empty() {
            (
                format!("`{name}` does not say what it is"),
                format!("one of {all} is missing"),
            )
        } else {
            let both = list_of(written.iter().copied(), "and");
            (
                format!("`{name}` has {both}, but can be only one of them"),
                "only one of them".to_owned(),
            )
        };
        let hint = if written.is_empty() {
            format!("write exactly one of {all}")
        } else {
            "keep one of them".to_owned()
        };
        self.findings.push(
            Finding::new(&code::ONE_OF, place, message)
                .label(label)
                .hint(hint),
        );
    }

    fn value(
        &mut self,
        node: &Node,
        base: Option<&Node>,
        shape: Shape,
        kind: &str,
        from: Option<Place>,
        name: &str,
    ) {
        match shape {
            Shape::List(element) => {
                for one in node.list().into_iter().flatten() {
                    self.value(one, None, element(), kind, one.at.or(from), name);
                }
            }
            Shape::Map(_, entry) => {
                for (key, value) in node.table().into_iter().flatten() {
                    let before = base.and_then(|base| base.get(key));
                    if before.is_some_and(|before| Arc::ptr_eq(before, value)) {
                        continue;
                    }
                    self.value(
                        value,
                        before.map(|before| &**before),
                        entry(),
                        kind,
                        value.at.or(from),
                        key,
                    );
                }
            }
            Shape::Table(table) => self.table(node, base, table(), kind, from, name),
            Shape::Refer(tables) => self.reference(node, tables),
            Shape::Text => self.taken(node),
            Shape::Bool | Shape::Integer { .. } | Shape::Unit(_) | Shape::Choice(_) => {}
        }
    }

    fn declares(&self, table: &str, name: &str) -> bool {
        self.known
            .iter()
            .any(|tree| tree.get(table).is_some_and(|entries| entries.get(name).is_some()))
    }

    fn names_in<'b>(&'b self, tables: &'b [&'static str]) -> impl Iterator<Item = &'b str> {
        self.known.iter().flat_map(move |tree| {
            tables
                .iter()
                .filter_map(|table| tree.get(table)?.table())
                .flat_map(|entries| entries.keys().map(String::as_str))
        })
    }

    fn reference(&mut self, node: &Node, tables: &'static [&'static str]) {
        let (Kind::Text(name), Some(place)) = (&node.kind, node.at) else {
            return;
        };
        if tables.iter().any(|table| self.declares(table, name)) {
            return;
        }
        let wanted = sort_of(tables);
        let elsewhere = Desired::table()
            .fields
            .iter()
            .find(|field| matches!((field.shape)(), Shape::Map(..)) && self.declares(field.name, name));
        let at = Where::Span(place.value);
        let finding = match elsewhere {
            Some(field) => {
                let message = format!(
                    "`{}` is a {}, but {wanted} is wanted here",
                    Shown(name),
                    spoken(field.name)
                );
                Finding::new(&code::WRONG_TARGET, at, message).label(format!("{wanted} is expected"))
            }
            None => {
                let message = format!(
                    "there is no {} named `{}`",
                    wanted.trim_start_matches("an ").trim_start_matches("a "),
                    Shown(name)
                );
                Finding::new(&code::UNKNOWN_NAME, at, message).label("not declared anywhere")
            }
        };
        let hint = match nearest(name, self.names_in(tables)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => self.offer(tables, name),
        };
        self.findings.push(finding.hint(hint));
    }

    /// What to do about a name that nothing is near to.
    fn offer(&self, tables: &'static [&'static str], name: &str) -> String {
        const SHOWN: usize = 8;
        let names: BTreeSet<&str> = self.names_in(tables).collect();
        let first = tables.first().copied().unwrap_or_default();
        match names.len() {
            0 => format!("declare it: [{first}.{}]", Shown(name)),
            count if count <= SHOWN => format!("there is {}", list_of(names.into_iter(), "and")),
            _ => format!("declare it: [{first}.{}], or use one that is there", Shown(name)),
        }
    }

    /// Text that takes its value from elsewhere: `secret:NAME`, `from:db.url`, `flag:NAME`.
    fn taken(&mut self, node: &Node) {
        let (Kind::Text(text), Some(place)) = (&node.kind, node.at) else {
            return;
        };
        let (tables, name): (&'static [&'static str], &str) = if let Some(name) = text.strip_prefix("secret:")
        {
            (&["secret"], name)
        } else if let Some(name) = text.strip_prefix("flag:") {
            (&["flag"], name)
        } else if let Some(from) = text.strip_prefix("from:") {
            (
                <towpath_model::desired::component::ToNeeded as towpath_model::word::Target>::TABLES,
                from.split('.').next().unwrap_or(from),
            )
        } else {
            return;
        };
        let name = name.trim();
        if tables.iter().any(|table| self.declares(table, name)) {
            return;
        }
        let wanted = sort_of(tables);
        let message = format!(
            "`{}` takes its value from {wanted} that is not declared",
            Shown(text)
        );
        let hint = match nearest(name, self.names_in(tables)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => self.offer(tables, name),
        };
        self.findings.push(
            Finding::new(&code::UNKNOWN_IN_VALUE, Where::Span(place.value), message)
                .label("not declared anywhere")
                .hint(hint),
        );
    }
}

/// How a missing field would be written.
fn proposal(field: &Field) -> String {
    let about = field
        .about
        .trim()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    let example = match (field.shape)() {
        Shape::Integer { .. } | Shape::Bool => field.example.to_owned(),
        _ => format!("\"{}\"", field.example),
    };
    format!("add {} = {example}: {}", field.name, lower_first(about))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// What a table of the root declares, as people say it.
fn spoken(table: &str) -> String {
    match table {
        "postgres" => "Postgres".to_owned(),
        "redis" => "Redis".to_owned(),
        "external" => "thing outside".to_owned(),
        "oncall" => "rotation".to_owned(),
        "golive" => "go-live item".to_owned(),
        other => other.replace('_', " "),
    }
}

/// What a reference may name, as people say it.
fn sort_of(tables: &[&str]) -> String {
    let has = |table: &str| tables.contains(&table);
    if has("external") && has("service") {
        return "a component, resource or thing outside".to_owned();
    }
    if has("service") && has("postgres") {
        return "a component or resource".to_owned();
    }
    if has("service") {
        return "a component".to_owned();
    }
    if has("postgres") {
        return "a resource".to_owned();
    }
    let names: Vec<String> = tables.iter().map(|table| spoken(table)).collect();
    let joined = names.join(" or ");
    let article = if joined.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {joined}")
}
