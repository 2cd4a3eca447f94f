//! Probes: what a synthetic user does, step by step, and what follows from what came.
//!
//! **What it decides.** [`read`] makes exact what a manifest says in short words: whom each step asks for what, with what, for
//! how long, and what must hold of the answer. [`met`] says of one answer whether it is the right one: whoever runs a probe
//! stops at the first that is not, and a `wait` is over with the first that is. [`judge`] makes of all runs one verdict.
//!
//! **Where a bound stands.** In a step it holds for the answer to that step. Beside the steps it holds for the last answer,
//! and its times are those of a whole run: the synthetic user waits for all of it. `latency` is bounded in each run, a
//! percentile over all of them, by nearest rank: p95 of 20 runs is the 19th of their times in order, a time that was measured.
//!
//! **When it passes.** When every run came to its end and every bound was kept. What could not be asked at all (nothing runs
//! there, a secret has no value, the words mean nothing) is inconclusive and never a pass, and neither is it a failure of the
//! release. What was asked and did not answer as it should is a failure, and the first one is enough: more runs could not
//! make it good.
//!
//! **A fixture** has the digest that its words say. With `stable` that is the digest of the release that runs; where that one
//! has never been asked there is nothing to compare with, so what came is written down for the next one, and it is said.

mod judge;
mod met;
mod read;
mod request;
mod subject;
#[cfg(test)]
mod tests;
mod veil;
mod words;

pub use judge::{Judged, judge, nearest_rank};
pub use met::{Miss, met};
pub use read::{read, secrets};
pub use subject::{Bound, Subject};
pub use veil::Veil;

use std::time::Duration as Span;
use towpath_model::unit::Duration;

/// A probe, made exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What is done in one run, in this order.
    pub steps: Vec<Step>,
    /// How many runs make a verdict.
    pub runs: u32,
    /// How long one run may take.
    pub within: Option<Duration>,
    /// What must hold of the time of each run.
    pub each: Vec<Bound>,
    /// What must hold of the times of all runs.
    pub across: Vec<Bound>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub act: Act,
    /// As people call it: `GET /auth/me`.
    pub words: String,
    /// What must hold of the answer.
    pub expect: Vec<Bound>,
    /// What must hold of its times in all runs.
    pub across: Vec<Bound>,
    /// How long it may take.
    pub bound: Duration,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Asks once.
    Http(Request),
    /// Opens a WebSocket, or hears what came on the one that is open.
    WebSocket(Request),
    /// Connects.
    Tcp(Place),
    /// Runs statements.
    Sql {
        /// What is run.
        text: String,
        /// The database, where it is named.
        on: Option<String>,
    },
    /// Puts a job on a queue.
    Queue {
        /// The list in Redis that holds what waits.
        list: String,
        /// The job.
        body: Option<Value>,
        /// The Redis, where it is named.
        on: Option<String>,
    },
    /// Runs a command.
    Command(String),
    /// Asks again until the answer is right.
    Wait(Request),
    /// Asks with the body that stands in a file, and takes the digest of the answer.
    Fixture {
        /// The request.
        request: Request,
        /// The file.
        file: String,
        /// The digest that the answer has.
        hash: Hash,
    },
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Whom it is sent to.
    pub to: To,
    /// The cookie.
    pub cookie: Option<Value>,
    /// The token that is sent as `Authorization: Bearer`.
    pub token: Option<Value>,
    /// The secret that signs the body.
    pub hmac: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, Value)>,
    /// The body.
    pub body: Option<Value>,
}

/// Whom a request is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// To what the probe is aimed at, for this path.
    Path(String),
    /// To this address, whatever the probe is aimed at.
    Url(String),
}

/// Where a port is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A name of the product, or a host; nothing for what the probe is aimed at.
    pub host: Option<String>,
    /// The port.
    pub port: u16,
}

/// A value that a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// As it is written.
    Plain(String),
    /// That of a secret.
    Secret(String),
}

/// The digest that an answer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hash {
    /// The same as that of the release that runs.
    Stable,
    /// This one: `sha256:` and 64 digits.
    Is(String),
}

/// What came of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// How long it took.
    pub took: Span,
    /// The status of an answer.
    pub status: Option<u16>,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body, the message that was waited for, or what a command has written.
    pub body: String,
    /// How many rows were answered or changed.
    pub rows: u64,
    /// The columns of the first row.
    pub row: Vec<(String, Option<String>)>,
    /// How many messages came.
    pub messages: u64,
    /// The digest of an answer's body.
    pub digest: Option<String>,
}

/// Why a run did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// What was asked did not answer as it should.
    Failed(String),
    /// It could not be asked.
    Unknown(String),
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// What came of each step that was done.
    pub seen: Vec<Seen>,
    /// Why the step behind those could not be done.
    pub broken: Option<Broken>,
    /// How long all of it took.
    pub took: Span,
}
