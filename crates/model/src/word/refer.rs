//! References: the name of something that is declared elsewhere.

use super::{Shape, Word};
use crate::spec::Node;
use std::fmt;
use std::marker::PhantomData;

/// What a reference may name.
pub trait Target {
    /// The tables of the root that may hold the name.
    const TABLES: &'static [&'static str];
}

/// The name of something that is declared elsewhere. Whether it is there has been checked.
pub struct Ref<T: Target> {
    name: String,
    target: PhantomData<T>,
}

impl<T: Target> Ref<T> {
    /// A reference to that name.
    pub fn to(name: impl Into<String>) -> Self {
        Ref {
            name: name.into(),
            target: PhantomData,
        }
    }

    /// The name that is referred to.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl<T: Target> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Ref::to(self.name.clone())
    }
}

impl<T: Target> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<T: Target> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({})", self.name)
    }
}

impl<T: Target> fmt::Display for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<T: Target> Word for Ref<T> {
    fn shape() -> Shape {
        Shape::Refer(T::TABLES)
    }

    fn read(node: &Node, _: &str) -> Option<Self> {
        Some(Ref::to(node.scalar()?))
    }

    fn write(&self, _: &str) -> Option<Node> {
        Some(Node::text(self.name.as_str()))
    }
}
