//! Taking connections: from the machine's own socket, and over TLS from elsewhere, so many and for so long at most.

use crate::desk::{Desk, From};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// So many connections are open at once over TLS, and so many of one address: people and pipelines ask, and visitors never do.
const MOST: usize = 512;
const MOST_OF_ONE: usize = 64;

/// So many of this machine's own socket.
const MOST_HERE: usize = 512;

/// How long a handshake may take, and the head of a question.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest head, in bytes and in headers.
const LONGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// When the system has no descriptor left, a connection has to end before another one begins.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// How often the files of a certificate are looked at.
const LOOKS: Duration = Duration::from_secs(30);

/// Answers whoever comes through the machine's own socket.
pub(crate) async fn here(desk: Arc<Desk>, listener: UnixListener) {
    let seats = Arc::new(Semaphore::new(MOST_HERE));
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(NO_DESCRIPTOR).await;
            continue;
        };
        let Ok(user) = stream.peer_cred().map(|peer| peer.uid()) else {
            continue;
        };
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            converse(desk, stream, From::Here(user)).await;
            drop(seat);
        });
    }
}

/// Answers whoever comes over TLS.
pub(crate) async fn afar(desk: Arc<Desk>, listener: TcpListener) {
    let seats = Arc::new(Semaphore::new(MOST));
    let crowd = Arc::new(Crowd::default());
    tokio::spawn(look_at_files(Arc::clone(&desk)));
    loop {
        // Further connections wait in the queue of the system while there is no seat.
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            return;
        };
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(NO_DESCRIPTOR).await;
            continue;
        };
        let from = from.ip().to_canonical();
        let Some(held) = Crowd::hold(&crowd, from) else {
            continue;
        };
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            greet(desk, stream, from).await;
            drop((seat, held));
        });
    }
}

async fn greet(desk: Arc<Desk>, stream: TcpStream, from: IpAddr) {
    // An event is short, and somebody waits for it.
    let _ = stream.set_nodelay(true);
    let acceptor = TlsAcceptor::from(desk.identity.config());
    // Whoever does not greet us in time, or does so wrongly, has come to the wrong place.
    if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
        converse(desk, stream, From::Afar(from)).await;
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    desk: Arc<Desk>,
    stream: S,
    from: From,
) {
    let service = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(from, request).await) }
    });
    // A client that goes away in the middle is no concern of ours.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Looks whether a certificate that comes from elsewhere was renewed.
async fn look_at_files(desk: Arc<Desk>) {
    let mut told = None;
    loop {
        tokio::time::sleep(LOOKS).await;
        let looking = Arc::clone(&desk);
        let Ok(looked) = tokio::task::spawn_blocking(move || looking.identity.look()).await else {
            continue;
        };
        match looked {
            Ok(None) => {}
            Ok(Some(other_key)) => {
                told = None;
                desk.outside.tell("the certificate was renewed, and is shown");
                if other_key {
                    let text = "its key is another one: tokens that were made before do not know it";
                    desk.outside.tell(text);
                }
            }
            Err(error) => {
                let text = format!("{}; the one before is shown", crate::told(&error));
                if told.replace(text.clone()).is_none_or(|before| before != text) {
                    desk.outside.tell(&text);
                }
            }
        }
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// One of them.
struct Held {
    crowd: Arc<Crowd>,
    from: IpAddr,
}

impl Crowd {
    fn hold(crowd: &Arc<Crowd>, from: IpAddr) -> Option<Held> {
        let mut open = crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(from).or_default();
        if *count >= MOST_OF_ONE {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Held {
            crowd: Arc::clone(crowd),
            from,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_others_have_theirs() {
        let crowd = Arc::new(Crowd::default());
        let at = |text: &str| text.parse::<IpAddr>().expect("it is an address");
        let mut held: Vec<Held> = (0..MOST_OF_ONE)
            .map(|_| Crowd::hold(&crowd, at("192.0.2.1")).expect("there is room"))
            .collect();
        assert!(Crowd::hold(&crowd, at("192.0.2.1")).is_none());
        assert!(Crowd::hold(&crowd, at("192.0.2.2")).is_some());
        held.pop();
        assert!(Crowd::hold(&crowd, at("192.0.2.1")).is_some());
        held.clear();
        assert!(crowd.0.lock().expect("it is not held").is_empty());
    }
}
