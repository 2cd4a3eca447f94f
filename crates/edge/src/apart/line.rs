//! A line between two processes: messages, and open files beside them.
//!
//! A message is its length and the number of its files, four bytes each, least first, and JSON; then a byte for each parcel
//! of files. A file belongs to the byte that it comes with and is lost when that is read without looking for it, so
//! exactly what a message has is read, and never more.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

/// A longer message is no message: a hundred thousand targets fit.
const LONGEST: usize = 256 * 1024 * 1024;

/// The system takes 253 at once.
const PARCEL: usize = 128;

/// As many files as anybody may have open.
const MOST_FILES: usize = 1 << 20;

/// A message and its files, ready to be sent.
pub(super) struct Letter {
    bytes: Vec<u8>,
    files: Vec<OwnedFd>,
    /// Dropped with the letter, which is when it has been sent.
    _sent: Option<oneshot::Sender<()>>,
}

impl Letter {
    /// A letter, and what says that it has been sent, or never will be.
    pub(super) fn awaited(message: &impl Serialize) -> (Letter, oneshot::Receiver<()>) {
        let (sent, is_sent) = oneshot::channel();
        let mut letter = Letter::new(message, Vec::new());
        letter._sent = Some(sent);
        (letter, is_sent)
    }

    pub(super) fn new(message: &impl Serialize, files: Vec<OwnedFd>) -> Letter {
        let mut bytes = vec![0; 8];
        serde_json::to_writer(&mut bytes, message).expect("our own messages can be written as JSON");
        let length = u32::try_from(bytes.len() - 8).expect("our own messages are shorter than 4 GiB");
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        let count = u32::try_from(files.len()).expect("nobody has so many files");
        bytes[4..8].copy_from_slice(&count.to_le_bytes());
        Letter {
            bytes,
            files,
            _sent: None,
        }
    }
}

/// Sends a letter as a whole. Nobody else may send meanwhile.
pub(super) async fn send(stream: &UnixStream, letter: &Letter) -> io::Result<()> {
    let mut rest = &letter.bytes[..];
    while !rest.is_empty() {
        stream.writable().await?;
        match stream.try_write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    for parcel in letter.files.chunks(PARCEL) {
        let parcel: Vec<BorrowedFd<'_>> = parcel.iter().map(AsFd::as_fd).collect();
        stream
            .async_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(PARCEL))];
                let mut beside = SendAncillaryBuffer::new(&mut space);
                beside.push(SendAncillaryMessage::ScmRights(&parcel));
                let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                sendmsg(stream.as_fd(), &[IoSlice::new(b".")], &mut beside, flags)?;
                Ok(())
            })
            .await?;
    }
    Ok(())
}

/// The next message and its files; nothing at the end of the line.
pub(super) async fn receive<T: DeserializeOwned>(
    stream: &UnixStream,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut head = [0; 8];
    match fill(stream, &mut head).await {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        filled => filled?,
    }
    let [length, count] = [&head[..4], &head[4..]].map(|four| {
        let four: [u8; 4] = four.try_into().unwrap_or_default();
        u32::from_le_bytes(four) as usize
    });
    if length > LONGEST || count > MOST_FILES {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; length];
    fill(stream, &mut text).await?;
    let mut files = Vec::with_capacity(count);
    while files.len() < count {
        files.extend(parcel(stream).await?);
    }
    let message = serde_json::from_slice(&text)?;
    Ok(Some((message, files)))
}

async fn fill(stream: &UnixStream, mut room: &mut [u8]) -> io::Result<()> {
    while !room.is_empty() {
        stream.readable().await?;
        match stream.try_read(room) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => room = &mut room[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn parcel(stream: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    stream
        .async_io(Interest::READABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(PARCEL))];
            let mut beside = RecvAncillaryBuffer::new(&mut space);
            let mut byte = [0];
            let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
            let got = recvmsg(
                stream.as_fd(),
                &mut [IoSliceMut::new(&mut byte)],
                &mut beside,
                flags,
            )?;
            let mut files = Vec::new();
            for message in beside.drain() {
                if let RecvAncillaryMessage::ScmRights(some) = message {
                    files.extend(some);
                }
            }
            // The system has given us fewer than were sent when we may not have more open.
            if got.bytes == 0 || files.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            Ok(files)
        })
        .await
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "files go over the line")]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};

    #[tokio::test]
    async fn messages_and_files_arrive_in_their_order_however_many_there_are() {
        let (one, other) = UnixStream::pair().expect("a line");
        let counts = [0, 1, PARCEL, PARCEL + 1, 400];
        let sends = tokio::spawn(async move {
            for count in counts {
                let files = (0..count).map(|nth| {
                    let mut file = tempfile::tempfile().expect("a file");
                    write!(file, "{nth}").expect("it is written");
                    OwnedFd::from(file)
                });
                let text = "x".repeat(count * 1_000);
                let letter = Letter::new(&(count, text), files.collect());
                send(&one, &letter).await.expect("it is sent");
            }
        });
        for count in counts {
            let received = receive::<(usize, String)>(&other).await.expect("it arrives");
            let ((told, text), files) = received.expect("it is there");
            assert_eq!((told, text.len(), files.len()), (count, count * 1_000, count));
            for (nth, file) in files.into_iter().enumerate() {
                let mut file = std::fs::File::from(file);
                let mut said = String::new();
                file.rewind().expect("it is a file");
                file.read_to_string(&mut said).expect("it can be read");
                assert_eq!(said, nth.to_string());
            }
        }
        sends.await.expect("all is sent");
        assert!(receive::<u8>(&other).await.expect("an end").is_none());
    }

    #[tokio::test]
    async fn what_is_no_message_ends_the_line() {
        let (one, other) = UnixStream::pair().expect("a line");
        one.try_write(b"GET / HTTP/1.1\r\n\r\n").expect("it is sent");
        assert!(receive::<u8>(&other).await.is_err());
    }
}
