//! Listening: on a port that is wanted or the next free one, and taking connections from it.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::EdgeError;
use crate::ending::Ending;
use crate::serve;
use crate::state::State;
use crate::visit::Entry;

/// How many ports above the wanted one are tried: many products may run at once, and each takes one.
const TRIED: u16 = 100;

/// When the system has no descriptor left, a connection has to end before another one begins.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// A port, and the addresses on which it is listened on.
pub(crate) struct Port {
    pub(crate) port: u16,
    listeners: Vec<TcpListener>,
}

/// Listens on the wanted port or the next free one above it. Zero is a port that the system chooses.
pub(crate) async fn listen(wanted: u16) -> Result<Port, EdgeError> {
    let last = wanted.saturating_add(TRIED - 1);
    for step in 0..TRIED {
        // The system chooses another one each time.
        let port = if wanted == 0 {
            0
        } else {
            wanted.saturating_add(step)
        };
        match both(port).await {
            Ok(port) => return Ok(port),
            Err(error) if is_taken(&error) => {}
            Err(source) => {
                return Err(EdgeError::System {
                    doing: "listening on 127.0.0.1",
                    source,
                });
            }
        }
    }
    Err(EdgeError::NoPort {
        from: wanted,
        to: last,
    })
}

/// Listens on one port for components.
pub(crate) async fn inside(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

async fn both(port: u16) -> io::Result<Port> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = first.local_addr()?.port();
    let mut listeners = vec![first];
    // Browsers take the names below localhost for ::1 as well. A machine without IPv6 has none of it.
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(second) => listeners.push(second),
        Err(error) if is_taken(&error) => return Err(error),
        Err(_) => {}
    }
    Ok(Port { port, listeners })
}

/// A port that somebody else has, or that an ordinary user may not have.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

impl Port {
    /// Takes connections from now on.
    pub(crate) fn serve(self, state: &Arc<State>, entry: Entry) -> Vec<JoinHandle<()>> {
        let serve = |listener| tokio::spawn(take(Arc::clone(state), listener, entry));
        self.listeners.into_iter().map(serve).collect()
    }
}

/// Takes connections until it is aborted.
pub(crate) async fn take(state: Arc<State>, listener: TcpListener, entry: Entry) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The visitor is gone already, or the system is short of something: neither ends the listening.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(_) => {
                tokio::time::sleep(NO_DESCRIPTOR).await;
                continue;
            }
        };
        let seats = match entry {
            Entry::Inside(_) => &state.components,
            Entry::Https | Entry::Http => &state.visitors,
        };
        // Nobody closes the semaphore. Further connections wait in the queue of the system meanwhile.
        let Ok(seat) = Arc::clone(seats).acquire_owned().await else {
            return;
        };
        let part = Ending::join(&state.ending);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            serve::connection(state, stream, canonical(from), entry, part).await;
            drop(seat);
        });
    }
}

fn canonical(from: SocketAddr) -> SocketAddr {
    let ip: IpAddr = from.ip().to_canonical();
    SocketAddr::new(ip, from.port())
}
