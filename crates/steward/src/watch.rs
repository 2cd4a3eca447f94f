//! Watching: which files have changed, whom that concerns, and what it asks for.
//!
//! The kernel tells which names in which folders something has happened to. That is a reason to look, and nothing more: a
//! change is a file whose content is not what it was. So it does not matter how an editor saves (into a new file that takes
//! the old one's name, with a backup, by way of `4913`), and a file that was touched or written again with the same bytes
//! has not changed. What was seen is kept between two runs: what changes while nobody watches is told at the next start.
//!
//! Only folders are watched, only those in which a rule's files may lie, and none that is ignored (`ignores`). Nothing is
//! done by the clock: without a change the thread sleeps. After one it waits until it has been quiet for 25 ms, which is
//! longer than an editor's way of saving takes and shorter than a person notices, and tells each owner once.
//!
//! The debouncer is our own because the known one wakes up several times a second whether or not something has happened,
//! walks the whole tree for file numbers, and pairs renames, which nobody asks for who compares contents.
//!
//! Links below a rule's folder are compared by where they point and not followed, as git has it; what a rule names may
//! itself be a link.

pub(crate) mod ignores;
mod listing;
mod owners;
mod pattern;
mod root;
mod rule;
mod seats;
mod seen;
#[cfg(test)]
mod tests;
mod turn;

pub(crate) use listing::{Listed, listing};
pub(crate) use seen::YOUNG;

use crate::door::notices::Bell;
use rule::Rule;
use seats::Seats;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use towpath_model::desired::component::WatchAction;
use towpath_model::run::WatchRule;
use towpath_model::unit::Name;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Files of an owner have changed. There is one for each burst of changes.
    Changed(Change),
    /// Everything was looked at, and is watched from now on.
    Watching {
        /// So many folders are watched.
        folders: usize,
        /// So many files are known.
        files: usize,
        /// How long the first look took.
        took: Duration,
    },
    /// A build of this owner changes this file each time: it does not count any more while the owner is paused, and should
    /// be named in `ignore`.
    Output {
        /// Whose build.
        owner: Name,
        /// The file.
        path: PathBuf,
    },
    /// Not everything can be watched, or what was seen cannot be kept; what it means and what to type.
    Limited(String),
    /// More has happened at once than the kernel tells; everything was looked at anew, so nothing is missed.
    Overflow,
}

/// A change of an owner's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose files.
    pub owner: Name,
    /// The strongest thing that its rules ask for: to build anew, to restart, or only to know (`sync`: under the process
    /// engine the file lies already where the process runs).
    pub action: WatchAction,
    /// Some of the files that ask for it, to be named to a person.
    pub paths: Vec<PathBuf>,
    /// How many files have changed.
    pub count: usize,
}

/// How it is watched.
#[derive(Debug, Clone)]
struct Options {
    base: PathBuf,
    record: PathBuf,
    quiet: Duration,
    longest: Duration,
    most_folders: usize,
}

/// What the thread is told to do.
#[derive(Debug)]
enum Order {
    Pause(Name),
    Resume(Name),
    End,
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    orders: mpsc::Sender<Order>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Watches the files of these rules on a thread of its own, and answers at once. Rules that name no whole path start at
    /// the base folder. What was seen is kept in the state folder.
    pub fn new(
        rules: Vec<(Name, WatchRule)>,
        base: &Path,
        state: &Path,
        events: UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let options = Options {
            base: base.to_owned(),
            record: state.join("watch.seen"),
            quiet: Duration::from_millis(25),
            longest: Duration::from_millis(500),
            most_folders: usize::MAX,
        };
        Watcher::with(options, &rules, events)
    }

    fn with(
        options: Options,
        rules: &[(Name, WatchRule)],
        events: UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let seats = Seats::open(options.most_folders)?;
        let bell = seats.notices().bell();
        let (orders, received) = mpsc::channel();
        let rules = rules
            .iter()
            .map(|(owner, rule)| Rule::new(owner.clone(), rule, &options.base))
            .collect();
        let turn = turn::Turn::new(options, seats, rules, received, events);
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(|| turn.run())?;
        Ok(Watcher {
            orders,
            bell,
            thread: Some(thread),
        })
    }

    /// Keeps what changes for this owner to itself: its build begins.
    pub fn pause(&self, owner: &Name) {
        self.order(Order::Pause(owner.clone()));
    }

    /// Goes on with this owner: its build is over. What has changed in between is told once.
    pub fn resume(&self, owner: &Name) {
        self.order(Order::Resume(owner.clone()));
    }

    fn order(&self, order: Order) {
        // A thread that has ended obeys nobody, and there is nothing to pause then.
        let _ = self.orders.send(order);
        self.bell.ring();
    }
}

impl Drop for Watcher {
    /// Ends watching, and keeps what was seen.
    fn drop(&mut self) {
        self.order(Order::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
