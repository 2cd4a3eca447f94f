//! Words that are none: which one was meant, or what is done here instead.

use super::synonym::{advice, instead, synonyms};
use super::{MOST_COMPARED, Normalizer, Trail, at_key, listing};
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::component::Component;
use towpath_model::finding::{Finding, Shown, listed};
use towpath_model::near::{nearest, slipped};
use towpath_model::spec::Node;
use towpath_model::word::{Shape, Table};

impl Normalizer<'_> {
    /// Tells of a word that is none, and finds the one that was meant.
    pub(super) fn unknown(
        &mut self,
        name: &str,
        entry: &Node,
        table: &'static Table,
        kind: &str,
        trail: &Trail<'_>,
    ) -> Option<&'static str> {
        let place = trail.text();
        let shown = Shown(name);
        let message = if place.is_empty() {
            format!("`{shown}` is not a word of the manifest")
        } else if table.overlays {
            format!("`{shown}` is not a word of an environment, nor of the root")
        } else {
            format!("`{shown}` is not a word of `{}`", Shown(&place))
        };
        self.compared += 1;
        let near = if self.compared <= MOST_COMPARED {
            Near::Compare
        } else {
            Near::Enough
        };
        let (meant, hint) = meant(name, entry, (table, kind), trail, near);
        self.findings.push(
            Finding::new(&code::UNKNOWN_WORD, at_key(entry), message)
                .label("unknown word")
                .hint(hint),
        );
        meant
    }
}

const OF_A_COMPONENT: &str = "that is a word of a component: write it in [environment.NAME.service.NAME]";

/// Whether a word is still compared with all that it could have been: behind very many nobody reads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Near {
    Compare,
    Enough,
}

/// The word that was meant, if there is one, and what to do.
fn meant(
    name: &str,
    entry: &Node,
    (table, kind): (&'static Table, &str),
    trail: &Trail<'_>,
    near: Near,
) -> (Option<&'static str>, String) {
    let compare = near == Near::Compare;
    let root = trail.above.is_none() || table.overlays;
    let own = table.fields_on(kind).map(|field| field.name);
    let roots = Desired::table().fields.iter().map(|field| field.name);
    let known: Vec<&'static str> = own.chain(roots.filter(|_| table.overlays)).collect();
    let same = synonyms(name, root, entry.table().is_none());
    let sure = same
        .iter()
        .chain(&synonyms(name, false, true))
        .find_map(|word| known.iter().copied().find(|known| known == word))
        .filter(|_| !holds_text_only(entry, root && !table.overlays));
    if let Some(word) = sure.or_else(|| slipped(name, known.iter().copied().filter(|_| compare))) {
        return (Some(word), format!("did you mean `{word}`?"));
    }
    let place = trail.text();
    let other = if let Some(advice) = advice(name, table.name) {
        advice.to_owned()
    } else if holds_text_only(entry, root && !table.overlays) && same.contains(&"environment") {
        "variables belong to a component: write [service.NAME.env]".to_owned()
    } else if let Some(hint) = of_another_kind(&same, table, kind) {
        hint
    } else if table.overlays && Component::table().field(name).is_some() {
        OF_A_COMPONENT.to_owned()
    } else if let Some(outer) = inside(name, table, kind) {
        format!("it belongs into `{outer}`: {outer} = {{ {name} = .. }}")
    } else if let Some(word) = nearest(name, known.into_iter().filter(|_| compare)) {
        return (Some(word), format!("did you mean `{word}`?"));
    } else if place.is_empty() {
        "`towpath explain` lists all words".to_owned()
    } else if table.overlays && is_of_component(name) {
        OF_A_COMPONENT.to_owned()
    } else {
        listing(table, kind, trail)
    };
    (None, other)
}

/// Whether it is a table of plain values at the root, where every table is one of named tables: the variables that
/// other tools keep there.
fn holds_text_only(entry: &Node, root: bool) -> bool {
    root && entry
        .table()
        .is_some_and(|entries| !entries.is_empty() && entries.values().all(|one| one.scalar().is_some()))
}

/// What to do with a word that means a field of other kinds.
fn of_another_kind(same: &[&'static str], table: &Table, kind: &str) -> Option<String> {
    let field = same.iter().find_map(|word| table.field(word))?;
    let owners = listed(field.on.iter().copied(), "and");
    Some(instead(field.name, kind).map_or_else(
        || format!("it is called `{}`, and is a field of {owners}", field.name),
        str::to_owned,
    ))
}

/// The one field of a table that has a table with this word for its value.
fn inside(name: &str, table: &'static Table, kind: &str) -> Option<&'static str> {
    let mut outer = table
        .fields_on(kind)
        .filter(|field| matches!((field.shape)(), Shape::Table(inner) if inner().field(name).is_some()));
    let first = outer.next()?;
    outer.next().is_none().then_some(first.name)
}

/// Whether a component has a field of that name, or of one that means the same elsewhere.
fn is_of_component(name: &str) -> bool {
    let table = Component::table();
    let known = |word: &str| table.field(word).is_some();
    known(name) || synonyms(name, false, true).into_iter().any(known)
}
