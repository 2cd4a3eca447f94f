//! Rules about certificates and protocols that visitors see.

use super::super::{Scene, component_at};
use super::domains::outside_name;
use towpath_model::code;
use towpath_model::desired::edge::Tls;
use towpath_model::desired::place::HostKind;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Duration;

/// What visitors reach, or what has real data, is encrypted on its way.
pub(in super::super) fn public(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        if !component.public || component.tls != Tls::Off {
            continue;
        }
        let at = component_at(kind, name);
        let real = scene.environment.filter(|(_, own)| own.data.real);
        let (why, there) = match (outside_name(scene, &at, component), real) {
            (Some((domain, there)), _) => (format!("visitors of `{domain}`"), there),
            (None, Some((environment, _))) => (
                format!("the real data of `{environment}`"),
                Path::of(["environment", environment.as_str(), "data", "real"]),
            ),
            (None, None) => continue,
        };
        let message = format!("{kind} `{name}` is public without TLS: everybody on the way reads along");
        found.push(
            Finding::value(&code::PUBLIC_WITHOUT_TLS, at.key("tls"), message)
                .label("plain HTTP")
                .also(Where::Value(there), why)
                .hint("leave `tls` out, and the edge gets a certificate; write tls = \"in-front\" if a CDN ends TLS"),
        );
    }
}

/// Where TLS is said to end in front, something is there to end it.
pub(in super::super) fn in_front(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    if product.edge.in_front.is_some() {
        return;
    }
    let usual = scene.environment.and_then(|(_, own)| own.at.as_ref());
    for (kind, name, component) in product.components() {
        let at = component_at(kind, name);
        if !component.public || component.tls != Tls::InFront || outside_name(scene, &at, component).is_none()
        {
            continue;
        }
        let host = component.at.as_ref().or(usual);
        let host = host.and_then(|host| product.host.get(host.as_str()));
        // A platform or a CDN has an edge of its own in front of what it runs.
        if host.is_some_and(|host| matches!(host.kind, HostKind::Platform | HostKind::Cdn | HostKind::Saas)) {
            continue;
        }
        let message =
            format!("{kind} `{name}` leaves TLS to something in front, and nothing is said to be there");
        found.push(
            Finding::value(&code::NOTHING_IN_FRONT, at.key("tls"), message)
                .label("ended by whom?")
                .hint("write what is in front: [edge] with in_front = \"Cloudflare\"; or leave `tls` out"),
        );
    }
}

/// Browsers are told to insist on HTTPS only where nothing is served without it.
pub(in super::super) fn insistence(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some(hsts) = component.headers.as_ref().and_then(|headers| headers.hsts) else {
            continue;
        };
        let at = component_at(kind, name);
        let (there, why) = if component.tls == Tls::Off {
            (at.key("tls"), "plain HTTP")
        } else if !scene.product.edge.https_only {
            (Path::of(["edge", "https_only"]), "plain HTTP is answered, too")
        } else {
            continue;
        };
        let message = format!(
            "browsers are told to insist on HTTPS for {}, and {kind} `{name}` is served without it",
            hsts.spoken()
        );
        found.push(
            Finding::value(&code::HSTS_WITHOUT_HTTPS, at.key("headers").key("hsts"), message)
                .label("cannot be taken back")
                .also(Where::Value(there), why)
                .hint(
                    "serve HTTPS alone (tls = \"auto\", https_only = true), or leave `hsts` out until you do",
                ),
        );
    }
}

/// The shortest life that leaves time to renew, and the longest after which a stolen certificate is still news.
const SHORTEST: Duration = Duration::from_hours(1);
const LONGEST: Duration = Duration::from_days(90);

/// Certificates between components live for a sensible time.
pub(in super::super) fn certificates(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let edge = &scene.product.edge;
    if !edge.mtls {
        return;
    }
    let (message, label) = if edge.certificates < SHORTEST {
        (
            format!(
                "certificates between components end after {}: a short outage of their authority stops every call",
                edge.certificates.spoken()
            ),
            "shorter than an hour",
        )
    } else if edge.certificates > LONGEST {
        (
            format!(
                "certificates between components last {}: a stolen one opens everything until then",
                edge.certificates.spoken()
            ),
            "longer than 90 days",
        )
    } else {
        return;
    };
    found.push(
        Finding::value(
            &code::CERTIFICATE_LIFE,
            Path::of(["edge", "certificates"]),
            message,
        )
        .label(label)
        .hint("write certificates = \"7d\"; they are renewed without anybody's doing"),
    );
}

/// The edge offers what it can speak.
pub(in super::super) fn protocols(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (index, word) in scene.product.edge.protocols.iter().enumerate() {
        let meant = match word.to_ascii_lowercase().as_str() {
            "h1" | "h2" | "h3" => continue,
            "http" | "http1" | "http/1" | "http/1.1" | "http1.1" => Some("h1"),
            "http2" | "http/2" | "http/2.0" | "h2c" => Some("h2"),
            "http3" | "http/3" | "quic" => Some("h3"),
            _ => None,
        };
        let message = format!(
            "`{}` is not a protocol that the edge offers",
            towpath_model::finding::Shown(word)
        );
        let hint = meant.map_or_else(
            || "it offers h1, h2 and h3; WebSockets and gRPC pass through these by themselves".to_owned(),
            |meant| format!("write \"{meant}\""),
        );
        found.push(
            Finding::value(
                &code::PROTOCOL_UNKNOWN,
                Path::of(["edge", "protocols"]).nth(index),
                message,
            )
            .label("none of h1, h2, h3")
            .hint(hint),
        );
    }
}
