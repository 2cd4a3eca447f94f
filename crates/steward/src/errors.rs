//! Why a steward cannot do its work.

use std::path::PathBuf;
use towpath_edge::EdgeError;
use towpath_engine::EngineError;
use towpath_store::StoreError;

/// Why a steward cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum StewardError {
    /// Its store.
    #[error("the journal cannot be used")]
    Store(#[from] StoreError),
    /// Its engine.
    #[error("what runs cannot be looked at")]
    Engine(#[from] EngineError),
    /// Its edge.
    #[error("the edge cannot listen")]
    Edge(#[from] EdgeError),
    /// Its folder has gone while it ran.
    #[error("{} was deleted or moved, and everything was stopped", .0.display())]
    Vanished(PathBuf),
    /// Something of the system.
    #[error("{doing} failed for {subject}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// To what.
        subject: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// An error with everything that led to it, as one line for people.
pub fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
