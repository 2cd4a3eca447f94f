//! Certificates that components show each other.

use crate::unit::{Duration, Name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The variable that names the file with what a component shows: its certificate, and its key behind it.
pub const CERTIFICATE: &str = "TOWPATH_CERTIFICATE";

/// The variable that names the file with the certificate of the product's own authority.
pub const AUTHORITY: &str = "TOWPATH_AUTHORITY";

/// Every component that runs gets a certificate of the product's own authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// How long each lasts.
    pub lasts: Duration,
}

/// Calls of a component are taken over TLS only, and only from those that show who they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutual {
    /// The components that may call it.
    pub callers: BTreeSet<Name>,
}

/// A file by which components know each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// What it shows: its certificate, and its key behind it.
    Certificate,
    /// What it believes others by.
    Authority,
}
