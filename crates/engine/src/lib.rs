//! What runs instances: one trait, and an engine a folder.
//!
//! An engine knows instances and nothing above them. It is told exactly what to start (a port, an id, the values of all
//! variables), and it tells what it sees. It decides one thing only: how an instance that has ended by itself is started
//! again, because that has to go on while nobody looks. Every call may be made twice: starting what runs and stopping what
//! has gone are answered like the first time, so that a caller that was killed between a call and its answer calls again.

pub mod conformance;
pub mod fake;
pub mod process;

use std::future::Future;
use towpath_model::desired::component::Restart;
use towpath_model::run::{InstanceId, Limits, Seen, Stop, Usage};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Duration, Name};

/// What runs instances.
pub trait Engine: Send + Sync + 'static {
    /// Every instance that there is, whoever has started it, ended ones that nobody has forgotten yet among them.
    fn observe(&self) -> impl Future<Output = Result<Vec<Seen>, EngineError>> + Send;

    /// Starts an instance, and answers once its process runs, or could not be started. One that is there already is left
    /// as it is, and told as it is.
    fn start(&self, order: Start) -> impl Future<Output = Result<Seen, EngineError>> + Send;

    /// Stops an instance and everything that it has started, and answers when nothing of it is left. It stays to be seen
    /// as ended until it is forgotten. A second call with a shorter time hurries the first one.
    fn stop(&self, id: &InstanceId, how: Stop) -> impl Future<Output = Result<Seen, EngineError>> + Send;

    /// Ends the process of an instance as `how` says, and starts it again at once with the same order: same id, same port.
    fn restart(&self, id: &InstanceId, how: Stop) -> impl Future<Output = Result<Seen, EngineError>> + Send;

    /// Forgets an instance that has ended: it is not seen any more. Its log stays.
    fn forget(&self, id: &InstanceId) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// What instances use. One that is not there is left out.
    fn usage(&self, ids: &[InstanceId]) -> impl Future<Output = Vec<(InstanceId, Usage)>> + Send;

    /// Lines that components have written, oldest first: those that there are, and those that come where `follow` says so.
    /// Dropping the receiver ends it.
    fn logs(&self, query: LogQuery) -> impl Future<Output = Result<Lines, EngineError>> + Send;

    /// Every change of an instance's life, from now on. It is handed out once.
    fn changes(&self) -> Option<tokio::sync::mpsc::UnboundedReceiver<Seen>>;

    /// By what limits are kept here.
    fn limits(&self) -> LimitsKept;
}

/// Lines of logs as they are read.
pub type Lines = tokio::sync::mpsc::Receiver<LogLine>;

/// Exactly what is started.
#[derive(Debug, Clone)]
pub struct Start {
    /// Which instance.
    pub id: InstanceId,
    /// The digest of what it is started from; the engine keeps it and tells it again.
    pub digest: String,
    /// The command, as it is typed in a shell.
    pub command: String,
    /// The folder that it runs in.
    pub dir: String,
    /// All of its environment, in clear behind their seals.
    pub env: Vec<(String, Sealed<String>)>,
    /// Values that are delivered as files which only the instance can read: the variable that holds the file's path, and
    /// what stands in the file.
    pub files: Vec<(String, Sealed<String>)>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// What it may use.
    pub limits: Limits,
    /// What happens when it ends by itself.
    pub restart: Restart,
    /// How it is stopped where nobody says otherwise.
    pub stop: Stop,
    /// How long it may run at all.
    pub timeout: Option<Duration>,
    /// The lease that it has to hold while it lives: at most one instance with this lease lives at any time.
    pub lease: Option<Name>,
}

/// Which lines of logs are wanted.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// Of these components; of all of them when empty.
    pub components: Vec<Name>,
    /// Not older than this.
    pub since: Option<jiff::Timestamp>,
    /// Of those that there are, only so many of the newest.
    pub last: Option<usize>,
    /// Goes on with those that come.
    pub follow: bool,
}

/// A line that an instance has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was read.
    pub at: jiff::Timestamp,
    /// Who wrote it.
    pub id: InstanceId,
    /// Where to.
    pub stream: Stream,
    /// The text, without its end of line; what is no UTF-8 is replaced.
    pub text: String,
}

/// Where a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// Said by the engine about the instance: that it was started, that it ended, that lines were lost.
    Engine,
}

/// By what the limits of instances are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitsKept {
    /// By cgroups, version 2.
    CgroupsV2,
    /// By cgroups, version 1.
    CgroupsV1,
    /// Memory is looked at each second; processor and processes are not limited: we may not make cgroups here.
    Watched,
}

/// Why an engine could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such instance.
    #[error("there is no instance {0}")]
    Unknown(InstanceId),
    /// Something of the system refused.
    #[error("{doing} failed for {subject}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What it was done to.
        subject: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What keeps the instance answered something that cannot be understood.
    #[error("the keeper of {subject} said something that cannot be understood: {said}")]
    Garbled {
        /// The instance.
        subject: String,
        /// What it said.
        said: String,
    },
}

impl EngineError {
    /// Whether trying again may help.
    pub fn may_pass(&self) -> bool {
        matches!(self, EngineError::System { .. })
    }

    pub(crate) fn system(
        doing: &'static str,
        subject: impl ToString,
        source: impl Into<std::io::Error>,
    ) -> Self {
        EngineError::System {
            doing,
            subject: subject.to_string(),
            source: source.into(),
        }
    }
}
