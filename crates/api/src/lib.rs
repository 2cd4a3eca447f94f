//! What is said between the steward and its clients: the types, the endpoints, and a client.
//!
//! HTTP/1.1 with JSON over a Unix socket that only its owner may open. What goes on for a while is answered line by line,
//! one JSON object a line, until it has ended.

mod client;
mod message;
mod release;
mod secret;
mod status;

pub use client::{Answer, Client, ClientError};
pub use message::{
    Apply, DownArgs, Event, LogArgs, LogLine, Maintain, Maintained, Problem, Same, Scale, SignOut, SignedOut,
    Tone,
};
pub use release::{
    CourseTold, Deploy, Happened, History, Listed, Missing, Releases, Steer, Steering, Versioned, Versions,
};
pub use secret::{
    ExportSecrets, Exported, Secret, SecretUnset, Secrets, SecretsSet, SetSecrets, UnsetSecret,
};
pub use status::{
    Component, Edge, Explained, Instance, Keeps, Lately, LeftOut, Schedule, Status, Steward, Surroundings,
    Violation, Vital,
};

/// What is asked of `/status` by whoever does not want to know what instances use.
pub const WITHOUT_USAGE: &str = "usage=no";
