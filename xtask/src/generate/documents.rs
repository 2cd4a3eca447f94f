//! The infrastructure documents of the examples, and the workflows of those that export them, each beside its manifest.

use super::Generated;
use crate::disk;
use std::error::Error;
use std::path::Path;
use towpath::checked::check;
use towpath_export::File;
use towpath_model::desired::operations::Export;

/// The document of each example, and its workflows.
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
        let exports = checked.product(None).map(|(product, _)| &product.exports);
        if exports.is_ok_and(|exports| exports.contains(&Export::GithubActions)) {
            let files = checked
                .workflows("")
                .map_err(|failure| format!("examples/{name}: {failure}"))?;
            let below = |file: File| Generated::new(format!("examples/{name}/{}", file.path), file.text);
            all.extend(files.into_iter().map(below));
        }
    }
    Ok(all)
}
