//! What holds for everything that visitors reach: whom the edge lets in and believes, and where each domain's certificate
//! comes from.
//!
//! **When a certificate is asked for elsewhere.** Only in an environment that is nobody's own machine, and only for a name
//! that others could look up. An authority counts how often it is asked, and a laptop that starts a product a hundred times
//! a day would use up what production needs.
//!
//! **What does not hold on somebody's own machine.** Nothing stands in front of it, so nobody else is believed and nobody
//! shut out there, and plain HTTP is answered as it is.

use super::Problem;
use super::draft::Draft;
use super::listen;
use super::usual::is_own_machine;
use crate::here::domains;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::desired::edge::{Proof, Tls};
use towpath_model::run::{Acme, Certificate, Challenge, Front};
use towpath_model::spec::Path;
use towpath_model::unit::{Domain, Name};

/// Where certificates are asked for when nothing is said.
const USUAL: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// What holds in front of the product here.
pub(super) fn front(draft: &mut Draft<'_>) -> Front {
    let product = draft.product;
    let edge = &product.edge;
    let is_own = is_own_machine(draft.environment);
    let mut front = Front {
        listen: listen::wanted(draft),
        https_only: edge.https_only && !is_own,
        protocols: protocols(draft),
        ..Front::default()
    };
    if !is_own {
        front.allow.clone_from(&edge.allow);
        front.forwarders.clone_from(&edge.forwarders);
        if edge.forwarders.is_empty() && edge.in_front.is_some() {
            front.forwarders.clone_from(&edge.allow);
        }
        front.proxy_protocol = edge.proxy_protocol;
    }
    for (kind, name, component) in product.components() {
        if !component.public {
            continue;
        }
        for domain in domains(draft.own, name, component) {
            if let Some(certificate) = certificate(draft, (kind, name, component), &domain) {
                front.domains.insert(domain.to_string(), certificate);
            }
        }
    }
    if front.domains.values().any(|one| *one == Certificate::Acme) {
        front.acme = Some(Acme {
            directory: edge
                .acme
                .as_ref()
                .map_or(USUAL, |address| address.as_str())
                .to_owned(),
            root: edge.acme_root.as_ref().map(|root| draft.whole(root.as_str())),
            challenge: edge.acme_proof.map(|proof| match proof {
                Proof::Http => Challenge::Http,
                Proof::Tls => Challenge::Tls,
            }),
        });
    }
    front
}

/// The names of protocols as they stand in a handshake. What this version does not speak is told and left out.
fn protocols(draft: &mut Draft<'_>) -> Vec<String> {
    let edge = &draft.product.edge;
    let has = |word: &str| edge.protocols.iter().any(|one| one.eq_ignore_ascii_case(word));
    let spoken = [("h2", "h2"), ("h1", "http/1.1")];
    let spoken = spoken.into_iter().filter(|(word, _)| has(word));
    let spoken: Vec<String> = spoken.map(|(_, name)| name.to_owned()).collect();
    if has("h3") && !is_own_machine(draft.environment) {
        let message = "`h3` is not spoken by this version: visitors are offered what else there is";
        let hint = "leave it where it is if another machine serves this manifest, or take it out";
        let at = Path::of(["edge", "protocols"]);
        let note = Problem::new(message, hint).at(draft.place(&at));
        draft.notes.push(note);
    }
    spoken
}

/// Where the certificate of a domain comes from; nothing for a name of this machine, whose authority is at hand, and for
/// every name on somebody's own machine.
fn certificate(
    draft: &mut Draft<'_>,
    (kind, name, component): (ComponentKind, &Name, &Component),
    domain: &Domain,
) -> Option<Certificate> {
    if component.tls == Tls::Files {
        let Some(files) = &component.certificate else {
            let at = Path::of([kind.word(), name.as_str(), "tls"]);
            let message = format!("`{name}` has a certificate from files, and nothing says which");
            let hint = "add them: certificate = { chain = \"tls/site.pem\", key = \"tls/site.key\" }";
            let problem = Problem::new(message, hint).of([name]).at(draft.place(&at));
            if !draft.problems.contains(&problem) {
                draft.problems.push(problem);
            }
            return None;
        };
        return Some(Certificate::Files {
            chain: draft.whole(files.chain.as_str()),
            key: draft.whole(files.key.as_str()),
        });
    }
    let host = domain.as_str();
    if host == "localhost" || host.ends_with(".localhost") {
        return None;
    }
    if is_own_machine(draft.environment) {
        return None;
    }
    Some(match component.tls {
        Tls::InFront => Certificate::InFront,
        Tls::Off => Certificate::Off,
        Tls::Auto if domain.is_wildcard() => Certificate::Local {
            because: "an authority gives one for a star only to whoever may write into its DNS".to_owned(),
        },
        Tls::Auto if !host.contains('.') => Certificate::Local {
            because: "nobody else can look up a name without a dot".to_owned(),
        },
        Tls::Auto | Tls::Files => Certificate::Acme,
    })
}
