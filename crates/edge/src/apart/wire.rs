//! What is said between an edge that is a process of its own and those who talk to it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use towpath_model::run::{Certified, Front, Listen};
use towpath_model::sealed::Sealed;

use crate::tickets::Handed;
use crate::visit::Entry;
use crate::{Config, EdgeError, Event, Listening, Snapshot, Target, Traffic, Unheard};

/// Something that is asked of an edge.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The asker's own number for it; it comes back with the answer.
    pub(super) number: u64,
    pub(super) what: Request,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    /// Who is it, and what does it serve? What happens is told to whoever has asked this.
    Hello,
    /// Listen, and serve. The sockets on which somebody has listened before come with it.
    Begin(Config, Vec<Ear>),
    /// Listen there from now on; free ports are looked for from these upwards.
    Listen(Listen, (u16, u16)),
    /// Take over from the one that serves.
    Succeed,
    /// Set targets.
    Set(Vec<(String, Option<Target>)>),
    /// Know the values that sign-ins are checked with.
    Know(Values),
    /// Show this page for what cannot be answered.
    Show(Option<String>),
    /// What holds in front of everything, and the folder in which certificates are kept.
    Face(Box<Front>, PathBuf),
    /// How the certificate of each domain is.
    Certificates,
    /// What has come through for these.
    Traffic(Vec<String>),
    /// What has been seen of requests.
    Seen,
    /// Answer when an instance has nothing open any more.
    HasLeft {
        target: String,
        instance: String,
        within: Duration,
    },
    /// Stop, and end when what is open has ended.
    Stop(Duration),
    /// Hand over everything that a successor needs.
    HandOver,
    /// The successor takes connections.
    Taken,
}

/// What an edge says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    /// The number of what was asked; zero where nobody has asked.
    pub(super) number: u64,
    pub(super) what: Answer,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// Who it is.
    Here(Box<Here>),
    /// It listens; on these sockets, which come with it.
    Began(Listening, Vec<Ear>),
    /// It listens there; on these sockets, which come with it. Where that could not be, why.
    Listens(Listening, Vec<Ear>, Option<Fault>),
    /// Targets are set; these sockets are new, and this failed.
    Set(Vec<Ear>, Vec<Fault>),
    /// What has come through.
    Traffic(HashMap<String, Traffic>),
    /// How the certificate of each domain is.
    Certificates(Vec<Certified>),
    /// What has been seen of requests.
    Seen(Box<Snapshot>),
    /// Everything that a successor needs. The lock comes first, then the sockets.
    Estate(Box<Estate>, Vec<Ear>),
    /// It is done.
    Done,
    /// It could not be done.
    Failed(Fault),
    /// Something has happened.
    Event(Event),
}

/// Who an edge is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Here {
    /// The program that it is.
    pub(super) program: String,
    /// Its process.
    pub(super) process: u32,
    /// What it was begun with, and where it listens; nothing before that.
    pub(super) began: Option<(Config, Listening)>,
    /// Its targets, with their inside ports.
    pub(super) targets: Vec<(String, Option<u16>)>,
    /// What it listens on; the sockets come with it.
    pub(super) ears: Vec<Ear>,
}

/// What goes from one edge to the next.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Estate {
    pub(super) config: Config,
    /// The targets. One that another version cannot read is left out: it is set again soon.
    pub(super) targets: Vec<(String, Value)>,
    /// What was counted by those who have gone.
    #[serde(default)]
    pub(super) past: HashMap<String, (u64, u64)>,
    /// What was seen by those who have gone; and when, by the clock that goes on, it is handed over.
    #[serde(default)]
    pub(super) seen: Snapshot,
    /// The processes of those that still end what they have begun: nothing of what they count is in the above. One of an
    /// earlier version does not say.
    #[serde(default)]
    pub(super) before: Option<Vec<u32>>,
    /// What sign-ins are checked with.
    #[serde(default)]
    pub(super) values: Values,
    /// The product's own page for what cannot be answered.
    #[serde(default)]
    pub(super) error_page: Option<String>,
    /// What holds in front of everything, and the folder in which certificates are kept.
    #[serde(default)]
    pub(super) facing: Option<(Front, PathBuf)>,
    /// The keys of tickets.
    #[serde(default)]
    pub(super) tickets: Option<Handed>,
}

/// Values that nobody sees but those at both ends of the line.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(pub(super) BTreeMap<String, Sealed<String>>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value.open())))
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Values, D::Error> {
        let values = BTreeMap::<String, String>::deserialize(from)?.into_iter();
        Ok(Values(
            values.map(|(name, value)| (name, Sealed::new(value))).collect(),
        ))
    }
}

/// Which socket it is that is listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ear {
    Https,
    Http,
    Inside(u16),
}

impl From<Entry> for Ear {
    fn from(entry: Entry) -> Ear {
        match entry {
            Entry::Https => Ear::Https,
            Entry::Http => Ear::Http,
            Entry::Inside(port) => Ear::Inside(port),
        }
    }
}

impl From<Ear> for Entry {
    fn from(ear: Ear) -> Entry {
        match ear {
            Ear::Https => Entry::Https,
            Ear::Http => Entry::Http,
            Ear::Inside(port) => Entry::Inside(port),
        }
    }
}

/// Why something could not be done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fault {
    NoPort { from: u16, to: u16 },
    Unheard { at: SocketAddr, why: Unheard },
    Taken { target: String, port: u16 },
    Authority { folder: String, why: String },
    Other(String),
}

impl From<EdgeError> for Fault {
    fn from(error: EdgeError) -> Fault {
        match error {
            EdgeError::NoPort { from, to } => Fault::NoPort { from, to },
            EdgeError::Unheard { at, why } => Fault::Unheard { at, why },
            EdgeError::Taken { target, port } => Fault::Taken { target, port },
            EdgeError::Authority { folder, why } => Fault::Authority { folder, why },
            EdgeError::System { doing, source } => Fault::Other(format!("{doing} failed: {source}")),
            EdgeError::Apart(why) => Fault::Other(why),
        }
    }
}

impl From<Fault> for EdgeError {
    fn from(fault: Fault) -> EdgeError {
        match fault {
            Fault::NoPort { from, to } => EdgeError::NoPort { from, to },
            Fault::Unheard { at, why } => EdgeError::Unheard { at, why },
            Fault::Taken { target, port } => EdgeError::Taken { target, port },
            Fault::Authority { folder, why } => EdgeError::Authority { folder, why },
            Fault::Other(why) => EdgeError::Apart(why),
        }
    }
}
