//! The engine that runs instances as processes of this machine, each under a keeper of its own.
//!
//! The engine keeps nothing that it could not find again: which instances there are stands in the state folder, and how
//! they are, their keepers tell to whoever connects. So a steward that was killed loses nothing, and the next one adopts
//! what runs by connecting to it.
//!
//! All keepers are listened to in one place: their sockets are in one set of the system (epoll), and that set is what the
//! runtime waits for. Ten thousand instances are ten thousand open sockets and a row in a table each; no task, no timer.

mod adopt;
mod door;
mod logs;
mod look;
mod nursery;
mod pump;
mod requests;
mod silent;
mod table;

use crate::{Engine, EngineError, LimitsKept, Lines, LogQuery, Start};
use nursery::Nursery;
use rustix::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use table::{Answer, Table};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use towpath_keeper::wire::Request;
use towpath_keeper::{Facts, Grounds, Kept, Layout};
use towpath_model::run::{InstanceId, Life, Seen, Stop, Usage};

/// How often a start is tried where another keeper seems to have the instance: it may be one that is just leaving.
const TRIES: usize = 5;

/// Runs instances as processes.
pub struct Process {
    inner: Arc<Inner>,
    /// What listens to keepers, and what looks after old logs.
    _tasks: JoinSet<()>,
}

struct Inner {
    layout: Layout,
    grounds: Grounds,
    nursery: Mutex<Nursery>,
    /// The set of all sockets of keepers.
    sockets: OwnedFd,
    table: Mutex<Table>,
    /// How often any keeper has said something.
    words: AtomicU64,
    tell: UnboundedSender<Seen>,
    told: Mutex<Option<UnboundedReceiver<Seen>>>,
    /// Wakes what looks after old logs.
    has_started: Arc<Notify>,
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    /// The engine of this state folder. Keepers are forked from `program`, our own binary, which has to call
    /// `towpath_keeper::become_nursery_if_asked` before anything else; `name` is that of the group in which cgroups are
    /// made. It has to be called inside of a runtime.
    pub fn open(state: &Path, program: PathBuf, name: &str) -> Result<Process, EngineError> {
        Process::open_on(state, program, Grounds::find(name))
    }

    /// The same with cgroups made there; on `Grounds::default()` none are made, and memory is looked at.
    pub fn open_on(state: &Path, program: PathBuf, grounds: Grounds) -> Result<Process, EngineError> {
        let failed =
            |doing| move |source: std::io::Error| EngineError::system(doing, state.display(), source);
        let state = door::prepared(state).map_err(failed("opening the state folder"))?;
        let before = door::made_fit();
        let (tell, told) = unbounded_channel();
        let inner = Arc::new(Inner {
            layout: Layout::new(&state),
            grounds,
            nursery: Mutex::new(Nursery::start(program, before)?),
            sockets: pump::set()
                .map_err(|errno| EngineError::system("preparing to listen", state.display(), errno))?,
            table: Mutex::new(Table::default()),
            words: AtomicU64::new(0),
            tell,
            told: Mutex::new(Some(told)),
            has_started: Arc::new(Notify::new()),
        });
        let mut tasks = JoinSet::new();
        let listened = pump::listened(&inner).map_err(failed("preparing to listen"))?;
        tasks.spawn(pump::run(Arc::downgrade(&inner), listened));
        tasks.spawn(logs::look_after_old_ones(Arc::downgrade(&inner)));
        Ok(Process { inner, _tasks: tasks })
    }

    /// Asks the keeper of an instance for something, and waits until it is done.
    async fn ask(&self, id: &InstanceId, what: Request) -> Result<Seen, EngineError> {
        if let Some(lost) = self.inner.table().lost(id) {
            return Ok(lost);
        }
        let sent = self.inner.send(id, what.clone())?;
        let answer = match sent {
            Some(answer) => answer,
            // It may have been started by somebody else, and nobody has looked yet.
            None => match self.inner.adopt(id).await? {
                Some(seen) if seen.life == Life::Lost => return Ok(seen),
                Some(seen) => match self.inner.send(id, what.clone())? {
                    Some(answer) => answer,
                    None if matches!(seen.life, Life::Silent { .. }) => {
                        return self.inner.end_unreached(seen).await;
                    }
                    None => return Err(EngineError::Unknown(id.clone())),
                },
                None => return Err(EngineError::Unknown(id.clone())),
            },
        };
        match self.inner.done(id, &what, answer).await? {
            Answer::Seen(seen) => Ok(seen),
            Answer::Taken | Answer::Gone => Err(EngineError::Unknown(id.clone())),
        }
    }

