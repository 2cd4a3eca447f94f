//! What the tests of all sections share: a product from the text of a manifest.

use crate::page::Page;
use crate::product::Product;
use std::collections::BTreeMap;
use towpath_decide::review::Whole;
use towpath_model::Desired;
use towpath_model::unit::Name;

/// Does something with the product that a manifest describes; a manifest with errors is told.
fn with_product<T>(manifest: &str, look: impl FnOnce(&Whole<'_>) -> T) -> T {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), manifest.as_bytes().to_vec())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    assert!(!reading.has_errors(), "{:#?}", reading.findings);
    let environments: Vec<(&Name, &Desired)> = reading
        .environments
        .iter()
        .map(|(name, layered)| (name, &layered.desired))
        .collect();
    look(&Whole {
        tree: &reading.root,
        root: reading
            .desired
            .as_ref()
            .expect("a manifest without errors is a product"),
        environments: &environments,
    })
}

/// What a section writes for a manifest.
pub(crate) fn section(write: fn(&Product<'_>, &mut Page), manifest: &str) -> String {
    with_product(manifest, |whole| {
        let mut page = Page::default();
        write(&Product::of(whole), &mut page);
        page.into_text()
    })
}
