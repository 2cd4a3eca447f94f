//! Sockets: the one that clients speak through, and ports that may be free.

use rustix::fs::{Mode, OFlags, inotify, open};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixListener;

/// The name of the socket in the folder of a state.
pub(crate) const SOCKET: &str = "steward.sock";

/// Whether nobody listens on a port of this machine.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Whether somebody listens on a port of this machine. One that we may not take is nobody's.
pub(crate) fn is_held(port: u16) -> bool {
    let taken = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    taken.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Listens on the socket in a folder. Whoever was there before is dead: we hold the lock. The folder is named by its
/// handle, because the name of a socket may have 108 letters at the most and a path may have more.
pub(crate) fn listen(folder: &Path) -> io::Result<UnixListener> {
    let handle: OwnedFd = open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let path = format!("/proc/self/fd/{}/{SOCKET}", handle.as_raw_fd());
    match rustix::fs::unlinkat(&handle, SOCKET, rustix::fs::AtFlags::empty()) {
        Err(error) if error != rustix::io::Errno::NOENT => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    rustix::fs::chmodat(
        &handle,
        SOCKET,
        Mode::RUSR | Mode::WUSR,
        rustix::fs::AtFlags::empty(),
    )?;
    Ok(listener)
}

/// Waits until the socket in a folder is not the one that is there now any more: it was deleted, or the folder was, or was
/// moved, or the one above it. Nothing is done meanwhile: the system tells.
pub(crate) fn gone(folder: &Path) -> io::Result<impl Future<Output = ()> + use<>> {
    let socket = folder.join(SOCKET);
    let found = number(&socket);
    let notices = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    let itself =
        inotify::WatchFlags::DELETE_SELF | inotify::WatchFlags::MOVE_SELF | inotify::WatchFlags::ONLYDIR;
    inotify::add_watch(&notices, folder, itself | inotify::WatchFlags::DELETE)?;
    if let Some(above) = folder.parent() {
        inotify::add_watch(&notices, above, itself)?;
    }
    let notices = awaited(notices)?;
    Ok(async move {
        while found.is_some() && number(&socket) == found {
            let Ok(mut ready) = notices.readable().await else {
                return std::future::pending().await;
            };
            // What it was does not matter, only that we look again.
            let mut told = [0_u8; 4096];
            while rustix::io::read(notices.get_ref(), &mut told).is_ok_and(|length| length > 0) {}
            ready.clear_ready();
        }
    })
}

/// The number by which the system knows what stands at a path.
fn number(path: &Path) -> Option<(u64, u64)> {
    let about = rustix::fs::stat(path).ok()?;
    Some((about.st_dev, about.st_ino))
}

/// Something that the runtime waits for until it can be read.
#[expect(
    deprecated,
    reason = "its successor is unsafe for the sake of types whose file may change; an `OwnedFd` keeps its own"
)]
fn awaited(file: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(file, Interest::READABLE)
}

/// Takes the socket away. That it is gone already changes nothing.
pub(crate) fn leave(folder: &Path) {
    let _ = rustix::fs::unlink(folder.join(SOCKET));
}
