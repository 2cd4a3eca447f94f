//! The few calls of the system that Rust cannot know to be safe: this is the one file that may make them.
//!
//! `fork` is safe here because the nursery and each keeper have one thread only, so that the child's memory is whole. The
//! dispositions of signals are only ever set to the default, so that no handler of ours runs. Files are closed by number
//! once, at the start of the nursery or the steward, before it has opened any. Which allocator serves a process is settled by
//! its first allocation and never changes, so that what one has handed out never comes back to the other.
#![allow(
    unsafe_code,
    reason = "fork, dispositions of signals, closing files by number, choosing an allocator and tidying freed memory are not safe calls; nothing else of ours is unsafe"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, Ordering};

use mimalloc::MiMalloc;
use nix::libc;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
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

/// Gives memory back to the system that was freed and lies about: that of C libraries, the database above all, which the
/// allocator of the system serves. Ours is given back by itself.
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

/// The allocator of the binary. The one of the system packs the little that a keeper writes into few pages, and there are
/// thousands of keepers; mimalloc has pages for each size, takes less time, and gives back what connections have used.
#[derive(Debug)]
pub struct Memory;

const UNSETTLED: u8 = 0;
const PACKED: u8 = 1;
const QUICK: u8 = 2;

static KIND: AtomicU8 = AtomicU8::new(UNSETTLED);

/// Whether the allocator of the system serves this process, which is a nursery or was forked by one.
fn is_packed() -> bool {
    match KIND.load(Ordering::Relaxed) {
        UNSETTLED => settle(),
        kind => kind == PACKED,
    }
}

/// Settles it with the first allocation, long before `main`, when nobody but the system knows the arguments. Whoever comes at
/// the same time settles the same.
#[cold]
fn settle() -> bool {
    // A path may have as many letters, and what follows it is short.
    let mut words = [0; 4096 + 64];
    let file = rustix::fs::open(
        c"/proc/self/cmdline",
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let length = file
        .and_then(|file| rustix::io::read(&file, &mut words))
        .unwrap_or(0);
    let is_packed = is_nursery(&words[..length]);
    KIND.store(if is_packed { PACKED } else { QUICK }, Ordering::Relaxed);
    is_packed
}

/// Whether these are the arguments of a nursery, as the system has them.
fn is_nursery(words: &[u8]) -> bool {
    words.split(|byte| *byte == 0).nth(1) == Some(crate::NURSERY.as_bytes())
}

// SAFETY: each call goes on to the same one of two allocators for as long as the process lives, and both keep the rules.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match is_packed() {
            // SAFETY: as the caller has promised.
            true => unsafe { System.alloc(layout) },
            // SAFETY: as the caller has promised.
            false => unsafe { MiMalloc.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match is_packed() {
            // SAFETY: as the caller has promised.
            true => unsafe { System.alloc_zeroed(layout) },
            // SAFETY: as the caller has promised.
            false => unsafe { MiMalloc.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        match is_packed() {
            // SAFETY: as the caller has promised, and it came from there.
            true => unsafe { System.dealloc(at, layout) },
            // SAFETY: as the caller has promised, and it came from there.
            false => unsafe { MiMalloc.dealloc(at, layout) },
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match is_packed() {
            // SAFETY: as the caller has promised, and it came from there.
            true => unsafe { System.realloc(at, layout, size) },
            // SAFETY: as the caller has promised, and it came from there.
            false => unsafe { MiMalloc.realloc(at, layout, size) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nursery_is_known_by_its_arguments() {
        assert!(is_nursery(b"/usr/bin/towpath\0keeper\0files\0"));
        assert!(is_nursery(b"towpath\0keeper\0"));
        for other in [
            &b""[..],
            b"keeper",
            b"towpath\0keepers\0",
            b"towpath\0up\0keeper\0",
        ] {
            assert!(!is_nursery(other), "{}", other.escape_ascii());
        }
    }
}
