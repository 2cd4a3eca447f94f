//! The ports by which components reach each other.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::EdgeError;
use crate::bind;
use crate::listen::{self, Ear};
use crate::state::State;
use crate::visit::Entry;

/// The inside ports that are listened on. Which target is behind one is looked up when a connection comes.
#[derive(Default)]
pub(crate) struct Inside {
    ports: HashMap<u16, Ear>,
    /// Those that somebody has listened on before us, until a target wants them.
    handed: HashMap<u16, OwnedFd>,
    /// Somebody else listens from now on.
    has_left: bool,
}

impl Inside {
    /// Those that somebody else has listened on.
    pub(crate) fn of(handed: HashMap<u16, OwnedFd>) -> Inside {
        Inside {
            handed,
            ..Inside::default()
        }
    }

    /// Closes ports that no target has any more.
    pub(crate) async fn close(&mut self, state: &State, ports: impl Iterator<Item = u16>) {
        let unused: Vec<u16> = {
            let table = state.table();
            ports.filter(|port| table.inside(*port).is_none()).collect()
        };
        for port in unused {
            self.handed.remove(&port);
            if let Some(ear) = self.ports.remove(&port) {
                ear.close().await;
            }
        }
    }

    /// Listens on a port for a target; the socket, where it is a new one.
    pub(crate) async fn open(
        &mut self,
        state: &Arc<State>,
        target: &str,
        port: u16,
    ) -> Result<Option<OwnedFd>, EdgeError> {
        if self.has_left || self.ports.contains_key(&port) {
            return Ok(None);
        }
        let system = |source| EdgeError::System {
            doing: "listening on an inside port",
            source,
        };
        let listener = match self.handed.remove(&port) {
            Some(socket) => bind::taken_over(socket).map_err(system)?,
            None => listen::inside(port).await.map(Arc::new).map_err(|source| {
                let is_taken = matches!(source.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied);
                if is_taken {
                    let target = target.to_owned();
                    EdgeError::Taken { target, port }
                } else {
                    system(source)
                }
            })?,
        };
        let ear = Ear::open(state, listener, Entry::Inside(port));
        let again = ear.again().ok();
        self.ports.insert(port, ear);
        Ok(again)
    }

    /// The sockets that are listened on.
    pub(crate) fn ears(&self) -> impl Iterator<Item = &Ear> {
        self.ports.values()
    }

    /// Listens on none any more, and hands out those that have to be closed.
    pub(crate) fn leave(&mut self) -> Vec<Ear> {
        self.has_left = true;
        self.handed.clear();
        self.ports.drain().map(|(_, ear)| ear).collect()
    }

    /// Whether somebody else listens.
    pub(crate) fn has_left(&self) -> bool {
        self.has_left
    }

    pub(crate) fn abort(&self) {
        self.ports.values().for_each(Ear::abort);
    }
}
