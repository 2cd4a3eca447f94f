//! Thousands of requests at once to a target that sleeps, and one to each of some others.
//!
//! Whoever asks, the edge and the instance share the processors of one machine, so the same crowd asks the instance itself and an edge in
//! front of one that is awake first: what is more than that is what waking adds.

use crate::clock;
use crate::pair::percentile;
use crate::peer::{Peer, Proxy, Upstream};
use crate::place::Place;
use crate::serve::{DOMAIN, SLEEPER, SLEEPERS, STARTS_IN};
use crate::visitor;
use crate::wrk;
use std::time::{Duration, Instant};

const REQUESTS: usize = 5_000;

/// Nobody waits for longer here; the edge itself gives up after as long.
const BOUND: Duration = Duration::from_secs(30);

pub(super) fn measure(place: &Place) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let mut proxy = Proxy::start(place, Peer::Ours, &[upstream.port])?;
    proxy.group.limit(None)?;
    let runtime = visitor::runtime()?;
    println!(
        "| {REQUESTS} requests at once | 200 | 503 | lost | starts | ms p50 | p99 | above one start of {} ms | ms of processor time of ours |",
        STARTS_IN.as_millis()
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let direct = runtime.block_on(all_at_once(upstream.port, "localhost"))?;
    print("the instance itself, awake", direct, None, "");
    let busy = wrk::names(proxy.targets).remove(0);
    let used = proxy.group.used()?;
    let awake = runtime.block_on(all_at_once(proxy.http, &busy))?;
    let took = proxy.group.used()? - used;
    print("ours, awake", awake, None, &took.as_millis().to_string());
    let used = proxy.group.used()?;
    let asleep = runtime.block_on(all_at_once(proxy.http, &format!("{SLEEPER}.{DOMAIN}")))?;
    let took = proxy.group.used()? - used;
    let starts = proxy.process.ask("wanted")?;
    print(
        "ours, asleep",
        asleep,
        Some(&starts),
        &took.as_millis().to_string(),
    );
    let mut firsts = Vec::new();
    for turn in 0..SLEEPERS {
        let name = format!("{SLEEPER}-{turn}");
        let answered = runtime.block_on(first(proxy.http, &name))?;
        let ready = proxy.process.ask(&format!("woken {name}"))?;
        let ready = Duration::from_nanos(ready.parse().unwrap_or_default());
        firsts.push(answered.saturating_sub(ready).as_secs_f64() * 1e3);
    }
    firsts.sort_by(f64::total_cmp);
    println!(
        "\n| ms from when a program is ready to the answer of the one request that woke it | p50 | most |"
    );
    println!("| --- | ---: | ---: |");
    println!(
        "| ours, {SLEEPERS} targets | {:.2} | {:.2} |",
        percentile(&firsts, 50.0),
        percentile(&firsts, 100.0)
    );
    Ok(())
}

fn print(name: &str, mut seen: Vec<Answer>, starts: Option<&str>, used: &str) {
    let well = seen.iter().filter(|(status, _)| *status == Some(200)).count();
    let refused = seen.iter().filter(|(status, _)| *status == Some(503)).count();
    seen.retain(|(status, _)| *status == Some(200));
    let mut times: Vec<f64> = seen.iter().map(|(_, took)| took.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let slowest = percentile(&times, 99.0);
    let above = starts.map(|_| format!("{:+.0}", slowest - STARTS_IN.as_secs_f64() * 1e3));
    println!(
        "| {name} | {well} | {refused} | {} | {} | {:.0} | {slowest:.0} | {} | {used} |",
        REQUESTS - well - refused,
        starts.unwrap_or_default(),
        percentile(&times, 50.0),
        above.unwrap_or_default()
    );
}

/// When the one request for a target was answered.
async fn first(port: u16, name: &str) -> Result<Duration, String> {
    let request = visitor::request(&format!("{name}.{DOMAIN}"), "/");
    let failed = |why: std::io::Error| format!("{name}: {why}");
    let mut stream = visitor::plain(port).await.map_err(failed)?;
    let asked = tokio::time::timeout(BOUND, visitor::ask(&mut stream, &request)).await;
    match asked.map_err(|why| why.to_string())?.map_err(failed)? {
        200 => Ok(clock::since_epoch()),
        status => Err(format!("{name}: {status}")),
    }
}

type Answer = (Option<u16>, Duration);

async fn all_at_once(port: u16, host: &str) -> Result<Vec<Answer>, String> {
    let request: &[u8] = visitor::request(host, "/").leak();
    let mut open = Vec::new();
    for _ in 0..REQUESTS {
        open.push(
            visitor::plain(port)
                .await
                .map_err(|why| format!("a connection: {why}"))?,
        );
    }
    let began = Instant::now();
    let asked: Vec<_> = open
        .into_iter()
        .map(|mut stream| {
            tokio::spawn(async move {
                let answered = tokio::time::timeout(BOUND, visitor::ask(&mut stream, request)).await;
                let status = answered.ok().and_then(Result::ok);
                (status, began.elapsed())
            })
        })
        .collect();
    let mut seen = Vec::new();
    for one in asked {
        seen.push(one.await.map_err(|why| why.to_string())?);
    }
    Ok(seen)
}
