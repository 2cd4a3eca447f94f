//! A product seen with all of its environments: what is the same everywhere, and what differs where.

use std::hash::Hash;
use towpath_decide::review::Whole;
use towpath_model::Desired;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::desired::environment::Environment;
use towpath_model::desired::resource::{Resource, ResourceKind};
use towpath_model::desired::secret::Secrets;
use towpath_model::unit::Name;
use towpath_model::word::Map;

/// A product, and the environment that matters most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product<'a> {
    /// Where no environment is laid over.
    pub(crate) root: &'a Desired,
    /// In each environment.
    pub(crate) environments: &'a [(&'a Name, &'a Desired)],
    /// Where the product is used for real; the root where there is no environment.
    pub(crate) main: &'a Desired,
    /// The name of that environment.
    pub(crate) main_name: Option<&'a Name>,
}

impl<'a> Product<'a> {
    pub(crate) fn of(whole: &Whole<'a>) -> Self {
        let main = main_environment(whole);
        Product {
            root: whole.root,
            environments: whole.environments,
            main: main.map_or(whole.root, |(_, product)| product),
            main_name: main.map(|(name, _)| name),
        }
    }

    /// What it is called.
    pub(crate) fn title(&self) -> &'a str {
        self.root.title.as_deref().unwrap_or(self.root.product.as_str())
    }

    /// The environment in which commands of runbooks are shown.
    pub(crate) fn live(&self) -> &'a str {
        self.main_name.map_or("prod", Name::as_str)
    }

    /// Everything of a table: in the order of the root, as it is where the product is used for real.
    pub(crate) fn all<K: Hash + Eq, V>(
        &self,
        of: impl Fn(&'a Desired) -> &'a Map<K, V>,
    ) -> Vec<(&'a K, &'a V)> {
        let mut all: Vec<(&'a K, &'a V)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let environments = self.environments.iter().map(|(_, product)| *product);
        for product in std::iter::once(self.root).chain(environments) {
            for (name, written) in of(product) {
                if seen.insert(name) {
                    all.push((name, of(self.main).get(name).unwrap_or(written)));
                }
            }
        }
        all
    }

    /// Every component, kind by kind.
    pub(crate) fn components(&self) -> Vec<(ComponentKind, &'a Name, &'a Component)> {
        let of = |kind: ComponentKind| {
            let all = self.all(move |product| product.components_of(kind));
            all.into_iter()
                .map(move |(name, component)| (kind, name, component))
        };
        ComponentKind::ALL.iter().copied().flat_map(of).collect()
    }

    /// Every resource, kind by kind.
    pub(crate) fn resources(&self) -> Vec<(ResourceKind, &'a Name, &'a Resource)> {
        let of = |kind: ResourceKind| {
            let all = self.all(move |product| product.resources_of(kind));
            all.into_iter()
                .map(move |(name, resource)| (kind, name, resource))
        };
        ResourceKind::ALL.iter().copied().flat_map(of).collect()
    }

    /// Every environment with its own table and the product in it.
    pub(crate) fn places(&self) -> Vec<(&'a Name, &'a Environment, &'a Desired)> {
        let own = |(name, product): &(&'a Name, &'a Desired)| {
            let environment = product
                .environment
                .get(*name)
                .or_else(|| self.root.environment.get(*name))?;
            Some((*name, environment, *product))
        };
        self.environments.iter().filter_map(own).collect()
    }

    /// The environment that matters most.
    pub(crate) fn main_place(&self) -> Option<&'a Environment> {
        let name = self.main_name?;
        self.places()
            .into_iter()
            .find(|(place, ..)| *place == name)
            .map(|(_, environment, _)| environment)
    }

    /// The environments in which something is present.
    pub(crate) fn present(&self, is_there: impl Fn(&'a Desired) -> bool) -> Vec<&'a Name> {
        self.environments
            .iter()
            .filter(|(_, product)| is_there(product))
            .map(|(name, _)| *name)
            .collect()
    }

    /// The environments in words: nothing where there are none, `all` where it is everywhere.
    pub(crate) fn where_present(&self, is_there: impl Fn(&'a Desired) -> bool) -> String {
        let present = self.present(is_there);
        if present.is_empty() && !self.environments.is_empty() {
            return "none".to_owned();
        }
        if present.len() == self.environments.len() {
            return if present.len() > 1 {
                "all".to_owned()
            } else {
                names(&present)
            };
        }
        names(&present)
    }

    /// A value in every environment: once where it is the same, else with the environments that have it.
    ///
    /// What is not there (`None`) does not count; what is there without a value (`Some(None)`) is left out.
    pub(crate) fn across(&self, value: impl Fn(&'a Desired) -> Option<Option<String>>) -> String {
        if self.environments.is_empty() {
            return value(self.root).flatten().unwrap_or_default();
        }
        let mut there = 0;
        let mut groups: Vec<(String, Vec<&'a Name>)> = Vec::new();
        for (name, product) in self.environments {
            let Some(value) = value(product) else { continue };
            there += 1;
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            match groups.iter_mut().find(|(known, _)| *known == value) {
                Some((_, environments)) => environments.push(name),
                None => groups.push((value, vec![name])),
            }
        }
        match groups.as_slice() {
            [] if there == 0 => value(self.root).flatten().unwrap_or_default(),
            [(same, environments)] if environments.len() == there => same.clone(),
            groups => {
                let parts: Vec<String> = groups
                    .iter()
                    .map(|(value, environments)| format!("{value} ({})", names(environments)))
                    .collect();
                // Where a value has parts of its own, a semicolon would not show where it ends.
                let apart = if groups.iter().any(|(value, _)| value.contains(';')) {
                    "<br>"
                } else {
                    "; "
                };
                parts.join(apart)
            }
        }
    }

    /// A value of a component in every environment.
    pub(crate) fn of_component(
        &self,
        name: &'a Name,
        value: impl Fn(&'a Component) -> Option<String>,
    ) -> String {
        self.across(|product| {
            product
                .component(name.as_str())
                .map(|(_, _, component)| value(component))
        })
    }

    /// A value of a resource in every environment.
    pub(crate) fn of_resource(
        &self,
        name: &'a Name,
        value: impl Fn(&'a Resource) -> Option<String>,
    ) -> String {
        self.across(|product| {
            product
                .resource(name.as_str())
                .map(|(_, _, resource)| value(resource))
        })
    }

    /// How secrets are kept in an environment, or where there is none.
    pub(crate) fn kept(&self, here: &'a Desired) -> &'a Secrets {
        let place = self
            .environments
            .iter()
            .find(|(_, product)| std::ptr::eq(*product, here));
        let own = place.and_then(|(name, product)| product.environment.get(*name));
        own.and_then(|own| own.secrets.as_ref()).unwrap_or(&here.secrets)
    }

    /// What people call a host.
    pub(crate) fn host(&self, name: &str) -> String {
        let known = self.all(|product| &product.host);
        let title = known
            .iter()
            .find(|(host, _)| host.as_str() == name)
            .and_then(|(_, host)| host.title.as_deref());
        crate::words::text(title.unwrap_or(name))
    }

    /// What people call a role.
    pub(crate) fn role(&self, name: &str) -> String {
        let title = self.root.role.get(name).and_then(|role| role.title.as_deref());
        crate::words::text(title.unwrap_or(name))
    }
}

/// Names of environments, one after the other.
pub(crate) fn names(environments: &[&Name]) -> String {
    let names: Vec<&str> = environments.iter().map(|name| name.as_str()).collect();
    names.join(", ")
}

/// The environment that is used for real: by its name, else the last one with real data, else the last one that is
/// neither a preview nor followed by another.
fn main_environment<'a>(whole: &Whole<'a>) -> Option<(&'a Name, &'a Desired)> {
    let own = |name: &Name, product: &'a Desired| product.environment.get(name.as_str());
    let named = |wanted: &str| {
        whole
            .environments
            .iter()
            .find(|(name, _)| name.as_str() == wanted)
    };
    let named = ["prod", "production", "live"].into_iter().find_map(named);
    let real = || {
        let real =
            |(name, product): &&(&Name, &'a Desired)| own(name, product).is_some_and(|own| own.data.real);
        whole.environments.iter().rev().find(real)
    };
    let last = || {
        let no_preview = |(name, product): &&(&Name, &'a Desired)| {
            own(name, product).is_none_or(|own| own.preview.is_none())
        };
        whole.environments.iter().rev().find(no_preview)
    };
    named.or_else(real).or_else(last).copied()
}
