//! What a proxy adds to the time of a request that finds it with little to do.
//!
//! No part of a processor is set here: whoever is stopped for the rest of a period would be measured by that.

use crate::open_loop::{self, Rate};
use crate::pair::{percentile, spread};
use crate::peer::{ALL, Proxy, Upstream};
use crate::place::Place;
use crate::visitor::request;
use std::time::Duration;

const EACH_SECOND: u32 = 5_000;

/// Enough that none waits for another one.
const CONNECTIONS: usize = 32;

const LASTS: Duration = Duration::from_millis(1_500);

pub(super) fn measure(place: &Place) -> Result<(), String> {
    let upstream = Upstream::start(place, "a")?;
    let proxies: Result<Vec<Proxy>, String> = ALL
        .iter()
        .map(|peer| Proxy::start(place, *peer, &[upstream.port]))
        .collect();
    let proxies = proxies?;
    let mut ports = vec![("direct", upstream.port)];
    for proxy in &proxies {
        proxy.group.limit(None)?;
        ports.push((&proxy.name, proxy.http));
    }
    let request = request(&crate::wrk::names(1)[0], "/");
    let mut seen = vec![(Vec::new(), Vec::new()); ports.len()];
    for round in 0..=place.rounds {
        let mut order: Vec<usize> = (0..ports.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let timed = open_loop::run(&Rate {
                port: ports[at].1,
                request: &request,
                each_second: EACH_SECOND,
                connections: CONNECTIONS,
                lasts: LASTS,
            })?;
            let late = timed.unsent.saturating_sub(CONNECTIONS);
            if timed.lost > 0 || late > 0 || !timed.refused.is_empty() {
                return Err(format!(
                    "{}: {} requests were lost, {late} not sent",
                    ports[at].0, timed.lost
                ));
            }
            if round > 0 {
                seen[at].0.push(percentile(&timed.well, 50.0));
                seen[at].1.push(percentile(&timed.well, 99.0));
            }
        }
    }
    print(&ports, &seen);
    Ok(())
}

fn print(ports: &[(&str, u16)], seen: &[(Vec<f64>, Vec<f64>)]) {
    println!("| us | p50 | added | half of the rounds | p99 | added | half of the rounds |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let direct = &seen[0];
    for ((name, _), it) in ports.iter().zip(seen) {
        let added = |it: &[f64], direct: &[f64]| {
            let added = spread(it.iter().zip(direct).map(|(it, direct)| it - direct).collect());
            format!("{:+.0} | {:+.0} to {:+.0}", added.median, added.low, added.high)
        };
        println!(
            "| {name} | {:.0} | {} | {:.0} | {} |",
            spread(it.0.clone()).median,
            added(&it.0, &direct.0),
            spread(it.1.clone()).median,
            added(&it.1, &direct.1),
        );
    }
}
