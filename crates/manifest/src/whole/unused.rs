//! What is declared and nothing refers to.
//!
//! Only what does nothing by itself is looked at. A channel hears of everything that is bad enough, an alert and an
//! objective are watched, a runbook and a role stand in the document; those are used by being there. For the others
//! a reference anywhere counts, in the root or in an environment, and so does every way in which the thing works
//! without one. Where something could not be read nothing is said: what is missing there could be the reference.
//! A text that holds the name of a secret counts as well: commands are handed secrets by name.

use super::refer::{spoken, taken_from};
use std::collections::BTreeSet;
use towpath_model::Desired;
use towpath_model::code::{self, Code, Gravity};
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::{Entries, Kind, Node, Tree};
use towpath_model::word::{Shape, Table};

/// The tables that are looked at, and what to do about an unused thing of each.
const LOOKED_AT: &[(&str, &str)] = &[
    (
        "secret",
        "give it to a component: env = { NAME = \"secret:NAME\" }, say future = true, or take it out",
    ),
    (
        "gate",
        "name it where it has to hold, in the `gates` of an environment or a rollout, or take it out",
    ),
    (
        "probe",
        "say how often it runs, every = \"5m\" for example, or name it as a gate, or take it out",
    ),
    (
        "metric",
        "name it in an alert, a gate or an objective, show it with shown = true, or take it out",
    ),
    (
        "flag",
        "say as_env, so that components see it, or when in the component that it switches, or take it out",
    ),
    (
        "build",
        "name it in the component that it builds: build = \"NAME\", or take it out",
    ),
    (
        "host",
        "say what runs there: at = \"NAME\" in a component, resource or environment, or take it out",
    ),
    (
        "registry",
        "name it where something is pushed to: artifact = { registry = \"NAME\" }, or take it out",
    ),
    (
        "external",
        "name it in the `uses` of the component that needs it, or take it out",
    ),
];

/// Looks at everything that is declared, in the root and in environments.
pub(super) fn check(root: &Tree, findings: &mut Vec<Finding>) {
    if findings.iter().any(|finding| hides_a_use(finding.code)) {
        return;
    }
    let mut used = Used::default();
    used.table(root, Desired::table());
    let mut told = BTreeSet::new();
    let environments = root.get("environment").and_then(|node| node.table());
    let layers = environments
        .into_iter()
        .flat_map(Entries::values)
        .map(|environment| &**environment);
    for tree in std::iter::once(&**root).chain(layers) {
        for (table, hint) in LOOKED_AT {
            let Some(entries) = tree.get(table).and_then(|node| node.table()) else {
                continue;
            };
            for (name, entry) in entries {
                let known = used.names.contains(&(*table, name.as_str()))
                    || works_alone(table, entry, entries)
                    || used.mentions(table, name, entry);
                if !known && told.insert((*table, name.as_str())) {
                    findings.extend(unused(table, name, entry, hint));
                }
            }
        }
    }
}

/// Whether a reference may stand in what the finding is about.
fn hides_a_use(code: &Code) -> bool {
    code.gravity == Gravity::Error
        && (code.id.starts_with("TP00") || code.id.starts_with("TP01") || code.id.starts_with("TP02"))
}

fn unused(table: &str, name: &str, entry: &Node, hint: &str) -> Option<Finding> {
    let message = format!("nothing uses the {} `{}`", spoken(table), Shown(name));
    let finding = Finding::new(&code::UNUSED, Where::Span(entry.at?.key), message)
        .label("declared, and not used")
        .hint(hint.replace("NAME", &Shown(name).to_string()));
    Some(finding)
}

