//! Passes bytes between a visitor and an instance that do not speak HTTP with each other: WebSockets and plain TCP.

use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::Instance;
use crate::ending::{Part, Phase};
use crate::leave::Guest;
use crate::websocket::{CLOSE_RESTART, Frames};

/// A message of a chat and a page of a database protocol fit; a bound on what a quiet connection holds.
const BUFFER: usize = 8 * 1024;

/// How long a visitor that has been told to go may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Passes bytes after both sides have changed their protocol, until one of them ends it.
pub(crate) async fn upgraded<I>(visitor: Upgraded, instance: I, is_websocket: bool, mut ends: Ends)
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let visitor = TokioIo::new(visitor);
    if is_websocket {
        websocket(visitor, instance, ends).await;
    } else {
        both_ways(visitor, instance, &mut ends.0).await;
    }
}

/// What ends a connection though both of its sides would go on: the end of the edge, and the leave of the instance.
pub(crate) type Ends = (Part, Guest<Arc<Instance>>);

/// Passes bytes on as they are.
pub(crate) async fn raw<V>(visitor: V, instance: TcpStream, mut part: Part)
where
    V: AsyncRead + AsyncWrite + Unpin,
{
    both_ways(visitor, instance, &mut part).await;
}

async fn both_ways<V, I>(mut visitor: V, mut instance: I, part: &mut Part)
where
    V: AsyncRead + AsyncWrite + Unpin,
    I: AsyncRead + AsyncWrite + Unpin,
{
    tokio::select! {
        _ = tokio::io::copy_bidirectional_with_sizes(&mut visitor, &mut instance, BUFFER, BUFFER) => {}
        () = part.reached(Phase::Over) => {}
    }
}

/// Passes frames on. When the edge ends or the instance leaves, the visitor is told 1012 between two frames, and the instance
/// sees the visitor's own goodbye.
async fn websocket<V, I>(visitor: V, instance: I, (mut part, mut guest): Ends)
where
    V: AsyncRead + AsyncWrite,
    I: AsyncRead + AsyncWrite,
{
    let (visitor_reads, mut visitor_writes) = tokio::io::split(visitor);
    let (mut instance_reads, instance_writes) = tokio::io::split(instance);
    let mut from_visitor = std::pin::pin!(pass(visitor_reads, instance_writes));
    let mut frames = Frames::default();
    let mut buffer = [0; BUFFER];
    let mut is_ending = false;
    loop {
        if is_ending && frames.is_between() {
            if !frames.is_closing() && visitor_writes.write_all(&CLOSE_RESTART).await.is_ok() {
                let _ = visitor_writes.flush().await;
                let _ = timeout(GOODBYE, from_visitor).await;
            }
            break;
        }
        let next = if is_ending { Phase::Over } else { Phase::Ending };
        tokio::select! {
            read = instance_reads.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    frames.feed(&buffer[..count]);
                    if visitor_writes.write_all(&buffer[..count]).await.is_err()
                        || visitor_writes.flush().await.is_err() { return; }
                }
            },
            // A WebSocket ends as a whole: neither side goes on when the other has gone.
            () = &mut from_visitor => {
                let rest = tokio::io::copy(&mut instance_reads, &mut visitor_writes);
                let _ = timeout(GOODBYE, rest).await;
                break;
            }
            () = part.reached(next) => {
                if next == Phase::Over { return; }
                is_ending = true;
            }
            () = guest.has_to_go(), if !is_ending => is_ending = true,
        }
    }
    let _ = timeout(GOODBYE, visitor_writes.shutdown()).await;
}

/// Passes one direction on, until it ends or a close frame has passed.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut frames = Frames::default();
    let mut buffer = [0; BUFFER];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        frames.feed(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() || to.flush().await.is_err() {
            return;
        }
        if frames.is_closing() && frames.is_between() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
