//! The normal form: every node checked against the shape of its field, every shorthand spelled out.
//!
//! What is wrong is told, marked [`Kind::Bad`] and otherwise passed over, so that all of it is told in one run and
//! nothing follows from a value that nobody meant. What is missing is not noticed here: an environment lays over
//! only a part, and whether the whole is complete is seen when it is laid.

mod scalar;
mod synonym;

use crate::near::nearest;
use std::sync::Arc;
use synonym::synonym;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::{Entries, Kind, Node, Tree};
use towpath_model::unit::Misread;
use towpath_model::word::{Field, Shape, Table, UnitShape};

/// The words of the root that say what the product is; an environment cannot lay anything over them.
pub(crate) const FIXED: &[&str] = &[
    "product",
    "include",
    "environment",
    "title",
    "ci",
    "decision",
    "releases",
    "exports",
];

/// Brings a whole manifest into its normal form.
pub(crate) fn normalize(written: &Tree, findings: &mut Vec<Finding>) -> Tree {
    let root = written.table().cloned().unwrap_or_default();
    let mut normalizer = Normalizer {
        root: &root,
        findings,
    };
    let trail = Trail {
        above: None,
        name: "",
    };
    Arc::new(normalizer.table(written, Desired::table(), "", &trail))
}

/// The way to a node, on the stack: it is spelled out only for a message.
struct Trail<'a> {
    above: Option<&'a Trail<'a>>,
    name: &'a str,
}

impl Trail<'_> {
    fn below<'b>(&'b self, name: &'b str) -> Trail<'b> {
        Trail {
            above: Some(self),
            name,
        }
    }

    fn text(&self) -> String {
        let above = self.above.map(Trail::text).unwrap_or_default();
        if above.is_empty() {
            self.name.to_owned()
        } else {
            format!("{above}.{}", self.name)
        }
    }
}

struct Normalizer<'a> {
    root: &'a Entries,
    findings: &'a mut Vec<Finding>,
}

/// Where the value of a node stands.
fn at_value(node: &Node) -> Where {
    Where::Span(node.at.map(|place| place.value).unwrap_or_default())
}

/// Where the key of a node stands.
fn at_key(node: &Node) -> Where {
    Where::Span(node.at.map(|place| place.key).unwrap_or_default())
}

