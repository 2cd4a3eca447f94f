//! What the tests of all exports share: a product from the text of a manifest.

mod workflows;

use crate::{File, Product, Untold, github};
use std::collections::BTreeMap;
use towpath_model::Desired;
use towpath_model::unit::Name;

/// The workflows of a manifest, which has no errors.
fn exported(manifest: &str, folder: &str) -> Result<Vec<File>, Untold> {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), manifest.as_bytes().to_vec())]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    assert!(!reading.has_errors(), "{:#?}", reading.findings);
    let environments: Vec<(&Name, &Desired)> = reading
        .environments
        .iter()
        .map(|(name, layered)| (name, &layered.desired))
        .collect();
    let root = reading
        .desired
        .as_ref()
        .expect("a manifest without errors is a product");
    github(&Product {
        root,
        environments: &environments,
        folder,
    })
}

/// One of the workflows of a manifest.
fn workflow(manifest: &str, name: &str) -> String {
    let files = exported(manifest, "").unwrap_or_else(|untold| panic!("{untold}"));
    let path = format!(".github/workflows/{name}.yml");
    let found = files.into_iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("there is no {path}")).text
}
