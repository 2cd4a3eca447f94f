//! The reverse proxy in front of everything.
//!
//! It knows targets (instances that are ready, or a folder of files) and the names under which they are reached, and
//! nothing of why they are as they are. Whoever does know sets targets one by one; each change is one
//! exchange, so a request sees the table before it or after it and never half of it.
//!
//! A request for a target that has no ready instance waits, as long as the target says so, and goes on the moment there is
//! one. That is how a component that was killed, is being restarted, or sleeps is seen from outside: as one slow answer.

mod answered;
pub mod apart;
mod aside;
mod authority;
mod balance;
mod bind;
mod body;
mod budget;
mod cache;
mod certificates;
mod chance;
mod client;
mod compress;
mod crowd;
mod deadline;
mod door;
mod encode;
mod ending;
mod error_page;
mod files;
mod first;
mod forwarded;
#[doc(hidden)]
pub mod fuzzing;
mod gather;
mod guard;
mod headers;
mod hexadecimal;
mod host;
mod inner;
mod inside;
mod leave;
mod listen;
mod pages;
mod patient;
mod pipe;
mod place;
mod provider;
mod proxied;
mod proxy;
mod pulse;
mod queue;
mod request_id;
mod route;
mod running;
mod search;
mod seen;
mod sent;
mod serve;
mod shares;
mod shown;
mod sound;
mod state;
mod table;
mod tickets;
mod to_https;
mod trust;
mod valve;
mod visit;
mod web;
mod websocket;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use towpath_model::run::{Listen, Maintenance, Mutual, Rules};

pub use bind::{Unheard, may_listen};
pub use files::has_digest;
pub use inner::{credential, keep_credentials, people};
pub use running::Edge;
pub use seen::{
    Counted, LeftOut, Lines, RequestLog, Running, Snapshot, SpanCounts, TEXT, Times, Violation, Violations,
    Whole,
};
pub use shares::{Division, FORCED, Key, Releases, Share, Visitors, WHOLE};

/// Where the edge listens and what it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The product: the second label of every name.
    pub product: String,
    /// The folder with the local authority that signs certificates; made where there is none. All products of a person on
    /// one machine share it, so that it is trusted once.
    pub authority: PathBuf,
    /// Where it listens.
    #[serde(default)]
    pub listen: Listen,
    /// Where `listen` names no port for HTTPS: the one that is taken if it is free, and the next free one above it otherwise.
    pub https: u16,
    /// The same for plain HTTP.
    pub http: u16,
    /// How long is waited for whoever sends or reads nothing.
    pub patience: Patience,
    /// The log of requests, where one is kept.
    #[serde(default)]
    pub log: Option<RequestLog>,
    /// The file with the key by which visitors keep their releases and probes ask for one; made where there is none. Without
    /// it a key is made up that lasts as long as the process.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// How long is waited for whoever sends or reads nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// For the head of a request to be whole, counted from the end of the answer before it. Whoever sends a byte a second
    /// holds a place for so long and no longer.
    pub head: Duration,
    /// For the next bytes of a request's body, while somebody wants to have them.
    pub body: Duration,
    /// For a visitor to read anything of what is being sent.
    pub reading: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            reading: Duration::from_secs(60),
        }
    }
}

/// A name or port under which something is reached, and what answers there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The component, for messages and counts.
    pub name: String,
    /// The host names under which people reach it: `web.hello.localhost`. Without a name it is not reached from outside.
    pub hosts: Vec<String>,
    /// The port on 127.0.0.1 under which other components reach it by plain HTTP (or TCP, see `raw`).
    pub inside: Option<u16>,
    /// Bytes are passed on as they are, on the inside port: it does not speak HTTP.
    pub raw: bool,
    /// Instances are spoken to in HTTP/2 from the first byte: they speak gRPC.
    pub grpc: bool,
    /// Visitors stay on one instance, by a cookie of the edge.
    pub sticky: bool,
    /// Answers are compressed with what the visitor accepts.
    pub compress: bool,
    /// Parts of the address space that others answer, or that have rules of their own. The longest beginning wins.
    pub routes: Vec<Route>,
    /// What is kept in front of it.
    pub rules: Arc<Rules>,
    /// How long WebSockets of an instance that leaves may stay.
    pub drain: Duration,
    /// How long the share of an instance grows that comes to others; not at all where nothing is said.
    #[serde(default)]
    pub slow_start: Duration,
    /// What answers.
    pub answer: Answer,
    /// What it is made of, as far as that is known: where it changes, nothing is given that was kept of what it was before.
    #[serde(default)]
    pub build: Option<String>,
    /// Visitors are told to come later.
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
    /// Components reach it over TLS only, and show who they are.
    #[serde(default)]
    pub mutual: Option<Mutual>,
}