impl Normalizer<'_> {
    fn bad(&mut self, node: &Node, finding: Finding) -> Node {
        self.findings.push(finding);
        node.with(Kind::Bad)
    }

    /// One value of a field.
    fn value(&mut self, node: &Tree, field: &Field, kind: &str, trail: &Trail<'_>) -> Tree {
        if node.kind == Kind::Bool(false) && field.optional && !matches!((field.shape)(), Shape::Bool) {
            return Arc::new(node.with(Kind::Off));
        }
        let kind = if field.kind.is_empty() { kind } else { field.kind };
        self.shaped(node, (field.shape)(), kind, trail)
    }

    fn shaped(&mut self, node: &Tree, shape: Shape, kind: &str, trail: &Trail<'_>) -> Tree {
        if node.kind == Kind::Bad {
            return Arc::clone(node);
        }
        match shape {
            Shape::List(element) => self.list(node, element(), kind, trail),
            Shape::Map(names, value) => self.map(node, names, value(), kind, trail),
            Shape::Table(table) => self.table_or_short(node, table(), kind, trail),
            Shape::Text
            | Shape::Bool
            | Shape::Integer { .. }
            | Shape::Unit(_)
            | Shape::Choice(_)
            | Shape::Refer(_) => match scalar::scalar(node, shape, &|| trail.text()) {
                Ok(kind) => Arc::new(node.with(kind)),
                Err(finding) => Arc::new(self.bad(node, *finding)),
            },
        }
    }

    fn list(&mut self, node: &Tree, element: Shape, kind: &str, trail: &Trail<'_>) -> Tree {
        let elements = match &node.kind {
            Kind::List(elements) => elements
                .iter()
                .map(|one| self.shaped(one, element, kind, trail))
                .collect(),
            _ => vec![self.shaped(node, element, kind, trail)],
        };
        Arc::new(node.with(Kind::List(elements)))
    }

    fn map(&mut self, node: &Tree, names: UnitShape, value: Shape, kind: &str, trail: &Trail<'_>) -> Tree {
        let Kind::Table(entries) = &node.kind else {
            let message = format!(
                "`{}` is a table of named things, not {}",
                trail.text(),
                node.what()
            );
            let finding = Finding::new(&code::WRONG_TYPE, at_value(node), message)
                .label("a table is expected")
                .hint(format!("write [{}.NAME] and its fields below", trail.text()));
            return Arc::new(self.bad(node, finding));
        };
        let mut normal = Entries::with_capacity(entries.len());
        for (name, entry) in entries {
            if let Err(misread) = (names.check)(name) {
                self.wrong_name(name, entry, names, &misread);
                continue;
            }
            normal.insert(name.clone(), self.shaped(entry, value, kind, &trail.below(name)));
        }
        Arc::new(node.with(Kind::Table(normal)))
    }

    fn wrong_name(&mut self, name: &str, entry: &Node, names: UnitShape, misread: &Misread) {
        let message = format!("`{}` is not {}: it {}", Shown(name), names.what, misread.because);
        let hint = misread
            .meant
            .as_ref()
            .map(|meant| format!("did you mean `{meant}`?"));
        self.findings.push(
            Finding::new(&code::WRONG_NAME, at_key(entry), message)
                .label(format!("{} is expected", names.what))
                .maybe_hint(hint),
        );
    }

    fn table_or_short(&mut self, node: &Tree, table: &'static Table, kind: &str, trail: &Trail<'_>) -> Tree {
        match &node.kind {
            Kind::Table(_) => Arc::new(self.table(node, table, kind, trail)),
            Kind::Bool(true)
                if table.fields.iter().all(|field| !field.required) && table.one_of.is_empty() =>
            {
                Arc::new(node.with(Kind::Table(Entries::new())))
            }
            _ if self.names_something(node, table) => self.short(node, &[table.named], table, kind, trail),
            _ if !table.short.is_empty() => self.short(node, table.short, table, kind, trail),
            _ => {
                let message = format!("`{}` is a table, not {}", trail.text(), node.what());
                let finding = Finding::new(&code::WRONG_TYPE, at_value(node), message)
                    .label("a table is expected")
                    .hint(format!("its fields are {}", some_names(table, kind)));
                Arc::new(self.bad(node, finding))
            }
        }
    }

    /// Whether a bare text is the name of something that the table's `named` field may refer to.
    fn names_something(&self, node: &Node, table: &Table) -> bool {
        let (Kind::Text(text), Some(field)) = (&node.kind, table.field(table.named)) else {
            return false;
        };
        let Shape::Refer(tables) = (field.shape)() else {
            return false;
        };
        tables.iter().any(|name| {
            self.root
                .get(*name)
                .is_some_and(|entries| entries.get(text).is_some())
        })
    }

    /// A bare value, as the table that it stands for.
    fn short(
        &mut self,
        node: &Tree,
        fields: &[&str],
        table: &'static Table,
        kind: &str,
        trail: &Trail<'_>,
    ) -> Tree {
        let mut entries = Entries::new();
        for (position, name) in fields.iter().enumerate() {
            let Some(field) = table.field(name) else { continue };
            let before = self.findings.len();
            let value = self.value(node, field, kind, trail);
            if position > 0 {
                // The same value was told to be wrong for the first field.
                self.findings.truncate(before);
            }
            if value.kind == Kind::Bad {
                return value;
            }
            entries.insert(field.name.to_owned(), value);
        }
        Arc::new(node.with(Kind::Table(entries)))
    }

    fn table(&mut self, node: &Node, table: &'static Table, kind: &str, trail: &Trail<'_>) -> Node {
        let Kind::Table(written) = &node.kind else {
            return node.with(Kind::Bad);
        };
        let mut normal = Entries::with_capacity(written.len());
        for (name, entry) in written {
            match table.field(name) {
                Some(field) if field.belongs_to(kind) => {
                    let value = self.value(entry, field, kind, &trail.below(name));
                    normal.insert(name.clone(), value);
                }
                Some(field) => self.wrong_kind(entry, field, table, kind),
                None if table.overlays => {
                    if let Some(value) = self.overlay(name, entry, table, trail) {
                        normal.insert(name.clone(), value);
                    }
                }
                None => self.unknown(name, entry, table, kind, trail),
            }
        }
        node.with(Kind::Table(normal))
    }

    /// A word of the root in an environment.
    fn overlay(
        &mut self,
        name: &str,
        entry: &Tree,
        table: &'static Table,
        trail: &Trail<'_>,
    ) -> Option<Tree> {
        let Some(field) = Desired::table().field(name) else {
            self.unknown(name, entry, table, "", trail);
            return None;
        };
        if FIXED.contains(&name) {
            let message = format!("`{name}` is said for the whole product, not for one environment");
            self.findings.push(
                Finding::new(&code::NOT_IN_ENVIRONMENT, at_key(entry), message)
                    .label("not here")
                    .hint("move it to the root of the manifest"),
            );
            return None;
        }
        Some(self.value(entry, field, "", &Trail { above: None, name }))
    }

    fn wrong_kind(&mut self, entry: &Node, field: &Field, table: &Table, kind: &str) {
        let owners = list_of(field.on.iter().copied(), "and");
        let what = if table.name == "Component" || table.name == "Resource" {
            kind
        } else {
            "this"
        };
        let message = format!("`{}` does not belong to a {what}", field.name);
        let plural = if field.on.len() == 1 {
            "that is a field of"
        } else {
            "it is a field of"
        };
        let hint =
            synonym::instead(field.name, kind).map_or_else(|| format!("{plural} {owners}"), str::to_owned);
        self.findings.push(
            Finding::new(&code::WRONG_KIND, at_key(entry), message)
                .label(format!("not in a {kind}"))
                .hint(hint),
        );
    }

    fn unknown(&mut self, name: &str, entry: &Node, table: &'static Table, kind: &str, trail: &Trail<'_>) {
        let place = trail.text();
        let root = place.is_empty() || table.overlays;
        let shown = Shown(name);
        let message = if place.is_empty() {
            format!("`{shown}` is not a word of the manifest")
        } else if table.overlays {
            format!("`{shown}` is not a word of an environment, nor of the root")
        } else {
            format!("`{shown}` is not a word of `{}`", Shown(&place))
        };
        let own = table.fields_on(kind).map(|field| field.name);
        let roots = Desired::table()
            .fields
            .iter()
            .map(|field| field.name)
            .filter(|_| table.overlays);
        let known: Vec<&str> = own.chain(roots).collect();
        let meant = synonym(name, root)
            .filter(|word| known.contains(word))
            .or_else(|| nearest(name, known.iter().copied()));
        let hint = match meant {
            Some(word) => format!("did you mean `{word}`?"),
            None if place.is_empty() => "`towpath explain` lists all words".to_owned(),
            None => format!("it knows {}", some_names(table, kind)),
        };
        self.findings.push(
            Finding::new(&code::UNKNOWN_WORD, at_key(entry), message)
                .label("unknown word")
                .hint(hint),
        );
    }
}

/// The names of a table's fields, or of the first few where there are many.
fn some_names(table: &Table, kind: &str) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = table.fields_on(kind).map(|field| field.name).collect();
    let shown = list_of(
        names.iter().copied().take(SHOWN),
        if names.len() > SHOWN { "," } else { "and" },
    );
    if names.len() > SHOWN {
        format!("{shown} and {} more", names.len() - SHOWN)
    } else {
        shown
    }
}

/// `a`, `b` and `c`.
pub(crate) fn list_of<'a>(words: impl Iterator<Item = &'a str>, joint: &str) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() && joint != "," => {
            format!("{} {joint} {last}", rest.join(", "))
        }
        _ => words.join(", "),
    }
}
