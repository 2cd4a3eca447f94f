//! Where an environment runs, and what runs it.

use crate::review::Scene;
use crate::review::setting::environment_at;
use towpath_model::code;
use towpath_model::desired::environment::Engine;
use towpath_model::desired::place::HostKind;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;

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
