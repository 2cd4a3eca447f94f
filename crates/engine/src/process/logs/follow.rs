//! Following logs: the system tells which one has grown, and only that one is read.

use super::tail::{Tail, merge};
use super::{LogLine, LogQuery, components, door, handed_to, tails, what_there_is};
use rustix::fd::OwnedFd;
use rustix::fs::inotify;
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::io;
use std::mem::MaybeUninit;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::Sender;
use towpath_keeper::Layout;
use towpath_model::run::InstanceId;
use towpath_model::unit::{Name, Unit};

/// What the system tells of the folders of logs.
pub(super) struct Watch {
    events: AsyncFd<OwnedFd>,
    /// The component behind each watched folder.
    folders: HashMap<i32, Name>,
    /// The folder of all of them.
    all: i32,
}

/// What has changed.
#[derive(Default)]
struct Changes {
    logs: HashSet<InstanceId>,
    components: HashSet<Name>,
    /// More than the system could remember: anything may have changed.
    anything: bool,
}

impl Watch {
    /// Watches the logs of some components, or of all that there are and that come.
    pub(super) fn new(layout: &Layout, named: &[Name]) -> io::Result<Watch> {
        let events = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        // A component that is named may have no log yet, so that the folder of all is watched in any case.
        let flags = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        let all = inotify::add_watch(&events, layout.logs(), flags)?;
        let mut watch = Watch {
            events: door::awaited(events)?,
            folders: HashMap::new(),
            all,
        };
        let query = LogQuery {
            components: named.to_vec(),
            ..LogQuery::default()
        };
        for component in components(layout, &query) {
            watch.add(layout, &component);
        }
        Ok(watch)
    }

    fn add(&mut self, layout: &Layout, component: &Name) {
        let flags =
            inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_FROM;
        if let Ok(folder) = inotify::add_watch(self.events.get_ref(), layout.logs_of(component), flags) {
            self.folders.insert(folder, component.clone());
        }
    }

    /// Waits until something has changed.
    async fn changes(&self) -> io::Result<Changes> {
        loop {
            let mut ready = self.events.readable().await?;
            let mut changes = Changes::default();
            let mut space = [MaybeUninit::uninit(); 8 * 1024];
            let mut reader = inotify::Reader::new(self.events.get_ref(), &mut space);
            let mut some = false;
            loop {
                match reader.next() {
                    Ok(event) => {
                        some = true;
                        let name = event.file_name().and_then(|name| name.to_str().ok());
                        self.note(event.wd(), name, event.events(), &mut changes);
                    }
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break,
                    Err(errno) => return Err(errno.into()),
                }
            }
            ready.clear_ready();
            if some {
                return Ok(changes);
            }
        }
    }

    fn note(&self, folder: i32, name: Option<&str>, events: inotify::ReadFlags, changes: &mut Changes) {
        changes.anything |= events.contains(inotify::ReadFlags::QUEUE_OVERFLOW);
        let Some(name) = name else { return };
        if folder == self.all {
            changes.components.extend(Name::parse(name));
        } else if let Some(component) = self.folders.get(&folder)
            && let Some(number) = name.strip_suffix(".log").and_then(|number| number.parse().ok())
        {
            changes.logs.insert(InstanceId::new(component, number));
        }
    }
}

/// Hands out what there is, and then what comes, until nobody wants it any more.
pub(super) async fn run(layout: Layout, query: LogQuery, mut watch: Watch, to: Sender<LogLine>) {
    let begun = {
        let (layout, query, to) = (layout.clone(), query.clone(), to.clone());
        door::beside(move || {
            let mut tails = tails(&layout, &query);
            what_there_is(&mut tails, &query, &mut handed_to(&to)).then_some(tails)
        })
    };
    let Some(Some(tails)) = begun.await else { return };
    // The older part of a log comes before the newer one, so that the newer one stays.
    let mut open: HashMap<InstanceId, Tail> = tails.into_iter().map(|tail| (tail.id.clone(), tail)).collect();
    loop {
        let changes = tokio::select! {
            changes = watch.changes() => changes,
            () = to.closed() => return,
        };
        let Ok(changes) = changes else { return };
        let mut changed = changes.logs;
        let mut fresh = changes.components;
        if changes.anything {
            fresh.extend(components(&layout, &query));
        }
        for component in fresh {
            if !query.components.is_empty() && !query.components.contains(&component) {
                continue;
            }
            watch.add(&layout, &component);
            let logs = door::logs_of(&layout, &component);
            changed.extend(logs.iter().map(|number| InstanceId::new(&component, *number)));
        }
        let (layout, to) = (layout.clone(), to.clone());
        let Some(Some(still)) = door::beside(move || catch_up(&layout, open, changed, &to)).await else {
            return;
        };
        open = still;
    }
}

/// Reads on in the logs that have changed. Nothing where nobody wants it any more.
fn catch_up(
    layout: &Layout,
    mut open: HashMap<InstanceId, Tail>,
    changed: HashSet<InstanceId>,
    to: &Sender<LogLine>,
) -> Option<HashMap<InstanceId, Tail>> {
    let mut tails = Vec::new();
    for id in changed {
        match open.remove(&id) {
            Some(tail) => {
                // It may have been rotated: what was still written to the old one comes first, by its time.
                let successors = tail.successors(layout);
                tails.push(tail);
                tails.extend(successors);
            }
            None => tails.extend(Tail::both_parts(layout, &id, None)),
        }
    }
    if !merge(&mut tails, &mut handed_to(to)) {
        return None;
    }
    open.extend(tails.into_iter().map(|tail| (tail.id.clone(), tail)));
    Some(open)
}
