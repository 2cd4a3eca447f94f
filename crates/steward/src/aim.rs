//! Aiming probes: where a component is asked, which stores and secrets a probe may use, and in which folder its commands run.
//!
//! A probe asks the instances themselves, not the edge in front of them: those of a new release have no visitors yet, and the
//! edge would show a synthetic one the door that it shows to robots. Only those that are well are asked; whether there are any
//! at all is said by the state of the component, and a probe without any is no verdict.
//!
//! A secret of a probe is the one that holds now, whatever release is asked: it is the visitor's, not the release's.

use crate::core::Core;
use crate::door::clock;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use towpath_decide::gate::probe::secrets;
use towpath_decide::launch::ADDRESS;
use towpath_decide::tend::Part;
use towpath_engine::Engine;
use towpath_model::desired::probe::Probe;
use towpath_model::desired::resource::ResourceKind;
use towpath_model::run::{Component, ReleaseId, Variables};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;
use towpath_probe::{Aim, Base};

impl<E: Engine> Core<E> {
    /// What a probe is aimed at: at the instances of a release, or at all that serve.
    pub(crate) async fn aim(&self, probe: &Probe, release: Option<&ReleaseId>) -> Aim {
        let parts = self.tended.parts();
        let components = parts
            .iter()
            .filter_map(|(name, part)| Some((name, part.component.as_ref()?)));
        let name = whom(probe, components);
        let part = name.as_ref().and_then(|name| parts.get(name));
        let component = part.and_then(|part| version(part, release));
        let folder = self.config.folder.clone();
        let env = component.as_ref().map(|component| {
            let (env, _) = self.wardrobe.variables(&component.env, None, &self.addresses);
            env
        });
        let values = self.wardrobe.values.values();
        Aim {
            at: part.map(|part| bases(part, release)).unwrap_or_default(),
            reached: self.reached(),
            resources: self
                .stores()
                .map(|(name, _, address)| (name.to_string(), address))
                .collect(),
            secrets: self.probed_secrets(probe).await,
            hidden: values.cloned().collect(),
            env: env.unwrap_or_default(),
            files: self
                .files_of(name.as_ref(), release)
                .unwrap_or_else(|| folder.clone()),
            folder: component.map_or(folder, |component| PathBuf::from(&component.dir)),
            authorities: Vec::new(),
            stable: None,
            now: clock::today(),
        }
    }

    /// Where components are reached from inside.
    fn reached(&self) -> BTreeMap<String, SocketAddr> {
        let names = self.tended.parts().iter();
        let reached =
            names.filter_map(|(name, _)| Some((name.to_string(), here(self.addresses.inside(name)?))));
        reached.collect()
    }

    /// The addresses of the stores that keep something.
    pub(crate) fn stores(&self) -> impl Iterator<Item = (&Name, ResourceKind, Sealed<String>)> {
        let parts = self.tended.parts().iter();
        parts.filter_map(|(name, part)| {
            let component = part.component.as_ref().filter(|one| is_asked(one))?;
            let kind = component.resource.as_ref()?.kind;
            let port = self.addresses.inside(name);
            let (env, _) = self.wardrobe.variables(&component.env, port, &self.addresses);
            let (_, address) = env.into_iter().find(|(known, _)| known == ADDRESS)?;
            Some((name, kind, address))
        })
    }

    /// The values of the secrets that a probe carries, as they hold now. One that has none is told by the probe.
    async fn probed_secrets(&self, probe: &Probe) -> Variables {
        let wanted = secrets(probe);
        let mut values = Variables::new();
        for name in &wanted {
            if let Some(value) = self.wardrobe.values.get(name) {
                values.insert(name.clone(), value.clone());
            }
        }
        let mut versions = self.vault.versions().await.unwrap_or_default();
        versions.retain(|name, _| wanted.contains(name));
        values.extend(
            self.vault
                .open(&versions, clock::today())
                .await
                .unwrap_or_default(),
        );
        values
    }

    /// Where the files of a component of a release lie.
    fn files_of(&self, name: Option<&Name>, release: Option<&ReleaseId>) -> Option<PathBuf> {
        let kept = self.helm.as_ref()?.releases.get(release?)?;
        let portion = kept.release.content.components.get(name?)?;
        self.artifacts.laid_out(portion.artifact.as_deref()?).ok()
    }
}

/// The component that a probe asks: the one that it names, or the only one that people reach.
fn whom<'c>(probe: &Probe, components: impl Iterator<Item = (&'c Name, &'c Arc<Component>)>) -> Option<Name> {
    let named = probe.of.as_ref().map(|of| of.as_str());
    let is_meant = |name: &Name, component: &Component| match named {
        Some(named) => name.as_str() == named,
        None => component.listens.as_ref().is_some_and(|listens| listens.public),
    };
    let mut meant = components.filter(|(name, component)| is_meant(name, component));
    match (meant.next(), meant.next()) {
        (Some((name, _)), None) => Some(name.clone()),
        _ => None,
    }
}

/// A component as it is in a release.
fn version(part: &Part, release: Option<&ReleaseId>) -> Option<Arc<Component>> {
    match release {
        Some(_) => side(part, release).map(|(_, component)| component),
        None => part.component.clone(),
    }
}

