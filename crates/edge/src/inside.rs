//! The ports by which components reach each other.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::EdgeError;
use crate::listen;
use crate::state::State;
use crate::visit::Entry;

/// The inside ports that are listened on. Which target is behind one is looked up when a connection comes.
#[derive(Default)]
pub(crate) struct Inside {
    ports: HashMap<u16, JoinHandle<()>>,
}

impl Inside {
    /// Closes ports that no target has any more.
    pub(crate) async fn close(&mut self, state: &State, ports: impl Iterator<Item = u16>) {
        let unused: Vec<u16> = {
            let table = state.table();
            ports.filter(|port| table.inside(*port).is_none()).collect()
        };
        for port in unused {
            if let Some(task) = self.ports.remove(&port) {
                task.abort();
                // The port is free when the task has gone, and not before.
                let _ = task.await;
            }
        }
    }

    /// Listens on a port for a target.
    pub(crate) async fn open(
        &mut self,
        state: &Arc<State>,
        target: &str,
        port: u16,
    ) -> Result<(), EdgeError> {
        if self.ports.contains_key(&port) {
            return Ok(());
        }
        let listener = listen::inside(port).await.map_err(|source| match source.kind() {
            ErrorKind::AddrInUse | ErrorKind::PermissionDenied => EdgeError::Taken {
                target: target.to_owned(),
                port,
            },
            _ => EdgeError::System {
                doing: "listening on an inside port",
                source,
            },
        })?;
        let task = tokio::spawn(listen::take(Arc::clone(state), listener, Entry::Inside(port)));
        self.ports.insert(port, task);
        Ok(())
    }

    pub(crate) fn abort(&mut self) -> Vec<JoinHandle<()>> {
        let tasks: Vec<_> = self.ports.drain().map(|(_, task)| task).collect();
        tasks.iter().for_each(JoinHandle::abort);
        tasks
    }
}
