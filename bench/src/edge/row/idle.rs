//! The memory of connections on which nothing happens any more, in a process that has had no others.

use crate::peer::{ALL, Peer, Proxy, Upstream};
use crate::place::Place;
use crate::visitor::{self, Stream};

use std::time::Duration;

const CONNECTIONS: usize = 2_000;

/// Handshakes and requests before it is looked at for the first time: what everybody needs once.
const BEFORE: usize = 20;

pub(super) fn measure(place: &Place) -> Result<(), String> {
    println!("| KiB a connection, of {CONNECTIONS} that had one request each | plain | TLS |");
    println!("| --- | ---: | ---: |");
    let upstream = Upstream::start(place, "a")?;
    for peer in ALL {
        let plain = one(place, peer, &upstream, false)?;
        let secure = one(place, peer, &upstream, true)?;
        println!("| {} | {plain:.1} | {secure:.1} |", peer.name());
    }
    Ok(())
}

fn one(place: &Place, peer: Peer, upstream: &Upstream, is_secure: bool) -> Result<f64, String> {
    let proxy = Proxy::start(place, peer, &[upstream.port])?;
    proxy.group.limit(None)?;
    let runtime = visitor::runtime()?;
    let mut open = runtime.block_on(connections(place, &proxy, is_secure, BEFORE))?;
    let before = proxy.group.memory();
    open.extend(runtime.block_on(connections(place, &proxy, is_secure, CONNECTIONS))?);
    // What a proxy gives back when nothing happens, it gives back within this time.
    std::thread::sleep(Duration::from_secs(3));
    let after = proxy.group.memory();
    drop(open);
    Ok(after.saturating_sub(before) as f64 / CONNECTIONS as f64)
}

async fn connections(
    place: &Place,
    proxy: &Proxy,
    is_secure: bool,
    count: usize,
) -> Result<Vec<Box<dyn Stream>>, String> {
    let connector = visitor::connector(place)?;
    let request = visitor::request(&crate::wrk::names(1)[0], "/");
    let mut open: Vec<Box<dyn Stream>> = Vec::new();
    for _ in 0..count {
        let stream: std::io::Result<Box<dyn Stream>> = if is_secure {
            visitor::secure(proxy.https, &connector)
                .await
                .map(|stream| Box::new(stream) as _)
        } else {
            visitor::plain(proxy.http)
                .await
                .map(|stream| Box::new(stream) as _)
        };
        let mut stream = stream.map_err(|why| format!("{}: {why}", proxy.name))?;
        match visitor::ask(&mut *stream, &request).await {
            Ok(200) => open.push(stream),
            other => return Err(format!("{}: {other:?}", proxy.name)),
        }
    }
    Ok(open)
}
