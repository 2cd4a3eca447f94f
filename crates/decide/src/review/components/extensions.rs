//! Extensions and their stores.

use crate::review::listed::listed;
use crate::review::setting::scenes;
use crate::review::{Scene, Whole, component_at};
use std::collections::BTreeSet;
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::extension::{Browser, Store, StoreKind};
use towpath_model::finding::Finding;
use towpath_model::unit::Name;
use towpath_model::word::Map;

/// A store waits for one that is not there, or for itself in the end.
pub(super) fn order(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, extension) in &scene.product.extension {
        let stores = component_at(ComponentKind::Extension, name).key("store");
        for (store, one) in &extension.store {
            let Some(after) = &one.after else { continue };
            let place = stores.key(store).key("after");
            if !extension.store.contains_key(after.as_str()) {
                let others = extension.store.keys().filter(|other| *other != store);
                let others = listed(others.map(Name::as_str), "and");
                let hint = match others.as_str() {
                    "" => "take `after` out: there is no other store".to_owned(),
                    others => format!("there is {others}"),
                };
                let message =
                    format!("store `{store}` of `{name}` waits for `{after}`, which is not declared");
                found.push(
                    Finding::value(&code::STORES_OUT_OF_ORDER, place, message)
                        .label("no such store")
                        .hint(hint),
                );
            } else if let Some(way) = circle(&extension.store, store) {
                let message = format!(
                    "the stores of `{name}` wait for each other in a circle: {}",
                    way.join(", ")
                );
                found.push(
                    Finding::value(&code::STORES_OUT_OF_ORDER, place, message)
                        .label("leads back")
                        .hint("one store has to come first: take its `after` out"),
                );
            }
        }
    }
}

/// The circle that begins at a store, told once: from its store that comes first by name.
fn circle<'a>(stores: &'a Map<Name, Store>, from: &'a Name) -> Option<Vec<&'a str>> {
    let mut way = vec![from.as_str()];
    let mut here = from.as_str();
    while let Some(next) = stores.get(here).and_then(|store| store.after.as_ref()) {
        if next == from {
            return way.iter().all(|one| *one >= from.as_str()).then_some(way);
        }
        if way.contains(&next.as_str()) {
            return None;
        }
        way.push(next.as_str());
        here = next.as_str();
    }
    None
}

/// The browsers that a store serves.
fn served(store: StoreKind) -> &'static [Browser] {
    match store {
        StoreKind::ChromeWebStore => &[Browser::Chrome, Browser::Edge],
        StoreKind::Amo => &[Browser::Firefox],
        StoreKind::EdgeAddons => &[Browser::Edge],
    }
}

/// A store serves none of the browsers that an extension is made for.
pub(super) fn browsers(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, extension) in &scene.product.extension {
        if extension.browsers.is_empty() {
            continue;
        }
        for (store, one) in &extension.store {
            let served = served(one.kind);
            if served.iter().any(|browser| extension.browsers.contains(browser)) {
                continue;
            }
            let place = component_at(ComponentKind::Extension, name)
                .key("store")
                .key(store)
                .key("kind");
            let wanted = served.first().map_or("", |browser| browser.word());
            let message = format!("`{name}` is released to a store for {wanted}, but is not made for it");
            found.push(
                Finding::value(&code::STORE_WITHOUT_BROWSER, place, message)
                    .label(one.kind.title())
                    .hint(format!("add \"{wanted}\" to `browsers`, or take the store out")),
            );
        }
    }
}

/// An extension has a store in no environment.
pub(super) fn released(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let with_store: BTreeSet<&str> = scenes(whole)
        .iter()
        .flat_map(|scene| &scene.product.extension)
        .filter(|(_, extension)| !extension.store.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    for (name, extension) in &whole.root.extension {
        if !extension.store.is_empty() || with_store.contains(name.as_str()) {
            continue;
        }
        found.push(
            Finding::key(
                &code::NEVER_RELEASED,
                component_at(ComponentKind::Extension, name),
                format!("extension `{name}` is released to no store"),
            )
            .label("no `store`")
            .hint(format!(
                "add one, as in [extension.{name}.store.chrome] with `kind = \"chrome-web-store\"`"
            )),
        );
    }
}
