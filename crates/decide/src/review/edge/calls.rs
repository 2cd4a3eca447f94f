//! Rules about how components call each other.

use super::super::{Scene, Whole, component_at};
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::component::{Component, ComponentKind, Protocol, Trust, Use};
use towpath_model::desired::resource::ResourceKind;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;

/// Where mutual TLS is asked for, the product's authority issues certificates in some environment.
pub(in super::super) fn certificates(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let on = |product: &Desired| product.edge.mtls || product.edge.authority.is_some();
    if on(whole.root) || whole.environments.iter().any(|(_, product)| on(product)) {
        return;
    }
    for (kind, name, component) in whole.root.components() {
        for (index, one) in component.uses.iter().enumerate() {
            let ours = whole.root.component(one.name.as_str()).is_some();
            if one.trust != Some(Trust::Mtls) || !ours {
                continue;
            }
            let at = component_at(kind, name).key("uses").nth(index).key("trust");
            let message = format!(
                "{kind} `{name}` shows a certificate to `{}`, and nobody issues one: `mtls` is off",
                one.name
            );
            let mut finding = Finding::value(&code::MTLS_OFF, at, message)
                .label("no certificate to show")
                .hint("write mtls = true in [edge]");
            let off = Path::of(["edge", "mtls"]);
            if whole.tree.at_path(&off).is_some() {
                finding = finding.also(Where::Value(off), "off");
            }
            found.push(finding);
        }
    }
}

/// What is signed or opened with a key names it.
pub(in super::super) fn keys(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    for (kind, name, component) in product.components() {
        for (index, one) in component.uses.iter().enumerate() {
            let what = match one.trust {
                Some(Trust::Hmac) => "signs its requests",
                Some(Trust::Jwt) => "carries a signed token",
                Some(Trust::Key) => "opens the door with a key",
                _ => continue,
            };
            if one.secret.is_some() || is_known_otherwise(product, one) {
                continue;
            }
            let at = component_at(kind, name).key("uses").nth(index).key("trust");
            let secret = format!("{}_KEY", one.name.as_str().to_ascii_uppercase().replace('-', "_"));
            let message = format!(
                "{kind} `{name}` {what} at `{}`, and no secret is named for it",
                one.name
            );
            found.push(
                Finding::value(&code::TRUST_WITHOUT_SECRET, at, message)
                    .label("with which key?")
                    .hint(format!(
                        "write secret = \"{secret}\" here, and declare [secret.{secret}]"
                    )),
            );
        }
    }
}

/// Whether the called side brings its own key: a resource, something outside with a secret, a token of an issuer.
fn is_known_otherwise(product: &Desired, one: &Use) -> bool {
    let name = one.name.as_str();
    let issued = |component: &Component| component.require.iter().any(|require| require.issuer.is_some());
    product.resource(name).is_some()
        || product
            .external
            .get(name)
            .is_some_and(|external| external.secret.is_some())
        || product
            .component(name)
            .is_some_and(|(_, _, component)| one.trust == Some(Trust::Jwt) && issued(component))
}

/// Whether a component answers by a protocol.
fn answers(kind: ComponentKind, component: &Component, by: Protocol) -> bool {
    if component.speaks.contains(&by) {
        return true;
    }
    match by {
        Protocol::Http | Protocol::Rest => kind.takes_requests() || component.port.is_some(),
        Protocol::Websocket | Protocol::Grpc => false,
        Protocol::Queue => matches!(kind, ComponentKind::Worker | ComponentKind::Job),
        Protocol::Tcp => kind.runs(),
        Protocol::Sql | Protocol::Redis | Protocol::S3 | Protocol::Gateway => false,
    }
}

/// Whether a resource answers by a protocol.
fn resource_answers(kind: ResourceKind, by: Protocol) -> bool {
    match kind {
        ResourceKind::Postgres => matches!(by, Protocol::Sql | Protocol::Queue | Protocol::Tcp),
        ResourceKind::Redis => matches!(by, Protocol::Redis | Protocol::Queue | Protocol::Tcp),
        ResourceKind::Bucket => matches!(by, Protocol::S3 | Protocol::Http | Protocol::Rest),
    }
}

/// The called side speaks what the caller speaks.
pub(in super::super) fn protocols(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    for (kind, name, component) in product.components() {
        for (index, one) in component.uses.iter().enumerate() {
            let Some(by) = one.by else { continue };
            let called = one.name.as_str();
            let (what, hint, there) = if let Some((other, _, called)) = product.component(called) {
                if answers(other, called, by) {
                    continue;
                }
                let may_speak = matches!(by, Protocol::Websocket | Protocol::Grpc)
                    && matches!(other, ComponentKind::Service | ComponentKind::Function);
                let hint = if may_speak {
                    format!("write speaks = [\"{by}\"] in [{other}.{}]", one.name)
                } else {
                    "leave `by` out: by default it is what the other one speaks".to_owned()
                };
                (
                    other.to_string(),
                    hint,
                    Path::of([other.word(), one.name.as_str()]),
                )
            } else if let Some((other, _, _)) = product.resource(called) {
                if resource_answers(other, by) {
                    continue;
                }
                let hint = "leave `by` out: by default it is what the other one speaks".to_owned();
                (
                    other.to_string(),
                    hint,
                    Path::of([other.word(), one.name.as_str()]),
                )
            } else {
                continue;
            };
            let at = component_at(kind, name).key("uses").nth(index).key("by");
            let message =
                format!("{kind} `{name}` talks to {what} `{called}` by {by}, which that does not speak");
            found.push(
                Finding::value(&code::PROTOCOL_NOT_SPOKEN, at, message)
                    .label("is not understood")
                    .also(Where::Key(there), format!("does not speak {by}"))
                    .hint(hint),
            );
        }
    }
}
