//! What an environment says about flags and engines, and whether it is there.

use crate::review::listed::listed;
use crate::review::setting::environment_at;
use crate::review::{Scene, Whole};
use std::collections::BTreeSet;
use towpath_model::code;
use towpath_model::desired::environment::Engine;
use towpath_model::desired::place::HostKind;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// The most names that a hint lists.
const MOST_LISTED: usize = 8;

fn there(names: Vec<&Name>, otherwise: String) -> String {
    match names.len() {
        1..=MOST_LISTED => format!("there is {}", listed(names.into_iter().map(Name::as_str), "and")),
        _ => otherwise,
    }
}

/// Flags that are set but not declared, and flags that are set in environments that are not.
pub(super) fn flags(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (name, product) in whole.environments {
        let Some(own) = product.environment.get(name.as_str()) else {
            continue;
        };
        for flag in own.flags.keys() {
            if product.flag.contains_key(flag.as_str()) || !told.insert((name.as_str(), flag.as_str())) {
                continue;
            }
            found.push(
                Finding::key(
                    &code::FLAG_ELSEWHERE,
                    environment_at(name).key("flags").key(flag),
                    format!("`{name}` sets the flag `{flag}`, which is not declared"),
                )
                .label("no such flag")
                .hint(there(
                    product.flag.keys().collect(),
                    format!("declare it, as in [flag] with `{flag} = false`, the safe value"),
                )),
            );
        }
    }
    let all = &whole.root.environment;
    for (flag, one) in &whole.root.flag {
        for environment in one.env.keys().filter(|name| !all.contains_key(name.as_str())) {
            found.push(
                Finding::key(
                    &code::FLAG_ELSEWHERE,
                    Path::of(["flag", flag.as_str(), "env"]).key(environment),
                    format!("the flag `{flag}` has a value in `{environment}`, which is not declared"),
                )
                .label("no such environment")
                .hint(there(
                    all.keys().collect(),
                    format!("declare it: [environment.{environment}]"),
                )),
            );
        }
    }
}

/// An engine on a host that does not have it.
pub(super) fn engine(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((name, own)) = scene.environment else {
        return;
    };
    let Some((host_name, host)) = scene.host(None) else {
        return;
    };
    let at = environment_at(name);
    let kind_at = Path::of(["host", host_name, "kind"]);
    let finding = match (own.engine, host.kind) {
        (Engine::Kubernetes, HostKind::Machine | HostKind::Cdn | HostKind::Saas | HostKind::Store) => {
            Finding::value(
                &code::ENGINE_ELSEWHERE,
                at.key("engine"),
                format!(
                    "`{name}` runs on Kubernetes, but `{host_name}` is a {}",
                    host.kind
                ),
            )
            .label("there is no cluster")
            .hint(format!(
                "write `kind = \"cluster\"` in [host.{host_name}] if it is one, or `engine = \"docker\"` here"
            ))
        }
        (Engine::Process, HostKind::Cluster) => Finding::value(
            &code::ENGINE_ELSEWHERE,
            at.key("engine"),
            format!("`{name}` runs processes, but `{host_name}` is a cluster"),
        )
        .label("a cluster runs no processes")
        .hint("write `engine = \"kubernetes\"`"),
        _ => return,
    };
    found.push(finding.also(Where::Value(kind_at), format!("a {}", host.kind)));
}
