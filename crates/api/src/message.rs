//! What a client asks for, and what it is told while that goes on.

use crate::release::CourseTold;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use towpath_model::run::{InstanceId, Kind, Listen, Product, State};

/// `POST /apply`: make this true. Answered by `Event`s until everything has settled.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Apply {
    /// What is wanted.
    #[cfg_attr(feature = "schema", schemars(with = "crate::Opaque"))]
    pub product: Product,
    /// The sealed values that it names, in clear: it is said over the socket, and never written.
    pub values: BTreeMap<String, String>,
    /// What every process gets besides its own variables: `PATH`, `HOME`, and their like, of whoever asks.
    pub base: BTreeMap<String, String>,
    /// Only these, and what they need. Everything, when empty.
    pub only: Vec<String>,
    /// Builds run even where nothing has changed.
    pub build: bool,
    /// Whoever asks goes away when all is well: what has no health check is not told as well before it has run for a moment.
    #[serde(default)]
    pub steady: bool,
    /// Where the edge listens, whatever the manifest says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::Opaque>"))]
    pub listen: Option<Listen>,
    /// The manifest, as the steward finds it again when it changes: the path of the file.
    pub manifest: String,
}

/// `POST /down`: stop everything. Answered by `Event`s; the last one is `Gone`, and the steward ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DownArgs {
    /// At once, without asking anybody to stop first.
    pub now: bool,
}

/// `GET /logs`: lines of logs, one `LogLine` a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogArgs {
    /// Of these components; of all of them when empty.
    pub components: Vec<String>,
    /// Not older than this.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub since: Option<Timestamp>,
    /// Of those that there are, only so many of the newest.
    pub last: Option<usize>,
    /// Goes on with those that come.
    pub follow: bool,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLine {
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// Who.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub id: InstanceId,
    /// Where to: `out`, `err`, or `engine` for what was said about the instance.
    pub stream: String,
    /// The text.
    pub text: String,
}

/// `POST /components/NAME/scale`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scale {
    /// How many instances run from now on.
    pub instances: u32,
}

/// `POST /maintenance`: components are closed for visitors, or opened. Answered by `Maintained`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Maintain {
    /// They are closed; opened otherwise.
    pub on: bool,
    /// These; everything, when empty.
    pub components: Vec<String>,
    /// Why, in words for visitors.
    #[serde(default)]
    pub because: Option<String>,
    /// When it ends by itself.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub until: Option<Timestamp>,
    /// The networks whose visitors are let in.
    #[serde(default)]
    pub let_in: Vec<String>,
}

/// What is closed for visitors now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Maintained {
    /// Something is another way than before.
    pub changed: bool,
    /// What holds, a sentence each.
    pub holds: Vec<String>,
}

/// `POST /sign-out`: whoever has signed in at the edge has to do so once more. Answered by `SignedOut`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignOut {
    /// Of these; of everything, when empty.
    pub components: Vec<String>,
}

/// What everybody is signed out of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedOut {
    /// These.
    pub components: Vec<String>,
}

/// `POST /same`: whether there is nothing to do, because everything is as it was last asked for, and well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Same {
    /// There is nothing to do.
    pub same: bool,
    /// How many components there are.
    pub components: usize,
    /// Where people reach the first of them: names and addresses.
    pub addresses: Vec<(String, String)>,
}

/// Something that happened while a client waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Event {
    /// A component is in another state.
    State {
        /// The component.
        name: String,
        /// Its kind.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        kind: Kind,
        /// The state.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        state: State,
        /// Why.
        because: String,
    },
    /// A line that a build has written.
    Build {
        /// The build.
        name: String,
        /// The line.
        line: String,
    },
    /// Something to know.
    Note {
        /// How it is meant.
        tone: Tone,
        /// What.
        text: String,
    },
    /// The course is another one, or stands where it is for another reason.
    Course(Box<CourseTold>),
    /// Nothing more will happen by itself. How everything is now.
    Settled {
        /// Whether everything that was asked for is well.
        well: bool,
        /// Whether there was nothing to do.
        idle: bool,
    },
    /// Everything has stopped, and the steward ends.
    Gone,
}

/// How a remark is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Tone {
    /// Good to know.
    Note,
    /// Something is not as it should be, and things go on.
    Warning,
    /// Something failed.
    Error,
}

/// Why the steward did not do it (RFC 9457, with a hint).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A word for programs: `unknown-component`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}
