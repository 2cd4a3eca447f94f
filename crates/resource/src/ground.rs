//! What has to hold before any server starts: its folder is nobody else's, its port is free, there is some room.

use crate::ResourceError;
use crate::door::{clock, files};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// How long we wait for the rest of a server that was killed: its processes notice within moments that their parent is gone.
const REST: Duration = Duration::from_secs(5);

/// What has to be free on the disk: a server that cannot write its first few files would only say so later, and less clearly.
const ROOM: u64 = 1024 * 1024;

/// Takes the lock of a folder, which the server holds as long as it lives. `holder` is asked for its process when it has it.
pub(crate) fn lock(folder: &Path, holder: impl FnOnce() -> Option<u32>) -> Result<OwnedFd, ResourceError> {
    let path = folder.join("lock");
    let taken = clock::wait_for(REST, || files::take_lock(&path).transpose());
    match taken {
        Some(taken) => taken.map_err(ResourceError::files("locking", &path)),
        None => Err(ResourceError::Live {
            folder: folder.display().to_string(),
            pid: holder(),
        }),
    }
}

/// Whether the port can be had. Somebody may still take it before the server does, which then says so itself.
pub(crate) fn port_is_free(port: u16) -> Result<(), ResourceError> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(refusal) if refusal.kind() == std::io::ErrorKind::AddrInUse => {
            Err(ResourceError::PortTaken { port })
        }
        _ => Ok(()),
    }
}

/// Whether there is any room.
pub(crate) fn has_room(folder: &Path) -> Result<(), ResourceError> {
    if files::room(folder).is_some_and(|room| room < ROOM) {
        return Err(ResourceError::Full {
            folder: folder.display().to_string(),
        });
    }
    Ok(())
}
