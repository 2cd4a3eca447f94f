//! `index.html` where nothing else serves it: static files.

use super::found::{Found, Part};
use super::text::slug;
use super::view::{View, folder_of};
use towpath_model::desired::component::ComponentKind;

/// Folders with pages of something else.
const FOREIGN: &[&str] = &["templates", "static", "docs", "examples", "fixtures", "views"];

pub(super) fn find(view: &View, found: &mut Found) {
    let pages: Vec<&str> = view
        .names
        .iter()
        .filter(|name| super::view::file_name(name) == "index.html")
        .map(|name| folder_of(name))
        .filter(|folder| !folder.contains('/') && !FOREIGN.contains(folder))
        .collect();
    for folder in pages {
        let served = |part: &Part| {
            part.folder == folder || (part.folder.is_empty() && part.kind != ComponentKind::Job)
        };
        if found.parts.iter().any(served) || view.has(folder, "package.json") {
            continue;
        }
        let name = match folder {
            "" | "public" | "www" | "site" | "web" | "html" => "site".to_owned(),
            other => slug(other).unwrap_or_else(|| "site".to_owned()),
        };
        let from = super::view::join(folder, "index.html");
        let mut part = Part::new(ComponentKind::Site, &name, folder, &from);
        part.files = Some(if folder.is_empty() {
            ".".to_owned()
        } else {
            folder.to_owned()
        });
        part.dir = String::new();
        if folder.is_empty() {
            part.remarks.push(
                "Everything here would be public: better move what is served into a folder of its own"
                    .to_owned(),
            );
        }
        found.add(part);
    }
}
