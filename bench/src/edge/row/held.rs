//! Thousands of requests at once to a target that sleeps.

use crate::pair::percentile;
use crate::peer::{Peer, Proxy, Upstream};
use crate::place::Place;
use crate::serve::{DOMAIN, STARTS_IN};
use crate::visitor;
use std::time::{Duration, Instant};

const REQUESTS: usize = 5_000;

/// Nobody waits for longer here; the edge itself gives up after as long.
const BOUND: Duration = Duration::from_secs(30);

pub(super) fn measure(place: &Place) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let mut proxy = Proxy::start(place, Peer::Ours, &[upstream.port])?;
    proxy.group.limit(None)?;
    let mut seen = visitor::runtime()?.block_on(all_at_once(&proxy))?;
    let starts = proxy.process.ask("wanted")?;
    let well = seen.iter().filter(|(status, _)| *status == Some(200)).count();
    let refused = seen
        .iter()
        .filter(|(status, _)| matches!(status, Some(503)))
        .count();
    seen.retain(|(status, _)| *status == Some(200));
    let mut times: Vec<f64> = seen.iter().map(|(_, took)| took.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    println!(
        "| of {REQUESTS} requests | 200 | 503 | lost | starts | ms p50 | p99 | above one start of {} ms |",
        STARTS_IN.as_millis()
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let slowest = percentile(&times, 99.0);
    println!(
        "| ours | {well} | {refused} | {} | {starts} | {:.0} | {slowest:.0} | {:+.0} |",
        REQUESTS - well - refused,
        percentile(&times, 50.0),
        slowest - STARTS_IN.as_secs_f64() * 1e3
    );
    Ok(())
}

type Answer = (Option<u16>, Duration);

async fn all_at_once(proxy: &Proxy) -> Result<Vec<Answer>, String> {
    let request: &[u8] = visitor::request(&format!("sleeper.{DOMAIN}"), "/").leak();
    let mut open = Vec::new();
    for _ in 0..REQUESTS {
        open.push(
            visitor::plain(proxy.http)
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
