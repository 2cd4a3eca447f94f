//! What a request costs: the processor time that the scheduler counts, shared among the requests that were answered.

use crate::handshake;
use crate::http_two;
use crate::pair::{median, ratio};
use crate::peer::{ALL, Peer, Proxy, Table, Upstream};
use crate::place::Place;
use crate::wrk::{self, Load};

/// How many requests were answered within a round.
type Ask = fn(&Place, &Proxy) -> Result<u64, String>;

pub(super) fn keep_alive(place: &Place) -> Result<(), String> {
    beside_peers(place, &ALL, |place, proxy| by_wrk(place, proxy, Load::PLAIN))
}

pub(super) fn tls(place: &Place) -> Result<(), String> {
    let ask: Ask = |place, proxy| {
        let load = Load {
            secure: true,
            ..Load::PLAIN
        };
        by_wrk(place, proxy, load)
    };
    beside_peers(place, &ALL, ask)
}

pub(super) fn handshake(place: &Place) -> Result<(), String> {
    beside_peers(place, &ALL, handshake::run)
}

pub(super) fn connect(place: &Place) -> Result<(), String> {
    let ask: Ask = |place, proxy| {
        let load = Load {
            close: true,
            ..Load::PLAIN
        };
        by_wrk(place, proxy, load)
    };
    beside_peers(place, &ALL, ask)
}

pub(super) fn http_two(place: &Place) -> Result<(), String> {
    beside_peers(place, &ALL, |place, proxy| http_two::run(place, proxy, 1))
}

pub(super) fn everything(place: &Place) -> Result<(), String> {
    of_ours(place, ("everything on", Table::FULL), ("nothing on", Table::BARE))
}

pub(super) fn routes(place: &Place) -> Result<(), String> {
    let of = |targets| Table {
        targets,
        ..Table::FULL
    };
    of_ours(place, ("10,000 targets", of(10_000)), ("10 targets", of(10)))
}

pub(super) fn instances(place: &Place) -> Result<(), String> {
    let of = |instances| Table {
        targets: 1,
        instances,
        everything: true,
    };
    of_ours(place, ("10,000 instances", of(10_000)), ("10 instances", of(10)))
}

pub(super) fn files(place: &Place) -> Result<(), String> {
    let peers = [Peer::Ours, Peer::Nginx, Peer::Caddy];
    println!("10 KB:\n");
    beside_peers(place, &peers, |place, proxy| file(place, proxy, "ten.bin"))?;
    println!("\n1 MB:\n");
    beside_peers(place, &peers, |place, proxy| file(place, proxy, "large.bin"))
}

/// Asks for everything that is measured here, each for a while: what a release is compiled for.
pub(crate) fn train(place: &Place) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let proxy = Proxy::start(place, Peer::Ours, &[upstream.port])?;
    for (secure, close) in [(false, false), (true, false), (false, true)] {
        let load = Load {
            secure,
            close,
            seconds: 5,
            ..Load::PLAIN
        };
        by_wrk(place, &proxy, load)?;
    }
    http_two::run(place, &proxy, 5)?;
    handshake::run(place, &proxy)?;
    for _ in 0..3 {
        file(place, &proxy, "ten.bin")?;
    }
    file(place, &proxy, "large.bin")?;
    // What was counted is written down at the end of the process.
    proxy.process.leave()
}

fn file(place: &Place, proxy: &Proxy, name: &str) -> Result<u64, String> {
    let ours = proxy.targets > 1;
    let path = if ours {
        format!("/{name}")
    } else {
        format!("/site/{name}")
    };
    let load = Load {
        path: &path,
        connections: 16,
        ..Load::PLAIN
    };
    let hosts = [format!("static.{}", crate::serve::DOMAIN)];
    let mut command = wrk::command(place, proxy, load, &hosts)?;
    let output = command.output().map_err(|why| format!("wrk: {why}"))?;
    sound(wrk::read(&output)?)
}

fn by_wrk(place: &Place, proxy: &Proxy, load: Load<'_>) -> Result<u64, String> {
    sound(wrk::run(place, proxy, load)?)
}

/// The requests of a round in which nothing went wrong.
fn sound(done: wrk::Done) -> Result<u64, String> {
    if done.refused > 0 || done.lost > 0 || done.requests == 0 {
        return Err(format!("{done:?}"));
    }
    Ok(done.requests)
}

fn beside_peers(place: &Place, peers: &[Peer], ask: Ask) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let proxies: Result<Vec<Proxy>, String> = peers
        .iter()
        .map(|peer| Proxy::start(place, *peer, &[upstream.port]))
        .collect();
    measure(place, &proxies?, ask)
}

/// One table of ours beside another.
fn of_ours(place: &Place, one: (&str, Table), other: (&str, Table)) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let start = |(name, table)| Proxy::ours(place, name, table, &[upstream.port]);
    let proxies = [start(one)?, start(other)?];
    measure(place, &proxies, |place, proxy| by_wrk(place, proxy, Load::PLAIN))
}

#[derive(Debug, Default, Clone)]
struct Seen {
    microseconds: Vec<f64>,
    rates: Vec<f64>,
}

/// Asks all of them in turn, in the other order each round, and prints what a request took. A round before the first one is
/// not counted: connections are opened in it, and memory is found.
fn measure(place: &Place, proxies: &[Proxy], ask: Ask) -> Result<(), String> {
    let mut seen = vec![Seen::default(); proxies.len()];
    for round in 0..=place.rounds {
        let mut order: Vec<usize> = (0..proxies.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let proxy = &proxies[at];
            let (before, began) = (proxy.group.used()?, std::time::Instant::now());
            let requests = ask(place, proxy).map_err(|why| format!("{}: {why}", proxy.name))? as f64;
            let (used, took) = (proxy.group.used()? - before, began.elapsed());
            if round > 0 {
                seen[at].microseconds.push(used.as_secs_f64() * 1e6 / requests);
                seen[at].rates.push(requests / took.as_secs_f64());
            }
        }
    }
    print(proxies, &seen);
    Ok(())
}

fn print(proxies: &[Proxy], seen: &[Seen]) {
    println!(
        "| | us of CPU a request | requests a second | ours / it | half of the rounds | a core carries, of it |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let ours = &seen[0];
    for (proxy, it) in proxies.iter().zip(seen) {
        let ratio = ratio(&ours.microseconds, &it.microseconds);
        println!(
            "| {} | {:.1} | {:.0} | {:.2} | {:.2} to {:.2} | {:.1}x |",
            proxy.name,
            median(it.microseconds.clone()),
            median(it.rates.clone()),
            ratio.median,
            ratio.low,
            ratio.high,
            1.0 / ratio.median
        );
    }
}
