//! Listening: on a port that is wanted or the next free one, and taking connections from it.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
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
    listeners: Vec<Arc<TcpListener>>,
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

/// Listens where somebody has listened before us, or else as `listen` does.
pub(crate) async fn again(sockets: Vec<OwnedFd>, wanted: u16) -> Result<Port, EdgeError> {
    if sockets.is_empty() {
        return listen(wanted).await;
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
    TcpListener::from_std(listener).map(Arc::new)
}

async fn both(port: u16) -> io::Result<Port> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = first.local_addr()?.port();
    let mut listeners = vec![Arc::new(first)];
    // Browsers take the names below localhost for ::1 as well. A machine without IPv6 has none of it.
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(second) => listeners.push(Arc::new(second)),
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
    pub(crate) fn serve(self, state: &Arc<State>, entry: Entry) -> Vec<Ear> {
        let serve = |listener| Ear::open(state, listener, entry);
        self.listeners.into_iter().map(serve).collect()
    }
}

/// A socket that is listened on, and who takes connections from it.
pub(crate) struct Ear {
    pub(crate) entry: Entry,
    pub(crate) listener: Arc<TcpListener>,
    taking: JoinHandle<()>,
}

impl Ear {
    /// Takes connections from now on.
    pub(crate) fn open(state: &Arc<State>, listener: Arc<TcpListener>, entry: Entry) -> Ear {
        let taking = tokio::spawn(take(Arc::clone(state), Arc::clone(&listener), entry));
        Ear {
            entry,
            listener,
            taking,
        }
    }

    /// Takes none any more. The port is free when this is done, and not before.
    pub(crate) async fn close(self) {
        self.taking.abort();
        drop(self.listener);
        let _ = self.taking.await;
    }

    pub(crate) fn abort(&self) {
        self.taking.abort();
    }

    /// The same socket once more, for somebody else.
    pub(crate) fn again(&self) -> io::Result<OwnedFd> {
        self.listener.as_fd().try_clone_to_owned()
    }
}

/// Takes connections until it is aborted. That may be at any wait, so nothing is waited for with a connection in hand.
async fn take(state: Arc<State>, listener: Arc<TcpListener>, entry: Entry) {
    let seats = match entry {
        Entry::Inside(_) => &state.components,
        Entry::Https | Entry::Http => &state.visitors,
    };
    loop {
        // Further connections wait in the queue of the system while there is no seat.
        drop(seats.acquire().await);
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The visitor is gone already, or the system is short of something: neither ends the listening.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                state.is_exhausted(&error);
                tokio::time::sleep(NO_DESCRIPTOR).await;
                continue;
            }
        };
        if !matches!(entry, Entry::Inside(_))
            && !state.trust.certificates.facing().admits(canonical(from).ip())
        {
            // Whoever may not come learns nothing of what is here.
            continue;
        }
        // Who is sent away here has more connections than a person needs.
        let Some(held) = state.addresses.hold(from.ip().to_canonical(), state.most_of_one) else {
            continue;
        };
        let part = Ending::join(&state.ending);
        let (state, seats) = (Arc::clone(&state), Arc::clone(seats));
        tokio::spawn(async move {
            // Nobody closes the semaphore; who waits here is one for each port at most.
            let seat = seats.acquire_owned().await;
            serve::connection(state, stream, canonical(from), entry, part).await;
            drop((seat, held));
        });
    }
}

fn canonical(from: SocketAddr) -> SocketAddr {
    let ip: IpAddr = from.ip().to_canonical();
    SocketAddr::new(ip, from.port())
}
