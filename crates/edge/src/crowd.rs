//! What keeps the memory of an edge bounded while many visitors read slowly or hold connections.
//!
//! **Slow readers.** Bytes of an answer that its visitor does not take lie in three places: with the system (`listen` bounds what it
//! takes and has not sent), in what hyper has been given to write, and in what was read from the instance. As long as few visitors
//! are slow that is some hundred KiB each, and what is read at once is large, which is fast. When many are (`FEW`), each gets
//! little: four KiB are read at once, each is written before the next one is read, and nothing is read while nothing can be
//! written. So what nine thousand slow readers hold is a few KiB each, and the instance waits, as it would for one visitor.
//!
//! **Streams.** A connection in HTTP/2 has many requests; all of them together are bounded, too (`STREAMS`).
//!
//! **Addresses.** One address holds half of the seats at the most, so that nobody keeps everybody else away by opening connections. This
//! machine may hold all: what comes from it stands in front of us for others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

/// So many visitors may read slowly before each of them gets less: they hold some 64 MiB.
const FEW: usize = 512;

/// Requests over HTTP/2 at once, in all: with what a request and its buffers take they are below a GiB.
const STREAMS: usize = 20_000;

/// Connections that cannot write what they have.
static SLOW: AtomicUsize = AtomicUsize::new(0);

static OPEN_STREAMS: AtomicUsize = AtomicUsize::new(0);

/// Whether many visitors read slowly.
pub(crate) fn is_crowded() -> bool {
    SLOW.load(Ordering::Relaxed) > FEW
}

/// Whether a connection can write, for whoever has more for it.
#[derive(Debug, Default)]
pub(crate) struct Outlet {
    is_blocked: AtomicBool,
    /// It is no HTTP any more that goes out.
    has_changed: AtomicBool,
    /// Who has more, and waits until what is there is written.
    waits: Mutex<Option<Waker>>,
}

impl Outlet {
    /// Nothing can be written now.
    pub(crate) fn blocks(&self) {
        if !self.is_blocked.load(Ordering::Relaxed) && !self.is_blocked.swap(true, Ordering::AcqRel) {
            SLOW.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Another protocol is spoken from here on, in which one side may end before the other.
    pub(crate) fn changes(&self) {
        self.has_changed.store(true, Ordering::Relaxed);
    }

    /// Whether another protocol than HTTP is spoken.
    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed.load(Ordering::Relaxed)
    }

    /// Something waits to be written.
    pub(crate) fn is_blocked(&self) -> bool {
        self.is_blocked.load(Ordering::Acquire)
    }

    /// Something was written.
    pub(crate) fn flows(&self) {
        if !self.is_blocked.load(Ordering::Relaxed) {
            return;
        }
        if self.is_blocked.swap(false, Ordering::AcqRel) {
            SLOW.fetch_sub(1, Ordering::Relaxed);
        }
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner).take();
        waits.into_iter().for_each(Waker::wake);
    }

    /// Whether more has to wait; whoever asks is woken when it has not.
    pub(crate) fn has_to_wait(&self, context: &mut Context<'_>) -> bool {
        if !self.is_blocked.load(Ordering::Acquire) {
            return false;
        }
        *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        // What was written meanwhile has woken nobody.
        self.is_blocked.load(Ordering::Acquire)
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.flows();
    }
}

/// A place among all requests over HTTP/2.
#[derive(Debug)]
pub(crate) struct Stream;

impl Stream {
    pub(crate) fn open() -> Option<Stream> {
        let open = OPEN_STREAMS.fetch_add(1, Ordering::Relaxed);
        let stream = Stream;
        (open < STREAMS).then_some(stream)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        OPEN_STREAMS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many connections each address has open. It is as large as there are connections.
#[derive(Debug, Default)]
pub(crate) struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// A connection of an address. It has ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Held(Arc<Addresses>, Option<IpAddr>);

impl Addresses {
    /// Counts a connection, unless its address has as many as it may.
    pub(crate) fn hold(self: &Arc<Addresses>, from: IpAddr, most: usize) -> Option<Held> {
        if from.is_loopback() {
            return Some(Held(Arc::clone(self), None));
        }
        let from = whole(from);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(from).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Held(Arc::clone(self), Some(from)))
    }
}

/// Of the new addresses, all that one connection to the network has (RFC 6177).
fn whole(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(from) = self.1 else { return };
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                all.remove(&from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_this_machine_all() {
        let addresses = Arc::new(Addresses::default());
        let hold = |from: &str| addresses.hold(from.parse().expect("an address"), 2);
        let held = [
            hold("192.0.2.1"),
            hold("192.0.2.1"),
            hold("2001:db8::1"),
            hold("2001:db8::2"),
        ];
        assert!(held.iter().all(Option::is_some));
        assert!(hold("192.0.2.1").is_none() && hold("2001:db8::3").is_none());
        assert!(hold("192.0.2.2").is_some() && hold("2001:db8:0:1::1").is_some());
        let near: Vec<_> = (0..10).map(|_| hold("127.0.0.1")).collect();
        assert!(near.iter().all(Option::is_some));
        drop(held);
        assert!(hold("192.0.2.1").is_some());
        drop(near);
        assert!(addresses.0.lock().expect("nobody broke").is_empty());
    }

    #[test]
    fn whoever_has_more_waits_until_something_is_written() {
        let outlet = Outlet::default();
        let mut context = Context::from_waker(Waker::noop());
        assert!(!outlet.has_to_wait(&mut context));
        outlet.blocks();
        outlet.blocks();
        assert!(outlet.has_to_wait(&mut context));
        outlet.flows();
        assert!(!outlet.has_to_wait(&mut context));
        assert!(outlet.waits.lock().expect("nobody broke").is_none());
    }
}
