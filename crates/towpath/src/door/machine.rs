//! The machine: what it lets us do, read from where the system tells it.
#![allow(clippy::disallowed_methods, reason = "this is the door to the machine")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;

/// How limits of components can be kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Groups {
    /// cgroups, version 2.
    Second,
    /// cgroups, version 1.
    First,
    /// Not: we may not make groups.
    Denied,
}

/// How limits can be kept.
pub(crate) fn groups() -> Groups {
    let root = Path::new("/sys/fs/cgroup");
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let controllers = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    let may = |folder: &Path| rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
    if controllers.split_whitespace().any(|one| one == "memory") {
        let ours = own
            .lines()
            .find_map(|line| line.strip_prefix("0::/"))
            .unwrap_or_default();
        return if may(&root.join(ours)) {
            Groups::Second
        } else {
            Groups::Denied
        };
    }
    // Each line of version 1 is `number:controllers:path`.
    let ours = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let memory = parts.next()?.split(',').any(|one| one == "memory");
        memory.then(|| parts.next()).flatten()
    });
    let memory = root.join("memory");
    let seen = ours.map(|path| memory.join(path.trim_start_matches('/')));
    match seen {
        // Inside a container the path is often that of the machine around it.
        Some(folder) if may(&folder) || (!folder.is_dir() && may(&memory)) => Groups::First,
        _ => Groups::Denied,
    }
}

/// How many files and folders one person may watch.
pub(crate) fn watches() -> Option<u64> {
    number("/proc/sys/fs/inotify/max_user_watches")
}

/// How many watchers one person may have.
pub(crate) fn watchers() -> Option<u64> {
    number("/proc/sys/fs/inotify/max_user_instances")
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// How many files a process may have open.
pub(crate) fn open_files() -> Option<u64> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.maximum.or(limit.current)
}

/// How many bytes are free where this folder is.
pub(crate) fn room(folder: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(folder).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Whether a port on this machine is free.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Whether a certificate is among those that the system trusts.
pub(crate) fn is_trusted(certificate: &Path) -> Option<bool> {
    let ours = fs::read_to_string(certificate).ok()?;
    let body: String = ours.lines().filter(|line| !line.starts_with("-----")).collect();
    let bundles = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ];
    let trusted = bundles.iter().filter_map(|path| fs::read_to_string(path).ok());
    let joined = |text: String| text.lines().map(str::trim).collect::<String>();
    Some(!body.is_empty() && trusted.map(joined).any(|text| text.contains(&body)))
}
