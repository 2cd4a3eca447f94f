//! Everything changes fifty times under those who ask, and nobody loses a request: raw visitors, who repeat nothing.
#![allow(clippy::print_stdout, reason = "how many were asked is of use")]
#![allow(
    clippy::disallowed_methods,
    reason = "the test writes the files of a certificate"
)]

mod kit;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use kit::{BOUND, Instance, Running, edge, get, host, target, until};
use rcgen::{CertificateParams, KeyPair};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use towpath_edge::{Route, RouteTo};
use towpath_model::run::{Bounds, Certificate, Front, Rules};
use towpath_model::unit::{Rate, Unit};

const DOMAIN: &str = "shop.example.com";

/// Visitors who ask one thing after the other, each on the connection that it has.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    visitors: Vec<JoinHandle<Result<(), String>>>,
}

impl Load {
    /// How many more are answered from here on, at the least.
    async fn goes_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        until("more answers", async || {
            self.answered.load(Ordering::Relaxed) > before + 20
        })
        .await;
    }
}

fn is_well(what: &str, reply: &kit::Reply) -> Result<(), String> {
    match reply.status {
        StatusCode::OK => Ok(()),
        status => Err(format!("{what}: {status} {}", reply.text())),
    }
}

async fn over_one(at: SocketAddr, load: (Arc<AtomicBool>, Arc<AtomicU64>)) -> Result<(), String> {
    let mut sender = kit::http_one(TcpStream::connect(at).await.expect("it listens")).await;
    while !load.0.load(Ordering::Relaxed) {
        let asked = get(&host("web"), "/api/1");
        sender.ready().await.map_err(|error| format!("HTTP/1: {error}"))?;
        let answered = sender.send_request(asked).await;
        let reply = kit::read(answered.map_err(|error| format!("HTTP/1: {error}"))?).await;
        is_well("HTTP/1", &reply)?;
        load.1.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn over_two(
    sender: hyper::client::conn::http2::SendRequest<Full<Bytes>>,
    load: (Arc<AtomicBool>, Arc<AtomicU64>),
) -> Result<(), String> {
    while !load.0.load(Ordering::Relaxed) {
        let asked = || {
            let asked = Request::get(format!("https://{}/api/1", host("web"))).body(Full::default());
            sender.clone().send_request(asked.expect("a request"))
        };
        let (one, other) = tokio::join!(asked(), asked());
        for answered in [one, other] {
            let reply = kit::read(answered.map_err(|error| format!("HTTP/2: {error}"))?).await;
            is_well("HTTP/2", &reply)?;
            load.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

async fn begin(running: &Running) -> Load {
    let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let mut visitors = Vec::new();
    for _ in 0..4 {
        let load = (Arc::clone(&stop), Arc::clone(&answered));
        visitors.push(tokio::spawn(over_one(running.http(), load)));
    }
    for _ in 0..2 {
        let stream = running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted");
        let sender = kit::http_two(stream).await;
        let load = (Arc::clone(&stop), Arc::clone(&answered));
        visitors.push(tokio::spawn(over_two(sender, load)));
    }
    Load {
        stop,
        answered,
        visitors,
    }
}

/// A certificate of its own for a domain, in the files that are named.
fn certificate(running: &Running) -> Certificate {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([DOMAIN.to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("it is signed");
    let at = |name: &str| running.folder.path().join(name);
    std::fs::write(at("site.pem"), certificate.pem()).expect("a file");
    std::fs::write(at("site.key"), key.serialize_pem()).expect("a file");
    Certificate::Files {
        chain: at("site.pem").display().to_string(),
        key: at("site.key").display().to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_changes_of_everything_cost_nobody_a_request() {
    let running = edge().await;
    let (one, two, three) = (
        Instance::start("one"),
        Instance::start("two"),
        Instance::start("three"),
    );
    let all = [("one", one.at), ("two", two.at), ("three", three.at)];
    running.set(target("web", &all, BOUND)).await;
    let load = begin(&running).await;
    for swap in 0..50_usize {
        load.goes_on().await;
        // Instances come and go, all of them too: then whoever asks waits.
        let ready: Vec<_> = match swap % 5 {
            4 => Vec::new(),
            without => all
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != without)
                .map(|(_, one)| *one)
                .collect(),
        };
        let mut web = target("web", &ready, BOUND);
        let bounds = Bounds {
            rate: (swap % 2 == 0).then(|| Rate::parse("1000000/s per ip").expect("a rate")),
            hard: (swap % 3 == 0).then_some(2),
            ..Bounds::default()
        };
        web.rules = Arc::new(Rules {
            bounds,
            headers: vec![("x-swap".to_owned(), swap.to_string())],
            cache: (swap % 7 == 0).then(|| towpath_model::unit::Duration::from_hours(1)),
            ..Rules::default()
        });
        web.sticky = swap % 3 == 1;
        web.compress = swap % 4 == 1;
        web.drain = Duration::from_secs(1);
        if swap % 2 == 1 {
            // The same path is answered by another component now.
            web.routes.push(Route {
                path: "/api".to_owned(),
                to: Some(RouteTo::Target("api".to_owned())),
                rules: Arc::default(),
            });
        }
        let api = target("api", &[all[swap % 3]], BOUND);
        let set = vec![("api".to_owned(), Some(api)), ("web".to_owned(), Some(web))];
        running.edge.set(set).await.expect("no port is taken");
        if swap % 5 == 4 {
            // Somebody waits, and goes on.
            until("somebody who waits", async || {
                swap % 2 == 1 || running.edge.seen().components.iter().any(|one| one.waiting > 0)
            })
            .await;
            running.set(target("web", &all, BOUND)).await;
        }
        if swap % 10 == 0 {
            let domains = BTreeMap::from([(DOMAIN.to_owned(), certificate(&running))]);
            let front = Front {
                domains,
                ..Front::default()
            };
            let folder = running.folder.path().join(format!("certificates-{swap}"));
            running.edge.face(front, folder).await;
        }
    }
    load.goes_on().await;
    load.stop.store(true, Ordering::Relaxed);
    let mut lost = Vec::new();
    for visitor in load.visitors {
        lost.extend(visitor.await.expect("it ends").err());
    }
    println!("{} were answered", load.answered.load(Ordering::Relaxed));
    assert_eq!(lost, Vec::<String>::new());
    until("the end of all", async || {
        let seen = running.edge.seen();
        seen.components
            .iter()
            .all(|one| one.active == 0 && one.waiting == 0)
    })
    .await;
    let seen = running.edge.seen();
    assert_eq!(
        seen.components
            .iter()
            .map(|one| one.failures + one.ejected)
            .sum::<u64>(),
        0
    );
}
