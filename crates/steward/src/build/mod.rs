//! Building: one command at a time for each build, as few commands as needed, and nothing left of those that are cancelled.
//!
//! A build that says what it is made of is skipped while that, its command, its variables and its tools are what they were
//! when it succeeded last, and what it makes is there. What is compared is taken before the command starts, so that an
//! edit during a build is an edit after it. A build that says nothing about its inputs is asked each time: its tool knows.
//!
//! Whoever asks for a build that runs already waits for that run. Only where something has changed since it began
//! (`Request::changed`) another run follows, one for all who ask meanwhile. So a build that several components share runs
//! once when a product starts, and no change falls between two runs.

mod artifact;
mod inputs;
mod log;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use artifact::is_executable;
pub use artifact::{artifact, outputs};

use crate::door::{files, processes};
use inputs::Fingerprint;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use towpath_engine::Stream;
use towpath_model::run::{Build, Exit};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its command ended well.
    Done {
        /// How long it ran.
        took: Duration,
    },
    /// Nothing that it is made of has changed since it succeeded last.
    Unchanged,
    /// Its command did not end well.
    Failed {
        /// How it ended; its text is for people.
        exit: Exit,
        /// The last lines that it wrote.
        last: Vec<String>,
        /// Where all of them are.
        log: PathBuf,
    },
    /// Somebody cancelled it. Nothing of it runs any more.
    Cancelled,
}

impl Outcome {
    /// Whether what it makes is there and up to date.
    pub fn is_success(&self) -> bool {
        matches!(self, Outcome::Done { .. } | Outcome::Unchanged)
    }
}

/// A line that a build has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The build.
    pub build: Name,
    /// Where it was written to; `Engine` for what is said about the build.
    pub stream: Stream,
    /// The text, without its end of line; what is no UTF-8 is replaced.
    pub text: String,
}

/// Asks for a build.
#[derive(Debug, Clone)]
pub struct Request {
    /// The build.
    pub build: Arc<Build>,
    /// All of its environment, in clear behind their seals.
    pub env: Vec<(String, Sealed<String>)>,
    /// Values that are delivered as files, which are gone when the command has ended.
    pub files: Vec<(String, Sealed<String>)>,
    /// It runs although nothing has changed.
    pub force: bool,
    /// Something has changed just now: a run that has begun already does not have it.
    pub changed: bool,
    /// What it makes, as `outputs` says: where one of these is missing, it is not skipped.
    pub outputs: Vec<PathBuf>,
    /// Who reads along. A reader that is too slow misses lines; the log has all of them.
    pub lines: Option<mpsc::Sender<Line>>,
}

/// The builds of one product.
#[derive(Debug)]
pub struct Builds {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: PathBuf,
    mark: String,
    count: AtomicU64,
    slots: Semaphore,
    queues: Mutex<BTreeMap<Name, VecDeque<Arc<Flight>>>>,
}

/// One run of a build, which several may wait for.
#[derive(Debug)]
struct Flight {
    has_begun: AtomicBool,
    force: AtomicBool,
    lines: Mutex<Vec<mpsc::Sender<Line>>>,
    cancel: watch::Sender<bool>,
    outcome: watch::Sender<Option<Outcome>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Builds {
    /// The builds whose logs and fingerprints are in this state folder. No more than so many run at once; at least one does.
    /// What a steward that was killed has left running is ended.
    pub fn open(state: &Path, most: usize) -> Self {
        let digest = blake3::hash(state.as_os_str().as_encoded_bytes()).to_hex();
        let mark = format!("{}={}.", run::MARK, &digest[..16]);
        end_what_was_left(&folder(state), &mark);
        let shared = Shared {
            state: state.to_owned(),
            mark,
            count: AtomicU64::new(0),
            slots: Semaphore::new(most.max(1)),
            queues: Mutex::default(),
        };
        Builds {
            shared: Arc::new(shared),
        }
    }

    /// How many builds run at once on this machine: one a processor, and two where there is only one, since builds wait
    /// for disks and networks, too.
    pub fn at_once() -> usize {
        processes::processors().max(2)
    }

    /// Runs a build, or waits for the run that there is, and answers how it ended.
    pub async fn run(&self, request: Request) -> Outcome {
        let mut outcome = self.begin(request);
        match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Outcome::Cancelled),
            // Its task has gone with the runtime.
            Err(_) => Outcome::Cancelled,
        }
    }

    fn begin(&self, request: Request) -> watch::Receiver<Option<Outcome>> {
        let mut queues = lock(&self.shared.queues);
        let queue = queues.entry(request.build.name.clone()).or_default();
        if let Some(last) = queue.back().filter(|last| last.can_serve(&request)) {
            last.force.fetch_or(request.force, Ordering::Relaxed);
            lock(&last.lines).extend(request.lines);
            return last.outcome.subscribe();
        }
        let flight = Arc::new(Flight {
            has_begun: AtomicBool::new(false),
            force: AtomicBool::new(request.force),
            lines: Mutex::new(request.lines.iter().cloned().collect()),
            cancel: watch::Sender::new(false),
            outcome: watch::Sender::new(None),
            task: Mutex::default(),
        });
        let before = queue.back().map(|before| before.outcome.subscribe());
        queue.push_back(Arc::clone(&flight));
        let outcome = flight.outcome.subscribe();
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(fly(shared, Arc::clone(&flight), request, before));
        *lock(&flight.task) = Some(task);
        outcome
    }

    /// Cancels every run of a build, and answers when nothing of it is left.
    pub async fn cancel(&self, name: &Name) {
        let flights: Vec<_> = lock(&self.shared.queues)
            .get(name)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        for flight in &flights {
            flight.cancel.send_replace(true);
        }
        for flight in &flights {
            ended(&mut flight.outcome.subscribe()).await;
        }
    }

    /// Cancels all runs of all builds, and answers when nothing of them is left.
    pub async fn cancel_all(&self) {
        let names: Vec<Name> = lock(&self.shared.queues).keys().cloned().collect();
        for name in names {
            self.cancel(&name).await;
        }
    }
}

