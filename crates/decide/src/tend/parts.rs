//! All parts of a product: found by name at once, walked in the order of their names.
//!
//! A change among ten thousand components has to cost what it costs among ten, and each decision asks for a handful of
//! parts by name. A tree of names would be asked fourteen times for each of them. Nothing ever walks the hashes, so that
//! what is decided depends on no order of theirs.

use super::Part;
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::ops::Index;
use towpath_model::unit::Name;

/// The parts of a product.
#[derive(Debug, Default)]
pub struct Parts {
    order: BTreeMap<Name, usize>,
    places: HashMap<Name, usize>,
    /// A part that was removed leaves its place empty, for the next one.
    kept: Vec<Option<Part>>,
    empty: Vec<usize>,
}

impl Parts {
    /// The part of that name.
    pub fn get<Q>(&self, name: &Q) -> Option<&Part>
    where
        Name: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.kept[*self.places.get(name)?].as_ref()
    }

    /// The part of that name, to be changed.
    pub fn get_mut(&mut self, name: &Name) -> Option<&mut Part> {
        self.kept[*self.places.get(name)?].as_mut()
    }

    /// The name as it is kept here, for one that came as a text.
    pub fn name(&self, name: &str) -> Option<&Name> {
        self.order.get_key_value(name).map(|(name, _)| name)
    }

    /// Whether there is a part of that name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The part of that name, a new one where there was none.
    pub(super) fn or_default(&mut self, name: &Name) -> &mut Part {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => self.add(name),
        };
        self.kept[place].get_or_insert_default()
    }

    fn add(&mut self, name: &Name) -> usize {
        let place = self.empty.pop().unwrap_or_else(|| {
            self.kept.push(None);
            self.kept.len() - 1
        });
        self.places.insert(name.clone(), place);
        self.order.insert(name.clone(), place);
        place
    }

    pub(super) fn remove(&mut self, name: &Name) -> Option<Part> {
        let place = self.places.remove(name)?;
        self.order.remove(name);
        self.empty.push(place);
        self.kept[place].take()
    }

    /// All of them, by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Part)> {
        self.order
            .iter()
            .filter_map(|(name, place)| Some((name, self.kept[*place].as_ref()?)))
    }

    /// Their names.
    pub fn keys(&self) -> impl Iterator<Item = &Name> {
        self.order.keys()
    }

    /// All of them, by their names.
    pub fn values(&self) -> impl Iterator<Item = &Part> {
        self.iter().map(|(_, part)| part)
    }

    /// All of them, to be changed; in no order that means anything.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        self.kept.iter_mut().flatten()
    }
}

impl<Q> Index<&Q> for Parts
where
    Name: Borrow<Q>,
    Q: Hash + Eq + ?Sized,
{
    type Output = Part;

    fn index(&self, name: &Q) -> &Part {
        self.get(name).expect("a part of that name")
    }
}

impl<'a> IntoIterator for &'a Parts {
    type Item = (&'a Name, &'a Part);
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}
