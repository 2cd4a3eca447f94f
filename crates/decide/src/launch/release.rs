//! From what runs to a release: the same components, with their paths in their artifacts and their values as versions.
//!
//! **What it decides.** What a release *is*. `launch` says what runs in one folder on one machine; this takes out of it
//! everything that belongs to the folder and the machine, so that the same product made twice has the same name, and a name
//! says all that there is to say. Paths below the product's folder begin with `ARTIFACT`, which stands for wherever the
//! component's files are laid out. Nothing is watched and nothing is built: a release is what came of that.
//!
//! **When an instance is started anew.** When its digest is another one. The value of a secret is in it as its version,
//! and the files as the digest of their tree. Neither is a resource's: what it is migrated by is done while it runs,
//! and a database that is started anew for each new file of SQL would be an outage that nobody asked for.
//!
//! **What stays on the machine.** Certificates and their keys, and lists of who may pass: they are exchanged while releases
//! come and go, and a key that lay in an artifact would be copied wherever the artifact goes.
//!
//! **Programs outside.** What is built beside the product's folder (`../target/release/api`, as in a workspace) has a place
//! of its own among the files, and its command names it there.

mod paths;
mod questions;
#[cfg(test)]
mod tests;
mod way;

pub use paths::{OUTSIDE, housed, kept_at};

use super::{digest, text_digest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::run::{
    Closed, Component, Content, Frame, Migration, Portion, Product, Rehearsal, Schema, Tree, Variables,
};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;

/// What has been found out beside the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// The digest of the manifest, with everything that it includes.
    pub manifest: String,
    /// The digests of the trees that components run from.
    pub artifacts: BTreeMap<Name, String>,
    /// The versions of the secrets that hold now.
    pub versions: BTreeMap<String, u64>,
    /// The migrations of each resource, in their order.
    pub migrations: BTreeMap<Name, Vec<Migration>>,
}

/// The name of a tree: whatever is the same has the same name.
pub fn tree_digest(tree: &Tree) -> String {
    let text = serde_json::to_vec(tree).expect("a tree is plain data with texts as keys");
    text_digest(&text)
}

/// The release of what runs. `desired` is the product with the environment laid over it, as it was for `launch`.
pub fn content(desired: &Desired, environment: &Name, product: &Product, made: &Made) -> Content {
    let ways = way::ways(desired, environment, product);
    let values = versions(&made.versions);
    let components = product.components.iter().map(|(name, component)| {
        let artifact = made.artifacts.get(name).cloned();
        let component = rendered(component, &product.folder, artifact.as_deref());
        let own = artifact.as_deref().filter(|_| component.resource.is_none());
        let portion = Portion {
            digest: digest(&component, own, &values),
            component: Arc::new(component),
            artifact,
            way: ways.of(name),
        };
        (name.clone(), portion)
    });
    let named = super::select::named(product);
    let secrets = made.versions.iter().filter(|(name, _)| named.contains(*name));
    let flags = desired.flag.keys();
    Content {
        manifest: made.manifest.clone(),
        frame: Arc::new(frame(desired, environment, product)),
        components: components.collect(),
        secrets: secrets.map(|(name, version)| (name.clone(), *version)).collect(),
        flags: flags
            .map(|flag| (flag.clone(), desired.is_on(flag.as_str(), environment.as_str())))
            .collect(),
        schema: schema(product, made),
        questions: Arc::new(questions::questions(desired, environment)),
    }
}

/// The names of the values that the components of a product are started with, and that the edge checks with.
pub fn secrets(product: &Product) -> BTreeSet<String> {
    super::select::named(product)
}

/// Versions in place of values: the digest of a component differs where one of its versions does.
fn versions(versions: &BTreeMap<String, u64>) -> Variables {
    let text = |version: &u64| Sealed::new(format!("version {version}"));
    versions
        .iter()
        .map(|(name, version)| (name.clone(), text(version)))
        .collect()
}

/// A component as it stands in a release.
fn rendered(component: &Component, folder: &str, artifact: Option<&str>) -> Component {
    let mut component = paths::lifted(component, folder);
    component.watch = Vec::new();
    component.build = None;
    if let Some(resource) = &mut component.resource {
        let resource = Arc::make_mut(resource);
        resource.contents = artifact.unwrap_or_default().to_owned();
    }
    component
}

fn frame(desired: &Desired, environment: &Name, product: &Product) -> Frame {
    let own = desired.environment.get(environment.as_str());
    let freezes = own.into_iter().flat_map(|own| &own.freeze);
    Frame {
        product: product.product.clone(),
        environment: environment.clone(),
        error_page: product.error_page.clone(),
        front: product.front.clone(),
        credentials: product.credentials,
        closed: freezes
            .map(|freeze| Closed {
                from: freeze.from,
                to: freeze.to,
                every: freeze.every.clone(),
                why: freeze.why.clone(),
            })
            .collect(),
        zone: desired.time_zone.clone(),
        keep: desired.releases.keep,
        rehearse: rehearsal(desired, environment),
    }
}

/// When a rollback is rehearsed: as the usual rollout says, or else the first component's own that says something.
fn rehearsal(desired: &Desired, environment: &Name) -> Option<Rehearsal> {
    let all = desired.rollouts(Some(environment.as_str()));
    all.into_iter().find_map(|(_, rollout)| {
        Some(Rehearsal {
            every: rollout.rehearse.clone()?,
            within: rollout.rollback_within,
        })
    })
}

/// What each resource is moved by here. A phase that does not run in an environment is no part of its schema.
fn schema(product: &Product, made: &Made) -> BTreeMap<Name, Schema> {
    let migrates = product.components.iter().filter_map(|(name, component)| {
        let migrate = component.resource.as_ref()?.migrate.as_ref()?;
        let all = made.migrations.get(name).into_iter().flatten();
        let here = all.filter(|one| migrate.phases.is_empty() || migrate.phases.contains(&one.phase));
        let schema = Schema {
            migrations: here.cloned().collect(),
            contract: migrate.contract.clone(),
            window: migrate.window.clone(),
        };
        Some((name.clone(), schema))
    });
    migrates.collect()
}