/// Whether it does its work without anything that refers to it.
fn works_alone(table: &str, entry: &Node, all: &Entries) -> bool {
    let Some(fields) = entry.table() else { return true };
    let says = |field: &str| {
        fields
            .get(field)
            .is_some_and(|node| !matches!(node.kind, Kind::Off | Kind::Bool(false)))
    };
    let is =
        |field: &str, word: &str| fields.get(field).and_then(|node| node.scalar()).as_deref() == Some(word);
    match table {
        // The CI has its own secrets; hardware is asked and not handed out.
        "secret" => {
            ["future", "hardware", "short_lived"]
                .iter()
                .any(|field| says(field))
                || is("keeper", "ci")
        }
        "probe" => says("every"),
        "gate" => says("stage"),
        "metric" => says("shown"),
        "flag" => ["as_env", "guards", "env"].iter().any(|field| says(field)),
        // What is no machine of ours may stand there for the document alone.
        "host" => says("only") || ["saas", "cdn", "store"].iter().any(|word| is("kind", word)),
        "registry" => all.len() == 1,
        _ => false,
    }
}

/// Every name that something refers to, with the table that it is looked for in.
#[derive(Default)]
struct Used<'a> {
    names: BTreeSet<(&'static str, &'a str)>,
    /// Words of texts that could be the names of secrets.
    words: BTreeSet<&'a str>,
    /// Names of images, from which the registry follows.
    images: Vec<&'a str>,
}

impl<'a> Used<'a> {
    fn table(&mut self, node: &'a Node, table: &'static Table) {
        for (key, value) in node.table().into_iter().flatten() {
            let field = table.field(key).or_else(|| {
                let overlaid = Desired::table().field(key);
                overlaid.filter(|_| table.overlays)
            });
            let Some(field) = field else { continue };
            if table.overlays && field.name == "flags" {
                let set = value.table().into_iter().flatten();
                self.names.extend(set.map(|(name, _)| ("flag", name.as_str())));
            }
            if field.name == "image"
                && let Kind::Text(image) = &value.kind
            {
                self.images.push(image);
            }
            self.value(value, (field.shape)());
        }
    }

    fn value(&mut self, node: &'a Node, shape: Shape) {
        match shape {
            Shape::List(element) => {
                for one in node.list().into_iter().flatten() {
                    self.value(one, element());
                }
            }
            Shape::Map(_, entry) => {
                for (name, one) in node.table().into_iter().flatten() {
                    let shape = entry();
                    // A variable without a value of its own takes the secret of its name.
                    if let Shape::Table(table) = shape
                        && table().name == "Variable"
                        && one.get("value").is_none()
                    {
                        self.names.insert(("secret", name));
                    }
                    self.value(one, shape);
                }
            }
            Shape::Table(table) => self.table(node, table()),
            Shape::Refer(tables) => {
                if let Kind::Text(name) = &node.kind {
                    self.refers(tables, name);
                }
            }
            Shape::Text | Shape::Unit(_) => self.text(node),
            Shape::Bool | Shape::Integer { .. } | Shape::Choice(_) => {}
        }
    }

    fn refers(&mut self, tables: &'static [&'static str], name: &'a str) {
        let looked_at = |table: &&&str| LOOKED_AT.iter().any(|(known, _)| known == *table);
        let tables = tables.iter().filter(looked_at);
        self.names.extend(tables.map(|table| (*table, name)));
    }

    fn text(&mut self, node: &'a Node) {
        let Kind::Text(text) = &node.kind else { return };
        if let Some((tables, name)) = taken_from(text) {
            self.refers(tables, name);
        }
        let words = text
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase() || first == '_'))
            .filter(|word| !word.bytes().any(|byte| byte.is_ascii_lowercase()));
        self.words.extend(words);
    }

    /// Whether a text names it.
    fn mentions(&self, table: &str, name: &str, entry: &Node) -> bool {
        match table {
            "secret" => self.words.contains(name),
            "registry" => {
                let address = entry.get("address").and_then(|node| node.scalar());
                address.is_some_and(|address| self.images.iter().any(|image| image.starts_with(&*address)))
            }
            _ => false,
        }
    }
}
