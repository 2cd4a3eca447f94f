//! A thousand changes of the table under load: what is lost by them, and when they are seen.

use crate::clock;
use crate::open_loop::{self, Rate};
use crate::pair::percentile;
use crate::peer::{Peer, Proxy, Upstream};
use crate::place::{Place, pause};
use crate::serve::DOMAIN;
use crate::visitor::{request, whole};
use crate::wrk::{self, Load};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const CHANGES: usize = 1_000;

/// Between two changes.
const PAUSE: Duration = Duration::from_millis(5);

/// All changes fall into it, with time to spare on both sides.
const LOADED: u64 = 15;

pub(super) fn measure(place: &Place) -> Result<(), String> {
    let upstreams = [Upstream::start(place, "a")?, Upstream::start(place, "b")?];
    let ports = [upstreams[0].port, upstreams[1].port];
    let mut proxy = Proxy::start(place, Peer::Ours, &ports)?;
    lost(place, &mut proxy)?;
    proxy.group.limit(None)?;
    seen(&mut proxy)
}

/// Instances, components and routes come and go while `wrk`, which repeats nothing, asks as fast as it is answered.
fn lost(place: &Place, proxy: &mut Proxy) -> Result<(), String> {
    let load = Load {
        seconds: LOADED,
        ..Load::PLAIN
    };
    let mut command = wrk::command(place, proxy, load, &wrk::names(proxy.targets))?;
    let loaded = command.spawn().map_err(|why| format!("wrk: {why}"))?;
    let began = std::time::Instant::now();
    let mut took = Vec::new();
    for turn in 1..=CHANGES {
        let nanoseconds: f64 = proxy
            .process
            .ask(&format!("commit {turn}"))?
            .parse()
            .unwrap_or(f64::NAN);
        took.push(nanoseconds / 1e6);
        pause(PAUSE);
    }
    let changing = began.elapsed();
    let output = loaded.wait_with_output().map_err(|why| format!("wrk: {why}"))?;
    let done = wrk::read(&output)?;
    if changing > Duration::from_secs(LOADED) {
        return Err(format!("the changes took {changing:?}, longer than the load"));
    }
    took.sort_by(f64::total_cmp);
    println!(
        "| {CHANGES} changes in {:.1} s | requests | connections lost | refused | ms to set, p50 | p99 |",
        changing.as_secs_f64()
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    println!(
        "| ours | {} | {} | {} | {:.2} | {:.2} |",
        done.requests,
        done.lost,
        done.refused,
        percentile(&took, 50.0),
        percentile(&took, 99.0)
    );
    Ok(())
}

/// What came back for a target, by the clock that all processes share.
struct Answer {
    at: Duration,
    by_second: bool,
}

/// A target is moved to and fro, while one connection asks for it without a pause and others at a fixed rate.
fn seen(proxy: &mut Proxy) -> Result<(), String> {
    let over = AtomicBool::new(false);
    let host = wrk::names(proxy.targets).remove(0);
    let port = proxy.http;
    std::thread::scope(|scope| {
        let loaded = scope.spawn(|| {
            let request = request(&host, "/");
            while !over.load(Ordering::Relaxed) {
                let rate = Rate {
                    port,
                    request: &request,
                    each_second: 5_000,
                    connections: 32,
                    lasts: Duration::from_millis(500),
                };
                let timed = open_loop::run(&rate)?;
                if timed.lost > 0 {
                    return Err(format!("{} requests at a fixed rate were lost", timed.lost));
                }
            }
            Ok(())
        });
        let asked = scope.spawn(|| probe(port, &over));
        let moved = moves(proxy);
        over.store(true, Ordering::Relaxed);
        let failed = |_| "a thread has ended badly".to_owned();
        loaded.join().map_err(failed)??;
        let answers = asked
            .join()
            .map_err(failed)?
            .map_err(|why| format!("the probe: {why}"))?;
        print(&moved?, &answers);
        Ok(())
    })
}

/// When each move began.
fn moves(proxy: &mut Proxy) -> Result<Vec<Duration>, String> {
    (1..=CHANGES)
        .map(|turn| {
            pause(PAUSE);
            let began = proxy.process.ask(&format!("point {turn}"))?;
            Ok(Duration::from_nanos(began.parse().unwrap_or_default()))
        })
        .collect()
}

fn probe(port: u16, over: &AtomicBool) -> std::io::Result<Vec<Answer>> {
    let request = request(&format!("probe.{DOMAIN}"), "/");
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let mut answers = Vec::new();
    let mut read = vec![0; 8_192];
    while !over.load(Ordering::Relaxed) {
        stream.write_all(&request)?;
        let mut has = 0;
        while whole(&read[..has]).is_none() {
            match stream.read(&mut read[has..])? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                count => has += count,
            }
        }
        answers.push(Answer {
            at: clock::since_epoch(),
            by_second: read[..has].windows(13).any(|part| part == b"x-upstream: b"),
        });
    }
    Ok(answers)
}

fn print(moved: &[Duration], answers: &[Answer]) {
    let mut seen: Vec<f64> = Vec::new();
    let mut from = 0;
    for (turn, began) in (1_usize..).zip(moved) {
        let by_second = turn % 2 == 1;
        while answers.get(from).is_some_and(|answer| answer.at < *began) {
            from += 1;
        }
        let first = answers[from..]
            .iter()
            .find(|answer| answer.by_second == by_second);
        if let Some(first) = first {
            seen.push((first.at - *began).as_secs_f64() * 1e3);
        }
    }
    seen.sort_by(f64::total_cmp);
    println!(
        "\n| ms from a change to the first answer that shows it, at 5,000 requests a second | p50 | p99 | most |"
    );
    println!("| --- | ---: | ---: | ---: |");
    println!(
        "| ours, {} of {} | {:.2} | {:.2} | {:.2} |",
        seen.len(),
        moved.len(),
        percentile(&seen, 50.0),
        percentile(&seen, 99.0),
        percentile(&seen, 100.0)
    );
}
