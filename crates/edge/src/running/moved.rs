//! An edge that goes on running listens elsewhere: what is open stays open, and who comes next comes to the new addresses.

use std::net::SocketAddr;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use towpath_model::run::Listen;

use super::{Edge, Socket, listening_of};
use crate::listen::Ear;
use crate::visit::Entry;
use crate::{EdgeError, Listening, bind};

impl Edge {
    /// Listens where it is wanted, and nowhere else. `near` are the ports from which upwards free ones are looked for, where
    /// none is named. The sockets are new ones as well as those that stayed.
    pub(crate) async fn move_to(
        &self,
        listen: &Listen,
        near: (u16, u16),
    ) -> (Result<(), EdgeError>, Vec<Socket>) {
        // Nobody takes the sockets over meanwhile.
        let inside = self.inside.lock().await;
        let mut moved = Ok(());
        if !inside.has_left() {
            for (entry, named, near) in [
                (Entry::Https, listen.https, near.0),
                (Entry::Http, listen.http, near.1),
            ] {
                if let Err(error) = self.reopen(entry, listen, named, near).await {
                    moved = Err(error);
                }
            }
        }
        let ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        let listening = listening_of(&ears, &self.state);
        self.state.https.store(listening.https, Ordering::Relaxed);
        self.state.http.store(listening.http, Ordering::Relaxed);
        self.state.is_open.store(listening.is_open(), Ordering::Relaxed);
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = listening;
        if moved.is_ok() {
            self.config.lock().unwrap_or_else(PoisonError::into_inner).listen = listen.clone();
        }
        // One that cannot be held twice is not safe when we die, and nothing else.
        let again = ears.iter().filter_map(|ear| Some((ear.entry, ear.again().ok()?)));
        (moved, again.collect())
    }

    /// Opens what is missing, and closes what is too much. Where that cannot be, everything stays as it was.
    async fn reopen(
        &self,
        entry: Entry,
        listen: &Listen,
        named: Option<u16>,
        near: u16,
    ) -> Result<(), EdgeError> {
        let wanted = bind::meant(listen);
        let mut ears = self.take_ears(entry);
        let now = ears.first().and_then(Ear::at).map(|at| at.port());
        // A free port stays the same one, if it can: people know it.
        let stays = now.filter(|_| named.is_none() && named_for(entry, &self.config().listen).is_none());
        let mut refused = None;
        for port in stays.into_iter().chain(bind::tried(named, near)) {
            let is_kept = |ear: &Ear| {
                ear.at()
                    .is_some_and(|at| at.port() == port && wanted.contains(&at.ip()))
            };
            let (kept, others): (Vec<Ear>, Vec<Ear>) = ears.into_iter().partition(is_kept);
            let known: Vec<SocketAddr> = kept.iter().filter_map(Ear::at).collect();
            let missing: Vec<_> = wanted
                .iter()
                .filter(|ip| !known.contains(&SocketAddr::new(**ip, port)))
                .copied()
                .collect();
            // All addresses and one of them cannot be listened on by two sockets.
            let is_in_the_way = |ear: &Ear| {
                let at = ear.at().filter(|at| at.port() == port);
                at.is_some_and(|at| missing.iter().any(|ip| overlap(at, SocketAddr::new(*ip, port))))
            };
            let (in_the_way, others): (Vec<Ear>, Vec<Ear>) = others.into_iter().partition(is_in_the_way);
            let closed: Vec<SocketAddr> = in_the_way.iter().filter_map(Ear::at).collect();
            for ear in in_the_way {
                ear.close().await;
            }
            match bind::all(&missing, port, !kept.is_empty()) {
                Ok(opened) => {
                    let mut ears = kept;
                    let open = |one| Ear::open(&self.state, one, entry);
                    ears.extend(opened.listeners.into_iter().map(open));
                    self.give_ears(ears);
                    for ear in others {
                        ear.close().await;
                    }
                    return Ok(());
                }
                Err((at, error)) => {
                    let goes_on = named.is_none() && bind::is_taken(&error);
                    refused = Some((at, error));
                    ears = kept;
                    ears.extend(others);
                    for at in closed {
                        let again = bind::all(&[at.ip()], at.port(), true);
                        let again = again.into_iter().flat_map(|port| port.listeners);
                        ears.extend(again.map(|one| Ear::open(&self.state, one, entry)));
                    }
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        self.give_ears(ears);
        Err(refused.map_or(EdgeError::NoPort { from: near, to: near }, bind::told))
    }

    fn take_ears(&self, entry: Entry) -> Vec<Ear> {
        let mut all = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, rest) = std::mem::take(&mut *all)
            .into_iter()
            .partition(|ear| ear.entry == entry);
        *all = rest;
        taken
    }

    fn give_ears(&self, ears: Vec<Ear>) {
        let mut all = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(ears);
    }
}

fn named_for(entry: Entry, listen: &Listen) -> Option<u16> {
    match entry {
        Entry::Https => listen.https,
        Entry::Http | Entry::Inside(_) => listen.http,
    }
}

/// Whether one of two is all addresses, and the other one of them.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    one.is_ipv4() == other.is_ipv4() && one.ip().is_unspecified() != other.ip().is_unspecified()
}

impl Listening {
    /// Whether others than this machine reach it.
    pub fn is_open(&self) -> bool {
        self.addresses.iter().any(|address| !address.is_loopback())
    }
}
