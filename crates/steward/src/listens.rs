//! Where the edge listens: it is told, it moves when the manifest says otherwise, and what stands in the way is told with
//! what to do.

use crate::core::Core;
use crate::door::{files, listeners};
use crate::errors;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use towpath_api::Tone;
use towpath_decide::launch::is_own_machine;
use towpath_edge::{EdgeError, Listening, Unheard, may_listen};
use towpath_engine::Engine;
use towpath_model::run::{Certificate, Component, Listen, Product};
use towpath_model::unit::Name;

/// The lowest port that everybody may listen on.
const LOWEST: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/// What it is where the system does not say.
const USUAL_LOWEST: u16 = 1024;

/// The port that an address with `https` means where it names none.
const HTTPS: u16 = 443;

/// Why nobody can come, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// Where, and why.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

/// Whether an edge that begins now could listen there.
pub fn can_listen(listen: &Listen, environment: &str) -> Result<(), Unreached> {
    match may_listen(listen) {
        Err(EdgeError::Unheard { at, why }) => Err(unreached(at, why, (listen, environment))),
        // What else stands in the way the edge tells itself.
        _ => Ok(()),
    }
}

/// Why an edge cannot listen, in words; with what to do below it, where that is known.
fn told(error: &EdgeError, listen: &Listen, environment: &str) -> String {
    match error {
        EdgeError::Unheard { at, why } => {
            let Unreached { message, hint } = unreached(*at, *why, (listen, environment));
            format!("{message}\n  help: {hint}")
        }
        _ => errors::told(error),
    }
}

fn unreached(at: SocketAddr, why: Unheard, (listen, environment): (&Listen, &str)) -> Unreached {
    let by = listeners::holder_at(at);
    let lowest = files::read(Path::new(LOWEST)).ok();
    let lowest = lowest.and_then(|text| String::from_utf8_lossy(&text).trim().parse().ok());
    let ports = [listen.https, listen.http].into_iter().flatten();
    let wanted = ports.min().unwrap_or(at.port());
    let system = (lowest.unwrap_or(USUAL_LOWEST), wanted);
    words(at, why, by, (system, environment))
}

fn words(
    at: SocketAddr,
    why: Unheard,
    by: Option<(u32, String)>,
    ((lowest, wanted), environment): ((u16, u16), &str),
) -> Unreached {
    let port = at.port();
    let alone = format!("`towpath up {environment} --listen 127.0.0.1` tries it on this machine alone");
    match why {
        Unheard::Taken => {
            let (by, next) = match by {
                Some((pid, name)) => (
                    format!("process {pid} ({name}) listens there"),
                    "stop it".to_owned(),
                ),
                None => (
                    "another program listens there".to_owned(),
                    format!("`ss --listening --tcp --processes 'sport = :{port}'` as root shows it: stop it"),
                ),
            };
            Unreached {
                message: format!("the edge cannot listen on {at}: {by}"),
                hint: format!("{next}, or give the edge another address or port: `listen`, `https` and `http` in [edge]; {alone}"),
            }
        }
        Unheard::Forbidden => Unreached {
            message: format!(
                "the edge may not listen on {at}: ports below {lowest} are for root, and for programs with CAP_NET_BIND_SERVICE"
            ),
            hint: format!(
                "let everybody have them: sudo sysctl --write net.ipv4.ip_unprivileged_port_start={wanted}; {alone}"
            ),
        },
        Unheard::NotHere => Unreached {
            message: format!("the edge cannot listen on {at}: this machine has no such address"),
            hint: "`ip address` shows those that it has; correct `listen` in [edge], or leave it out for all of them"
                .to_owned(),
        },
    }
}

/// Where people reach a component: under its own domain where others are to come, and else under a name of this machine.
pub(crate) fn url(
    name: &Name,
    component: &Component,
    product: &Product,
    (https, is_open): (u16, bool),
) -> Option<String> {
    let listens = component.listens.as_ref().filter(|listens| listens.public)?;
    let port = match https {
        HTTPS => String::new(),
        other => format!(":{other}"),
    };
    let is_own = is_own_machine(&product.environment);
    let mut domains = listens.domains.iter().filter(|_| !is_own);
    let own = domains.find_map(|domain| match product.front.domains.get(domain)? {
        _ if domain.starts_with('*') => None,
        Certificate::InFront => Some(format!("https://{domain}")),
        Certificate::Acme | Certificate::Files { .. } if is_open => Some(format!("https://{domain}{port}")),
        _ => None,
    });
    Some(own.unwrap_or_else(|| format!("https://{name}.{}.localhost{port}", product.product)))
}

/// An address at which the edge is reached from here.
pub(crate) fn from_here(listening: Option<&Listening>) -> IpAddr {
    let addresses = listening
        .map(|listening| &listening.addresses)
        .into_iter()
        .flatten();
    let from_here = addresses.copied().find(|address| !address.is_unspecified());
    let is_all = |address: &IpAddr| address.is_unspecified() && address.is_ipv4();
    match listening.is_some_and(|listening| listening.addresses.iter().any(is_all)) {
        true => Ipv4Addr::LOCALHOST.into(),
        false => from_here.unwrap_or(Ipv4Addr::LOCALHOST.into()),
    }
}

