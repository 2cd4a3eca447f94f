//! Sockets: the one that clients speak through, and ports that may be free.

use rustix::fs::{Mode, OFlags, open};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
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

/// Takes the socket away. That it is gone already changes nothing.
pub(crate) fn leave(folder: &Path) {
    let _ = rustix::fs::unlink(folder.join(SOCKET));
}
