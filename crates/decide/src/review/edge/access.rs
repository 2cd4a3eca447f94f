//! Rules about who may pass.

use super::super::{Scene, component_at, resource_at};
use crate::launch::is_own_machine;
use towpath_model::code;
use towpath_model::desired::edge::{Access, SignIn};
use towpath_model::finding::Finding;
use towpath_model::spec::Path;
use towpath_model::unit::{Cidr, Url};

/// A list of networks that holds all of them keeps nobody out.
pub(in super::super) fn networks(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    let mut look = |at: Path, what: String, allow: &[Cidr], hint: &str| {
        let Some((index, network)) = allow.iter().enumerate().find(|(_, one)| one.prefix() == 0) else {
            return;
        };
        found.push(
            Finding::value(
                &code::OPEN_TO_ALL,
                at.key("allow").nth(index),
                format!("{what} is open to {network}, which is everybody"),
            )
            .label("every address there is")
            .hint(hint),
        );
    };
    for (kind, name, component) in product.components() {
        let what = format!("{kind} `{name}`");
        look(
            component_at(kind, name),
            what,
            &component.allow,
            "leave `allow` out if everybody may reach it, or name the networks that may",
        );
    }
    for (kind, name, resource) in product.resources() {
        let what = format!("{kind} `{name}`");
        look(
            resource_at(kind, name),
            what,
            &resource.allow,
            "leave `allow` out: the product's components reach it without; name only further networks",
        );
    }
    for (name, host) in &product.host {
        let what = format!("host `{name}`");
        let at = Path::of(["host", name.as_str()]);
        look(at, what, &host.allow, "name the networks that have to reach it");
    }
    let hint = "leave `allow` out, or name the networks of what stands in front";
    look(
        Path::of(["edge"]),
        "the edge".to_owned(),
        &product.edge.allow,
        hint,
    );
}

/// What runs on somebody's own machine answers that machine alone.
pub(in super::super) fn laptops(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let own = scene.environment.filter(|(name, _)| is_own_machine(name));
    let listen = scene.product.edge.listen.iter().enumerate();
    let mut open = listen.filter(|(_, ip)| !ip.address().is_loopback());
    if let Some((environment, _)) = own
        && let Some((index, ip)) = open.next()
    {
        found.push(
            Finding::value(
                &code::OPEN_LAPTOP,
                Path::of(["edge", "listen"]).nth(index),
                format!("in `{environment}` the edge answers others than this machine, at {ip}"),
            )
            .label("whoever is in the same network")
            .hint("leave `listen` out there; `towpath up --listen 0.0.0.0` opens it for once, to look at it with a phone"),
        );
    }
}

/// Every sign-in with its place.
fn all<'a>(scene: &Scene<'a>) -> Vec<(Path, String, &'a Access)> {
    let product = scene.product;
    let mut all = Vec::new();
    for (kind, name, component) in product.components() {
        let at = component_at(kind, name);
        let what = format!("{kind} `{name}`");
        if let Some(access) = &component.access {
            all.push((at.key("access"), what.clone(), access));
        }
        for (index, route) in component.route.iter().enumerate() {
            if let Some(access) = &route.access {
                let at = at.key("route").nth(index).key("access");
                all.push((at, format!("`{}` of {what}", route.path), access));
            }
        }
    }
    if let Some((name, own)) = scene.environment
        && let Some(access) = &own.access
    {
        let at = Path::of(["environment", name.as_str(), "access"]);
        all.push((at, format!("environment `{name}`"), access));
    }
    all
}

/// Whether everybody can have an account with a provider.
fn is_open(issuer: &Url) -> bool {
    let hosts = [
        "accounts.google.com",
        "github.com",
        "gitlab.com",
        "appleid.apple.com",
        "discord.com",
        "www.facebook.com",
    ];
    let common = issuer.host() == "login.microsoftonline.com"
        && ["/common", "/consumers", "/organizations"]
            .iter()
            .any(|path| issuer.path().starts_with(path));
    hosts.contains(&issuer.host()) || common
}

/// A sign-in can be done, and not by everybody.
pub(in super::super) fn sign_ins(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (at, what, access) in all(scene) {
        let missing = match access.sign_in {
            SignIn::Oidc if access.issuer.is_none() => Some((
                "asks no provider: `issuer` is missing",
                "at which provider?",
                "write sign_in = \"oidc\", issuer = \"https://accounts.example.com\" and `client` with the client id",
            )),
            SignIn::Oidc if access.client.is_none() && access.secret.is_none() => Some((
                "does not say who the product is at the provider",
                "which client?",
                "write client = \"shop\" with the client id that the provider has given, and `secret` with the client's secret where it has one",
            )),
            SignIn::Password if access.secret.is_none() => Some((
                "asks for a password that nobody has set",
                "which password?",
                "write secret = \"SITE_PASSWORD\", and declare [secret.SITE_PASSWORD] with generate = \"token\"",
            )),
            SignIn::Token if access.secret.is_none() => Some((
                "asks for a token that nobody has set",
                "which token?",
                "write secret = \"ACCESS_TOKEN\", and declare [secret.ACCESS_TOKEN] with generate = \"token\"",
            )),
            _ => None,
        };
        if let Some((why, label, hint)) = missing {
            found.push(
                Finding::value(
                    &code::ACCESS_INCOMPLETE,
                    at.key("sign_in"),
                    format!("the sign-in of {what} {why}"),
                )
                .label(label)
                .hint(hint),
            );
        }
        let narrow = !(access.people.is_empty() && access.domains.is_empty() && access.groups.is_empty());
        let Some(issuer) = access.issuer.as_ref().filter(|issuer| is_open(issuer) && !narrow) else {
            continue;
        };
        let message = format!(
            "{what} lets in whoever has an account at {}, and everybody can get one",
            issuer.host()
        );
        found.push(
            Finding::value(&code::ACCESS_FOR_EVERYBODY, at.key("issuer"), message)
                .label("anybody can sign in there")
                .hint("name who may pass: domains = [\"example.com\"], or `people` or `groups`"),
        );
    }
}