fn side(part: &Part, release: Option<&ReleaseId>) -> Option<(String, Arc<Component>)> {
    let sides = part.row.iter().flat_map(|row| &row.sides);
    let mut sides = sides.filter(|side| Some(&side.release) == release);
    sides
        .next()
        .map(|side| (side.digest.clone(), Arc::clone(&side.component)))
}

/// Where the instances of a component are asked that are well: those of a release, or all.
/// The page of metrics of each instance that serves, by a name that no later life of it has.
pub(crate) fn pages(part: &Part) -> Vec<(String, SocketAddr)> {
    let fixed = part.component.as_ref().and_then(|one| one.listens.as_ref()?.port);
    let well = part.standing.iter().filter(|one| one.serves());
    well.filter_map(|one| {
        let address = here(one.seen.port.or(fixed)?);
        Some((format!("{}/{:?}", one.seen.id, one.seen.life), address))
    })
    .collect()
}

fn bases(part: &Part, release: Option<&ReleaseId>) -> Vec<Base> {
    let digest = match release {
        Some(_) => match side(part, release) {
            Some((digest, _)) => Some(digest),
            None => return Vec::new(),
        },
        None => None,
    };
    let fixed = part.component.as_ref().and_then(|one| one.listens.as_ref()?.port);
    let well = part.standing.iter().filter(|one| one.serves());
    let own = well.filter(|one| digest.as_ref().is_none_or(|digest| one.seen.digest == *digest));
    own.filter_map(|one| Some(Base::instance(here(one.seen.port.or(fixed)?))))
        .collect()
}

/// Whether it is a store that can be asked by an address.
fn is_asked(component: &Component) -> bool {
    component.resource.as_ref().is_some_and(|resource| {
        resource.pool.is_none() && matches!(resource.kind, ResourceKind::Postgres | ResourceKind::Redis)
    })
}

fn here(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_decide::converge::{Standing, Well};
    use towpath_decide::rollout::{Row, Side};
    use towpath_model::run::{InstanceId, Life, Seen};
    use towpath_model::unit::known;
    use towpath_world::Product;

    fn component(words: &str) -> Arc<Component> {
        let mut product = Product::default();
        let name = product.put(words).expect("it is a component");
        Arc::clone(&product.components[&name].0)
    }

    fn standing(number: u64, digest: &str, is_well: bool) -> Standing {
        let never = Well::NotYet { late: None };
        Standing {
            seen: Seen {
                id: InstanceId::new(&known("web"), number),
                digest: digest.to_owned(),
                port: Some(10_000 + u16::try_from(number).expect("it is small")),
                life: Life::Running { pid: 1 },
                restarts: 0,
                since: jiff::Timestamp::UNIX_EPOCH,
            },
            well: if is_well { Well::Yes } else { never },
            busy: None,
            robbed: false,
            stopped: false,
        }
    }

    fn rolling() -> Part {
        let web = component("web 2");
        let side = |release: &str, digest: &str| Side {
            release: ReleaseId::new(release),
            component: Arc::clone(&web),
            digest: digest.to_owned(),
            instances: None,
            parts: 0,
            pilot: None,
        };
        let mut part = Part::default();
        part.component = Some(Arc::clone(&web));
        part.standing = vec![
            standing(1, "old", true),
            standing(2, "new", true),
            standing(3, "new", false),
        ];
        part.row = Some(Row {
            sides: vec![side("r1", "old"), side("r2", "new")],
            apart: false,
        });
        part
    }

    #[test]
    fn a_release_is_asked_at_its_own_instances_and_only_at_those_that_are_well() {
        let part = rolling();
        let ports = |release: Option<&str>| -> Vec<u16> {
            let release = release.map(ReleaseId::new);
            let bases = bases(&part, release.as_ref());
            bases.iter().map(|base| base.at.port()).collect()
        };
        assert_eq!(ports(Some("r2")), [10_002]);
        assert_eq!(ports(Some("r1")), [10_001]);
        assert_eq!(ports(None), [10_001, 10_002]);
        assert_eq!(
            ports(Some("r3")),
            [0; 0],
            "one that does not stand here is asked nowhere"
        );
        assert!(version(&part, Some(&ReleaseId::new("r3"))).is_none());
    }

    #[test]
    fn a_probe_means_the_component_that_it_names_or_the_only_one_that_people_reach() {
        let probe = |of: Option<&str>| -> Probe {
            let mut words = serde_json::json!({ "http": "/" });
            if let Some(of) = of {
                words["of"] = of.into();
            }
            serde_json::from_value(words).expect("it is a probe")
        };
        let public = |is_public: bool| {
            let mut component = Component::clone(&component("web 1"));
            if let Some(listens) = &mut component.listens {
                listens.public = is_public;
            }
            Arc::new(component)
        };
        let all = [
            (known::<Name>("api"), public(false)),
            (known("web"), public(true)),
            (known("admin"), public(true)),
        ];
        let meant = |probe: &Probe, count: usize| {
            let components = all.iter().take(count).map(|(name, component)| (name, component));
            whom(probe, components).map(|name| name.to_string())
        };
        assert_eq!(meant(&probe(Some("api")), 3).as_deref(), Some("api"));
        assert_eq!(meant(&probe(None), 2).as_deref(), Some("web"));
        assert_eq!(meant(&probe(None), 3), None, "two are reached by people");
        assert_eq!(meant(&probe(Some("mail")), 3), None);
    }
}
