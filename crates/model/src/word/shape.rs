//! Descriptions of words: what may stand where, and what it means.

use crate::spec::Node;
use crate::unit::{Misread, Unit};
use std::sync::OnceLock;

/// What may stand at a place of the manifest.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Free text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number between two bounds.
    Integer {
        /// The least that is meaningful.
        least: i64,
        /// The most that is meaningful.
        most: i64,
    },
    /// A value of a unit, written as short text.
    Unit(UnitShape),
    /// One of a few words.
    Choice(&'static [Choice]),
    /// The name of something that is declared in one of these tables of the root.
    Refer(&'static [&'static str]),
    /// Several; one alone may stand without brackets.
    List(fn() -> Shape),
    /// Values under names of the writer's choice.
    Map(UnitShape, fn() -> Shape),
    /// A table with these fields.
    Table(fn() -> &'static Table),
}

/// A unit, without its type.
#[derive(Debug, Clone, Copy)]
pub struct UnitShape {
    /// What it is, with its article.
    pub what: &'static str,
    /// Texts that are right.
    pub examples: &'static [&'static str],
    /// Whether a text is right.
    pub check: fn(&str) -> Result<(), Misread>,
}

impl UnitShape {
    /// The description of a unit.
    pub fn of<U: Unit>() -> Self {
        UnitShape {
            what: U::WHAT,
            examples: U::EXAMPLES,
            check: |text| U::read(text).map(drop),
        }
    }
}

/// One word that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The word.
    pub word: &'static str,
    /// What choosing it means.
    pub about: &'static str,
}

/// A table of the manifest.
#[derive(Debug)]
pub struct Table {
    /// Its name in the reference.
    pub name: &'static str,
    /// What it declares; the first sentence is a summary.
    pub about: &'static str,
    /// Its fields, in the order of the reference.
    pub fields: Vec<Field>,
    /// The fields that a bare value stands for.
    pub short: &'static [&'static str],
    /// The field that a bare text stands for where it is the name of something declared.
    pub named: &'static str,
    /// Of these fields exactly one is written.
    pub one_of: &'static [&'static str],
    /// The words of the root may stand in it, too, and are laid over the root.
    pub overlays: bool,
    /// The positions of the fields in the order in which they are searched; filled in by the first search.
    pub order: OnceLock<Vec<usize>>,
}

impl Table {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let key = |position: &usize| {
            let name = self.fields.get(*position).map_or("", |field| field.name);
            (name.len(), name)
        };
        let order = self.order.get_or_init(|| {
            let mut order: Vec<usize> = (0..self.fields.len()).collect();
            order.sort_by_key(key);
            order
        });
        let place = order.binary_search_by_key(&(name.len(), name), key).ok()?;
        self.fields.get(*order.get(place)?)
    }

    /// The fields that belong to a kind.
    pub fn fields_on<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.belongs_to(kind))
    }
}

/// A field of a table.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it says; the first sentence is a summary.
    pub about: &'static str,
    /// What may stand there.
    pub shape: fn() -> Shape,
    /// It has to be written.
    pub required: bool,
    /// It may be switched off with `false`.
    pub optional: bool,
    /// The kinds that it belongs to; empty for all of them.
    pub on: &'static [&'static str],
    /// The kind that the tables below it are of; empty where they have none.
    pub kind: &'static str,
    /// A value, for the reference.
    pub example: &'static str,
    /// What holds where nothing is written, for a kind.
    pub default: fn(kind: &str) -> Option<Node>,
}

impl Field {
    /// Whether it may stand in a table of that kind.
    pub fn belongs_to(&self, kind: &str) -> bool {
        self.on.is_empty() || kind.is_empty() || self.on.contains(&kind)
    }
}

/// A type that can stand in the manifest.
pub trait Word: Sized + Clone + PartialEq {
    /// Whether nothing at all is a value of it.
    const OPTIONAL: bool = false;

    /// What may be written.
    fn shape() -> Shape;

    /// Reads a node that has been checked against the shape; `None` where a required part is missing.
    fn read(node: &Node, kind: &str) -> Option<Self>;

    /// Writes it back, for a table of a kind; `None` where there is nothing to say.
    fn write(&self, kind: &str) -> Option<Node>;

    /// Its value where nothing is written and no default is declared.
    fn absent() -> Option<Self> {
        None
    }
}
