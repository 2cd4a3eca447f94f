//! Tables of the manifest in files and messages: as what people would write.
//!
//! A release keeps the questions that are asked of it in the manifest's own words, with every default said. So a word means
//! the same there as in the manifest, and there is no second description of it that could say something else.

use super::Word;
use crate::desired::gate::Gate;
use crate::desired::metric::{Metric, Objective};
use crate::desired::place::Host;
use crate::desired::probe::Probe;
use crate::spec::{Entries, Kind, Node};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.kind {
            Kind::Text(text) | Kind::Decimal(text) => to.serialize_str(text),
            Kind::Integer(number) => to.serialize_i64(*number),
            Kind::Bool(flag) => to.serialize_bool(*flag),
            Kind::List(elements) => to.collect_seq(elements.iter().map(|one| &**one)),
            Kind::Table(entries) => to.collect_map(entries.iter().map(|(name, one)| (name, &**one))),
            Kind::Off | Kind::Bad => to.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reads).map(Node::new)
    }
}

struct Reads;

impl<'de> Visitor<'de> for Reads {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the manifest")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Kind, E> {
        Ok(Kind::Integer(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Kind, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("the number is too large"))?;
        Ok(Kind::Integer(number))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(flag))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Kind, E> {
        Ok(Kind::Off)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Kind, A::Error> {
        let mut elements = Vec::new();
        while let Some(one) = from.next_element::<Node>()? {
            elements.push(Arc::new(one));
        }
        Ok(Kind::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Kind, A::Error> {
        let mut entries = Entries::new();
        while let Some((name, one)) = from.next_entry::<String, Node>()? {
            entries.insert(name, Arc::new(one));
        }
        Ok(Kind::Table(entries))
    }
}

macro_rules! as_written {
    ($($table:ty),+) => {
        $(
            impl Serialize for $table {
                fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    self.write("").unwrap_or_else(|| Node::new(Kind::Table(Entries::new()))).serialize(to)
                }
            }

            impl<'de> Deserialize<'de> for $table {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let node = Node::deserialize(from)?;
                    <$table>::read(&node, "").ok_or_else(|| {
                        de::Error::custom(concat!("a word that it needs is missing: ", stringify!($table)))
                    })
                }
            }
        )+
    };
}

as_written!(Gate, Probe, Metric, Objective, Host);
