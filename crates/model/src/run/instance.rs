//! One running copy of a component, as its engine sees it.

use crate::unit::{Bytes, Duration, Misread, Name, Unit};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Which instance: its component, and a number that is never given again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId {
    /// The component.
    pub component: Name,
    /// The number, counted from 1.
    pub number: u64,
}

impl InstanceId {
    /// The instance of that component and number.
    pub fn new(component: &Name, number: u64) -> Self {
        InstanceId {
            component: component.clone(),
            number,
        }
    }

    /// Reads what `Display` has written: `web.3`.
    pub fn parse(text: &str) -> Result<Self, Misread> {
        let (component, number) = text
            .rsplit_once('.')
            .ok_or_else(|| Misread::new("has no number behind a dot"))?;
        let number = number
            .parse()
            .map_err(|_| Misread::new("has no number behind its dot"))?;
        Ok(InstanceId {
            component: Name::parse(component)?,
            number,
        })
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.component, self.number)
    }
}

impl Serialize for InstanceId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InstanceId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        InstanceId::parse(&text)
            .map_err(|misread| de::Error::custom(format_args!("`{text}` is no instance: it {misread}")))
    }
}

/// An instance, as its engine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which one.
    pub id: InstanceId,
    /// The digest of what it was started from.
    pub digest: String,
    /// The port that it was given.
    pub port: Option<u16>,
    /// How it is.
    pub life: Life,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// Since when it is as `life` says.
    pub since: Timestamp,
}

/// How an instance is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Life {
    /// It runs.
    Running {
        /// Its first process.
        pid: u32,
    },
    /// It has ended, and is started again at a time.
    Resting {
        /// When.
        until: Timestamp,
        /// How it ended.
        after: Exit,
        /// It has ended so often in so short a time that starting it again at once would help nobody.
        looping: bool,
    },
    /// It has been asked to stop.
    Stopping {
        /// Its first process.
        pid: u32,
    },
    /// It has ended, and stays so.
    Ended {
        /// How.
        exit: Exit,
    },
    /// Whoever keeps it lives and does not answer: nobody knows how it is.
    Silent {
        /// The process that keeps it, where that is known.
        keeper: Option<u32>,
    },
    /// Whoever kept it has died. Nothing of it runs any more.
    Lost,
}

impl Life {
    /// Its first process, where there is one.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Life::Running { pid } | Life::Stopping { pid } => Some(*pid),
            _ => None,
        }
    }

    /// Whether nothing of it runs, nor will again.
    pub fn is_over(&self) -> bool {
        matches!(self, Life::Ended { .. } | Life::Lost)
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Exit {
    /// By itself, with this code.
    Code {
        /// The code.
        code: i32,
    },
    /// By a signal.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// It used more memory than it may.
    OutOfMemory {
        /// What it may use.
        limit: Bytes,
    },
    /// It did not stop in time, and was killed.
    TooSlow {
        /// The time that it had.
        within: Duration,
    },
    /// Its run took longer than it may, and it was killed.
    TimedOut {
        /// The time that it had.
        within: Duration,
    },
    /// It could not be started at all.
    NotStarted {
        /// Why, with the next step.
        why: String,
    },
}

impl Exit {
    /// Whether it ended well.
    pub fn is_success(&self) -> bool {
        matches!(self, Exit::Code { code: 0 })
    }
}

/// The names of signals that people know.
const SIGNALS: &[(i32, &str)] = &[
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
];

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code { code: 0 } => f.write_str("ended well"),
            Exit::Code { code: 126 } => f.write_str("ended with code 126: its command may not be run"),
            Exit::Code { code: 127 } => f.write_str("ended with code 127: its command was not found"),
            Exit::Code { code } => write!(f, "ended with code {code}"),
            Exit::Signal { signal } => match SIGNALS.iter().find(|(number, _)| number == signal) {
                Some((_, name)) => write!(f, "killed by {name}"),
                None => write!(f, "killed by signal {signal}"),
            },
            Exit::OutOfMemory { limit } => write!(f, "killed: out of memory at {limit}"),
            Exit::TooSlow { within } => write!(f, "killed: it did not stop within {within}"),
            Exit::TimedOut { within } => write!(f, "killed: it ran for longer than {within}"),
            Exit::NotStarted { why } => write!(f, "not started: {why}"),
        }
    }
}

/// What an instance uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// The memory of all its processes, in bytes.
    pub memory: u64,
    /// The processor time that they have used, in microseconds.
    pub cpu: u64,
}
