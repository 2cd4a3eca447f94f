//! Taking connections from what is listened on.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::ending::Ending;
use crate::state::State;
use crate::visit::Entry;
use crate::{bind, serve};

/// When the system has no descriptor left, a connection has to end before another one begins.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// Listens on one port for components.
pub(crate) async fn inside(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    listener.map(bind::bounded)
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

    /// Where it listens.
    pub(crate) fn at(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
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
        // It is taken here: those who come at once would all be let in before the first of them sits.
        let seat = Arc::clone(seats).try_acquire_owned();
        let (state, seats) = (Arc::clone(&state), Arc::clone(seats));
        // What becomes a task is moved several times on its way there, and this is some thousand bytes.
        tokio::spawn(Box::pin(async move {
            // Nobody closes the semaphore; who waits here is one for each port at most.
            let seat = match seat {
                Err(_) => seats.acquire_owned().await.ok(),
                seat => seat.ok(),
            };
            serve::connection(state, stream, canonical(from), entry, part).await;
            drop((seat, held));
        }));
    }
}

fn canonical(from: SocketAddr) -> SocketAddr {
    let ip: IpAddr = from.ip().to_canonical();
    SocketAddr::new(ip, from.port())
}
