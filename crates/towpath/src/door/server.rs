//! This machine as a server: the folder of its products, and systemd, where it starts us.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to systemd and to the environment"
)]

use super::files::refused;
use crate::failure::{Failure, Kind};
use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};

/// The variable by which systemd says where it wants to be told.
pub(crate) const NOTIFY: &str = "NOTIFY_SOCKET";

/// The folder of a machine that everybody shares.
const SHARED: &str = "/var/lib/towpath";

/// Where units lie that are no part of the system.
const UNITS: &str = "/etc/systemd/system";

/// The folder of all products, as a whole path: the one that is named, or the usual one.
pub(crate) fn home(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = match named {
        Some(named) => named.to_path_buf(),
        None if rustix::process::geteuid().is_root() => PathBuf::from(SHARED),
        None => {
            let kept = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
            let home = || set("HOME").unwrap_or_else(|| PathBuf::from("/"));
            kept.unwrap_or_else(|| home().join(".local/share"))
                .join("towpath/server")
        }
    };
    std::path::absolute(&home).map_err(|error| refused(&home.display().to_string(), "found", &error))
}

/// Tells systemd that we can be asked, where it has started us. That nobody listens is its own affair.
pub(crate) fn say_ready() {
    let Some(at) = std::env::var_os(NOTIFY).filter(|at| !at.is_empty()) else {
        return;
    };
    let address = match at.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&at),
    };
    let told = |address: io::Result<SocketAddr>| -> io::Result<usize> {
        UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address?)
    };
    let _ = told(address);
}

/// Whether this machine is looked after by systemd.
pub(crate) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Writes a unit, in the place of what is there; where it lies.
pub(crate) fn write_unit(name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(UNITS).join(name);
    let written = fs::write(&path, text);
    written.map_err(|error| {
        let failure = refused(&path.display().to_string(), "written", &error);
        match error.kind() {
            io::ErrorKind::PermissionDenied => failure.hint("run it as root"),
            _ => failure,
        }
    })?;
    Ok(path)
}

/// What can be written into a unit: systemd takes a path apart at spaces, and reads other letters as something else.
pub(crate) fn plain(path: &Path) -> Result<&str, Failure> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@".contains(&byte);
    let text = path.to_str().filter(|text| text.bytes().all(fine));
    text.ok_or_else(|| {
        let message = format!("{} cannot stand in a unit of systemd", path.display());
        Failure::new(Kind::User, message).hint("name a folder without spaces and other signs in its path")
    })
}
