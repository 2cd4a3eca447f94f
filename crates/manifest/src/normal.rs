//! The normal form: every node checked against the shape of its field, every shorthand spelled out.
//!
//! What is wrong is told, marked [`Kind::Bad`] and otherwise passed over, so that all of it is told in one run and
//! nothing follows from a value that nobody meant. What is missing is not noticed here: an environment lays over
//! only a part, and whether the whole is complete is seen when it is laid.

mod scalar;
mod synonym;
mod unknown;

use crate::print::print_value;
use crate::whole::{spoken, with_article};
use std::collections::BTreeSet;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::finding::{Finding, Shown, Where, listed};
use towpath_model::spec::{Entries, Kind, Node, Span, Tree};
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

/// What was told to be written wrongly, so that nothing which only follows from it is told, too.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Words that were meant by unknown ones, each with the place of its table.
    pub(crate) meant: BTreeSet<(Span, &'static str)>,
    /// Names that are written against the rule of names.
    pub(crate) names: BTreeSet<String>,
}

/// Texts that mean something without a letter in them: a variable that is set to nothing, a request without a body.
const MAY_BE_EMPTY: &[&str] = &["value", "example", "body"];

/// The unknown words for which the one that was meant is looked for: behind that many nobody reads on.
const MOST_COMPARED: u32 = 1000;

