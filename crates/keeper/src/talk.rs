//! Talking: the socket of a keeper, and one connection to it.

use crate::door::disk;
use crate::layout::Layout;
use crate::wire::{Asked, Inbox, Told, frame};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, send,
    socket_with,
};
use std::path::Path;
use towpath_model::run::{InstanceId, Seen};

/// So many may wait for being let in. Nobody but stewards connects, and there is one.
const WAITING: i32 = 16;

/// Listens in the folder of an instance. A socket's path may be a hundred bytes long, and a folder's may be longer: so it
/// is reached through the opened folder.
pub(crate) fn listen_in(folder: &Path) -> Result<OwnedFd, Errno> {
    let folder = disk::open_folder(folder)?;
    let address = address_in(&folder)?;
    let socket = stream()?;
    bind(&socket, &address)?;
    listen(&socket, WAITING)?;
    Ok(socket)
}

/// Connects to the keeper of an instance.
pub fn connect_to(layout: &Layout, id: &InstanceId) -> Result<OwnedFd, Errno> {
    let folder = disk::open_folder(&layout.instance(id))?;
    let address = address_in(&folder)?;
    let socket = stream()?;
    connect(&socket, &address)?;
    Ok(socket)
}

fn address_in(folder: &OwnedFd) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new(format!("/proc/self/fd/{}/{}", folder.as_raw_fd(), Layout::SOCKET))
}

fn stream() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// One who is told of every change.
pub(crate) struct Talk {
    pub(crate) socket: OwnedFd,
    inbox: Inbox,
    /// What did not fit into the socket yet.
    unsent: Vec<u8>,
    /// There is something newer than what is unsent.
    pub(crate) behind: bool,
    /// What was asked, with the number of starts there had been by then, and is not done.
    open: Vec<(u64, Until)>,
    /// What is done, and was not told yet.
    done: Vec<u64>,
}

/// When a question is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// When the instance is over.
    Over,
    /// When it has been started more often than this, or is over.
    StartedAfter(u64),
}

impl Talk {
    pub(crate) fn new(socket: OwnedFd, inbox: Inbox) -> Self {
        Talk {
            socket,
            inbox,
            unsent: Vec::new(),
            behind: true,
            open: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Waits for something on behalf of this asker.
    pub(crate) fn wait(&mut self, number: u64, until: Until) {
        self.open.push((number, until));
        self.behind = true;
    }

    /// What has been asked since; `Err` when nobody is there any more.
    pub(crate) fn hear(&mut self) -> Result<Vec<Asked>, ()> {
        let mut bytes = [0; 1024];
        let gone = loop {
            match rustix::io::read(&self.socket, &mut bytes) {
                Ok(0) => break true,
                Ok(length) => self.inbox.feed(&bytes[..length]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break false,
                Err(_) => break true,
            }
        };
        let mut heard = Vec::new();
        while let Some(asked) = self.inbox.message().map_err(|_| ())? {
            heard.push(asked);
        }
        // Who asked and left at once has asked all the same.
        if gone && heard.is_empty() {
            Err(())
        } else {
            Ok(heard)
        }
    }

    /// Tells how it is, unless older news are still on their way; these are followed by the newest.
    pub(crate) fn tell(&mut self, seen: &Seen, starts: u64, keeper: u32) -> Result<(), ()> {
        self.open.retain(|(number, until)| {
            let is_done = match until {
                Until::Over => seen.life.is_over(),
                Until::StartedAfter(before) => starts > *before || seen.life.is_over(),
            };
            if is_done {
                self.done.push(*number);
            }
            !is_done
        });
        if self.unsent.is_empty() && self.behind {
            self.behind = false;
            self.unsent = frame(&Told::Seen {
                seen: seen.clone(),
                done: std::mem::take(&mut self.done),
                keeper,
            });
        }
        self.push_on()
    }

    /// Sends what fits.
    fn push_on(&mut self) -> Result<(), ()> {
        while !self.unsent.is_empty() {
            match send(
                &self.socket,
                &self.unsent,
                SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
            ) {
                Ok(sent) => {
                    self.unsent.drain(..sent);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(_) => return Err(()),
            }
        }
        self.unsent = Vec::new();
        Ok(())
    }

    /// Whether it waits for room in its socket.
    pub(crate) fn is_full(&self) -> bool {
        !self.unsent.is_empty()
    }
}
