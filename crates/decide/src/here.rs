//! What a product is in one environment, where the plan, the rules and the start of it have to agree.

use towpath_model::Desired;
use towpath_model::desired::build::Build;
use towpath_model::desired::component::{Component, ComponentKind, External, Handover, Use};
use towpath_model::desired::environment::Environment;
use towpath_model::unit::{Command, Domain, Name, Unit};

/// Whether its instances or files answer others: a job or an extension is never waited for by whoever names it.
pub(crate) fn answers(kind: ComponentKind) -> bool {
    !matches!(kind, ComponentKind::Job | ComponentKind::Extension)
}

/// Whether there is only one of it at any time: a bot that is not spread over shards holds one session.
pub(crate) fn is_single(kind: ComponentKind, component: &Component) -> bool {
    kind == ComponentKind::Bot && component.handover != Handover::Shards
}

/// How many instances start: the fewest that are wanted, one of a bot without shards, no more than the cap.
pub(crate) fn fewest(own: Option<&Environment>, kind: ComponentKind, component: &Component) -> u32 {
    let wanted = match is_single(kind, component) {
        true => 1,
        false => component.replicas.min,
    };
    capped(own, wanted)
}

/// How many instances run outside the times of its schedule: the smallest number that `replicas` allows, none of a bot too.
pub(crate) fn least(own: Option<&Environment>, kind: ComponentKind, component: &Component) -> u32 {
    match is_single(kind, component) {
        true => capped(own, component.replicas.min.min(1)),
        false => capped(own, component.replicas.min),
    }
}

/// The most instances that may run.
pub(crate) fn most(own: Option<&Environment>, kind: ComponentKind, component: &Component) -> u32 {
    let wanted = match is_single(kind, component) {
        true => 1,
        false => component.replicas.most(),
    };
    capped(own, wanted)
}

fn capped(own: Option<&Environment>, wanted: u32) -> u32 {
    let cap = own.and_then(|own| own.cap.as_ref()).and_then(|cap| cap.replicas);
    cap.map_or(wanted, |cap| wanted.min(cap))
}

/// The outside things that a command stands in for in an environment.
pub(crate) fn stand_ins<'a>(
    product: &'a Desired,
    here: &Name,
) -> impl Iterator<Item = (&'a Name, &'a External, &'a Command)> {
    let here = here.as_str().to_owned();
    product.external.iter().filter_map(move |(name, external)| {
        let used = external.mock_in.iter().any(|one| one.as_str() == here);
        let command = external.mock.as_ref().filter(|_| used)?;
        Some((name, external, command))
    })
}

/// The names that a component is known by: its own, or its name before the environment's domain.
pub(crate) fn domains(own: Option<&Environment>, name: &Name, component: &Component) -> Vec<Domain> {
    if !component.domains.is_empty() {
        return component.domains.clone();
    }
    let under = own.and_then(|own| own.domain.as_ref());
    under
        .and_then(|under| Domain::parse(&format!("{name}.{under}")).ok())
        .into_iter()
        .collect()
}

/// The build that several components share and this one names.
pub(crate) fn shared_build<'a>(product: &'a Desired, own: &Build) -> Option<(&'a Name, &'a Build)> {
    product.build.get_key_value(own.shared.as_ref()?.as_str())
}

/// The variable under which the address of something that is used arrives.
pub(crate) fn delivered(one: &Use) -> String {
    match &one.env {
        Some(name) => name.as_str().to_owned(),
        None => format!("{}_URL", prefix(one.name.as_str())),
    }
}

/// A name as the beginning of variables: `score-worker` is `SCORE_WORKER`.
pub(crate) fn prefix(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}