impl<E: Engine> Core<E> {
    /// What somebody has said who started it holds until it is started again, whatever becomes of the manifest.
    pub(crate) fn listen_as(&mut self, asked: bool, listen: Option<Listen>) {
        if asked {
            self.listen = listen;
        }
    }

    /// Has an edge, where there can be one.
    pub(crate) async fn have_edge(&mut self, product: &Product) {
        if let Err(error) = self.open_edge(product).await {
            self.cannot_listen(&error, product);
        }
    }

    /// Where the edge is to listen: as whoever started it has said, or else the manifest.
    pub(crate) fn listen(&self, product: &Product) -> Listen {
        self.listen
            .clone()
            .unwrap_or_else(|| product.front.listen.clone())
    }

    /// Whether it listens where the manifest says. One of another program is as it is.
    pub(crate) fn listens_as_said(&self, product: &Product) -> bool {
        let edge = self.edge.as_ref().filter(|edge| edge.is_ours());
        let now = edge.and_then(|edge| edge.config());
        now.is_none_or(|config| config.listen == product.front.listen)
    }

    /// The edge that serves listens where it is wanted now. Where it cannot, it stays where it is.
    pub(crate) async fn move_edge(&mut self, product: &Product) {
        let wanted = self.listen(product);
        let Some(edge) = self.edge.clone().filter(|edge| edge.is_ours()) else {
            return;
        };
        let is_there = |config: towpath_edge::Config| config.listen == wanted;
        if edge.config().is_none_or(is_there) {
            return;
        }
        let before = edge.listening();
        match edge.listen(&wanted, (self.config.https, self.config.http)).await {
            Ok(listening) if before.as_ref() != Some(&listening) => {
                self.note(Tone::Note, format!("the edge listens on {}", places(&listening)));
            }
            Ok(_) => {}
            Err(error) => {
                let text = told(&error, &wanted, &self.config.environment);
                let stays = edge.listening().map(|now| places(&now)).unwrap_or_default();
                self.note(Tone::Error, format!("{text}\n  it stays on {stays}"));
            }
        }
        self.know_ports();
    }

    /// Why the edge cannot begin.
    pub(crate) fn cannot_listen(&mut self, error: &EdgeError, product: &Product) {
        let text = told(error, &self.listen(product), &self.config.environment);
        self.note(Tone::Error, text);
    }
}

/// `0.0.0.0 and ::, ports 443 and 80`.
fn places(listening: &Listening) -> String {
    let addresses: Vec<String> = listening.addresses.iter().map(ToString::to_string).collect();
    format!(
        "{}, ports {} and {}",
        addresses.join(" and "),
        listening.https,
        listening.http
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(at: &str, why: Unheard, by: Option<(u32, &str)>) -> String {
        let by = by.map(|(pid, name)| (pid, name.to_owned()));
        let one = words(at.parse().expect("an address"), why, by, ((1_024, 80), "prod"));
        format!("{}\n{}", one.message, one.hint)
    }

    #[test]
    fn it_is_told_where_who_why_and_what_to_do() {
        assert_eq!(
            told("0.0.0.0:443", Unheard::Taken, Some((812, "nginx"))),
            "the edge cannot listen on 0.0.0.0:443: process 812 (nginx) listens there\n\
             stop it, or give the edge another address or port: `listen`, `https` and `http` in [edge]; \
             `towpath up prod --listen 127.0.0.1` tries it on this machine alone"
        );
        assert_eq!(
            told("[::]:80", Unheard::Taken, None),
            "the edge cannot listen on [::]:80: another program listens there\n\
             `ss --listening --tcp --processes 'sport = :80'` as root shows it: stop it, or give the edge another address \
             or port: `listen`, `https` and `http` in [edge]; \
             `towpath up prod --listen 127.0.0.1` tries it on this machine alone"
        );
        assert_eq!(
            told("0.0.0.0:443", Unheard::Forbidden, None),
            "the edge may not listen on 0.0.0.0:443: ports below 1024 are for root, and for programs with \
             CAP_NET_BIND_SERVICE\n\
             let everybody have them: sudo sysctl --write net.ipv4.ip_unprivileged_port_start=80; \
             `towpath up prod --listen 127.0.0.1` tries it on this machine alone"
        );
        assert_eq!(
            told("203.0.113.7:443", Unheard::NotHere, None),
            "the edge cannot listen on 203.0.113.7:443: this machine has no such address\n\
             `ip address` shows those that it has; correct `listen` in [edge], or leave it out for all of them"
        );
    }

    #[test]
    fn it_is_reached_from_here_wherever_it_listens() {
        let listening = |addresses: &[&str]| Listening {
            https: 443,
            http: 80,
            addresses: addresses
                .iter()
                .map(|one| one.parse().expect("an address"))
                .collect(),
            authority: std::path::PathBuf::new(),
        };
        for (addresses, wanted) in [
            (&["0.0.0.0", "::"][..], "127.0.0.1"),
            (&["127.0.0.2"], "127.0.0.2"),
            (&["203.0.113.7"], "203.0.113.7"),
            (&["::1"], "::1"),
            (&[], "127.0.0.1"),
        ] {
            assert_eq!(from_here(Some(&listening(addresses))).to_string(), wanted);
        }
    }
}
