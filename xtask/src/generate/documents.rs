//! The infrastructure documents of the examples, each beside its manifest.

use super::Generated;
use crate::disk;
use std::error::Error;
use std::path::Path;
use towpath::checked::check;

/// The document of each example.
pub(super) fn documents(root: &Path) -> Result<Vec<Generated>, Box<dyn Error>> {
    let mut all = Vec::new();
    for name in disk::names(&root.join("examples"))? {
        let folder = root.join("examples").join(&name);
        // What cargo makes and locks there is no example.
        if disk::read(&folder.join("towpath.toml")).ok().flatten().is_none() {
            continue;
        }
        let checked = check(Some(&folder)).map_err(|failure| format!("examples/{name}: {failure}"))?;
        let text = checked
            .document()
            .map_err(|failure| format!("examples/{name}: {failure}"))?;
        all.push(Generated::new(format!("examples/{name}/INFRASTRUCTURE.md"), text));
    }
    Ok(all)
}
