//! The nursery: forks a keeper for each socket that it is given, and kills what a killed keeper has left.

use crate::door::clock;
use crate::{door, keeper, process, secrecy, sweep};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, IoSliceMut};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg};
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, getrlimit, setrlimit};
use std::collections::HashSet;
use std::mem::MaybeUninit;

/// How many milliseconds what was killed may take to be gone.
const LAST_BREATH: usize = 2000;

/// Runs until whoever started it has gone. Its standard input is the socket on which it is given others.
pub(crate) fn run(files: Option<u64>, core: Option<u64>) -> i32 {
    process::close_inherited();
    let before = secrecy::leave_no_core();
    secrecy::programs_may_leave(core.unwrap_or(before));
    if files.is_some() {
        let now = getrlimit(Resource::Nofile);
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: files,
                ..now
            },
        );
    }
    let Ok(orders) = prepared() else { return 1 };
    let Ok(signals) = child_signals() else { return 1 };
    let mut keepers = HashSet::new();
    loop {
        let mut watched = [
            PollFd::new(&orders, PollFlags::IN),
            PollFd::new(&signals, PollFlags::IN),
        ];
        match poll(&mut watched, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return 1,
        }
        if !watched[1].revents().is_empty() {
            while let Ok(Some(_)) = signals.read_signal() {}
            mourn(&mut keepers);
        }
        if watched[0].revents().is_empty() {
            continue;
        }
        let talk = match received(&orders) {
            Received::Socket(talk) => talk,
            Received::Nothing => continue,
            Received::Gone => return 0,
            Received::Mourn(keeper) => {
                see_off(keeper, &mut keepers);
                let _ = rustix::net::send(&orders, b"d", SendFlags::NOSIGNAL);
                continue;
            }
        };
        match process::fork() {
            Ok(None) => {
                drop((orders, signals, keepers));
                return keeper::run(talk);
            }
            Ok(Some(keeper)) => {
                keepers.insert(keeper);
            }
            // The socket closes, and whoever waits at its other end learns that there is no keeper.
            Err(_) => {}
        }
    }
}

/// Lets go of everything that belongs to whoever started us: terminal, session, folder, standard streams.
fn prepared() -> Result<OwnedFd, Errno> {
    let orders = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let null = door::open_null()?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    let _ = rustix::process::setsid();
    let _ = rustix::process::chdir("/");
    let _ = rustix::thread::set_name(c"towpath-nursery");
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(orders)
}

fn child_signals() -> Result<SignalFd, nix::Error> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.thread_set_mask()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

enum Received {
    /// A socket for a new keeper.
    Socket(OwnedFd),
    /// This keeper has died, and somebody waits until nothing of it is left.
    Mourn(Pid),
    Nothing,
    Gone,
}

fn received(orders: &OwnedFd) -> Received {
    let mut bytes = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(
        orders,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut beside,
        RecvFlags::CMSG_CLOEXEC,
    );
    match got {
        Ok(message) if message.bytes == 0 => return Received::Gone,
        Ok(_) => {}
        Err(Errno::INTR | Errno::AGAIN) => return Received::Nothing,
        Err(_) => return Received::Gone,
    }
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(mut sockets) = message
            && let Some(socket) = sockets.next()
        {
            return Received::Socket(socket);
        }
    }
    match Pid::from_raw(i32::from_le_bytes(bytes)) {
        Some(keeper) => Received::Mourn(keeper),
        None => Received::Nothing,
    }
}

/// Takes note of keepers that have ended. Where one was killed, its orphans are our children by now: everything that is
/// no keeper goes. An orphan that dies leaves its own children to us in turn, and we are told of its death.
fn mourn(keepers: &mut HashSet<Pid>) {
    let mut has_orphans = false;
    while let Ok(Some((ended, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        has_orphans |= !keepers.remove(&ended) || status.exit_status() != Some(0);
    }
    if has_orphans {
        kill_orphans(keepers);
    }
}

/// Kills every child that is no keeper; whether there was one.
fn kill_orphans(keepers: &HashSet<Pid>) -> bool {
    let mut some = false;
    for orphan in sweep::children_of(rustix::process::getpid()) {
        if !keepers.contains(&orphan) {
            some = true;
            sweep::kill_tree(orphan);
        }
    }
    some
}

/// Waits until a keeper that has died is gone, and everything that it has left to us. Where there is no group to be
/// killed, nobody else can find that.
fn see_off(keeper: Pid, keepers: &mut HashSet<Pid>) {
    for _ in 0..LAST_BREATH {
        mourn(keepers);
        if !keepers.contains(&keeper) && !kill_orphans(keepers) {
            return;
        }
        clock::pause(1);
    }
}
