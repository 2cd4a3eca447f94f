//! Rules about hosts.

use super::super::listed::listed;
use super::super::{Scene, component_at, resource_at};
use towpath_model::code;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::place::{Host, HostKind};
use towpath_model::desired::resource::ResourceKind;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::word::Map;

/// The hosts that stand by for a host, one for the other, as long as they are different.
fn chain<'a>(hosts: &'a Map<towpath_model::unit::Name, Host>, first: &'a str) -> (Vec<&'a str>, bool) {
    let mut way = vec![first];
    let mut here = first;
    while let Some(next) = hosts.get(here).and_then(|host| host.standby.as_ref()) {
        let next = next.as_str();
        if next == first {
            return (way, true);
        }
        // A circle further on is told from one of its own hosts; a long chain is nobody's plan.
        if way.len() > 16 || way.contains(&next) {
            return (way, false);
        }
        way.push(next);
        here = next;
    }
    (way, false)
}

/// A standby takes over from a host that fails, so it is another one.
pub(in super::super) fn standbys(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for name in scene.product.host.keys() {
        let (way, circle) = chain(&scene.product.host, name.as_str());
        // Each circle is told once, from the host that comes first by name; one of a single host is told by TP0205.
        if !circle || way.len() < 2 || way.iter().min() != Some(&name.as_str()) {
            continue;
        }
        let at = |host: &str| Path::of(["host", host, "standby"]);
        let message = format!(
            "{} stand by for each other: none is left to take over",
            listed(way.iter().copied(), "and")
        );
        let mut finding = Finding::value(&code::STANDBY_LOOP, at(name.as_str()), message)
            .label("leads back")
            .hint("let a standby have none itself, or one that runs nothing of its own");
        for other in way.iter().skip(1).take(3) {
            finding = finding.also(Where::Value(at(other)), "stands by in turn");
        }
        found.push(finding);
    }
}

/// Whether a host can run a component.
fn runs(host: HostKind, kind: ComponentKind) -> bool {
    match kind {
        ComponentKind::Service | ComponentKind::Worker | ComponentKind::Bot | ComponentKind::Job => {
            !matches!(host, HostKind::Store | HostKind::Cdn)
        }
        ComponentKind::Function | ComponentKind::Site => host != HostKind::Store,
        ComponentKind::Extension => true,
    }
}

/// Whether a host can keep a resource.
fn keeps(host: HostKind, kind: ResourceKind) -> bool {
    match kind {
        ResourceKind::Postgres | ResourceKind::Redis => !matches!(host, HostKind::Store | HostKind::Cdn),
        ResourceKind::Bucket => host != HostKind::Store,
    }
}

/// What a host of a kind is for.
fn purpose(host: HostKind) -> &'static str {
    match host {
        HostKind::Store => "releases packages",
        HostKind::Cdn => "delivers files",
        _ => "does something else",
    }
}

/// A host can run or keep what is put there.
pub(in super::super) fn kinds(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    let components = product.components().filter_map(|(kind, name, component)| {
        let at = component.at.as_ref()?;
        let (host, declared) = product.host.get_key_value(at.as_str())?;
        let wrong = !runs(declared.kind, kind);
        wrong.then(|| {
            (
                component_at(kind, name),
                format!("{kind} `{name}`"),
                host,
                declared,
            )
        })
    });
    let resources = product.resources().filter_map(|(kind, name, resource)| {
        let at = resource.at.as_ref()?;
        let (host, declared) = product.host.get_key_value(at.as_str())?;
        let wrong = !keeps(declared.kind, kind);
        wrong.then(|| {
            (
                resource_at(kind, name),
                format!("{kind} `{name}`"),
                host,
                declared,
            )
        })
    });
    for (at, what, host, declared) in components.chain(resources) {
        let message = format!(
            "{what} is put on host `{host}`, a {} that {}",
            declared.kind,
            purpose(declared.kind)
        );
        found.push(
            Finding::value(&code::HOST_OF_WRONG_KIND, at.key("at"), message)
                .label("cannot run there")
                .also(
                    Where::Value(Path::of(["host", host.as_str(), "kind"])),
                    format!("a {}", declared.kind),
                )
                .hint("name a machine, a platform or a cluster, or correct the host's `kind`"),
        );
    }
}
