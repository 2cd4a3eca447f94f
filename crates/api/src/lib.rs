//! What is said between the steward and its clients: the types, the endpoints, and a client.
//!
//! HTTP/1.1 with JSON over a Unix socket that only its owner may open, or to a machine elsewhere over TLS with a token. What
//! goes on for a while is answered line by line, one JSON object a line, until it has ended.

mod client;
mod endpoint;
mod exchange;
mod machine;
mod message;
mod release;
mod remote;
mod secret;
mod status;
mod token;
mod verb;
mod web;

pub use client::{Answer, Client, ClientError, connect};
pub use endpoint::{
    Answers, Asks, ENVIRONMENT, EXCHANGE, Endpoint, OF_A_MACHINE, OF_AN_ENVIRONMENT, endpoint, verb,
};
pub use exchange::{audience, exchange};
pub use machine::{Exchange, Kept, Machine, Mint, Minted, TokenTold, Tokens, Trust, TrustTold, Trusts};
pub use message::{
    Apply, DownArgs, Event, LogArgs, LogLine, Maintain, Maintained, Problem, Same, Scale, SignOut, SignedOut,
    Tone,
};
pub use release::{
    AboutGate, Answered, Ask, CourseTold, Deploy, Happened, History, Listed, Missing, Releases, Steer,
    Steering, Story, Versioned, Versions,
};
pub use remote::{PORT, Remote};
pub use secret::{
    ExportSecrets, Exported, Secret, SecretUnset, Secrets, SecretsSet, SetSecrets, UnsetSecret,
};
pub use status::{
    Component, Edge, Explained, Instance, Keeps, Lately, LeftOut, Schedule, Status, Steward, Surroundings,
    Violation, Vital,
};
pub use token::{Pin, TOKEN, Token, sha256};
pub use verb::Verb;
pub use web::{Unread, Web, is_safe};

/// What is asked of `/status` by whoever does not want to know what instances use.
pub const WITHOUT_USAGE: &str = "usage=no";

/// An object whose shape is that of its type in `crates/model`: it may have more in it with each version.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(transparent)]
pub struct Opaque(
    /// What is in it.
    pub std::collections::BTreeMap<String, serde_json::Value>,
);