/// Brings a whole manifest into its normal form.
pub(crate) fn normalize(written: &Tree, findings: &mut Vec<Finding>) -> (Tree, Told) {
    let root = written.table().cloned().unwrap_or_default();
    let mut normalizer = Normalizer {
        root: &root,
        findings,
        told: Told::default(),
        compared: 0,
        over: false,
    };
    let trail = Trail {
        above: None,
        name: "",
    };
    let tree = Arc::new(normalizer.table(written, Desired::table(), "", &trail));
    (tree, normalizer.told)
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
    told: Told,
    /// How many unknown words have been compared with the known ones.
    compared: u32,
    /// What is read now is laid over the root by an environment.
    over: bool,
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
        let shape = (field.shape)();
        let kind = if field.kind.is_empty() { kind } else { field.kind };
        if node.kind == Kind::Bool(false) && !matches!(shape, Shape::Bool) {
            return if field.optional {
                Arc::new(node.with(Kind::Off))
            } else {
                Arc::new(self.not_optional(node, field, kind, trail))
            };
        }
        if matches!(shape, Shape::Text) && says_nothing(node) && !MAY_BE_EMPTY.contains(&field.name) {
            self.blank(node, trail);
        }
        let before = self.findings.len();
        let value = self.shaped(node, shape, kind, trail);
        if value.kind == Kind::Bad
            && let (Shape::Unit(unit), Kind::Integer(number)) = (shape, &node.kind)
            && let Some(usual) = scalar::in_usual_unit(*number, field, unit, kind)
            && let Some(finding) = self.findings[before..].last_mut()
        {
            finding.hint = Some(format!("did you mean \"{usual}\"?"));
        }
        value
    }

    /// `false` for something that is always there.
    fn not_optional(&mut self, node: &Node, field: &Field, kind: &str, trail: &Trail<'_>) -> Node {
        let name = trail.text();
        let hint = match ((field.shape)(), (field.default)(kind)) {
            (Shape::List(_), _) => format!("write {} = [] for none", field.name),
            (Shape::Map(..), _) => {
                "an environment adds to these; take single ones out where they are declared".to_owned()
            }
            (_, Some(usual)) if usual.scalar().is_some() => {
                format!("leave it out for {}, or write another value", print_value(&usual))
            }
            _ => "leave it out where the usual will do, or write what it should be".to_owned(),
        };
        let finding = Finding::new(
            &code::NOT_OPTIONAL,
            at_value(node),
            format!("`{name}` cannot be switched off with `false`"),
        )
        .label("cannot be `false`")
        .hint(hint);
        self.bad(node, finding)
    }

    /// Text with nothing in it.
    fn blank(&mut self, node: &Node, trail: &Trail<'_>) {
        let message = format!("`{}` is empty", trail.text());
        self.findings.push(
            Finding::new(&code::EMPTY_TEXT, at_value(node), message)
                .label("says nothing")
                .hint("write something, or take the line out"),
        );
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
            let name = trail.text();
            let message = format!("`{name}` has to be a table of named things, not {}", node.what());
            let hint = match trail.above {
                Some(above) if above.above.is_some() => format!("write {} = {{ NAME = .. }}", trail.name),
                _ => format!("write [{name}.NAME] and its fields below"),
            };
            let finding = Finding::new(&code::WRONG_TYPE, at_value(node), message)
                .label("a table is expected")
                .hint(hint);
            return Arc::new(self.bad(node, finding));
        };
        let mut normal = Entries::with_capacity(entries.len());
        for (name, entry) in entries {
            if let Err(misread) = (names.check)(name) {
                self.wrong_name(name, entry, names, &misread);
                // What is wrong in it is told all the same.
                self.shaped(entry, value, kind, &trail.below(&Shown(name).to_string()));
                continue;
            }
            let below = trail.below(name);
            let entry = match (&entry.kind, value) {
                // `DEBUG = true` among variables is a text like all others there, and not an empty table.
                (Kind::Bool(flag), Shape::Table(table)) if stands_for_text(table()) => self.shaped(
                    &Arc::new(entry.with(Kind::Text(flag.to_string()))),
                    value,
                    kind,
                    &below,
                ),
                (Kind::Bool(false), Shape::Table(table)) if !stands_for_bool(table()) => {
                    Arc::new(self.thing_off(entry, kind, &below))
                }
                (_, Shape::Table(table)) if self.is_field_of_none(name, entry, table()) => {
                    Arc::new(self.without_name(name, entry, trail))
                }
                _ => self.shaped(entry, value, kind, &below),
            };
            normal.insert(name.clone(), entry);
        }
        Arc::new(node.with(Kind::Table(normal)))
    }

    /// Whether somebody wrote a field where a name is expected: `[postgres]` and below it `version = 16`.
    fn is_field_of_none(&self, name: &str, entry: &Node, table: &Table) -> bool {
        entry.table().is_none() && table.short.is_empty() && table.field(name).is_some()
    }

    fn without_name(&mut self, name: &str, entry: &Node, trail: &Trail<'_>) -> Node {
        let table = trail.text();
        let message = format!("`{name}` stands directly in `{table}`, but everything there has a name");
        let finding = Finding::new(&code::WRONG_TYPE, at_key(entry), message)
            .label("a name is expected")
            .hint(format!("write [{table}.NAME], and `{name}` below it"));
        self.bad(entry, finding)
    }

    /// `false` for a named thing.
    fn thing_off(&mut self, entry: &Node, kind: &str, trail: &Trail<'_>) -> Node {
        let name = trail.text();
        let hint = if ComponentKind::ALL.iter().any(|one| one.word() == kind) {
            format!("say where it is present: only = [\"..\"] in [{name}]")
        } else if self.over {
            "what is declared is there in every environment".to_owned()
        } else {
            "take it out where nothing needs it".to_owned()
        };
        let finding = Finding::new(
            &code::NOT_OPTIONAL,
            at_value(entry),
            format!("`{name}` cannot be switched off with `false`"),
        )
        .label("cannot be `false`")
        .hint(hint);
        self.bad(entry, finding)
    }

    fn wrong_name(&mut self, name: &str, entry: &Node, names: UnitShape, misread: &Misread) {
        self.told.names.insert(name.to_owned());
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
                if table.fields.iter().all(|field| !field.required)
                    && table.one_of.is_empty()
                    && !stands_for_bool(table) =>
            {
                Arc::new(node.with(Kind::Table(Entries::new())))
            }
            _ if self.names_something(node, table) => self.short(node, &[table.named], table, kind, trail),
            _ if !table.short.is_empty() => self.short(node, table.short, table, kind, trail),
            _ => {
                let message = format!("`{}` has to be a table, not {}", trail.text(), node.what());
                let finding = Finding::new(&code::WRONG_TYPE, at_value(node), message)
                    .label("a table is expected")
                    .hint(listing(table, kind, trail));
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
        // Where a bare text is either a name or the value itself, the one takes the place of the other.
        if self.over && !table.named.is_empty() {
            for name in table.short.iter().copied().chain([table.named]) {
                if !entries.contains_key(name) {
                    entries.insert(name.to_owned(), Arc::new(node.with(Kind::Off)));
                }
            }
        }
        Arc::new(node.with(Kind::Table(entries)))
    }

    fn table(&mut self, node: &Node, table: &'static Table, kind: &str, trail: &Trail<'_>) -> Node {
        let Kind::Table(written) = &node.kind else {
            return node.with(Kind::Bad);
        };
        let mut normal = Entries::with_capacity(written.len());
        let mut strays = Vec::new();
        for (name, entry) in written {
            match table.field(name) {
                Some(field) if field.belongs_to(kind) => {
                    let value = self.value(entry, field, kind, &trail.below(name));
                    normal.insert(name.clone(), value);
                }
                Some(field) => self.wrong_kind(entry, field, table, kind, trail),
                None if table.overlays => {
                    if let Some(value) = self.overlay(name, entry, table, trail) {
                        normal.insert(name.clone(), value);
                    }
                }
                None => {
                    if let (Some(word), Some(place)) =
                        (self.unknown(name, entry, table, kind, trail), node.at)
                    {
                        self.told.meant.insert((place.key, word));
                        strays.extend(self.stray(name, entry, word, (table, kind), trail));
                    }
                }
            }
        }
        for (word, value) in strays {
            adopt(&mut normal, word, value);
        }
        node.with(Kind::Table(normal))
    }

    /// What stands under a misspelled word, as if it stood under the word that was meant: what is wrong in it is
    /// told in the same run, and nothing is told that only follows from the slip.
    fn stray(
        &mut self,
        name: &str,
        entry: &Tree,
        word: &'static str,
        (table, kind): (&'static Table, &str),
        trail: &Trail<'_>,
    ) -> Option<(&'static str, Tree)> {
        let field = table.field(word)?;
        let before = self.findings.len();
        let value = self.value(entry, field, kind, &trail.below(name));
        if !matches!((field.shape)(), Shape::Map(..)) {
            // What was meant is only a guess, so a value that does not suit it is no second mistake.
            self.findings.truncate(before);
        }
        Some((word, value))
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
                    .hint(if self.root.contains_key(name) {
                        "take it out: what the root says holds in all environments"
                    } else {
                        "move it to the root of the manifest"
                    }),
            );
            return None;
        }
        self.over = true;
        let value = self.value(entry, field, "", &Trail { above: None, name });
        self.over = false;
        Some(value)
    }

    fn wrong_kind(&mut self, entry: &Node, field: &Field, table: &Table, kind: &str, trail: &Trail<'_>) {
        let owners = listed(field.on.iter().copied(), "and");
        let whose = if table.name == "Component" || table.name == "Resource" {
            with_article(&spoken(kind))
        } else {
            format!("the `{}` of {}", trail.name, with_article(&spoken(kind)))
        };
        let message = format!("`{}` does not belong to {whose}", field.name);
        let plural = if field.on.len() == 1 {
            "that is a field of"
        } else {
            "it is a field of"
        };
        let hint =
            synonym::instead(field.name, kind).map_or_else(|| format!("{plural} {owners}"), str::to_owned);
        self.findings.push(
            Finding::new(&code::WRONG_KIND, at_key(entry), message)
                .label(format!("not in {}", with_article(&spoken(kind))))
                .hint(hint),
        );
    }
}

