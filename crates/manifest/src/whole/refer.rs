//! References: whether what a name or a value refers to is declared, and is of the right sort.

use crate::normal::Told;
use std::cell::Cell;
use std::collections::BTreeSet;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::component::ToNeeded;
use towpath_model::finding::{Finding, Shown, Where, listed};
use towpath_model::near::nearest;
use towpath_model::spec::{Kind, Node, Place, Tree};
use towpath_model::unit::Name;
use towpath_model::word::{Map, Shape, Target, UnitShape};

/// The references that a near name is looked for, in all. Each costs a look at every name, and whoever has that many
/// wrong ones has renamed something, and knows it from the first.
const MOST_COMPARED: u32 = 100;

/// Lists in which a thing may name itself among others.
const WITH_ITSELF: &[&str] = &["together"];

/// All names that are declared anywhere.
pub(super) struct Names<'a> {
    /// The trees in which names may be declared.
    known: Vec<&'a Tree>,
    told: &'a Told,
    /// How many references have been compared with all names.
    compared: Cell<u32>,
}

impl<'a> Names<'a> {
    pub(super) fn of(root: &'a Tree, layers: &'a Map<Name, Tree>, told: &'a Told) -> Self {
        Names {
            known: std::iter::once(root).chain(layers.values()).collect(),
            told,
            compared: Cell::new(0),
        }
    }

    fn declares(&self, table: &str, name: &str) -> bool {
        self.known
            .iter()
            .any(|tree| tree.get(table).is_some_and(|entries| entries.get(name).is_some()))
    }

    fn all_in<'b>(&'b self, tables: &'b [&'static str]) -> impl Iterator<Item = &'b str> {
        self.known.iter().flat_map(move |tree| {
            tables
                .iter()
                .filter_map(|table| tree.get(table)?.table())
                .flat_map(|entries| entries.keys().map(String::as_str))
        })
    }

    /// What is wrong with a reference from a thing, by the field that it stands in.
    pub(super) fn reference(
        &self,
        node: &Node,
        tables: &'static [&'static str],
        field: &str,
        owner: (&str, &str),
    ) -> Option<Finding> {
        let (Kind::Text(name), Some(place)) = (&node.kind, node.at) else {
            return None;
        };
        if tables.contains(&owner.0) && owner.1 == name && !WITH_ITSELF.contains(&field) {
            return Some(itself(owner, field, place));
        }
        if tables.iter().any(|table| self.declares(table, name)) || self.told.names.contains(name) {
            return None;
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
                    "`{}` is {}, but {wanted} is wanted here",
                    Shown(name),
                    with_article(&spoken(field.name))
                );
                let hint = self.advice(tables, "NAME", owner.1);
                return Some(
                    Finding::new(&code::WRONG_TARGET, at, message)
                        .label(format!("{wanted} is expected"))
                        .hint(hint),
                );
            }
            None => {
                let message = format!("there is no {} named `{}`", without_article(&wanted), Shown(name));
                Finding::new(&code::UNKNOWN_NAME, at, message).label("not declared anywhere")
            }
        };
        Some(finding.hint(self.advice(tables, name, owner.1)))
    }

    /// Text that takes its value from elsewhere: `secret:NAME`, `from:db.url`, `flag:NAME`.
    pub(super) fn taken(&self, node: &Node, owner: (&str, &str)) -> Option<Finding> {
        let (Kind::Text(text), Some(place)) = (&node.kind, node.at) else {
            return None;
        };
        let (tables, name) = taken_from(text)?;
        let at = Where::Span(place.value);
        if tables.contains(&owner.0) && owner.1 == name {
            return Some(itself(owner, "value", place));
        }
        if tables.iter().any(|table| self.declares(table, name)) || self.told.names.contains(name) {
            return None;
        }
        let wanted = sort_of(tables);
        if name.is_empty() {
            let message = format!("`{}` does not name {wanted}", Shown(text));
            return Some(
                Finding::new(&code::UNKNOWN_IN_VALUE, at, message)
                    .label("a name is missing")
                    .hint(format!("write {}NAME", Shown(text.trim()))),
            );
        }
        let message = format!(
            "`{}` takes its value from {wanted} that is not declared",
            Shown(text)
        );
        Some(
            Finding::new(&code::UNKNOWN_IN_VALUE, at, message)
                .label("not declared anywhere")
                .hint(self.advice(tables, name, owner.1)),
        )
    }

    /// What to do about a name that is not declared.
    fn advice(&self, tables: &'static [&'static str], name: &str, owner: &str) -> String {
        const SHOWN: usize = 8;
        // What is declared has to have a name that may be one.
        let named = shape_of(tables.first().copied())
            .and_then(|names| (names.check)(name).err()?.meant)
            .unwrap_or_else(|| name.to_owned());
        let declare = match tables {
            _ if tables.contains(&"external") => {
                format!("what lies outside is declared, too: [external.{}]", Shown(&named))
            }
            [first, ..] if named != name => {
                format!("call it `{0}`, and declare it: [{first}.{0}]", Shown(&named))
            }
            [first, ..] => format!("declare it: [{first}.{}]", Shown(&named)),
            [] => String::new(),
        };
        let compared = self.compared.get();
        if compared >= MOST_COMPARED {
            return declare;
        }
        self.compared.set(compared + 1);
        let others = || self.all_in(tables).filter(|other| *other != owner);
        // `postgres` is what many call their only database.
        if let Some(kind) = tables.iter().find(|table| **table == name)
            && let [only] = self
                .all_in(&[*kind])
                .collect::<BTreeSet<&str>>()
                .into_iter()
                .collect::<Vec<_>>()[..]
        {
            return format!("did you mean `{only}`?");
        }
        if name != "NAME"
            && let Some(near) = nearest(name, others())
        {
            return format!("did you mean `{near}`?");
        }
        let names: BTreeSet<&str> = others().collect();
        match names.len() {
            0 => declare,
            1 => format!("there is only {}; {declare}", listed(names.into_iter(), "and")),
            count if count <= SHOWN => format!("there are {}; {declare}", listed(names.into_iter(), "and")),
            _ => declare,
        }
    }
}

