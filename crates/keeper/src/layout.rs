//! Where everything of an instance stands below the state folder.

use std::path::{Path, PathBuf};
use towpath_model::run::InstanceId;
use towpath_model::unit::Name;

/// The state folder, and the places in it that keepers and engines share.
#[derive(Debug, Clone)]
pub struct Layout {
    state: PathBuf,
}

impl Layout {
    /// The socket on which a keeper listens, in its folder.
    pub const SOCKET: &'static str = "keeper.sock";
    /// The file that a keeper holds locked while it lives.
    pub const LOCK: &'static str = "lock";
    /// What a keeper leaves behind for those who come after it.
    pub const FACTS: &'static str = "facts.json";

    /// The places below this folder.
    pub fn new(state: &Path) -> Self {
        Layout {
            state: state.to_owned(),
        }
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The folder with a folder an instance.
    pub fn instances(&self) -> PathBuf {
        self.state.join("instances")
    }

    /// The folder of an instance.
    pub fn instance(&self, id: &InstanceId) -> PathBuf {
        self.instances().join(id.to_string())
    }

    /// The folder with a folder of logs a component.
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// The folder of a component's logs.
    pub fn logs_of(&self, component: &Name) -> PathBuf {
        self.logs().join(component.as_str())
    }

    /// The log of an instance.
    pub fn log(&self, id: &InstanceId) -> PathBuf {
        self.logs_of(&id.component).join(format!("{}.log", id.number))
    }

    /// The part of its log that was written before it was last rotated.
    pub fn older_log(&self, id: &InstanceId) -> PathBuf {
        self.logs_of(&id.component).join(format!("{}.log.1", id.number))
    }

    /// The file of a lease.
    pub fn lease(&self, name: &Name) -> PathBuf {
        self.state.join("leases").join(name.as_str())
    }
}
