//! How a fresh copy of the nursery becomes the keeper of one instance.

use super::life::Phase;
use super::{Keeper, Pipe};
use crate::door::log::LogFile;
use crate::door::{self, clock, disk};
use crate::groups::Group;
use crate::layout::Layout;
use crate::leftover::Facts;
use crate::lines::Source;
use crate::logbook::Logbook;
use crate::process;
use crate::talk::{Talk, listen_in};
use crate::wire::{Inbox, Order, Told, frame};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::pipe::{PipeFlags, pipe_with};
use std::path::{Path, PathBuf};
use towpath_decide::restart::History;
use towpath_model::run::{Exit, Life, Seen};

/// Somebody who looks into a folder without facts removes it under its lock: so often it is made again.
const TRIES: usize = 10;

/// What could not be done, for whoever gave the order.
struct Refused {
    doing: &'static str,
    subject: String,
    errno: Errno,
}

/// Reads its order and prepares everything. Where it cannot, it says so to whoever gave the order.
pub(super) fn born(talk: OwnedFd) -> Option<Keeper> {
    let mut inbox = Inbox::default();
    let order = read_order(&talk, &mut inbox)?;
    let layout = Layout::new(Path::new(&order.state));
    let lock = match claim(&layout, &order) {
        Ok(Some(lock)) => lock,
        Ok(None) => return say(&talk, &Told::Taken),
        Err(refused) => return say(&talk, &told(refused)),
    };
    match prepared(order, &layout, lock) {
        Ok(mut keeper) => {
            rustix::io::ioctl_fionbio(&talk, true).ok()?;
            keeper.talks.push(Talk::new(talk, inbox));
            Some(keeper)
        }
        Err((id, refused)) => {
            Facts::remove(&layout, &id);
            say(&talk, &told(refused))
        }
    }
}

fn told(refused: Refused) -> Told {
    Told::Failed {
        doing: refused.doing.to_owned(),
        subject: refused.subject,
        errno: refused.errno.raw_os_error(),
    }
}

fn say(talk: &OwnedFd, told: &Told) -> Option<Keeper> {
    let _ = send(talk, &frame(told), SendFlags::NOSIGNAL);
    None
}

/// The first message; nothing where whoever had one to give has gone.
fn read_order(talk: &OwnedFd, inbox: &mut Inbox) -> Option<Order> {
    rustix::io::ioctl_fionbio(talk, false).ok()?;
    let mut bytes = [0; 4096];
    loop {
        match rustix::io::read(talk, &mut bytes) {
            Ok(0) => return None,
            Ok(length) => inbox.feed(&bytes[..length]),
            Err(Errno::INTR) => continue,
            Err(_) => return None,
        }
        if let Some(order) = inbox.message().ok()? {
            return Some(order);
        }
    }
}

/// Makes the folder of the instance ours; nothing where another keeper has it, or had it.
fn claim(layout: &Layout, order: &Order) -> Result<Option<OwnedFd>, Refused> {
    let folder = layout.instance(&order.id);
    let refused = |doing: &'static str, path: &Path, errno: Errno| Refused {
        doing,
        subject: path.display().to_string(),
        errno,
    };
    let path = folder.join(Layout::LOCK);
    for _ in 0..TRIES {
        disk::make_folder(&folder).map_err(|error| refused("making a folder", &folder, errno_of(&error)))?;
        let lock = match disk::open_lock(&path) {
            Err(Errno::NOENT) => continue,
            lock => lock.map_err(|errno| refused("opening a file", &path, errno))?,
        };
        let is_ours = disk::lock(&lock).map_err(|errno| refused("locking a file", &path, errno))?;
        if is_ours && disk::is_deleted(&lock) {
            continue;
        }
        let is_fresh = is_ours && Facts::read(layout, &order.id).is_none();
        return Ok(is_fresh.then_some(lock));
    }
    Err(refused("locking a file", &path, Errno::NOENT))
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw_os_error(error.raw_os_error().unwrap_or(Errno::IO.raw_os_error()))
}

type Prepared = Result<Keeper, (towpath_model::run::InstanceId, Refused)>;

fn prepared(order: Order, layout: &Layout, lock: OwnedFd) -> Prepared {
    let id = order.id.clone();
    let whole = |doing| {
        let subject = id.to_string();
        move |errno| {
            (
                id.clone(),
                Refused {
                    doing,
                    subject,
                    errno,
                },
            )
        }
    };
    let whole = &whole;
    let signals = alone().map_err(whole.clone()("preparing a keeper"))?;
    let folder = layout.instance(&order.id);
    let seen = first_seen(&order);
    let group = Group::plan(&order.grounds, &order.id, &order.limits);
    let values = values_folder(&order, &folder);
    let facts = Facts {
        seen: seen.clone(),
        keeper: std::process::id(),
        boot: door::boot(),
        group: group.clone(),
        values: (!order.files.is_empty()).then(|| values.clone()),
        session: None,
    };
    facts
        .write(layout)
        .map_err(|error| whole.clone()("writing down the facts")(errno_of(&error)))?;
    let file = LogFile::new(layout.log(&order.id), layout.older_log(&order.id));
    Ok(Keeper {
        listener: listen_in(&folder).map_err(whole.clone()("listening"))?,
        signals,
        pipes: [
            pipe(Source::Out).map_err(whole.clone()("opening a pipe"))?,
            pipe(Source::Err).map_err(whole.clone()("opening a pipe"))?,
        ],
        book: Logbook::new(file),
        layout: layout.clone(),
        _told_of: told_of_deletions(&folder),
        lock,
        group,
        inside: false,
        facts,
        values,
        alarm: None,
        lease: None,
        talks: Vec::new(),
        phase: Phase::Ended { at: clock::moment() },
        first: None,
        started: 0,
        starts: 0,
        history: History::default(),
        killed_before: 0,
        next_look: None,
        seen,
        leaves_when_over: false,
        leaves: false,
        order,
    })
}

/// Lets go of the nursery, and becomes the one to whom orphans of the instance fall.
fn alone() -> Result<SignalFd, Errno> {
    rustix::process::setsid()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let _ = rustix::thread::set_name(c"towpath-keeper");
    let errno = |errno: nix::Error| Errno::from_raw_os_error(errno as i32);
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGIO);
    set.thread_set_mask().map_err(errno)?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(errno)
}

/// The folder of the instance, of whose end we are told. Without that we look when our steward goes, and when something ends.
fn told_of_deletions(folder: &Path) -> Option<OwnedFd> {
    disk::open_to_be_told(folder)
        .ok()
        .filter(process::tell_of_deletions)
}

/// How it is before it was ever started. Nobody is told of it.
fn first_seen(order: &Order) -> Seen {
    Seen {
        id: order.id.clone(),
        digest: order.digest.clone(),
        port: order.port,
        life: Life::Ended {
            exit: Exit::NotStarted {
                why: "nobody has started it yet".to_owned(),
            },
        },
        restarts: 0,
        since: clock::now(),
    }
}

fn values_folder(order: &Order, folder: &Path) -> PathBuf {
    let name = format!("towpath-{}-{}", std::process::id(), order.id);
    disk::private_folder(&name, folder)
}

/// A pipe whose end here never waits, and whose end there is as any program expects it.
fn pipe(source: Source) -> Result<Pipe, Errno> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok(Pipe { source, read, write })
}
