//! What reaches the core: one thing after the other, from whoever has learned it.

use crate::course::Tasked;
use crate::gates::{Judged, Sampled};
use crate::make::Looked;
use crate::serve::Request;
use crate::watch::Change;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use towpath_api::Tone;
use towpath_decide::headers::Finding;
use towpath_decide::tend::Fact;
use towpath_edge::Snapshot;
use towpath_model::unit::Name;
use towpath_store::Seq;

/// Something that has reached the core.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something was learned.
    Fact(Fact),
    /// Something that was written down as an intent has ended.
    Done {
        /// The intent.
        seq: Seq,
        /// What was learned by it.
        fact: Fact,
        /// Whether it was done, or why not.
        outcome: Result<(), String>,
    },
    /// Something came from the edge.
    Edge(towpath_edge::Event),
    /// A client asks for something.
    Request(Request),
    /// Something to know.
    Note(Tone, String),
    /// A line that a build has written.
    BuildLine(String, String),
    /// Files of a component have changed.
    Files(Change),
    /// A build of these is over; some of them are to be started anew.
    Built {
        /// Whose build it was.
        owners: Vec<Name>,
        /// Those of them whose artifact cannot be known to be the same.
        anew: Vec<Name>,
    },
    /// The assets of a site and of its earlier builds are in these folders.
    Kept(Name, Vec<PathBuf>),
    /// The folder of the state has gone.
    Vanished,
    /// A component was asked for the headers of its answers.
    Probed(Name, Vec<Finding>),
    /// Gates have answered.
    Judged(Box<Judged>),
    /// Metrics have been read.
    Sampled(Box<Sampled>),
    /// The edge has said what it has counted.
    Counted(Arc<Snapshot>),
    /// Something that a rollout has asked for has ended.
    Tasked(Box<Tasked>),
    /// A resource has said which migrations have run in it.
    Moved(Name, Result<BTreeSet<String>, String>),
    /// The manifest says something else now.
    Reread(Result<Box<Looked>, String>),
}
