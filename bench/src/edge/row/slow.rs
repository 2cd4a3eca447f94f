//! Far more than can be carried, while thousands of visitors send and read as slowly as they can.
//!
//! Ten times its capacity is more than this machine can ask for, so the edge gets a tenth of a processor. The slow ones
//! send a letter of their head every second, or ask for a megabyte and read a little of it.

use crate::open_loop::{self, Rate, Timed};
use crate::pair::percentile;
use crate::peer::{Peer, Proxy, Upstream};
use crate::place::{Place, pause};
use crate::serve::DOMAIN;
use crate::visitor::request;
use crate::wrk;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// As many as may be connected at once, less those that ask fast.
const VISITORS: usize = 9_000;

const SMALL: f64 = 0.1;

const LASTS: Duration = Duration::from_secs(4);

/// Connections of those that ask fast.
const FAST: usize = 512;

pub(super) fn measure(place: &Place) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let proxy = Proxy::start(place, Peer::Ours, &[upstream.port])?;
    proxy.group.limit(Some(SMALL))?;
    let capacity = capacity(place, &proxy)?;
    println!(
        "| ours, {SMALL} of a core | asked a second | 200 | 503 | lost | never sent | ms p50 of 200 | p99 | ms p50 of 503 | memory, MiB |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let quiet = ask(&proxy, capacity / 3)?;
    print(&proxy, "a third of what it can", capacity / 3, &quiet);
    let loaded = ask(&proxy, capacity * 10)?;
    print(&proxy, "ten times", capacity * 10, &loaded);
    proxy.group.limit(None)?;
    let over = AtomicBool::new(false);
    let mut visitors = arrive(proxy.http)?;
    proxy.group.limit(Some(SMALL))?;
    std::thread::scope(|scope| {
        let dripping = scope.spawn(|| drip(&mut visitors, &over));
        pause(Duration::from_secs(1));
        let loaded = ask(&proxy, capacity * 10);
        over.store(true, Ordering::Relaxed);
        let cut = dripping
            .join()
            .map_err(|_| "a thread has ended badly".to_owned())?;
        let name = format!("ten times, and {VISITORS} slow visitors, {cut} of them cut off");
        print(&proxy, &name, capacity * 10, &loaded?);
        Ok(())
    })
}

/// What it carries when it is asked for as much as it can.
fn capacity(place: &Place, proxy: &Proxy) -> Result<u32, String> {
    let load = wrk::Load {
        seconds: 3,
        ..wrk::Load::PLAIN
    };
    let done = wrk::run(place, proxy, load)?;
    Ok((done.requests as f64 / done.seconds) as u32)
}

fn ask(proxy: &Proxy, each_second: u32) -> Result<Timed, String> {
    open_loop::run(&Rate {
        port: proxy.http,
        request: &request(&wrk::names(proxy.targets)[0], "/"),
        each_second,
        connections: FAST,
        lasts: LASTS,
    })
}

fn print(proxy: &Proxy, name: &str, each_second: u32, timed: &Timed) {
    println!(
        "| {name} | {each_second} | {} | {} | {} | {} | {:.1} | {:.1} | {:.1} | {} |",
        timed.well.len(),
        timed.refused.len(),
        timed.lost,
        timed.unsent,
        percentile(&timed.well, 50.0) / 1e3,
        percentile(&timed.well, 99.0) / 1e3,
        percentile(&timed.refused, 50.0) / 1e3,
        proxy.group.memory() / 1024
    );
}

/// Every second one reads, the others write.
fn arrive(port: u16) -> Result<Vec<TcpStream>, String> {
    let large = request(&format!("static.{DOMAIN}"), "/large.bin");
    let arrive = |turn: usize| {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        if turn.is_multiple_of(2) {
            stream.write_all(&large)?;
        }
        stream.set_nonblocking(true)?;
        Ok(stream)
    };
    let all: std::io::Result<Vec<TcpStream>> = (0..VISITORS).map(arrive).collect();
    all.map_err(|why| format!("a slow visitor: {why}"))
}

/// Sends and reads a little every second, and says how many were cut off.
fn drip(visitors: &mut [TcpStream], over: &AtomicBool) -> usize {
    let mut cut = vec![false; visitors.len()];
    let mut little = [0; 64];
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        for (turn, stream) in visitors.iter_mut().enumerate() {
            let done = if turn.is_multiple_of(2) {
                stream.read(&mut little)
            } else {
                stream.write(b"G")
            };
            cut[turn] |= match done {
                Ok(count) => count == 0,
                Err(why) => why.kind() != std::io::ErrorKind::WouldBlock,
            };
        }
        while began.elapsed() < Duration::from_secs(1) && !over.load(Ordering::Relaxed) {
            pause(Duration::from_millis(20));
        }
    }
    cut.iter().filter(|cut| **cut).count()
}
