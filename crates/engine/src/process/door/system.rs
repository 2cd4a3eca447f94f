//! Processes, limits of this process, the clock, and work that may wait for a disk.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to processes and the clock"
)]

use jiff::Timestamp;
use rustix::fd::OwnedFd;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::path::Path;
use std::process::Stdio;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Starts the nursery with this socket. It has nothing of our environment: keepers hand on exactly what they are told.
pub(crate) fn start_nursery(program: &Path, before: Before, socket: OwnedFd) -> io::Result<()> {
    let mut command = tokio::process::Command::new(program);
    command
        .arg(towpath_keeper::NURSERY)
        .arg(before.files.to_string())
        .arg(before.core.to_string())
        .env_clear()
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // It ends by itself when our end of its socket closes; the runtime waits for it then.
    command.spawn().map(drop)
}

/// What held for this process before it was made fit for its work: it holds for what is started, too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    /// How many files could be open.
    files: u64,
    /// How large a core file could be.
    core: u64,
}

/// Makes this process fit for its work: it may have as many files open as the system lets it, for each keeper is one, and
/// leaves no core file, for it knows secrets.
pub(crate) fn made_fit() -> Before {
    Before {
        files: raise_files(),
        core: towpath_keeper::leave_no_core(),
    }
}

fn raise_files() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        ..before
    };
    let _ = setrlimit(Resource::Nofile, raised);
    before.current.unwrap_or(u64::MAX)
}

/// Does something beside the runtime that may have to wait for the system; nothing where the runtime is being closed.
pub(crate) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Waits a millisecond for another process, beside the runtime.
pub(crate) fn wait_a_moment() {
    std::thread::sleep(std::time::Duration::from_millis(1));
}

/// Something that the runtime waits for until it can be read.
#[expect(
    deprecated,
    reason = "its successor is unsafe for the sake of types whose file may change; an `OwnedFd` keeps its own"
)]
pub(crate) fn awaited(file: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(file, Interest::READABLE)
}
