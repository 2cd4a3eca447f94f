//! A release at home: its paths lead into folders of ours, its secrets are called by their versions, and what it starts is
//! told where everything else is.

use super::Helm;
use crate::core::Core;
use crate::door::{clock, processes};
use crate::errors;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use towpath_api::Tone;
use towpath_decide::launch::release::housed;
use towpath_decide::launch::{version_of, versioned};
use towpath_decide::rollout::Lineup;
use towpath_engine::Engine;
use towpath_model::run::{Component, Content, Frame, Product, Release, ReleaseId, Resource};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;
use towpath_store::{Artifacts, StoreError};

impl<E: Engine> Core<E> {
    /// What holds for all of the release that is on its way, or else of the one that is current.
    pub(crate) fn frame(&self) -> Option<Arc<Frame>> {
        let helm = self.helm.as_ref()?;
        let going = helm.course.rollout.as_ref().filter(|one| one.back.is_none());
        let id = going.map(|one| &one.to).or(helm.course.current.as_ref())?;
        Some(Arc::clone(&helm.releases.get(id)?.release.content.frame))
    }

    /// Every release that is kept as it stands here. It is reckoned anew when there is another one, and when something is
    /// reached elsewhere than before.
    pub(crate) async fn house_releases(&mut self) {
        let Some(helm) = &self.helm else { return };
        if self.wardrobe.base.is_empty() {
            self.wardrobe.base = base(&processes::environment());
        }
        let mut reached: BTreeSet<Name> = BTreeSet::new();
        let secrets = helm
            .releases
            .values()
            .map(|kept| kept.release.content.secrets.clone())
            .collect();
        for kept in helm.releases.values() {
            let content = &kept.release.content;
            let private = content.components.iter().filter(|(_, portion)| {
                let listens = portion.component.listens.as_ref();
                listens.is_some_and(|listens| listens.private)
            });
            reached.extend(private.map(|(name, _)| name.clone()));
        }
        for name in reached {
            if let Some(port) = self.addresses.settle(&name) {
                self.ledger.inside(&name, port);
            }
        }
        self.open_versions(secrets).await;
        let Some(helm) = &self.helm else { return };
        let mut known = towpath_decide::rollout::Known::new();
        for (id, kept) in &helm.releases {
            let content = self.at_home(helm, &kept.release.content);
            let release = Release {
                id: id.clone(),
                content,
                origin: kept.release.origin.clone(),
            };
            known.insert(id.clone(), Arc::new(release));
        }
        if let Some(helm) = &mut self.helm {
            helm.known = known;
            helm.relines = true;
            helm.seen = None;
        }
    }

    /// The values that releases are started with, by their versions.
    async fn open_versions(&mut self, releases: Vec<BTreeMap<String, u64>>) {
        for secrets in releases {
            if let Err(error) = self.open_secrets(&secrets).await {
                let text = format!("secrets of a release cannot be opened: {}", errors::told(&error));
                self.note(Tone::Error, text);
            }
        }
    }

    /// The values of these versions are known from now on.
    pub(super) async fn open_secrets(&mut self, secrets: &BTreeMap<String, u64>) -> Result<(), StoreError> {
        let known = |(name, version): (&String, &u64)| {
            let values = &self.wardrobe.values;
            values.contains_key(&version_of(name, *version))
        };
        if secrets.iter().all(known) {
            return Ok(());
        }
        let opened = self.vault.open(secrets, clock::today()).await?;
        let version = |name: &String| secrets.get(name).copied().unwrap_or_default();
        let opened = opened
            .into_iter()
            .map(|(name, value)| (version_of(&name, version(&name)), value));
        self.wardrobe.values.extend(opened);
        Ok(())
    }

    fn at_home(&self, helm: &Helm, content: &Content) -> Content {
        let mut content = whole(content, &self.artifacts);
        for (name, portion) in &mut content.components {
            portion.digest = self.dressed(&portion.component, &portion.digest);
            let moves = content
                .schema
                .get(name)
                .is_some_and(|schema| !schema.migrations.is_empty());
            if moves {
                portion.component = Arc::new(still(&portion.component));
            }
            // What is the same is kept once: whoever compares sees at a glance that nothing has changed.
            let others = helm
                .known
                .values()
                .filter_map(|known| known.content.components.get(name));
            let mut others = others.map(|other| &other.component);
            if let Some(same) = others.find(|other| **other == portion.component) {
                portion.component = Arc::clone(same);
            }
        }
        content
    }

