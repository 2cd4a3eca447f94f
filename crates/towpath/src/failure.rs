//! Why a command ended without doing what was asked, and the exit code that says so.

use std::fmt;

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The manifest is wrong, or a check that was asked for failed.
    Config,
    /// The command was called wrongly.
    User,
    /// Something outside did not work: a file that cannot be read or written.
    Remote,
    /// Nobody can say yet whether it was done: it holds, and waits for somebody.
    Held,
    /// A mistake of ours.
    Internal,
}

impl Kind {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Kind::Config => 1,
            Kind::User => 2,
            Kind::Remote | Kind::Held => 3,
            Kind::Internal => 70,
        }
    }
}

/// A command's failure, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose move it is.
    pub kind: Kind,
    /// What is wrong; empty where all has been told already.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// Everything has been told already.
    pub fn told() -> Self {
        Failure::new(Kind::Config, "")
    }

    /// As somebody else's move.
    #[must_use]
    pub fn by(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
