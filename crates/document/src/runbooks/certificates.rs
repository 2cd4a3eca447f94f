//! Renewing certificates.

use super::Written;
use crate::product::Product;
use crate::words;
use towpath_model::desired::edge::Tls;

pub(super) fn write(product: &Product<'_>) -> Option<Written> {
    let live = product.live();
    let edge = &product.main.edge;
    let public: Vec<Tls> = product
        .main
        .components()
        .filter(|(_, _, c)| c.public)
        .map(|(_, _, c)| c.tls)
        .collect();
    let mut steps = Vec::new();
    if public.contains(&Tls::Auto) {
        steps.push(format!(
            "Certificates for visitors are renewed by the edge by itself. {} tells when each one ends.",
            words::code(format!("towpath status {live}"))
        ));
        steps.push("If one is not renewed, look whether the address still points here and whether the authority can reach it.".to_owned());
    }
    if public.contains(&Tls::Files) {
        steps.push(format!(
            "Certificates from files: put the new files in their place. The edge reads them by itself, and {} tells what it thinks of them.",
            words::code(format!("towpath status {live}"))
        ));
    }
    if public.contains(&Tls::InFront) {
        let front = edge.in_front.as_ref().map_or_else(
            || "whatever stands in front".to_owned(),
            |front| words::text(front),
        );
        steps.push(format!(
            "Certificates for visitors belong to {front}, and are renewed there."
        ));
    }
    if edge.mtls {
        let authority = edge.authority.as_ref().map(|host| product.host(host.as_str()));
        let authority = authority.map_or_else(
            || "the product's own authority".to_owned(),
            |host| format!("the authority of {host}"),
        );
        steps.push(format!(
            "Certificates between components come from {authority}, last {} and are replaced before that by themselves. After a leak, deploy again: every instance starts with a new one.",
            words::time(edge.certificates)
        ));
    }
    (!steps.is_empty()).then(|| Written {
        when: "When a certificate is about to end, or its key may be known to others.".to_owned(),
        steps,
    })
}
