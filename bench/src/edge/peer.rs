//! What is measured: our edge, and the proxies that it is compared with, each in a proper production configuration.
//!
//! For all of them the same holds: one worker, connections to the upstream are kept, a connection may have any number of
//! requests, the host and who forwards for whom is told, access logs are off (ours keeps none either), TLS 1.2 and 1.3 with
//! a P-256 certificate, and sessions may be resumed.

mod caddy;
mod haproxy;
mod nginx;

use crate::group::Group;
use crate::place::{Place, Process, free_ports, wait_for_port};
use crate::serve::Order;

/// Somebody who passes requests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Ours,
    Nginx,
    Haproxy,
    Caddy,
}

/// The proxies that have the same duty.
pub(crate) const ALL: [Peer; 4] = [Peer::Ours, Peer::Nginx, Peer::Haproxy, Peer::Caddy];

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Nginx => "nginx",
            Peer::Haproxy => "HAProxy",
            Peer::Caddy => "Caddy",
        }
    }
}

/// One that runs.
pub(crate) struct Proxy {
    pub(crate) name: String,
    pub(crate) group: Group,
    pub(crate) process: Process,
    pub(crate) http: u16,
    pub(crate) https: u16,
    /// How many targets stand in its table; one for those that have but one route.
    pub(crate) targets: usize,
}

/// The upstream of all of them.
pub(crate) struct Upstream {
    pub(crate) port: u16,
    _process: Process,
}

impl Upstream {
    pub(crate) fn start(place: &Place, name: &str) -> Result<Upstream, String> {
        let [port] = free_ports()?;
        let group = place.group.part(&format!("upstream-{name}"), None)?;
        let words = ["--upstream".to_owned(), port.to_string(), name.to_owned()];
        let process = Process::ours(&group, &words)?;
        wait_for_port(port)?;
        Ok(Upstream {
            port,
            _process: process,
        })
    }
}

/// What our edge is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) targets: usize,
    pub(crate) instances: usize,
    pub(crate) everything: bool,
}

impl Table {
    /// Everything on, with the table of a large product.
    pub(crate) const FULL: Table = Table {
        targets: 1_000,
        instances: 2,
        everything: true,
    };
    /// Nothing on, and one target.
    pub(crate) const BARE: Table = Table {
        targets: 1,
        instances: 1,
        everything: false,
    };
}

impl Proxy {
    pub(crate) fn start(place: &Place, peer: Peer, upstreams: &[u16]) -> Result<Proxy, String> {
        if peer == Peer::Ours {
            return Proxy::ours(place, "ours", Table::FULL, upstreams);
        }
        let [http, https] = free_ports()?;
        let group = place.group.part(peer.name(), Some(place.quota))?;
        let folder = place.folder.join(peer.name());
        std::fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        let start = match peer {
            Peer::Nginx => nginx::start,
            Peer::Haproxy => haproxy::start,
            _ => caddy::start,
        };
        let process = start(place, &folder, &group, [http, https, upstreams[0]])?;
        wait_for_port(http)?;
        wait_for_port(https)?;
        Ok(Proxy {
            name: peer.name().to_owned(),
            group,
            process,
            http,
            https,
            targets: 1,
        })
    }

    /// Our edge, with a table.
    pub(crate) fn ours(place: &Place, name: &str, table: Table, upstreams: &[u16]) -> Result<Proxy, String> {
        let group = place
            .group
            .part(&name.replace([' ', ','], "-"), Some(place.quota))?;
        let order = Order {
            folder: place.folder.join("authority"),
            site: place.site.clone(),
            upstreams: upstreams.to_vec(),
            targets: table.targets,
            instances: table.instances,
            everything: table.everything,
            threads: place.threads,
        };
        let mut process = Process::ours(&group, &order.words())?;
        let said = process.hear()?;
        let mut ports = said.split(' ').map(|word| word.parse().unwrap_or_default());
        let (http, https) = (ports.next().unwrap_or_default(), ports.next().unwrap_or_default());
        Ok(Proxy {
            name: name.to_owned(),
            group,
            process,
            http,
            https,
            targets: table.targets,
        })
    }
}

/// What has to be installed, and how it is called.
pub(crate) const PROGRAMS: &[(&str, &str)] = &[
    ("nginx", "nginx"),
    ("haproxy", "haproxy"),
    ("caddy", "caddy"),
    ("wrk", "wrk"),
    ("h2load", "nghttp2-client"),
];

/// The packages that are missing.
pub(crate) fn missing() -> Vec<&'static str> {
    let path = std::env::var("PATH").unwrap_or_default();
    let places: Vec<&str> = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]).collect();
    let is_there = |program: &str| {
        places
            .iter()
            .any(|place| std::path::Path::new(place).join(program).exists())
    };
    let lacking = PROGRAMS.iter().filter(|(program, _)| !is_there(program));
    lacking.map(|(_, package)| *package).collect()
}