/// Puts what stood under a misspelled word to what stands under the right one, which wins.
fn adopt(normal: &mut Entries, word: &'static str, value: Tree) {
    let Some(there) = normal.get_mut(word) else {
        normal.insert(word.to_owned(), value);
        return;
    };
    if let (Kind::Table(known), Kind::Table(more)) = (&there.kind, &value.kind) {
        let mut joined = known.clone();
        for (name, node) in more {
            joined.entry(name.clone()).or_insert_with(|| Arc::clone(node));
        }
        *there = Arc::new(there.with(Kind::Table(joined)));
    }
}

/// Whether a bare `false` is a value of such a table.
fn stands_for_bool(table: &Table) -> bool {
    let first = table.short.first().and_then(|name| table.field(name));
    first.is_some_and(|field| matches!((field.shape)(), Shape::Bool))
}

/// Whether a bare value is the text of such a table, whatever else it could be.
fn stands_for_text(table: &Table) -> bool {
    let first = table.short.first().and_then(|name| table.field(name));
    first.is_some_and(|field| matches!((field.shape)(), Shape::Text))
}

/// Whether it is text of nothing but space.
fn says_nothing(node: &Node) -> bool {
    matches!(&node.kind, Kind::Text(text) if text.trim().is_empty())
}

/// The words of a table, or where to find them when there are many.
fn listing(table: &Table, kind: &str, trail: &Trail<'_>) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = table.fields_on(kind).map(|field| field.name).collect();
    if names.len() <= SHOWN {
        format!("it knows {}", listed(names.into_iter(), "and"))
    } else {
        format!("`towpath explain {}` lists its words", trail.text())
    }
}