/// What the names of a table of the root are.
fn shape_of(table: Option<&str>) -> Option<UnitShape> {
    match (Desired::table().field(table?)?.shape)() {
        Shape::Map(names, _) => Some(names),
        _ => None,
    }
}

/// The tables and the name that a text takes its value from, where it does so.
pub(super) fn taken_from(text: &str) -> Option<(&'static [&'static str], &str)> {
    let (tables, rest): (&'static [&'static str], &str) = if let Some(name) = text.strip_prefix("secret:") {
        (&["secret"], name)
    } else if let Some(name) = text.strip_prefix("flag:") {
        (&["flag"], name)
    } else {
        let from = text.strip_prefix("from:")?;
        (ToNeeded::TABLES, from.split('.').next().unwrap_or(from))
    };
    Some((tables, rest.trim()))
}

fn itself(owner: (&str, &str), field: &str, place: Place) -> Finding {
    let name = Shown(owner.1);
    let (message, hint) = match field {
        "uses" | "name" => (
            format!("`{name}` uses itself"),
            "take it out; instances of one component reach each other without it",
        ),
        "after" => (
            format!("`{name}` comes after itself"),
            "name the environment that a release is in before it gets here",
        ),
        "like" => (
            format!("`{name}` is like itself"),
            "name another environment, or take the line out",
        ),
        "copy" => (
            format!("`{name}` copies its data from itself"),
            "name the environment whose data it gets",
        ),
        "standby" => (
            format!("`{name}` is its own standby"),
            "name the machine that takes over when this one fails",
        ),
        _ => (
            format!("`{name}` refers to itself"),
            "name something else, or take the line out",
        ),
    };
    Finding::new(&code::SELF_REFERENCE, Where::Span(place.value), message)
        .label("this is itself")
        .hint(hint)
}

/// What a table of the root declares, as people say it.
pub(crate) fn spoken(table: &str) -> String {
    match table {
        "postgres" => "Postgres database".to_owned(),
        "redis" => "Redis".to_owned(),
        "external" => "thing outside".to_owned(),
        "oncall" => "rotation".to_owned(),
        "golive" => "go-live item".to_owned(),
        "cost" => "cost item".to_owned(),
        other => other.replace('_', " "),
    }
}

/// `a worker`, `an alert`.
pub(crate) fn with_article(what: &str) -> String {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {what}")
}

fn without_article(what: &str) -> &str {
    what.trim_start_matches("an ").trim_start_matches("a ")
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
    with_article(&names.join(" or "))
}
