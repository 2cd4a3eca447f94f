//! Rules about what visitors get to see.

use super::super::{Scene, component_at};
use super::taken;
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::secret::Variable;
use towpath_model::finding::Finding;
use towpath_model::spec::Path;
use towpath_model::unit::VarName;
use towpath_model::word::Map;

/// Beginnings of variables that tools build into what browsers load.
const OPEN: &[&str] = &[
    "NEXT_PUBLIC_",
    "VITE_",
    "REACT_APP_",
    "PUBLIC_",
    "NUXT_PUBLIC_",
    "GATSBY_",
    "EXPO_PUBLIC_",
];

/// Nothing that browsers load is built with a secret.
pub(in super::super) fn bundles(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    for (kind, name, component) in product.components() {
        let at = component_at(kind, name);
        let whole = matches!(kind, ComponentKind::Site | ComponentKind::Extension);
        let what = format!("{kind} `{name}`");
        open(&component.env, &at.key("env"), whole, &what, found);
        let Some(build) = &component.build else { continue };
        open(&build.env, &at.key("build").key("env"), whole, &what, found);
        let shared = build
            .shared
            .as_ref()
            .and_then(|shared| product.build.get_key_value(shared.as_str()));
        if let Some((shared, build)) = shared {
            let at = Path::of(["build", shared.as_str(), "env"]);
            open(&build.env, &at, whole, &what, found);
        }
    }
}

fn open(env: &Map<VarName, Variable>, at: &Path, whole: bool, what: &str, found: &mut Vec<Finding>) {
    for (variable, set) in env {
        let Some(secret) = set.value.as_deref().and_then(taken) else {
            continue;
        };
        let start = OPEN.iter().find(|start| variable.as_str().starts_with(**start));
        let (message, label) = match start {
            _ if whole => (
                format!("{what} is built with secret `{secret}`, and every visitor gets it with the files"),
                "built into the files".to_owned(),
            ),
            Some(start) => (
                format!("`{variable}` of {what} is built into what browsers load, secret `{secret}` with it"),
                format!("{start} means: for browsers"),
            ),
            None => continue,
        };
        found.push(
            Finding::value(&code::SECRET_TO_VISITORS, at.key(variable.as_str()).key("value"), message)
                .label(label)
                .hint("let a service hold the secret and ask that; if everybody may know it, write the value itself; for the build alone, name it in the build's `secrets`"),
        );
    }
}
