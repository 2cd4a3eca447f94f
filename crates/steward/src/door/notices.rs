//! What the kernel tells about changed folders: inotify, and a bell that wakes whoever waits for it.
//!
//! This is inotify itself and not the crate `notify`, whose watches always ask to be told of every file that is opened
//! or read. A compiler that reads a tree of 50,000 files would wake us 100,000 times and overflow the kernel's queue;
//! so would our own look at what has changed. We ask for the six things that can change a tree, and for nothing else.

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One thing that the kernel tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Something happened to this name in the folder of this watch.
    Name {
        /// The watch.
        watch: i32,
        /// The name in its folder.
        name: OsString,
        /// It is a folder.
        is_folder: bool,
    },
    /// The folder of this watch was deleted or moved.
    Itself(i32),
    /// This watch is no more.
    Gone(i32),
    /// So much has happened that some of it was not told.
    Overflow,
}

/// The kernel's side of watching.
#[derive(Debug)]
pub(crate) struct Notices {
    fd: OwnedFd,
    bell: Arc<OwnedFd>,
}

/// Wakes who waits for notices.
#[derive(Debug, Clone)]
pub(crate) struct Bell(Arc<OwnedFd>);

impl Bell {
    /// Wakes it, now or as soon as it waits.
    pub(crate) fn ring(&self) {
        // The counter of the bell can only be full when it rings already.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

/// A file counts as changed when whoever has written it closes it: half of a file is no change.
const ASKED: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::EXCL_UNLINK);

impl Notices {
    /// A new queue of the kernel.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Notices {
            fd: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            bell: Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?),
        })
    }

    /// What wakes `wait`.
    pub(crate) fn bell(&self) -> Bell {
        Bell(Arc::clone(&self.bell))
    }

    /// Watches a folder. The same folder has the same watch, by whatever path it is named.
    pub(crate) fn watch(&self, folder: &Path) -> io::Result<i32> {
        Ok(inotify::add_watch(&self.fd, folder, ASKED)?)
    }

    /// Ends a watch.
    pub(crate) fn unwatch(&self, watch: i32) {
        // It may have ended by itself, with its folder.
        let _ = inotify::remove_watch(&self.fd, watch);
    }

    /// Waits for a notice, for the bell, or for so long.
    pub(crate) fn wait(&self, longest: Option<Duration>) {
        let longest = longest.map(|time| Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        let mut fds = [
            PollFd::from_borrowed_fd(self.fd.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN),
        ];
        // Waking too early does no harm: who waits looks at the clock.
        let _ = poll(&mut fds, longest.as_ref());
        let _ = rustix::io::read(&*self.bell, &mut [0; 8]);
    }

    /// Everything that was told since the last time.
    pub(crate) fn drain(&self) -> Vec<Notice> {
        let mut buffer = [const { MaybeUninit::uninit() }; 32 * 1024];
        let mut reader = inotify::Reader::new(&self.fd, &mut buffer);
        let mut notices = Vec::new();
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    notices.extend(notice(event.wd(), event.events(), name));
                }
                Err(Errno::INTR) => {}
                Err(_) => return notices,
            }
        }
    }
}

fn notice(watch: i32, flags: ReadFlags, name: Option<&OsStr>) -> Option<Notice> {
    if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
        return Some(Notice::Overflow);
    }
    if flags.contains(ReadFlags::IGNORED) {
        return Some(Notice::Gone(watch));
    }
    if flags.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF) {
        return Some(Notice::Itself(watch));
    }
    name.map(|name| Notice::Name {
        watch,
        name: name.to_owned(),
        is_folder: flags.contains(ReadFlags::ISDIR),
    })
}

/// How many folders this machine lets one person watch.
pub(crate) fn most_watches() -> Option<u64> {
    let text = super::files::text(Path::new("/proc/sys/fs/inotify/max_user_watches"), 64)?;
    text.trim().parse().ok()
}
