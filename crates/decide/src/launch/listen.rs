//! Where the edge listens.
//!
//! **A server has its usual ports, or it says why not.** Somebody who types an address without a port comes to 443, and an
//! authority that looks whether a domain is ours comes to 80. An edge that went on to the next free port would be well and
//! never found. So where others than this machine are to come, a port that cannot be had is an error and never another port.
//!
//! **Somebody's own machine is open to nobody.** There, and wherever only addresses of this machine are named, many products
//! run side by side, and each takes the next free port. Whoever names a port there means that one.

use super::Problem;
use super::draft::Draft;
use super::usual::is_own_machine;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use towpath_model::desired::edge::Edge;
use towpath_model::run::Listen;
use towpath_model::spec::Path;
use towpath_model::unit::{Name, Port};

/// The ports that a web address means where it names none.
const HTTPS: u16 = 443;
const HTTP: u16 = 80;

/// Where the edge listens in an environment, as the manifest says, unless whoever starts it says otherwise.
pub fn listening(edge: &Edge, environment: &Name, said: &Listen) -> Listen {
    let is_own = is_own_machine(environment);
    let named = if said.addresses.is_empty() {
        edge.listen.iter().map(|ip| ip.address()).collect()
    } else {
        said.addresses.clone()
    };
    let addresses = match (named.is_empty(), is_own) {
        (true, true) => Vec::new(),
        (true, false) => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
        (false, _) => apart(&named),
    };
    // Whoever only tries it here may not have the ports of the server, and does not need them.
    let only_here = !said.addresses.is_empty() && !said.is_open();
    let of_manifest = |port: Option<Port>| port.filter(|_| !only_here).map(Port::number);
    let mut listen = Listen {
        addresses,
        https: said.https.or(of_manifest(edge.https)),
        http: said.http.or(of_manifest(edge.http)),
    };
    if listen.is_open() && !is_own {
        listen.https.get_or_insert(HTTPS);
        listen.http.get_or_insert(HTTP);
    }
    listen
}

/// The addresses without those that are named twice, or that are part of all.
fn apart(named: &[IpAddr]) -> Vec<IpAddr> {
    let is_part = |one: &IpAddr| {
        let all = |all: &IpAddr| all.is_unspecified() && all.is_ipv4() == one.is_ipv4();
        !one.is_unspecified() && named.iter().any(all)
    };
    let mut addresses: Vec<IpAddr> = named.iter().filter(|one| !is_part(one)).copied().collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The same for a product that is launched. Two protocols cannot share a port.
pub(super) fn wanted(draft: &mut Draft<'_>) -> Listen {
    let listen = listening(&draft.product.edge, draft.environment, &Listen::default());
    if let Some(port) = listen.https.filter(|port| listen.http == Some(*port)) {
        let problem = Problem::new(
            format!("the edge is to take HTTPS and plain HTTP at one port, {port}"),
            "give each a port of its own: they are 443 and 80 where nothing is said",
        );
        draft.refuse(&Path::of(["edge", "https"]), problem);
    }
    listen
}