    /// What has to stand is what the product is from now on: the edge and everybody else is told what holds around it.
    pub(super) async fn show_lineup(&mut self, rows: &Lineup) {
        let Some(frame) = self.frame() else { return };
        let components = rows
            .iter()
            .filter_map(|(name, row)| Some((name.clone(), row.lead()?.1)));
        let product = Arc::new(Product {
            product: frame.product.clone(),
            environment: frame.environment.clone(),
            folder: self.config.folder.to_string_lossy().into_owned(),
            sources: Vec::new(),
            components: components.collect(),
            builds: Default::default(),
            error_page: frame.error_page.clone(),
            front: frame.front.clone(),
            credentials: frame.credentials,
        });
        self.have_edge(&product).await;
        self.face_edge(&product).await;
        self.see_to_credentials(&product).await;
        self.settle_addresses(&product);
        self.make(&product);
        self.product = Some(product);
    }

    /// A component of a release with everything that is done to it, as it stands here.
    pub(super) fn whole_component(&self, id: &ReleaseId, name: &Name) -> Option<Arc<Component>> {
        let kept = self.helm.as_ref()?.releases.get(id)?;
        let content = whole(&kept.release.content, &self.artifacts);
        content
            .components
            .get(name)
            .map(|portion| Arc::clone(&portion.component))
    }

    /// The artifacts that releases need stay, and the others go, beside everything else.
    pub(super) async fn sweep_artifacts(&mut self) {
        let Some(helm) = &self.helm else { return };
        let contents = helm.releases.values().map(|kept| &kept.release.content);
        let portions = contents.flat_map(|content| content.components.values());
        let needed: BTreeSet<String> = portions.filter_map(|portion| portion.artifact.clone()).collect();
        // Where it cannot be seen what they are made of, nothing goes; the next time is soon enough.
        let Ok(trees) = self.ledger.trees().await else {
            return;
        };
        let mut files = BTreeSet::new();
        for (name, tree) in trees {
            match needed.contains(&name) {
                true => files.extend(tree.files().map(|(digest, _)| digest.to_owned())),
                false => self.ledger.forget_tree(&name),
            }
        }
        let secrets = helm
            .releases
            .values()
            .flat_map(|kept| &kept.release.content.secrets);
        let secrets = secrets.map(|(name, version)| (name.clone(), *version)).collect();
        let since = clock::today();
        // So is what is sealed of them.
        drop(self.vault.prune(&secrets, since).await);
        let artifacts = self.artifacts.clone();
        // What could not be taken away is taken away with the next ones.
        tokio::spawn(async move { drop(artifacts.sweep(needed, files, since).await) });
    }
}

/// A content with whole paths, and secrets by their versions.
fn whole(content: &Content, artifacts: &Artifacts) -> Content {
    // A name that cannot be a folder's belongs to nothing that was laid out.
    let folder = |tree: &str| {
        artifacts
            .laid_out(tree)
            .map(|path| text(&path))
            .unwrap_or_default()
    };
    versioned(&housed(content, &folder))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A resource whose schema is moved by rollouts, and by nobody else.
fn still(component: &Component) -> Component {
    let resource = component.resource.as_ref().map(|resource| {
        Arc::new(Resource {
            migrate: None,
            seed: None,
            load: None,
            contents: String::new(),
            ..Resource::clone(resource)
        })
    });
    Component {
        resource,
        ..component.clone()
    }
}

/// What every process gets besides its own variables, of those that the steward itself has.
fn base(own: &[(String, String)]) -> std::collections::BTreeMap<String, String> {
    let open = |(name, value): (String, Sealed<String>)| (name, value.open().clone());
    towpath_decide::launch::base(own).into_iter().map(open).collect()
}

/// Where the program of a command has to be, if it names one that can be looked for.
pub(super) fn program(component: &Component) -> Option<(PathBuf, String)> {
    let command = component.command.as_ref()?;
    let word = command
        .split_whitespace()
        .find(|word| *word != "exec" && !word.contains('='))?;
    let plain = word
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "/._-+".contains(letter));
    plain.then(|| (PathBuf::from(&component.dir), word.to_owned()))
}