impl Drop for Builds {
    /// Ends what runs. Whoever drops a run drops its processes (`run::Group`).
    fn drop(&mut self) {
        for flight in lock(&self.shared.queues).values().flatten() {
            if let Some(task) = lock(&flight.task).take() {
                task.abort();
            }
        }
    }
}

impl Flight {
    /// Whether somebody who asks now may wait for this run.
    fn can_serve(&self, request: &Request) -> bool {
        let has_begun = self.has_begun.load(Ordering::Relaxed);
        let is_forced = self.force.load(Ordering::Relaxed) || !request.force;
        !*self.cancel.borrow() && (!has_begun || !request.changed && is_forced)
    }

    /// Says a line to everybody who reads along.
    fn say(&self, build: &Name, stream: Stream, text: &str) {
        for lines in lock(&self.lines).iter() {
            let line = Line {
                build: build.clone(),
                stream,
                text: text.to_owned(),
            };
            // A reader that is too slow must not slow down the build.
            let _ = lines.try_send(line);
        }
    }
}

/// One run, from its turn to its outcome.
async fn fly(
    shared: Arc<Shared>,
    flight: Arc<Flight>,
    request: Request,
    before: Option<watch::Receiver<Option<Outcome>>>,
) {
    let mut cancel = flight.cancel.subscribe();
    let slot = async {
        if let Some(mut before) = before {
            ended(&mut before).await;
        }
        shared.slots.acquire().await
    };
    let outcome = tokio::select! {
        () = cancelled(&mut cancel) => Outcome::Cancelled,
        _slot = slot => build(&shared, &flight, &request).await,
    };
    if let Some(queue) = lock(&shared.queues).get_mut(&request.build.name) {
        queue.retain(|other| !Arc::ptr_eq(other, &flight));
    }
    flight.outcome.send_replace(Some(outcome));
}

/// Waits until somebody cancels.
async fn cancelled(cancel: &mut watch::Receiver<bool>) {
    let _ = cancel.wait_for(|cancelled| *cancelled).await;
}

/// Waits until a run has its outcome.
async fn ended(outcome: &mut watch::Receiver<Option<Outcome>>) {
    let _ = outcome.wait_for(Option::is_some).await;
}

async fn build(shared: &Shared, flight: &Flight, request: &Request) -> Outcome {
    flight.has_begun.store(true, Ordering::Relaxed);
    let name = &request.build.name;
    let kept = folder(&shared.state).join(format!("{name}.inputs"));
    let force = flight.force.load(Ordering::Relaxed)
        || request.outputs.iter().any(|path| files::stat(path).is_none());
    let (asked, at) = (Arc::clone(&request.build), kept.clone());
    let print = tokio::task::spawn_blocking(move || Fingerprint::take(&asked, &at))
        .await
        .ok()
        .flatten();
    if !force && print.as_ref().is_some_and(|print| print.is_unchanged) {
        flight.say(name, Stream::Engine, "unchanged since it succeeded last");
        return Outcome::Unchanged;
    }
    // Until it has succeeded nothing is known to be built of these inputs.
    let _ = files::remove(&kept);
    let number = shared.count.fetch_add(1, Ordering::Relaxed);
    let mark = format!("{}{}.{number}.", shared.mark, std::process::id());
    let outcome = run::run(run::Job {
        build: &request.build,
        env: &request.env,
        files: &request.files,
        mark,
        state: &shared.state,
        flight,
    })
    .await;
    if let (Outcome::Done { .. }, Some(print)) = (&outcome, print) {
        // Not kept: it is built once more next time.
        let _ = print.keep(&kept);
    }
    outcome
}

/// Where fingerprints are, and what says that a build runs.
fn folder(state: &Path) -> PathBuf {
    state.join("build")
}

/// Ends what builds of a steward that was killed have left running.
fn end_what_was_left(folder: &Path, mark: &str) {
    let names = files::list(folder).unwrap_or_default();
    let left: Vec<_> = names
        .iter()
        .filter(|(name, _)| name.to_string_lossy().ends_with(".running"))
        .collect();
    if left.is_empty() {
        return;
    }
    run::end_marked(mark);
    for (name, _) in left {
        let _ = files::remove(&folder.join(name));
    }
}

/// A lock whose holder has panicked holds what it held: each change of it is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