/// A part of an address space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The beginning of the path.
    pub path: String,
    /// Where it leads; to the target itself where nothing is said.
    pub to: Option<RouteTo>,
    /// What is kept in front of it, instead of the target's rules.
    pub rules: Arc<Rules>,
}

/// Where a part of an address space leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouteTo {
    /// To another target.
    Target(String),
    /// Somewhere else.
    Redirect(String),
}

/// What answers for a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// Instances, by their ids and addresses. Where there is none, requests wait for so long, and then get 503 with
    /// Retry-After and these words.
    Instances {
        /// Those that are ready.
        ready: Vec<(String, SocketAddr)>,
        /// How long a request waits for one.
        hold: Duration,
        /// What is told to whoever has waited in vain.
        because: String,
        /// The releases that they belong to, and what each gets.
        #[serde(default)]
        releases: Releases,
    },
    /// Files of a folder.
    Files {
        /// The folder.
        folder: PathBuf,
        /// The file that answers for paths that have none.
        fallback: Option<String>,
        /// How long files with a digest in their name may be kept.
        assets: Duration,
        /// How long others may be kept; without it they are asked for anew each time.
        pages: Option<Duration>,
        /// Where files with a digest in their name are looked for that the folder does not have any more, in this order.
        #[serde(default)]
        former: Vec<PathBuf>,
        /// The releases of it, and what each gets; none of them has instances.
        #[serde(default)]
        releases: Releases,
        /// The folders of releases that have another one than `folder`.
        #[serde(default)]
        sides: BTreeMap<String, PathBuf>,
    },
    /// Nothing answers, at once: 503 with these words.
    Closed {
        /// Why, and what to do.
        because: String,
    },
}

/// Something that the one who sets targets wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A request waits for this target, which has no ready instance. Told once until it has one.
    Wanted(String),
    /// No descriptor is left for further connections: they wait until others end. Told once a minute at the most.
    Exhausted(String),
    /// Nobody can be answered over HTTPS, and why. Told each time that somebody wants to be.
    Untrusted(String),
    /// An instance refused or broke a connection. Requests are held or sent elsewhere meanwhile.
    Refused {
        /// The target.
        target: String,
        /// The instance.
        instance: String,
    },
    /// An instance is left out, because it does worse than the others of its release. It is tried again from time to time.
    Ejected {
        /// The target.
        target: String,
        /// The instance.
        instance: String,
        /// Why.
        because: String,
    },
    /// Requests for a target are sent away, because a queue for it does not get shorter. Told once a minute at the most.
    Shed {
        /// The target.
        target: String,
        /// Why.
        because: String,
    },
    /// An instance that was left out does well again.
    Returned {
        /// The target.
        target: String,
        /// The instance.
        instance: String,
    },
    /// An edge that is a process of its own has ended, and nobody has asked it to.
    Ended,
}

/// What has come through for a target since the edge started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests that were answered.
    pub requests: u64,
    /// Of them, those that were answered with a 5xx.
    pub errors: u64,
    /// Requests and connections that are open now.
    pub active: u64,
    /// Milliseconds since the last one ended or is still open, by a clock that never jumps; none if there was none.
    pub quiet_for: Option<u64>,
}

/// Where it really listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// HTTPS.
    pub https: u16,
    /// Plain HTTP.
    pub http: u16,
    /// The addresses. An earlier version does not say: it listens on those of this machine alone.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// The file with the authority's certificate, to be trusted by browsers.
    pub authority: PathBuf,
}

/// Why the edge could not do it.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// No port near the wanted one is free.
    #[error("no port from {from} to {to} is free")]
    NoPort {
        /// The first that was tried.
        from: u16,
        /// The last.
        to: u16,
    },
    /// An address and port that is named cannot be listened on.
    #[error("the edge cannot listen on {at}")]
    Unheard {
        /// Where.
        at: SocketAddr,
        /// Why.
        why: Unheard,
    },
    /// A port that a target wants is taken.
    #[error("port {port}, which `{target}` is reached by, is taken")]
    Taken {
        /// The target.
        target: String,
        /// The port.
        port: u16,
    },
    /// The authority could not be made or read.
    #[error("the local certificate authority in {folder} cannot be used: {why}")]
    Authority {
        /// Its folder.
        folder: String,
        /// Why.
        why: String,
    },
    /// An edge that is a process of its own has said so, or did not answer.
    #[error("{0}")]
    Apart(String),
    /// Something of the system refused.
    #[error("{doing} failed")]
    System {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
