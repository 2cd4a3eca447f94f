//! The door to the folder of a state: the sockets by which an edge is reached, the lock, and the end of the folder.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to the folder of a state"
)]

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, inotify};
use rustix::process::{Resource, Rlimit, Signal, geteuid, getrlimit, kill_process, setrlimit};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{UnixListener, UnixStream};

/// The name of the socket of the edge that takes connections.
const SOCKET: &str = "edge.sock";

/// What the names of the sockets of those begin and end with that only end what they have begun; their process is between.
const LEAVING: (&str, &str) = ("edge.", ".sock");

/// Who has this file locked is the edge.
const LOCK: &str = "edge.lock";

fn handle(folder: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(folder, flags, Mode::empty())?)
}

/// Listens as the edge that takes connections, in the place of whoever was it before, at one instant.
pub(crate) fn listen(folder: &Path) -> io::Result<UnixListener> {
    let name = leaving(std::process::id());
    let listener = listen_as(folder, &name)?;
    let handle = handle(folder)?;
    rustix::fs::renameat(&handle, &name, &handle, SOCKET)?;
    Ok(listener)
}

/// Listens as one that only ends what it has begun.
pub(crate) fn listen_leaving(folder: &Path) -> io::Result<UnixListener> {
    listen_as(folder, &leaving(std::process::id()))
}

fn leaving(process: u32) -> String {
    format!("{}{process}{}", LEAVING.0, LEAVING.1)
}

/// The folder is named by its handle, because the name of a socket may have 108 letters at the most and a path may have more.
fn listen_as(folder: &Path, name: &str) -> io::Result<UnixListener> {
    let handle = handle(folder)?;
    match rustix::fs::unlinkat(&handle, name, AtFlags::empty()) {
        Err(error) if error != rustix::io::Errno::NOENT => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd()))?;
    rustix::fs::chmodat(&handle, name, Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
    Ok(listener)
}

/// The edge that takes connections; none where nobody listens.
pub(crate) async fn connect(folder: &Path) -> io::Result<Option<UnixStream>> {
    connect_to(folder, SOCKET).await
}

/// Those that only end what they have begun.
pub(crate) async fn connect_leaving(folder: &Path) -> Vec<UnixStream> {
    let own = leaving(std::process::id());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let process = name.strip_prefix(LEAVING.0);
        let process = process.and_then(|rest| rest.strip_suffix(LEAVING.1)?.parse::<u32>().ok());
        if process.is_none() || name == own {
            continue;
        }
        match connect_to(folder, &name).await {
            Ok(Some(stream)) => found.push(stream),
            // One that was killed could not take it away.
            Ok(None) => drop(fs::remove_file(entry.path())),
            Err(_) => {}
        }
    }
    found
}

async fn connect_to(folder: &Path, name: &str) -> io::Result<Option<UnixStream>> {
    let handle = match handle(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        handle => handle?,
    };
    let path = format!("/proc/self/fd/{}/{name}", handle.as_raw_fd());
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(is_ours(&stream).then_some(stream)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether the other side is a process of the same person, or of root.
pub(crate) fn is_ours(stream: &UnixStream) -> bool {
    let own = geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

/// Ends a process that does not answer.
pub(crate) fn kill(process: u32) {
    if let Some(process) = rustix::process::Pid::from_raw(process.cast_signed()) {
        // That it has gone is what is wanted.
        let _ = kill_process(process, Signal::KILL);
    }
}

/// Takes our socket away, where it is still ours.
pub(crate) fn leave(folder: &Path, is_leaving: bool) {
    let name = if is_leaving {
        leaving(std::process::id())
    } else {
        SOCKET.to_owned()
    };
    // Where it has gone, nothing is left to do.
    let _ = fs::remove_file(folder.join(name));
}

/// Becomes the edge of a folder; nothing where another one is it. The system takes it back when we end, however we do.
pub(crate) fn lock(folder: &Path) -> io::Result<Option<OwnedFd>> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let file = options.open(folder.join(LOCK))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(OwnedFd::from(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A socket that somebody has left to us as our standard input.
pub(crate) fn given() -> io::Result<UnixStream> {
    stream(io::stdin().as_fd().try_clone_to_owned()?)
}

/// A socket that is connected.
pub(crate) fn stream(socket: OwnedFd) -> io::Result<UnixStream> {
    let stream = std::os::unix::net::UnixStream::from(socket);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Lets this process have as many files open as it may: each visitor is one.
pub(crate) fn raise_files() {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        ..before
    };
    // Where it may not, there is room for fewer.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// How many files this process may have open.
pub(crate) fn files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// What runs as the program of this process: another version is another file, whatever it says of itself.
pub(crate) fn program() -> String {
    let about = fs::metadata("/proc/self/exe");
    let which = about.map(|about| {
        let (device, file) = (about.dev(), about.ino());
        let (size, second) = (about.size(), about.mtime());
        format!("{device}.{file}.{size}.{second}")
    });
    which.unwrap_or_default()
}

/// The folder of a state, as it is known to the system.
pub(crate) struct Folder {
    path: PathBuf,
    number: Option<(u64, u64)>,
    notices: Option<AsyncFd<OwnedFd>>,
}

impl Folder {
    pub(crate) fn watch(path: &Path) -> Folder {
        Folder {
            path: path.to_owned(),
            number: number(path),
            // Where the system does not tell, whoever is lonely looks from time to time.
            notices: notices(path).ok(),
        }
    }

    /// Whether it was deleted or moved, or the one above it.
    pub(crate) fn is_gone(&self) -> bool {
        number(&self.path) != self.number
    }

    /// Waits until it is gone. Nothing is done meanwhile: the system tells.
    pub(crate) async fn gone(&self) {
        while !self.is_gone() {
            let Some(notices) = &self.notices else {
                return std::future::pending().await;
            };
            let Ok(mut ready) = notices.readable().await else {
                return std::future::pending().await;
            };
            // What it was does not matter, only that we look again.
            let mut told = [0_u8; 4096];
            while rustix::io::read(notices.get_ref(), &mut told).is_ok_and(|length| length > 0) {}
            ready.clear_ready();
        }
    }
}

/// The number by which the system knows what stands at a path.
fn number(path: &Path) -> Option<(u64, u64)> {
    let about = rustix::fs::statat(CWD, path, AtFlags::empty()).ok()?;
    Some((about.st_dev, about.st_ino))
}

#[expect(
    deprecated,
    reason = "its successor is unsafe for the sake of types whose file may change; an `OwnedFd` keeps its own"
)]
fn notices(folder: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let notices = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    let itself =
        inotify::WatchFlags::DELETE_SELF | inotify::WatchFlags::MOVE_SELF | inotify::WatchFlags::ONLYDIR;
    inotify::add_watch(&notices, folder, itself)?;
    // A folder that somebody has open is gone from the one above it at once, and its own end is told when nobody has any more.
    for above in folder.ancestors().skip(1).take(2) {
        inotify::add_watch(&notices, above, itself | inotify::WatchFlags::DELETE)?;
    }
    AsyncFd::with_interest(notices, Interest::READABLE)
}
