//! Far more than can be carried, while thousands of visitors send and read as slowly as they can.
//!
//! What cannot carry more is the upstream: it has eight workers. The edge finds out how much that is, or is told to send nobody away
//! (`shed = false`). An edge that is short of a processor itself cannot send anybody away in time, whatever it does; that is shown last.
//! The slow ones send a letter of their head every second, or ask for a megabyte and read a little of it. What they cost is shown once
//! more where all of them read nothing: private memory, and what the system holds for all sockets of the machine, theirs too.
//!
//! What comes while it is found out is a row of its own.

use crate::open_loop::{self, Rate, Timed};
use crate::pair::percentile;
use crate::peer::{Peer, Proxy, Upstream};
use crate::place::{Place, pause};
use crate::serve::{DOMAIN, NARROW, STRICT};
use crate::upstream;
use crate::visitor::request;
use crate::wrk;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// As many as may be connected at once, less those that ask fast.
const VISITORS: usize = 9_000;

/// Part of a core that is too little for anything.
const SMALL: f64 = 0.1;

const LASTS: Duration = Duration::from_secs(4);

/// It is found out within this time how much is too much.
const FOUND_OUT: Duration = Duration::from_secs(20);

/// Connections of those that ask fast: more than may wait.
const FAST: usize = 512;
const MANY: usize = 2_000;

pub(super) fn measure(place: &Place) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let narrow = Upstream::start(place, upstream::NARROW)?;
    let proxy = Proxy::start(place, Peer::Ours, &[upstream.port, narrow.port])?;
    proxy.group.limit(None)?;
    let carries = (upstream::WORKERS as f64 / upstream::BUSY.as_secs_f64()) as u32;
    println!(
        "| ours | asked a second | 200 | 503 | lost | never sent | ms p50 of 200 | p99 | ms p50 of 503 | p99 | memory, MiB | sockets, MiB |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let strict = format!("{STRICT}.{DOMAIN}");
    print(
        &proxy,
        "a third of what it can",
        &ask(&proxy, &strict, carries / 3, FAST)?,
    );
    let narrow = format!("{NARROW}.{DOMAIN}");
    ask(&proxy, &narrow, carries * 10, MANY)?;
    let loaded = ask(&proxy, &narrow, carries * 10, MANY)?;
    print(&proxy, "ten times, `shed = false`", &loaded);
    let first = ask_for(&proxy, &strict, carries * 10, (MANY, FOUND_OUT))?;
    print(
        &proxy,
        &format!("ten times, the first {} s", FOUND_OUT.as_secs()),
        &first,
    );
    let loaded = ask(&proxy, &strict, carries * 10, MANY)?;
    print(&proxy, "ten times, after that", &loaded);
    let over = AtomicBool::new(false);
    let mut visitors = arrive(proxy.http, |turn| turn.is_multiple_of(2))?;
    std::thread::scope(|scope| {
        let dripping = scope.spawn(|| drip(&mut visitors, &over));
        pause(Duration::from_secs(1));
        let _ = ask_for(&proxy, &strict, carries * 10, (FAST, FOUND_OUT));
        let loaded = ask(&proxy, &strict, carries * 10, FAST);
        over.store(true, Ordering::Relaxed);
        let cut = dripping
            .join()
            .map_err(|_| "a thread has ended badly".to_owned())?;
        let name = format!("ten times, and {VISITORS} slow visitors, {cut} of them cut off");
        print(&proxy, &name, &loaded?);
        Ok::<(), String>(())
    })?;
    drop(visitors);
    let visitors = arrive(proxy.http, |_| true)?;
    pause(LASTS);
    let loaded = ask(&proxy, &strict, carries / 3, FAST)?;
    print(
        &proxy,
        &format!("a third, and {VISITORS} who read nothing"),
        &loaded,
    );
    drop(visitors);
    proxy.group.limit(Some(SMALL))?;
    let (capacity, busy) = (capacity(place, &proxy)?, wrk::names(proxy.targets)[0].clone());
    let loaded = ask(&proxy, &busy, capacity * 10, FAST)?;
    print(&proxy, &format!("ten times, {SMALL} of a core"), &loaded);
    Ok(())
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

fn ask(proxy: &Proxy, name: &str, each_second: u32, connections: usize) -> Result<(u32, Timed), String> {
    ask_for(proxy, name, each_second, (connections, LASTS))
}

fn ask_for(
    proxy: &Proxy,
    name: &str,
    each_second: u32,
    (connections, lasts): (usize, Duration),
) -> Result<(u32, Timed), String> {
    let timed = open_loop::run(&Rate {
        port: proxy.http,
        request: &request(name, "/"),
        each_second,
        connections,
        lasts,
    })?;
    Ok((each_second, timed))
}

fn print(proxy: &Proxy, name: &str, (each_second, timed): &(u32, Timed)) {
    println!(
        "| {name} | {each_second} | {} | {} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {} | {} |",
        timed.well.len(),
        timed.refused.len(),
        timed.lost,
        timed.unsent,
        percentile(&timed.well, 50.0) / 1e3,
        percentile(&timed.well, 99.0) / 1e3,
        percentile(&timed.refused, 50.0) / 1e3,
        percentile(&timed.refused, 99.0) / 1e3,
        proxy.group.memory() / 1024,
        sockets().map_or_else(|| "?".to_owned(), |pages| (pages * 4 / 1024).to_string())
    );
}

/// Pages that the system holds for all connections.
fn sockets() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/net/sockstat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("TCP: "))?;
    let mut words = line.split(' ').skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

/// Some read, the others write.
fn arrive(port: u16, reads: impl Fn(usize) -> bool) -> Result<Vec<TcpStream>, String> {
    let large = request(&format!("static.{DOMAIN}"), "/large.bin");
    let arrive = |turn: usize| {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        if reads(turn) {
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
