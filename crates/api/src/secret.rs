//! Secrets of an environment: values go in, and come out only locked by a passphrase.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// `POST /secrets/set`, and `/secrets/import` for several: from now on these have these values. Answered by `SecretsSet`.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct SetSecrets {
    /// Each by its name, in clear: it is said over the socket, and never written.
    pub values: BTreeMap<String, String>,
    /// Who says so.
    pub by: String,
    /// The key that others were sealed with is lost: a new one is made, and what is not among these is gone.
    #[serde(default)]
    pub new_key: bool,
}

impl fmt::Debug for SetSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetSecrets")
            .field("names", &self.values.keys())
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

/// Which secrets have a new version now. What was set to the value that it has already is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretsSet {
    /// Each with its version.
    pub versions: BTreeMap<String, u64>,
}

/// `POST /secrets/unset`: from now on it has no value. Answered by `SecretUnset`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsetSecret {
    /// Its name.
    pub name: String,
    /// Who says so.
    pub by: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUnset {
    /// The version that says so; nothing where it had no value.
    pub version: Option<u64>,
}

/// `GET /secrets`: those that there are, and never their values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Each.
    pub secrets: Vec<Secret>,
}

/// A secret, as it may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version: u64,
    /// Whether that has a value.
    pub is_set: bool,
    /// When it was set, or unset.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// `POST /secrets/export`: all that have a value, as a `.env` file that this passphrase opens. Answered by `Exported`.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ExportSecrets {
    /// The passphrase.
    pub passphrase: String,
    /// Who takes them out.
    pub by: String,
}

/// Secrets that a passphrase opens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// How many there are.
    pub count: usize,
    /// The file, as `age` writes and reads it.
    pub text: String,
}
