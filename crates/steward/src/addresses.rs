//! Ports: which component is reached where, and which instance listens where.
//!
//! Ports are taken from below those that the system gives to outgoing connections, so that a connection of somebody cannot
//! stand where an instance is about to listen. Each product begins at a place of its own, so that two products seldom
//! reach for the same port. Whether a port is free is asked of the system the moment before it is given away; that somebody
//! takes it in between shows as an instance that cannot listen, and the decision gives it another one.

use crate::door::sockets;
use std::collections::{BTreeMap, HashSet};
use towpath_model::unit::Name;

/// The first port that is given.
const FIRST: u16 = 10_000;

/// The last one. Above it, Linux takes ports for outgoing connections.
const LAST: u16 = 32_767;

/// Who has which port.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// Where other components reach a component.
    inside: BTreeMap<Name, u16>,
    taken: HashSet<u16>,
    next: u16,
}

impl Addresses {
    /// The ports of a product, which begin at a place of its own.
    pub(crate) fn of(product: &str) -> Self {
        let seed = product.bytes().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(byte))
        });
        let room = u32::from(LAST - FIRST);
        let next = FIRST + u16::try_from(seed % room).unwrap_or(0);
        Addresses {
            inside: BTreeMap::new(),
            taken: HashSet::new(),
            next,
        }
    }

    /// A free port, which is nobody else's from now on. Nothing when there is none.
    pub(crate) fn free(&mut self) -> Option<u16> {
        for _ in FIRST..=LAST {
            let port = self.next;
            self.next = if port >= LAST { FIRST } else { port + 1 };
            if !self.taken.contains(&port) && sockets::is_free(port) {
                self.taken.insert(port);
                return Some(port);
            }
        }
        None
    }

    /// Marks a port that somebody of ours has already.
    pub(crate) fn take(&mut self, port: u16) {
        self.taken.insert(port);
    }

    /// Gives a port back.
    pub(crate) fn give_back(&mut self, port: u16) {
        self.taken.remove(&port);
    }

    /// Where a component is reached from inside.
    pub(crate) fn inside(&self, name: &Name) -> Option<u16> {
        self.inside.get(name).copied()
    }

    /// The same port as before, where it is remembered.
    pub(crate) fn remember(&mut self, name: Name, port: u16) {
        self.taken.insert(port);
        self.inside.insert(name, port);
    }

    /// Gives a component a port of its own, and says it where it is new.
    pub(crate) fn settle(&mut self, name: &Name) -> Option<u16> {
        if self.inside.contains_key(name) {
            return None;
        }
        let port = self.free()?;
        self.inside.insert(name.clone(), port);
        Some(port)
    }

    /// Takes the port of a component away, because somebody else listens there.
    pub(crate) fn forget(&mut self, name: &Name) {
        self.inside.remove(name);
    }
}
