//! What a token may allow.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that may be allowed. Each endpoint of a steward belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Verb {
    /// To see how everything is, what it says, and what has happened.
    Read,
    /// To bring releases, and to steer their rollouts.
    Deploy,
    /// To start, stop, restart and scale components, to close them for visitors, and to sign people out.
    Operate,
    /// To set secrets, and to be told what components are given.
    Secrets,
    /// Everything, also what nothing else allows.
    Admin,
}

impl Verb {
    /// All of them.
    pub const ALL: [Verb; 5] = [
        Verb::Read,
        Verb::Deploy,
        Verb::Operate,
        Verb::Secrets,
        Verb::Admin,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Read => "read",
            Verb::Deploy => "deploy",
            Verb::Operate => "operate",
            Verb::Secrets => "secrets",
            Verb::Admin => "admin",
        }
    }

    /// The one of that word.
    pub fn of(word: &str) -> Option<Self> {
        Verb::ALL.into_iter().find(|verb| verb.word() == word)
    }

    /// Whether whoever may do this may do that.
    pub fn covers(self, other: Verb) -> bool {
        self == other || self == Verb::Admin
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
