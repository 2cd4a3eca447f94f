//! The controls of the network: what is encrypted on its way, and who can reach what.

use super::public;
use crate::product::Product;
use crate::words;
use towpath_model::desired::edge::Tls;
use towpath_model::unit::Name;

/// What is encrypted on its way.
pub(super) fn transport(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    let door = &product.main.edge;
    let public = public(product);
    let of = |tls: Tls| {
        words::codes(
            public
                .iter()
                .filter(|(_, component)| component.tls == tls)
                .map(|(name, _)| name),
        )
    };
    if public.iter().any(|(_, component)| component.tls == Tls::Auto) {
        controls.push(format!(
            "TLS for {}, with certificates that the edge renews.",
            of(Tls::Auto)
        ));
    }
    if public.iter().any(|(_, component)| component.tls == Tls::InFront) {
        let front = door
            .in_front
            .as_ref()
            .map_or_else(|| "what stands in front".to_owned(), |front| words::text(front));
        controls.push(format!("TLS for {}, ended by {front}.", of(Tls::InFront)));
    }
    if door.https_only && !public.is_empty() {
        controls.push("Plain HTTP is answered with the HTTPS address.".to_owned());
    }
    if door.mtls {
        let authority = door.authority.as_ref().map(|host| product.host(host.as_str()));
        let authority = authority.map_or_else(
            || "the product's own authority".to_owned(),
            |host| format!("the authority of {host}"),
        );
        controls.push(format!(
            "Calls between components show certificates of {authority}, replaced {}.",
            words::each_time(door.certificates)
        ));
    }
    let encrypted: Vec<&Name> = product
        .main
        .resources()
        .filter(|(_, _, resource)| resource.tls)
        .map(|(_, name, _)| name)
        .collect();
    if !encrypted.is_empty() {
        controls.push(format!(
            "Connections to {} have to be encrypted.",
            words::codes(encrypted)
        ));
    }
    controls
}

/// Who can reach what.
pub(super) fn reach(product: &Product<'_>) -> Vec<String> {
    let mut controls = Vec::new();
    let private: Vec<&Name> = product
        .main
        .components()
        .filter(|(kind, _, component)| kind.takes_requests() && !component.public)
        .map(|(_, name, _)| name)
        .collect();
    if !private.is_empty() {
        controls.push(format!(
            "{} can be reached on the private network only.",
            words::codes(private)
        ));
    }
    let door = &product.main.edge;
    if !door.allow.is_empty() {
        controls.push(format!("Only {} reach the edge.", words::codes(&door.allow)));
    }
    for (name, component) in public(product)
        .into_iter()
        .filter(|(_, component)| !component.allow.is_empty())
    {
        controls.push(format!(
            "{} is open to {} only.",
            words::code(name),
            words::codes(&component.allow)
        ));
    }
    for (name, host) in product.all(|product| &product.host) {
        for network in &host.network {
            controls.push(format!(
                "{}: {}",
                product.host(name.as_str()),
                words::sentence(network)
            ));
        }
        if !host.allow.is_empty() {
            controls.push(format!(
                "{}: only {} reach it.",
                product.host(name.as_str()),
                words::codes(&host.allow)
            ));
        }
    }
    controls
}
