//! Thousands of WebSockets through a deploy: nobody is cut off without a word, and they come back one by one.
//!
//! `TOWPATH_TEST_WEBSOCKETS` says how many, where it is to be more than every run can have.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an edge of its own process, and how many are wished for"
)]

#[path = "kit/child.rs"]
mod child;
mod kit;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use child::Apart;
use kit::{BOUND, host};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::unbounded_channel;

/// How many there are in every run.
const USUAL: usize = 2_000;

/// The last third of it is what they go in.
const DRAIN: Duration = Duration::from_secs(6);

/// So many come from one address, which has no more ports than a machine gives.
const OF_ONE: usize = 2_000;

/// 1012, in a frame without a mask.
const RESTART: [u8; 4] = [0x88, 2, 0x03, 0xF4];

#[tokio::test(flavor = "multi_thread")]
async fn plays_the_edge() {
    child::plays().await;
}

/// An instance that takes every WebSocket, says back what it is told, and counts those that are open.
async fn echoes(name: u8) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener: TcpListener = socket.listen(4_096).expect("it listens");
    let at = listener.local_addr().expect("an address");
    let open = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&open);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counts = Arc::clone(&counts);
            tokio::spawn(async move {
                let mut came = Vec::new();
                while !came.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut came).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let answer =
                    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
                // Which one it is, as a message of one byte.
                let first = [0x82, 1, name];
                if stream.write_all(&[&answer[..], &first].concat()).await.is_err() {
                    return;
                }
                counts.fetch_add(1, Ordering::SeqCst);
                let mut room = [0; 64];
                while stream.read(&mut room).await.unwrap_or(0) > 0 {}
                counts.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (at, open)
}

/// A WebSocket, and the name of the instance at its other end.
async fn open(number: usize, port: u16) -> (TcpStream, u8) {
    let socket = TcpSocket::new_v4().expect("a descriptor");
    let from = u8::try_from(2 + number / OF_ONE).expect("not so many");
    socket
        .bind(([127, 0, 0, from], 0).into())
        .expect("an address of this machine");
    let mut stream = socket
        .connect(([127, 0, 0, 1], port).into())
        .await
        .expect("it listens");
    let asked = format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        host("web")
    );
    stream.write_all(asked.as_bytes()).await.expect("it is sent");
    let mut came = Vec::new();
    loop {
        assert!(
            stream.read_buf(&mut came).await.expect("it is open") > 0,
            "it is answered"
        );
        let Some(at) = came.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        assert!(
            came.starts_with(b"HTTP/1.1 101 "),
            "{}",
            String::from_utf8_lossy(&came)
        );
        if let [0x82, 1, name] = came[at + 4..] {
            return (stream, name);
        }
    }
}

/// A visitor: stays until it is told to go, comes back at once, and says when that was, or how else it ended.
async fn stays(mut stream: TcpStream, number: usize, port: u16) -> Result<(Instant, u8, TcpStream), String> {
    let mut came = Vec::new();
    while came.len() < RESTART.len() {
        match stream.read_buf(&mut came).await {
            Ok(1..) => {}
            ended => return Err(format!("it was cut off: {ended:?} behind {came:?}")),
        }
    }
    let at = Instant::now();
    if came != RESTART {
        return Err(format!("{came:?}"));
    }
    // Its own goodbye, with a mask as visitors have one.
    let goodbye = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xF4];
    stream
        .write_all(&goodbye)
        .await
        .map_err(|error| error.to_string())?;
    drop(stream);
    let (stream, name) = open(number, port).await;
    Ok((at, name, stream))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_loses_a_websocket_by_a_deploy_and_they_come_back_one_by_one() {
    let wished = std::env::var("TOWPATH_TEST_WEBSOCKETS").ok();
    let wished = wished.and_then(|count| count.parse().ok()).unwrap_or(USUAL);
    // Here both ends of each are held, and while they come back some more.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let may = usize::try_from(limit.current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let count = wished.min(may.saturating_sub(1_600) / 2);
    if count < wished {
        println!("{count} of {wished}: this process may have {may} descriptors");
    }
    let ((old, old_open), (new, new_open)) = (echoes(b'1').await, echoes(b'2').await);
    let mut edge = Apart::start((2 * count + 1_000).min(may), None).await;
    let mut web = kit::target("web", &[("one", old)], BOUND);
    web.drain = DRAIN;
    edge.set(&web).await;
    let empty = edge.resident();
    let mut visitors = Vec::new();
    for number in 0..count {
        let (stream, name) = open(number, edge.http).await;
        assert_eq!(name, b'1');
        visitors.push(stream);
    }
    let idle = edge.resident();
    let each = (idle - empty) as f64 / count as f64;
    assert_eq!(edge.seen().await.components[0].active as usize, count);
    let (ended, mut ends) = unbounded_channel();
    for (number, stream) in visitors.into_iter().enumerate() {
        let (port, ended) = (edge.http, ended.clone());
        tokio::spawn(async move {
            let _ = ended.send(stays(stream, number, port).await);
        });
    }
    drop(ended);
    let deployed = Instant::now();
    web.answer = kit::target("web", &[("two", new)], BOUND).answer;
    edge.set(&web).await;
    let (mut moments, mut back, mut most) = (Vec::new(), Vec::new(), idle);
    while let Some(end) = tokio::time::timeout(BOUND, ends.recv())
        .await
        .expect("they come back")
    {
        let (at, name, stream) = end.expect("it is told before it ends");
        assert_eq!(name, b'2', "it comes back to the new one");
        moments.push(at.duration_since(deployed));
        back.push(stream);
        if back.len() % 100 == 0 {
            most = most.max(edge.resident());
        }
    }
    assert_eq!(back.len(), count);
    moments.sort_unstable();
    assert!(
        moments[0] >= DRAIN * 6 / 10,
        "{:?}: nobody goes before there is a need",
        moments[0]
    );
    // In a tenth of the time that they go in goes a tenth of them. A machine that has much to do may let some wait a little.
    let tenth = DRAIN / 30;
    let busiest = (0..moments.len()).map(|from| {
        let until = moments[from] + tenth;
        moments[from..].iter().take_while(|at| **at < until).count()
    });
    let busiest = busiest.max().unwrap_or(0);
    println!(
        "{count} WebSockets: {each:.1} KiB each, came back between {:?} and {:?}, in the busiest {tenth:?} {busiest}; \
         {empty} KiB before, {idle} with all, at most {most}",
        moments[0],
        moments[count - 1]
    );
    assert!(busiest <= count / 3, "{busiest} of {count} within {tenth:?}");
    kit::until("the end of the old ones", async || {
        old_open.load(Ordering::SeqCst) == 0
    })
    .await;
    assert_eq!(new_open.load(Ordering::SeqCst), count);
    assert!(each < 64.0, "{each} KiB each");
    // At the worst each has its old one and its new one at once.
    assert!(
        most < idle + (idle - empty) + 8_192,
        "{most} KiB where {idle} were idle"
    );
    assert_eq!(
        edge.seen().await.components[0].active as usize,
        count,
        "nothing is left of the old ones"
    );
    drop(back);
    edge.end().await;
}
