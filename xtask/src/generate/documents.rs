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
        // Beside the examples lie the files of their workspace, and what it has built.
        let is_example =
            disk::names(&folder).is_ok_and(|files| files.iter().any(|file| file == "towpath.toml"));
        if !is_example {
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
