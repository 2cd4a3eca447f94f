//! A running edge: it is started, its targets are set, it is asked for counts, and it is stopped.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use towpath_model::sealed::Sealed;

use crate::door::clock;
use crate::ending::Phase;
use crate::inside::Inside;
use crate::state::State;
use crate::table::Aim;
use crate::trust::Trust;
use crate::visit::Entry;
use crate::{Config, EdgeError, Event, Listening, RequestLog, Snapshot, Target, Traffic, listen};

/// What is cut off has nothing to wait for: its tasks have ended after this time.
const CUT_OFF: Duration = Duration::from_secs(1);

/// A running edge. When it is dropped it takes no more connections and cuts off those that are open.
pub struct Edge {
    state: Arc<State>,
    listening: Listening,
    /// Whoever sets targets waits for whoever does already.
    inside: tokio::sync::Mutex<Inside>,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Edge {
    /// Starts listening. Events arrive at `events`.
    pub async fn start(config: Config, events: UnboundedSender<Event>) -> Result<Edge, EdgeError> {
        let Config {
            product,
            authority: folder,
            https,
            http,
            patience,
        } = config;
        let trust = Trust::of(folder).await?;
        let https = listen::listen(https).await?;
        let http = listen::listen(http).await?;
        let listening = Listening {
            https: https.port,
            http: http.port,
            authority: trust.certificate(),
        };
        let state = Arc::new(State::new(
            product,
            (https.port, http.port),
            trust,
            patience,
            events,
        ));
        let mut tasks = https.serve(&state, Entry::Https);
        tasks.extend(http.serve(&state, Entry::Http));
        Ok(Edge {
            state,
            listening,
            inside: tokio::sync::Mutex::default(),
            tasks: std::sync::Mutex::new(tasks),
        })
    }

    /// Where it listens.
    pub fn listening(&self) -> &Listening {
        &self.listening
    }

    /// Learns the values that sign-ins are checked with, by their names, in place of those that it knew. It keeps nothing
    /// of them that could be read.
    pub fn know(&self, values: &BTreeMap<String, Sealed<String>>) {
        self.state.know(values);
    }

    /// Sets targets, each as a whole, by their names; `None` takes one away. All of them at one instant. Answers when
    /// inside ports are listened on; those that are taken by somebody else are told, and tried again when their target is
    /// set again.
    pub async fn set(&self, targets: Vec<(String, Option<Target>)>) -> Result<(), Vec<EdgeError>> {
        let mut inside = self.inside.lock().await;
        let changes: Vec<(String, Option<Arc<Aim>>)> = targets
            .into_iter()
            .map(|(name, target)| {
                let before = self.state.aim(&name);
                let aim = target
                    .map(|target| Arc::new(Aim::new(&name, target, before.as_deref(), &self.state.counters)));
                (name, aim)
            })
            .collect();
        let mut wanted: Vec<(String, u16)> = Vec::new();
        for (name, aim) in &changes {
            let port = aim.as_ref().and_then(|aim| aim.target.inside);
            wanted.extend(port.map(|port| (name.clone(), port)));
        }
        let before = self.exchange(changes);
        let left = before.iter().filter_map(|aim| aim.target.inside);
        inside.close(&self.state, left).await;
        let mut errors = Vec::new();
        for (name, port) in wanted {
            errors.extend(inside.open(&self.state, &name, port).await.err());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Puts everything in its place at one instant, wakes those who wait for it, and hands back what was there.
    fn exchange(&self, changes: Vec<(String, Option<Arc<Aim>>)>) -> Vec<Arc<Aim>> {
        let mut places = Vec::with_capacity(changes.len());
        let mut all_before = Vec::with_capacity(changes.len());
        let mut table = self.state.table_to_change();
        for (name, aim) in changes {
            let ready = aim.as_ref().is_some_and(|aim| !aim.instances.is_empty());
            let place = aim.as_ref().map(|aim| Arc::clone(&aim.place));
            let before = table.exchange(&name, aim.clone());
            before.iter().for_each(|before| before.part_from(aim.as_deref()));
            let was_ready = before.as_ref().is_some_and(|aim| !aim.instances.is_empty());
            let place = place.or_else(|| before.as_ref().map(|aim| Arc::clone(&aim.place)));
            if ready || was_ready {
                place.iter().for_each(|place| place.forget_wanted());
            }
            places.extend(place);
            all_before.extend(before);
        }
        drop(table);
        for place in places {
            place.changed.notify_waiters();
        }
        all_before
    }

    /// Waits until an instance that is taken out of its target has nothing open any more, for so long at most, and not at all
    /// where no other one serves: those who would come meanwhile had to wait, too.
    pub async fn has_left(&self, target: &str, instance: &str, within: Duration) {
        let _ = timeout(within, async {
            while let Some(place) = self.state.aim(target).map(|aim| Arc::clone(&aim.place)) {
                let mut changed = std::pin::pin!(place.changed.notified());
                changed.as_mut().enable();
                let Some(aim) = self.state.aim(target).filter(|aim| !aim.instances.is_empty()) else {
                    return;
                };
                if aim.instances.iter().any(|one| one.id == instance) {
                    changed.await;
                    continue;
                }
                let Some(leaving) = place.leaving(instance) else {
                    return;
                };
                let mut empty = std::pin::pin!(leaving.empty.notified());
                empty.as_mut().enable();
                if leaving.open() == 0 {
                    return;
                }
                tokio::select! {
                    () = changed => {}
                    () = empty => {}
                }
            }
        })
        .await;
    }

    /// What has come through for a target.
    pub fn traffic(&self, target: &str) -> Traffic {
        let aim = self.state.aim(target);
        aim.map_or_else(Traffic::default, |aim| aim.place.traffic())
    }

    /// What has been seen of requests since it started.
    pub fn seen(&self) -> Snapshot {
        let mut seen = self.state.seen.read(clock::millis());
        let places = self.state.table().places();
        seen.components = places.iter().filter_map(|place| place.seen()).collect();
        seen.components
            .sort_by(|one, other| one.component.cmp(&other.component));
        seen
    }

    /// Keeps a log of requests from now on. There is one; a second one is not begun.
    pub fn keep_log(&self, log: RequestLog) {
        self.state.seen.keep_log(log);
    }

    /// Stops taking connections, lets open requests end for so long, closes WebSockets with 1012, and ends.
    pub async fn stop(self: Arc<Self>, within: Duration) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.iter().for_each(JoinHandle::abort);
        tasks.extend(self.inside.lock().await.abort());
        for task in tasks {
            let _ = task.await;
        }
        self.state.ending.tell(Phase::Ending);
        if timeout(within, self.state.ending.is_empty()).await.is_err() {
            self.state.ending.tell(Phase::Over);
            let _ = timeout(CUT_OFF, self.state.ending.is_empty()).await;
        }
        if let Some(log) = self.state.seen.log() {
            log.is_written().await;
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().for_each(JoinHandle::abort);
        self.inside.get_mut().abort();
        self.state.ending.tell(Phase::Over);
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Edge")
            .field("listening", &self.listening)
            .finish_non_exhaustive()
    }
}
