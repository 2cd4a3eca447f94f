//! The nodes of what was written, each with its place.

use indexmap::IndexMap;
use std::sync::Arc;

/// A stretch of one source text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Which of the sources that were read together.
    pub source: u16,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Where a node was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The key, or the value again where there is none (an element of a list).
    pub key: Span,
    /// The value.
    pub value: Span,
}

/// A shared node: laying an environment over a product copies only what it changes.
pub type Tree = Arc<Node>;

/// The entries of a table in the order in which they were written.
pub type Entries = IndexMap<String, Tree>;

/// One value as it was written, or as a default stands for it.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub kind: Kind,
    /// Where it was written; `None` for a default.
    pub at: Option<Place>,
    /// It replaces what it is laid over instead of being merged into it.
    pub fresh: bool,
}

/// The value of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text; dates and times are kept as their text, too.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, as its text, so that nothing is lost to floating point.
    Decimal(String),
    /// Yes or no.
    Bool(bool),
    /// Values in order; replaced as a whole when laid over.
    List(Vec<Tree>),
    /// Named values; merged name by name when laid over.
    Table(Entries),
    /// An optional setting, switched off with `false`.
    Off,
    /// Something that was written wrongly and has been reported; nothing more is said of it.
    Bad,
}

impl PartialEq for Node {
    /// Two nodes are equal when they say the same, wherever they were written.
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.fresh == other.fresh
    }
}

impl Node {
    /// A node that nobody wrote.
    pub fn new(kind: Kind) -> Self {
        Node {
            kind,
            at: None,
            fresh: false,
        }
    }

    /// A node that was written at a place.
    pub fn written(kind: Kind, at: Place) -> Self {
        Node {
            kind,
            at: Some(at),
            fresh: false,
        }
    }

    /// Text that nobody wrote.
    pub fn text(text: impl Into<String>) -> Self {
        Node::new(Kind::Text(text.into()))
    }

    /// The same value, as `kind`, at the same place.
    pub fn with(&self, kind: Kind) -> Self {
        Node {
            kind,
            at: self.at,
            fresh: self.fresh,
        }
    }

    /// The entries, where it is a table.
    pub fn table(&self) -> Option<&Entries> {
        match &self.kind {
            Kind::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    pub fn list(&self) -> Option<&[Tree]> {
        match &self.kind {
            Kind::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The entry of that name, where it is a table that has one.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        self.table()?.get(name)
    }

    /// The node at a path below this one.
    pub fn at_path(&self, path: &super::Path) -> Option<&Node> {
        let mut node = self;
        for step in path.steps() {
            node = match step {
                super::Step::Key(name) => node.get(name)?,
                super::Step::Nth(index) => node.list()?.get(*index)?,
            };
        }
        Some(node)
    }

    /// The text of a scalar, as a person would have written it in a unit; `None` for lists and tables.
    pub fn scalar(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) | Kind::Decimal(text) => Some(text.clone()),
            Kind::Integer(number) => Some(number.to_string()),
            Kind::Bool(flag) => Some(flag.to_string()),
            Kind::List(_) | Kind::Table(_) | Kind::Off | Kind::Bad => None,
        }
    }

    /// What it is, with its article, for a message.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Text(_) => "text",
            Kind::Integer(_) => "a whole number",
            Kind::Decimal(_) => "a number with a fraction",
            Kind::Bool(_) => "true or false",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
            Kind::Off => "false",
            Kind::Bad => "something unreadable",
        }
    }
}
