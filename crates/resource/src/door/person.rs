//! The door to who we are, and to becoming somebody else.
#![allow(clippy::disallowed_methods, reason = "this is the door to who we are")]

use nix::sched::CloneFlags;
use nix::unistd::{Gid, Uid};
use std::io;

/// A user of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    /// The number.
    pub(crate) id: u32,
    /// The number of the first group.
    pub(crate) group: u32,
}

/// Who we are.
pub(crate) fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user of a name.
pub(crate) fn named(name: &str) -> Option<User> {
    let user = nix::unistd::User::from_name(name).ok()??;
    Some(User {
        id: user.uid.as_raw(),
        group: user.gid.as_raw(),
    })
}

/// The user of a number.
pub(crate) fn numbered(id: u32) -> Option<User> {
    let user = nix::unistd::User::from_uid(Uid::from_raw(id)).ok()??;
    Some(User {
        id,
        group: user.gid.as_raw(),
    })
}

/// Becomes a user for good: there is no way back.
pub(crate) fn become_user(user: User) -> io::Result<()> {
    let group = Gid::from_raw(user.group);
    nix::unistd::setgroups(&[group])?;
    nix::unistd::setresgid(group, group, group)?;
    let id = Uid::from_raw(user.id);
    nix::unistd::setresuid(id, id, id)?;
    Ok(())
}

/// Is called by the name of another user from now on, and is the same one to everybody else: files that are ours stay ours.
pub(crate) fn be_called(user: User) -> io::Result<()> {
    let (us, group) = (us(), rustix::process::getegid().as_raw());
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{} {us} 1", user.id))?;
    std::fs::write("/proc/self/gid_map", format!("{} {group} 1", user.group))
}
