//! Where visitors come to: on the addresses and ports that are wanted, or on the sockets that somebody has listened on before.
//!
//! A port that is named is that one or an error. One that is not named is a free one, from the usual one upwards: many products
//! run on one machine.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};
use towpath_model::run::Listen;

use crate::EdgeError;

/// How many ports above the wanted one are tried: many products may run at once, and each takes one.
const TRIED: u16 = 100;

/// So many connections may wait in the queue of the system, as far as it lets them. Whoever comes beside them hears nothing for
/// a second, and a crowd of thousands comes at once.
const QUEUE: u32 = 16_384;

/// What the system takes of an answer before the visitor has any of it is as much as it sends at once, and this. Otherwise it takes
/// megabytes for each visitor who reads slowly, of memory that belongs to nobody's limit.
const NOT_SENT: u32 = 128 * 1024;

/// Why an address cannot be listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unheard {
    /// Somebody else does.
    Taken,
    /// The system lets only some listen on a port so low.
    Forbidden,
    /// This machine has no such address.
    NotHere,
}

/// A port, and the sockets that listen on it.
pub(crate) struct Port {
    pub(crate) port: u16,
    pub(crate) listeners: Vec<Arc<TcpListener>>,
}

/// An address that could not be had, and why.
type Refused = (SocketAddr, io::Error);

/// The addresses that are meant: where none is named, this machine alone. IPv4 comes first.
pub(crate) fn meant(listen: &Listen) -> Vec<IpAddr> {
    if listen.addresses.is_empty() {
        // Browsers take the names below localhost for ::1 as well.
        return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    let mut addresses = listen.addresses.clone();
    addresses.sort_unstable();
    addresses
}

/// The ports that are tried one after the other: the one that is named, or the next ones from another one upwards.
pub(crate) fn tried(named: Option<u16>, near: u16) -> Vec<u16> {
    match named {
        Some(port) => vec![port],
        // The system chooses another one each time.
        None if near == 0 => vec![0; usize::from(TRIED)],
        None => (near..=near.saturating_add(TRIED - 1)).collect(),
    }
}

/// Listens on these addresses, on the port that is named or a free one.
pub(crate) fn listen(addresses: &[IpAddr], named: Option<u16>, near: u16) -> Result<Port, EdgeError> {
    for port in tried(named, near) {
        match all(addresses, port, false) {
            Ok(port) => return Ok(port),
            Err((_, error)) if named.is_none() && is_taken(&error) => {}
            Err(refused) => return Err(told(refused)),
        }
    }
    Err(EdgeError::NoPort {
        from: near,
        to: near.saturating_add(TRIED - 1),
    })
}

/// Listens where somebody has listened before us, or else as `listen` does.
pub(crate) fn again(
    sockets: Vec<OwnedFd>,
    addresses: &[IpAddr],
    named: Option<u16>,
    near: u16,
) -> Result<Port, EdgeError> {
    if sockets.is_empty() {
        return listen(addresses, named, near);
    }
    handed(sockets).map_err(|source| EdgeError::System {
        doing: "listening where somebody has listened before",
        source,
    })
}

fn handed(sockets: Vec<OwnedFd>) -> io::Result<Port> {
    let listeners = sockets.into_iter().map(taken_over);
    let listeners: Vec<Arc<TcpListener>> = listeners.collect::<io::Result<_>>()?;
    let first = listeners.first().ok_or(ErrorKind::NotFound)?;
    let port = first.local_addr()?.port();
    Ok(Port { port, listeners })
}

/// Listens where somebody has listened before us: what waits in the queue of the system is not lost.
pub(crate) fn taken_over(socket: OwnedFd) -> io::Result<Arc<TcpListener>> {
    let listener = std::net::TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(bounded).map(Arc::new)
}

/// Whether all of it could be listened on by somebody who begins now. Ports that are not named are found later.
pub fn may_listen(listen: &Listen) -> Result<(), EdgeError> {
    for port in [listen.https, listen.http].into_iter().flatten() {
        for address in meant(listen) {
            match bound(SocketAddr::new(address, port)) {
                Err(error) if !may_lack(address, &error, listen.addresses.len() != 1) => {
                    return Err(told((SocketAddr::new(address, port), error)));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Listens on all of these at one port. With `others`, something is listened on besides.
pub(crate) fn all(addresses: &[IpAddr], port: u16, others: bool) -> Result<Port, Refused> {
    let (mut port, mut listeners) = (port, Vec::new());
    for address in addresses {
        let at = SocketAddr::new(*address, port);
        let opened = bound(at).and_then(|socket| socket.listen(QUEUE));
        match opened.and_then(|listener| Ok((listener.local_addr()?.port(), listener))) {
            Ok((given, listener)) => {
                port = given;
                listeners.push(Arc::new(bounded(listener)));
            }
            Err(error) if may_lack(*address, &error, others || !listeners.is_empty()) => {}
            Err(error) => return Err((at, error)),
        }
    }
    Ok(Port { port, listeners })
}

/// Each connection that it takes has the same bound of what is not sent, and sends what it is given at once: both are
/// inherited, so that nobody has to say them again for each.
pub(crate) fn bounded(listener: TcpListener) -> TcpListener {
    let socket = SockRef::from(&listener);
    // A system that does not know it takes what it likes.
    let _ = socket.set_tcp_notsent_lowat(NOT_SENT);
    let _ = socket.set_tcp_nodelay(true);
    listener
}

fn bound(at: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if at.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        let socket = TcpSocket::new_v6()?;
        // Each family has sockets of its own, whatever the system does by itself.
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
        socket
    };
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    Ok(socket)
}

/// Whether it is all right that this is not listened on: a machine without IPv6 has nothing of it, and others are there.
fn may_lack(address: IpAddr, error: &io::Error, others: bool) -> bool {
    let is_general = address.is_unspecified() || address.is_loopback();
    others && address.is_ipv6() && is_general && !is_taken(error)
}

/// A port that somebody else has, or that an ordinary user may not have.
pub(crate) fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

pub(crate) fn told((at, source): Refused) -> EdgeError {
    let why = match source.kind() {
        ErrorKind::AddrInUse => Unheard::Taken,
        ErrorKind::PermissionDenied => Unheard::Forbidden,
        ErrorKind::AddrNotAvailable => Unheard::NotHere,
        _ => {
            let doing = "listening for visitors";
            return EdgeError::System { doing, source };
        }
    };
    EdgeError::Unheard { at, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_connection_sends_at_once_what_it_is_given_though_nobody_has_told_it() {
        let made = all(&[Ipv4Addr::LOCALHOST.into()], 0, false).map_err(|(_, error)| error);
        let made = made.expect("a port is free");
        let at = made.listeners[0].local_addr().expect("it listens");
        let visitor = TcpStream::connect(at).await.expect("it listens");
        let (taken, _) = made.listeners[0].accept().await.expect("a visitor");
        assert!(taken.nodelay().expect("it is told"));
        drop(visitor);
    }
}
