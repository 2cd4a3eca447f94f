//! The words that are not tables: text, numbers, units, options, lists and maps.

use super::{Map, Shape, UnitShape, Word};
use crate::spec::{Entries, Kind, Node};
use crate::unit::Unit;
use std::hash::Hash;
use std::sync::Arc;

impl Word for String {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, _: &str) -> Option<Self> {
        node.scalar()
    }

    fn write(&self, _: &str) -> Option<Node> {
        Some(Node::text(self.as_str()))
    }
}

impl Word for bool {
    fn shape() -> Shape {
        Shape::Bool
    }

    fn read(node: &Node, _: &str) -> Option<Self> {
        match node.kind {
            Kind::Bool(flag) => Some(flag),
            Kind::Off => Some(false),
            _ => None,
        }
    }

    fn write(&self, _: &str) -> Option<Node> {
        Some(Node::new(Kind::Bool(*self)))
    }
}

/// The most that a number may be where its type allows more than anyone means.
const MOST: u32 = 1_000_000_000;

impl Word for u32 {
    fn shape() -> Shape {
        Shape::Integer {
            least: 0,
            most: i64::from(MOST),
        }
    }

    fn read(node: &Node, _: &str) -> Option<Self> {
        match node.kind {
            Kind::Integer(number) => u32::try_from(number).ok().filter(|number| *number <= MOST),
            _ => None,
        }
    }

    fn write(&self, _: &str) -> Option<Node> {
        Some(Node::new(Kind::Integer(i64::from(*self))))
    }
}

impl<U: Unit> Word for U {
    fn shape() -> Shape {
        Shape::Unit(UnitShape::of::<U>())
    }

    fn read(node: &Node, _: &str) -> Option<Self> {
        U::parse(&node.scalar()?).ok()
    }

    fn write(&self, _: &str) -> Option<Node> {
        Some(Node::text(self.to_string()))
    }
}

impl<W: Word> Word for Option<W> {
    const OPTIONAL: bool = true;

    fn shape() -> Shape {
        W::shape()
    }

    fn read(node: &Node, kind: &str) -> Option<Self> {
        Some(W::read(node, kind))
    }

    fn write(&self, kind: &str) -> Option<Node> {
        match self {
            Some(word) => word.write(kind),
            None => Some(Node::new(Kind::Off)),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<W: Word> Word for Vec<W> {
    fn shape() -> Shape {
        Shape::List(W::shape)
    }

    fn read(node: &Node, kind: &str) -> Option<Self> {
        Some(
            node.list()?
                .iter()
                .filter_map(|element| W::read(element, kind))
                .collect(),
        )
    }

    fn write(&self, kind: &str) -> Option<Node> {
        let elements = self
            .iter()
            .filter_map(|word| word.write(kind))
            .map(Arc::new)
            .collect();
        Some(Node::new(Kind::List(elements)))
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

impl<K: Unit + Hash + Eq, W: Word> Word for Map<K, W> {
    fn shape() -> Shape {
        Shape::Map(UnitShape::of::<K>(), W::shape)
    }

    fn read(node: &Node, kind: &str) -> Option<Self> {
        let read = |(name, entry): (&String, &Arc<Node>)| Some((K::parse(name).ok()?, W::read(entry, kind)?));
        let entries = node.table()?;
        // Components are large: growing step by step would move each of them several times.
        let mut map = Map::with_capacity(entries.len());
        map.extend(entries.iter().filter_map(read));
        Some(map)
    }

    fn write(&self, kind: &str) -> Option<Node> {
        let entries: Entries = self
            .iter()
            .filter_map(|(name, word)| Some((name.to_string(), Arc::new(word.write(kind)?))))
            .collect();
        Some(Node::new(Kind::Table(entries)))
    }

    fn absent() -> Option<Self> {
        Some(Map::new())
    }
}
