//! `manifest.json` of a browser extension.

use super::found::{Found, Part};
use super::text::slug;
use super::view::{View, file_name, folder_of, join};
use serde_json::Value;
use towpath_model::desired::component::ComponentKind;

/// Whether a text is the manifest of an extension, and not that of a web application.
pub(super) fn is_one(text: &str) -> bool {
    text.contains("\"manifest_version\"")
}

pub(super) fn find(view: &View, found: &mut Found) {
    for (folder, text) in view.called("manifest.json").filter(|(_, text)| is_one(text)) {
        let file = join(folder, "manifest.json");
        let tree: Value = match serde_json::from_str(text) {
            Ok(tree) => tree,
            Err(error) => {
                found.broken.push(format!("{file} is not valid JSON: {error}"));
                continue;
            }
        };
        // The manifest often lies in the sources of a package, one folder further down.
        let above = folder_of(folder);
        let built = [folder, above]
            .into_iter()
            .find(|folder| view.text(folder, "package.json").is_some());
        let home = built.unwrap_or(folder);
        let title = tree
            .get("name")
            .and_then(Value::as_str)
            .filter(|title| !title.starts_with("__MSG_"));
        let fallback = if home.is_empty() {
            &view.name
        } else {
            file_name(home)
        };
        let name = title
            .and_then(slug)
            .or_else(|| slug(fallback))
            .unwrap_or_else(|| "extension".to_owned());
        let mut part = Part::new(ComponentKind::Extension, &name, home, &file);
        part.browsers.push("chrome");
        if tree.get("browser_specific_settings").is_some() || tree.get("applications").is_some() {
            part.browsers.push("firefox");
        }
        let script = built
            .and_then(|folder| view.text(folder, "package.json"))
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .is_some_and(|package| {
                package
                    .get("scripts")
                    .is_some_and(|scripts| scripts.get("build").is_some())
            });
        if script {
            part.build = Some("npm ci && npm run build".to_owned());
            part.files = Some(join(home, "dist"));
        } else {
            part.files = Some(if folder.is_empty() {
                ".".to_owned()
            } else {
                folder.to_owned()
            });
        }
        // What a package says of itself in the same folder is about the extension.
        found
            .parts
            .retain(|known| !(known.folder == home && known.kind == ComponentKind::Site && !known.explicit));
        found.add(part);
    }
}
