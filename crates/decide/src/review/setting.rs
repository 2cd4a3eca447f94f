//! What a rule asks about the environment that it looks at.

use super::Scene;
use towpath_model::Desired;
use towpath_model::desired::environment::{Engine, Environment};
use towpath_model::desired::place::{Host, HostKind, ToHost};
use towpath_model::desired::rollout::Written;
use towpath_model::finding::Finding;
use towpath_model::spec::Path;
use towpath_model::unit::Name;
use towpath_model::word::Ref;

impl<'a> Scene<'a> {
    /// What the environment says about itself.
    pub(super) fn own(&self) -> Option<&'a Environment> {
        self.environment.map(|(_, own)| own)
    }

    /// Whether real data of real people is here.
    pub(super) fn real(&self) -> bool {
        self.own().is_some_and(|own| own.data.real)
    }

    /// Whether what is kept here is worth keeping: real data, or, where no environment is marked so, data that is
    /// neither made afresh nor copied from elsewhere.
    pub(super) fn lasting(&self) -> bool {
        let Some(own) = self.own() else {
            return true;
        };
        if own.data.real {
            return true;
        }
        let made = own.data.fresh || own.data.load.is_some() || own.data.copy.is_some();
        !made && own.preview.is_none() && !self.product.environment.values().any(|one| one.data.real)
    }

    /// The rollout that holds for everything here that has none of its own.
    pub(super) fn usual_rollout(&self) -> Option<Written<'a>> {
        self.product.usual_rollout(self.name())
    }

    /// Every rollout that is written for something here.
    pub(super) fn rollouts(&self) -> Vec<Written<'a>> {
        self.product.rollouts(self.name())
    }

    fn name(&self) -> Option<&'a str> {
        self.environment.map(|(name, _)| name.as_str())
    }

    /// What runs instances here.
    pub(super) fn engine(&self) -> Engine {
        self.own().map_or(Engine::Process, |own| own.engine)
    }

    /// The host that something is at: its own, or that of the environment.
    pub(super) fn host(&self, at: Option<&'a Ref<ToHost>>) -> Option<(&'a str, &'a Host)> {
        let name = at.or_else(|| self.own()?.at.as_ref())?.as_str();
        Some((name, self.product.host.get(name)?))
    }

    /// The kind of the host that something is at; where none is named, a machine of ours or the cluster.
    pub(super) fn host_kind(&self, at: Option<&'a Ref<ToHost>>) -> HostKind {
        let unnamed = match self.engine() {
            Engine::Kubernetes => HostKind::Cluster,
            Engine::Process | Engine::Docker => HostKind::Machine,
        };
        self.host(at).map_or(unnamed, |(_, host)| host.kind)
    }
}

/// The path of an environment.
pub(super) fn environment_at(name: &Name) -> Path {
    Path::of(["environment", name.as_str()])
}

/// The product without an environment, or in each of them: what is looked at where one fault in all of them counts.
pub(super) fn scenes<'a>(whole: &super::Whole<'a>) -> Vec<Scene<'a>> {
    let alone = |product: &'a Desired| Scene {
        product,
        environment: None,
    };
    if whole.environments.is_empty() {
        return vec![alone(whole.root)];
    }
    whole
        .environments
        .iter()
        .filter_map(|(name, product)| {
            Some(Scene {
                product,
                environment: Some((*name, product.environment.get(name.as_str())?)),
            })
        })
        .collect()
}

/// A finding of a rule that looks at everything, at home where it was written: an environment, or the root.
pub(super) fn at_home(mut finding: Finding, scene: &Scene<'_>, in_root: bool) -> Finding {
    if let (false, Some((name, _))) = (in_root, scene.environment) {
        finding.environments = vec![name.clone()];
    }
    finding
}
