//! Rollouts as they were written, each with what it comes to where it holds.

use crate::review::Whole;
use std::collections::BTreeMap;
use towpath_model::Desired;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::rollout::Strategy;
use towpath_model::spec::{Node, Path};

/// A rollout as it was written, with the strategies that it comes to.
pub(in crate::review) struct Written<'a> {
    pub(in crate::review) at: Path,
    pub(in crate::review) node: &'a Node,
    pub(in crate::review) strategies: Vec<Strategy>,
}

/// Every rollout as it was written: of the product, of environments, of components and of stores.
pub(in crate::review) fn written<'a>(whole: &Whole<'a>) -> Vec<Written<'a>> {
    let everywhere: Vec<&Desired> = match whole.environments {
        [] => vec![whole.root],
        some => some.iter().map(|(_, product)| *product).collect(),
    };
    let by_name: BTreeMap<&str, &Desired> = whole
        .environments
        .iter()
        .map(|(name, product)| (name.as_str(), *product))
        .collect();
    let mut all = Vec::new();
    below(whole.tree, &Path::root(), &everywhere, &mut all);
    let environments = whole.tree.get("environment").and_then(|node| node.table());
    for (name, node) in environments.into_iter().flatten() {
        let Some(product) = by_name.get(name.as_str()).copied() else {
            continue;
        };
        let at = Path::of(["environment", name.as_str()]);
        let own = product
            .environment
            .get(name.as_str())
            .and_then(|own| own.rollout.as_ref());
        if let (Some(node), Some(own)) = (node.get("rollout"), own) {
            all.push(Written {
                at: at.key("rollout"),
                node,
                strategies: vec![own.strategy],
            });
        }
        below(node, &at, &[product], &mut all);
    }
    all
}

/// The strategy of a component's own rollout.
fn own_strategy(product: &Desired, kind: ComponentKind, name: &str) -> Option<Strategy> {
    let component = product.components_of(kind).get(name)?;
    Some(component.rollout.as_ref()?.strategy)
}

/// The strategy of a store's own rollout.
fn store_strategy(product: &Desired, name: &str, store: &str) -> Option<Strategy> {
    let store = product.extension.get(name)?.store.get(store)?;
    Some(store.rollout.as_ref()?.strategy)
}

/// The rollouts of components and stores below the root or an environment, and that of the root.
fn below<'a>(node: &'a Node, at: &Path, products: &[&Desired], all: &mut Vec<Written<'a>>) {
    let mut push = |at: Path, node: &'a Node, of: &dyn Fn(&Desired) -> Option<Strategy>| {
        let strategies = products.iter().filter_map(|product| of(product)).collect();
        all.push(Written { at, node, strategies });
    };
    if let (Some(node), true) = (node.get("rollout"), at.steps().is_empty()) {
        push(at.key("rollout"), node, &|product| {
            Some(product.rollout.as_ref()?.strategy)
        });
    }
    for kind in ComponentKind::ALL {
        for (name, component) in node
            .get(kind.word())
            .and_then(|node| node.table())
            .into_iter()
            .flatten()
        {
            let at = at.key(kind.word()).key(name);
            if let Some(node) = component.get("rollout") {
                push(at.key("rollout"), node, &|product| {
                    own_strategy(product, *kind, name)
                });
            }
            let stores = component.get("store").and_then(|node| node.table());
            for (store, node) in stores.into_iter().flatten() {
                if let Some(node) = node.get("rollout") {
                    let at = at.key("store").key(store).key("rollout");
                    push(at, node, &|product| store_strategy(product, name, store));
                }
            }
        }
    }
}
