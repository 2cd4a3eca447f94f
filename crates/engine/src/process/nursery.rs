//! The nursery, as the engine sees it: a process that takes a socket and makes a keeper of it.

use super::door::{self, Before};
use crate::EngineError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, IoSlice};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, send,
    sendmsg, socketpair,
};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

/// How long a nursery may take to see a dead keeper off. It gives up earlier by itself.
const PATIENCE: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

/// The running nursery, and how it is started again.
pub(super) struct Nursery {
    program: PathBuf,
    /// What holds for what it starts.
    before: Before,
    socket: OwnedFd,
}

impl Nursery {
    /// Starts it.
    pub(super) fn start(program: PathBuf, before: Before) -> Result<Self, EngineError> {
        let socket = started(&program, before)?;
        Ok(Nursery {
            program,
            before,
            socket,
        })
    }

    /// Has a keeper made that talks over this socket. A nursery that was killed is started again.
    pub(super) fn hand_over(&mut self, talk: &OwnedFd) -> Result<(), EngineError> {
        match self.send(talk) {
            Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => {
                self.socket = started(&self.program, self.before)?;
                self.send(talk)
            }
            result => result,
        }
        .map_err(|errno| EngineError::system("asking for a keeper", self.program.display(), errno))
    }

    /// Waits until nothing is left of a keeper that has died, as far as this nursery can know. It may take a moment.
    pub(super) fn see_off(&self, keeper: u32) {
        if send(&self.socket, &keeper.to_le_bytes(), SendFlags::NOSIGNAL).is_err() {
            return;
        }
        let mut watched = [PollFd::new(&self.socket, PollFlags::IN)];
        if matches!(poll(&mut watched, Some(&PATIENCE)), Ok(count) if count > 0) {
            let _ = rustix::io::read(&self.socket, &mut [0; 4]);
        }
    }

    fn send(&self, talk: &OwnedFd) -> Result<(), Errno> {
        let sockets = [talk.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        beside.push(SendAncillaryMessage::ScmRights(&sockets));
        loop {
            match sendmsg(
                &self.socket,
                &[IoSlice::new(&[0; 4])],
                &mut beside,
                SendFlags::NOSIGNAL,
            ) {
                Err(Errno::INTR) => {}
                result => return result.map(|_| ()),
            }
        }
    }
}

fn started(program: &Path, before: Before) -> Result<OwnedFd, EngineError> {
    let failed =
        |source: std::io::Error| EngineError::system("starting the nursery", program.display(), source);
    // Messages keep their bounds: one with a socket beside it is never read together with another one.
    let ends = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    );
    let (ours, theirs) = ends.map_err(|errno| failed(errno.into()))?;
    door::start_nursery(program, before, theirs).map_err(failed)?;
    Ok(ours)
}

/// Two sockets that are connected with each other.
pub(super) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
}
