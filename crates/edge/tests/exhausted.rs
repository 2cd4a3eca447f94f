//! No descriptor is left: who is sent away, what that says of instances, what it costs, and that it passes.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an edge of its own process with few descriptors"
)]

#[path = "kit/child.rs"]
mod child;
mod kit;

use std::time::Duration;

use bytes::Bytes;
use child::Apart;
use http::{Request, StatusCode};
use http_body_util::Full;
use kit::{BOUND, Instance, get, host, until};
use tokio::net::TcpStream;
use towpath_edge::Event;

const LONG: Duration = Duration::from_secs(60);

/// So few that two visitors with all their streams want more connections to instances than there can be.
const DESCRIPTORS: usize = 128;

#[tokio::test(flavor = "multi_thread")]
async fn plays_the_edge() {
    child::plays().await;
}

fn waits() -> Request<Full<Bytes>> {
    let asked = Request::get(format!("http://{}/wait", host("web"))).body(Full::default());
    asked.expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_descriptor_left_is_sent_away_and_no_instance_is_blamed() {
    let (one, two) = (Instance::start("one"), Instance::start("two"));
    let mut edge = Apart::start(DESCRIPTORS, None).await;
    edge.set(&kit::target("web", &[("one", one.at), ("two", two.at)], LONG))
        .await;
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], edge.http));
    assert_eq!(kit::ask(at, get(&host("web"), "/")).await.status, StatusCode::OK);
    let mut asked = Vec::new();
    for _ in 0..2 {
        let sender = kit::http_two(TcpStream::connect(at).await.expect("it listens")).await;
        for _ in 0..100 {
            let mut sender = sender.clone();
            asked.push(tokio::spawn(async move {
                kit::read(sender.send_request(waits()).await.expect("an answer")).await
            }));
        }
    }
    // Whoever finds none left is told so at once, and those who hold one go on.
    until("somebody is sent away", async || {
        let ended = asked.iter().filter(|one| one.is_finished()).count();
        ended > 50 && one.got() + two.got() + ended > 200
    })
    .await;
    let before = edge.worked();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(
        edge.worked() - before < Duration::from_millis(250),
        "it does not spin"
    );
    // A new visitor waits in the queue of the system, or is sent away. Nothing of that keeps it from an answer later.
    let late = tokio::spawn(kit::ask(at, get(&host("web"), "/")));
    let mut answered = [0, 0];
    let until_all = tokio::time::timeout(BOUND, async {
        for one_asked in &mut asked {
            // What waits at an instance may go on as soon as somebody looks.
            let reply = loop {
                one.go.notify_waiters();
                two.go.notify_waiters();
                if let Ok(reply) = tokio::time::timeout(Duration::from_millis(20), &mut *one_asked).await {
                    break reply.expect("it ends");
                }
            };
            match reply.status {
                StatusCode::OK => answered[0] += 1,
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!(!reply.header("retry-after").is_empty());
                    assert!(
                        reply.text().contains("no room for another connection"),
                        "{}",
                        reply.text()
                    );
                    answered[1] += 1;
                }
                other => panic!("{other}: {}", reply.text()),
            }
        }
    });
    until_all.await.expect("all are answered");
    println!("{} were answered and {} sent away", answered[0], answered[1]);
    assert!(answered[0] > 20 && answered[1] > 50, "{answered:?}");
    let late = late.await.expect("it ends").status;
    assert!(
        matches!(late, StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE),
        "{late}"
    );
    until("it answers again", async || {
        kit::ask(at, get(&host("web"), "/")).await.status == StatusCode::OK
    })
    .await;
    let seen = edge.seen().await;
    assert_eq!((seen.components[0].failures, seen.components[0].ejected), (0, 0));
    assert_eq!(seen.components[0].waiting, 0);
    let is_told = |event: &&Event| matches!(event, Event::Exhausted(_));
    assert_eq!(edge.events.iter().filter(is_told).count(), 1, "{:?}", edge.events);
    assert_eq!(edge.events.len(), 1, "{:?}", edge.events);
    edge.end().await;
}
