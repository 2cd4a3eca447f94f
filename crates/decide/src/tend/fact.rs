//! What can be learned, and what can be done.

use crate::converge::{Because, Well};
use crate::job::Turns;
use crate::rollout::Lineup;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use towpath_model::run::{Build, Component, InstanceId, Seen, Stop};
use towpath_model::unit::Name;

/// What is wanted from now on.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The components, each with the digest that its instances are to be started from.
    pub components: BTreeMap<Name, (Arc<Component>, String)>,
    /// The builds that they name.
    pub builds: BTreeMap<Name, Arc<Build>>,
    /// Builds run even where they have run.
    pub build: bool,
    /// Those that are to run, even where a person had stopped them; those that are new, when it is nothing.
    pub wake: Option<BTreeSet<Name>>,
}

/// Something that has been learned.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Something else is wanted from now on.
    Applied(Applied),
    /// This has to stand from now on, of each release: nothing else is part of the product.
    Lined(Lineup),
    /// What was remembered of a component over the death of a steward.
    Remembered {
        /// Of which.
        name: Name,
        /// What.
        what: Remembered,
    },
    /// These instances stand there, whoever has started them.
    Observed(Vec<Seen>),
    /// An instance is another way.
    Changed(Seen),
    /// An instance answers another way.
    Answered {
        /// Which.
        id: InstanceId,
        /// How.
        well: Well,
    },
    /// Something was done to an instance, or could not be.
    Did {
        /// To which.
        id: InstanceId,
        /// What.
        did: Did,
        /// How it is now, nothing where it is gone; or why it could not be done.
        result: Result<Option<Seen>, String>,
    },
    /// What was decided about an instance was not begun, and will not be: it is decided anew.
    Withdrawn {
        /// Which.
        id: InstanceId,
        /// What.
        did: Did,
    },
    /// An instance that was to be started has no port to listen on, and was not begun: it is decided anew after a pause.
    NoPort {
        /// Which.
        id: InstanceId,
        /// Why.
        why: NoPort,
    },
    /// The folder that a site serves is not there, or is again.
    Folder {
        /// Of which.
        name: Name,
        /// The folder that is missing.
        missing: Option<String>,
    },
    /// What a component is given has changed: its instances are to be started from this.
    Dressed {
        /// Which.
        name: Name,
        /// The digest.
        digest: String,
    },
    /// A build has ended: the digests that the components made by it are to be started from, or why it failed.
    Built {
        /// Which.
        build: Name,
        /// How.
        result: Result<Vec<(Name, String)>, String>,
    },
    /// An extension was packed, or why not.
    Packed {
        /// Which.
        name: Name,
        /// How.
        result: Result<(), String>,
    },
    /// A person, or a rule of theirs, wants something.
    Wished {
        /// Of which component.
        name: Name,
        /// What.
        wish: Wish,
    },
    /// A request waits for it.
    Wanted(Name),
    /// Nobody has asked for it for as long as it may stay awake.
    Quiet(Name),
    /// Somebody else listens on the port of an instance.
    Robbed(InstanceId),
    /// Everything is to stop.
    Down {
        /// Without asking first.
        at_once: bool,
    },
}

/// What has to be remembered of a component, because neither the manifest nor its instances tell it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// A person has stopped it.
    pub stopped: bool,
    /// How many instances a person wants.
    pub scale: Option<u32>,
    /// Until when, where a schedule says another number then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_until: Option<Timestamp>,
    /// The greatest number that an instance of it has had.
    pub last: u64,
    /// What is remembered of a job.
    pub turns: Turns,
}

/// What a person can want of a component.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// It is to run; a job at once.
    Up,
    /// It is to stop, and stay so.
    Stopped,
    /// It is to be restarted.
    Restart(Because),
    /// So many instances.
    Scale(u32),
    /// It is to be made anew.
    Make,
}

/// Why there is no port for an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPort {
    /// The port that the manifest names is somebody else's now: the process, where it can be seen.
    Held {
        /// The port.
        port: u16,
        /// Who has it.
        by: Option<(u32, String)>,
    },
    /// None of those that can be given is free.
    NoneFree,
}

impl fmt::Display for NoPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPort::Held { port, by } => {
                match by {
                    Some((pid, name)) => write!(f, "process {pid} ({name}) listens on its port {port}")?,
                    None => write!(f, "another program listens on its port {port}")?,
                }
                f.write_str("; end that, or give it another `port`; it is tried again until it is free")
            }
            NoPort::NoneFree => f.write_str(
                "it needs a port, and none is free on this machine; end what holds them; it is tried again",
            ),
        }
    }
}

/// What can be done to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It was started.
    Start,
    /// It was stopped.
    Stop,
    /// It was restarted.
    Restart,
    /// It was forgotten.
    Forget,
}

/// Something that is to be done.
#[derive(Debug, Clone)]
pub enum Act {
    /// Starts an instance.
    Start {
        /// Which.
        id: InstanceId,
        /// From what.
        digest: String,
        /// Of what.
        component: Arc<Component>,
        /// Why.
        because: Because,
    },
    /// Stops an instance.
    Stop {
        /// Which.
        id: InstanceId,
        /// How.
        how: Stop,
        /// Why.
        because: Because,
    },
    /// Restarts an instance where it stands.
    Restart {
        /// Which.
        id: InstanceId,
        /// How.
        how: Stop,
        /// Why.
        because: Because,
    },
    /// Forgets an instance that has ended.
    Forget {
        /// Which.
        id: InstanceId,
    },
    /// Builds.
    Build(Arc<Build>),
    /// Packs an extension.
    Pack(Name),
    /// What the edge should know of a component may have changed.
    Face(Name),
    /// What has to be remembered of a component is other than before.
    Remember(Name, Remembered),
    /// A component is in another state: whoever looks on is told.
    Tell(Name),
    /// Runs of a job were missed: whoever looks on is told.
    Missed {
        /// Of which.
        name: Name,
        /// How many.
        count: usize,
        /// When the last of them was due.
        last: Timestamp,
    },
}