    /// Has a keeper forked for an order; nothing where another one has the instance.
    async fn bear(&self, order: &Start) -> Result<Option<Seen>, EngineError> {
        let answer = self.inner.bear(order).await?;
        match received(&order.id, answer.await)? {
            Answer::Seen(seen) => Ok(Some(seen)),
            Answer::Taken => Ok(None),
            Answer::Gone => Err(EngineError::system(
                "starting a keeper",
                &order.id,
                std::io::Error::other("it went away before it said anything"),
            )),
        }
    }
}

/// How everything is that runs in a state folder, as its keepers tell. It changes nothing, and starts nobody.
pub async fn look(state: &Path) -> Result<Vec<Seen>, EngineError> {
    let layout = Layout::new(state);
    let folder = layout.instances();
    let failed = |source| EngineError::system("looking for instances", folder.display(), source);
    let looked = door::beside(move || look::look(&layout)).await;
    looked.unwrap_or_else(|| Ok(Vec::new())).map_err(failed)
}

/// What was said in a state folder. It changes nothing, and starts nobody.
pub fn said(state: &Path, query: LogQuery) -> Result<Lines, EngineError> {
    logs::read(Layout::new(state), query)
}

fn received(
    id: &InstanceId,
    answer: Result<Result<Answer, EngineError>, oneshot::error::RecvError>,
) -> Result<Answer, EngineError> {
    answer.unwrap_or_else(|_| {
        let gone = std::io::Error::other("the engine is being closed");
        Err(EngineError::system("waiting for a keeper", id, gone))
    })
}

impl Engine for Process {
    async fn observe(&self) -> Result<Vec<Seen>, EngineError> {
        let unreached = self.inner.adopt_all().await?;
        let mut all = self.inner.table().all();
        all.extend(unreached);
        all.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(all)
    }

    async fn start(&self, order: Start) -> Result<Seen, EngineError> {
        for _ in 0..TRIES {
            if let Some(seen) = self.inner.adopt(&order.id).await? {
                return Ok(seen);
            }
            if let Some(seen) = self.bear(&order).await? {
                self.inner.has_started.notify_one();
                return Ok(seen);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let busy = std::io::Error::other("another keeper has its folder and does not answer");
        Err(EngineError::system("starting", &order.id, busy))
    }

    async fn stop(&self, id: &InstanceId, how: Stop) -> Result<Seen, EngineError> {
        self.ask(id, Request::Stop(how)).await
    }

    async fn restart(&self, id: &InstanceId, how: Stop) -> Result<Seen, EngineError> {
        self.ask(id, Request::Restart(how)).await
    }

    async fn forget(&self, id: &InstanceId) -> Result<(), EngineError> {
        let Some(seen) = self.inner.adopt(id).await? else {
            return Ok(());
        };
        match seen.life {
            Life::Lost => {
                let (layout, id) = (self.inner.layout.clone(), id.clone());
                door::beside(move || {
                    Facts::remove(&layout, &id);
                    id
                })
                .await
                .map(|id| self.inner.table().forget_lost(&id))
                .ok_or_else(|| {
                    EngineError::system("forgetting", seen.id, std::io::Error::other("it was broken off"))
                })
            }
            Life::Ended { .. } => {
                let Some(answer) = self.inner.send(id, Request::Forget)? else {
                    return Ok(());
                };
                self.inner.done(id, &Request::Forget, answer).await.map(|_| ())
            }
            _ => {
                let lives = std::io::Error::other("it still runs; stop it first");
                Err(EngineError::system("forgetting", id, lives))
            }
        }
    }

    async fn usage(&self, ids: &[InstanceId]) -> Vec<(InstanceId, Usage)> {
        let known: Vec<InstanceId> = {
            let table = self.inner.table();
            ids.iter()
                .filter(|id| table.seen(id).is_some())
                .cloned()
                .collect()
        };
        let layout = self.inner.layout.clone();
        let used = door::beside(move || {
            known
                .into_iter()
                .filter_map(|id| Some((id.clone(), Facts::read(&layout, &id)?.used())))
                .collect()
        });
        used.await.unwrap_or_default()
    }

    async fn logs(&self, query: LogQuery) -> Result<Lines, EngineError> {
        logs::read(self.inner.layout.clone(), query)
    }

    fn changes(&self) -> Option<UnboundedReceiver<Seen>> {
        self.inner
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn limits(&self) -> LimitsKept {
        match self.inner.grounds.kept() {
            Kept::Second => LimitsKept::CgroupsV2,
            Kept::First => LimitsKept::CgroupsV1,
            Kept::Watched => LimitsKept::Watched,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Groups without an instance would stay for ever; one with an instance cannot be removed.
        self.inner.grounds.remove();
    }
}
