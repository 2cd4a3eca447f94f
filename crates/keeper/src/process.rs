//! The few calls of the system that Rust cannot know to be safe: this is the one file that may make them.
//!
//! `fork` is safe here because the nursery and each keeper have one thread only, so that the child's memory is whole. The
//! dispositions of signals are only ever set to the default, so that no handler of ours runs. Files are closed by number
//! once, at the start of the nursery or the steward, before it has opened any.
#![allow(
    unsafe_code,
    reason = "fork, dispositions of signals, closing files by number and tidying freed memory are not safe calls; nothing else of ours is unsafe"
)]

use nix::libc;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::Pid;

/// Makes a copy of this process, which has one thread. The copy is told `None`, the original the copy's number.
pub(crate) fn fork() -> Result<Option<Pid>, Errno> {
    // SAFETY: nothing in this crate starts a thread, and the nursery and keepers run nothing else.
    match unsafe { nix::unistd::fork() } {
        Ok(nix::unistd::ForkResult::Child) => Ok(None),
        Ok(nix::unistd::ForkResult::Parent { child }) => Ok(Pid::from_raw(child.as_raw())),
        Err(errno) => Err(Errno::from_raw_os_error(errno as i32)),
    }
}

/// `CLONE_INTO_CGROUP`, which is no number that fits the type that it has in `libc`.
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes a copy of this process, as `fork` does, that begins its life in a cgroup of version 2. Joining one later makes
/// every process of the machine wait for a moment, and whoever joins for some milliseconds.
pub(crate) fn fork_into(group: &OwnedFd) -> Result<Option<Pid>, Errno> {
    // SAFETY: plain numbers, for which nothing is a value.
    let mut order: libc::clone_args = unsafe { std::mem::zeroed() };
    order.flags = INTO_CGROUP;
    order.exit_signal = libc::SIGCHLD as u64;
    order.cgroup = group.as_raw_fd() as u64;
    // SAFETY: without a stack and without shared memory this is `fork`, with the same reason to be safe.
    let copy = unsafe { libc::syscall(libc::SYS_clone3, &raw const order, size_of::<libc::clone_args>()) };
    match i32::try_from(copy) {
        Ok(0) => Ok(None),
        Ok(child) if child > 0 => Ok(Pid::from_raw(child)),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOSYS)),
    }
}

/// Gives every signal its default meaning again.
pub(crate) fn default_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: the default disposition runs no code of ours. What may not be set (KILL, STOP) refuses, and stays.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Closes everything but the standard streams. Whoever started us may have left files open.
pub(crate) fn close_inherited() {
    // SAFETY: called first in the nursery and in the steward, when nothing of this process holds a file yet.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
}

/// Gives memory back to the system that was freed and lies about.
pub(crate) fn give_back_memory() {
    // SAFETY: it looks at free memory alone, under the allocator's own locks.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Has the system send us `SIGIO` each time that something is deleted from an open folder. There are few watches of the other
/// kind (inotify) for one person, and thousands of keepers; whether this system knows this kind is answered.
pub(crate) fn tell_of_deletions(folder: &OwnedFd) -> bool {
    const DELETE: libc::c_int = 0x8;
    const EACH_TIME: libc::c_int = libc::c_int::MIN;
    // SAFETY: it says what is wanted of a file that is open, and takes nothing from our memory.
    unsafe { libc::fcntl(folder.as_raw_fd(), libc::F_NOTIFY, DELETE | EACH_TIME) == 0 }
}

/// Ends this process at once, without running anything that the original of a copy has left to be run at its end.
pub(crate) fn leave(code: i32) -> ! {
    // SAFETY: it does not return.
    unsafe { libc::_exit(code) }
}
