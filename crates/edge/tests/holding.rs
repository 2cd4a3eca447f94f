//! What a visitor sees of a component that sleeps, dies and comes back.

mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, edge, get, host, request, target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use towpath_edge::Event;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_request_waits_for_an_instance_and_goes_on_when_there_is_one() {
    let mut running = edge().await;
    running.set(target("web", &[], LONG)).await;
    let asked: Vec<_> = (0..20)
        .map(|_| tokio::spawn(kit::ask(running.http(), get(&host("web"), "/"))))
        .collect();
    assert_eq!(running.event().await, Event::Wanted("web".to_owned()));
    kit::until("all of them", async || running.edge.traffic("web").active == 20).await;
    let one = Instance::start("one");
    running.set(target("web", &[("one", one.at)], LONG)).await;
    for asked in asked {
        assert_eq!(asked.await.expect("it ends").text(), "one GET /");
    }
    assert!(running.events.try_recv().is_err(), "it is wanted once");
    // Another time without an instance is told again.
    running.set(target("web", &[], SHORT)).await;
    let vain = running.get("web", "/").await;
    assert_eq!(vain.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(running.event().await, Event::Wanted("web".to_owned()));
    running.get("web", "/").await;
    assert!(running.events.try_recv().is_err());
}

#[tokio::test]
async fn whoever_has_waited_in_vain_is_told_why() {
    let running = edge().await;
    running.set(target("web", &[], SHORT)).await;
    let vain = running.get("web", "/").await;
    assert_eq!(vain.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!vain.header("retry-after").is_empty());
    assert_eq!(vain.header("content-type"), "text/plain; charset=utf-8");
    assert!(
        vain.text().ends_with("\nweb is not there.\nLook at its log.\n"),
        "{}",
        vain.text()
    );
    let browser = [("accept", "text/html")];
    let vain = running
        .ask(request(Method::GET, &host("web"), "/", &browser, ""))
        .await;
    assert!(
        vain.text()
            .contains("<p>web is not there.</p>\n<p>Look at its log.</p>")
    );
    let seen = running.edge.traffic("web");
    assert_eq!((seen.requests, seen.errors, seen.active), (2, 2, 0));
}

#[tokio::test]
async fn so_many_wait_and_no_more() {
    let running = edge().await;
    running.set(target("web", &[], LONG)).await;
    let mut sender = kit::http_two(TcpStream::connect(running.http()).await.expect("it listens")).await;
    let mut asked = tokio::task::JoinSet::new();
    let mut senders = vec![sender.clone()];
    // A connection takes some hundred requests at once.
    for count in 0..8_050 {
        if count % 150 == 149 {
            sender = kit::http_two(TcpStream::connect(running.http()).await.expect("it listens")).await;
            senders.push(sender.clone());
        }
        let mut sender = sender.clone();
        let uri = format!("http://{}/", host("web"));
        let request = http::Request::get(uri).body(http_body_util::Full::<bytes::Bytes>::default());
        asked.spawn(async move {
            sender
                .send_request(request.expect("a request"))
                .await
                .expect("an answer")
                .status()
        });
    }
    for _ in 0..50 {
        let turned_away = asked.join_next().await.expect("there are more").expect("it ends");
        assert_eq!(turned_away, StatusCode::SERVICE_UNAVAILABLE);
    }
    let one = Instance::start("one");
    running.set(target("web", &[("one", one.at)], LONG)).await;
    while let Some(status) = asked.join_next().await {
        assert_eq!(status.expect("it ends"), StatusCode::OK);
    }
    assert_eq!(one.got(), 8_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_is_killed_and_comes_back_costs_no_request() {
    let mut running = edge().await;
    let mut one = Instance::start("one");
    running.set(target("web", &[("one", one.at)], LONG)).await;
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let visitors: Vec<_> = (0..8)
        .map(|visitor| {
            let (stop, count, at) = (Arc::clone(&stop), Arc::clone(&count), running.http());
            tokio::spawn(async move {
                let stream = TcpStream::connect(at).await.expect("it listens");
                let mut sender = kit::http_one(stream).await;
                while !stop.load(Ordering::SeqCst) {
                    // A body that has been sent is sent again, where the method allows it.
                    let asked = if visitor % 2 == 0 {
                        get(&host("web"), "/")
                    } else {
                        request(Method::PUT, &host("web"), "/echo", &[], "again")
                    };
                    sender.ready().await.expect("the connection is kept");
                    let reply = kit::read(sender.send_request(asked).await.expect("an answer")).await;
                    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
                    assert!(matches!(reply.text(), "one GET /" | "again"));
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let more = async |by: usize| {
        let from = count.load(Ordering::SeqCst);
        kit::until("more answers", async || count.load(Ordering::SeqCst) >= from + by).await;
    };
    for round in 0..10 {
        more(200).await;
        let at = one.kill().await;
        if round == 0 {
            let refused = Event::Refused {
                target: "web".to_owned(),
                instance: "one".to_owned(),
            };
            assert_eq!(running.event().await, refused);
        }
        one = Instance::start_at("one", at);
    }
    more(200).await;
    stop.store(true, Ordering::SeqCst);
    for visitor in visitors {
        visitor.await.expect("no request failed");
    }
    assert_eq!(running.edge.traffic("web").errors, 0);
}

#[tokio::test]
async fn another_instance_takes_what_one_refuses() {
    let running = edge().await;
    let two = Instance::start("two");
    let gone = Instance::start("one").kill().await;
    running
        .set(target("web", &[("one", gone), ("two", two.at)], LONG))
        .await;
    for method in [Method::GET, Method::POST, Method::POST, Method::GET] {
        let reply = running
            .ask(request(method.clone(), &host("web"), "/", &[], "x"))
            .await;
        assert_eq!(reply.text(), format!("two {method} /"));
    }
}

#[tokio::test]
async fn a_refused_request_is_held_until_the_target_is_set() {
    let mut running = edge().await;
    let gone = Instance::start("one").kill().await;
    running.set(target("web", &[("one", gone)], LONG)).await;
    let body = "not sent to anybody yet";
    let asked = request(Method::POST, &host("web"), "/echo", &[], body);
    let held = tokio::spawn(kit::ask(running.http(), asked));
    assert!(matches!(running.event().await, Event::Refused { .. }));
    let two = Instance::start("two");
    running.set(target("web", &[("two", two.at)], LONG)).await;
    assert_eq!(held.await.expect("it ends").text(), body);
    // It ends when the hold does.
    running.set(target("web", &[("one", gone)], SHORT)).await;
    assert_eq!(
        running.get("web", "/").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

/// An instance that reads a request and hangs up.
async fn hangs_up() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    hangs_up_after(b"").await
}

/// An instance that reads a request, says something, and hangs up.
async fn hangs_up_after(words: &'static [u8]) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let got = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            counts.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(words).await;
        }
    });
    (at, got)
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let running = edge().await;
    let (at, got) = hangs_up().await;
    running.set(target("web", &[("one", at)], LONG)).await;
    for (method, times) in [
        (Method::POST, 1),
        (Method::PATCH, 1),
        (Method::GET, 2),
        (Method::PUT, 2),
    ] {
        got.store(0, Ordering::SeqCst);
        let reply = running
            .ask(request(method.clone(), &host("web"), "/", &[], "body"))
            .await;
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{method}");
        assert_eq!(got.load(Ordering::SeqCst), times, "{method}");
    }
}

#[tokio::test]
async fn a_request_that_instances_die_of_does_not_go_round() {
    let running = edge().await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(hangs_up().await);
    }
    let ready = ["a", "b", "c", "d"].into_iter().zip(all.iter().map(|one| one.0));
    running.set(target("web", &ready.collect::<Vec<_>>(), LONG)).await;
    let reply = running.get("web", "/").await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    let mut got: Vec<usize> = all.iter().map(|one| one.1.load(Ordering::SeqCst)).collect();
    got.sort_unstable();
    assert_eq!(
        got,
        [0, 0, 1, 1],
        "it is repeated on another one, and then no more"
    );
}

#[tokio::test]
async fn what_has_begun_to_be_answered_is_not_asked_again() {
    let running = edge().await;
    for words in [
        &b"HTTP/1.1 200 O"[..],
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"nonsense\r\n\r\n",
    ] {
        let (at, got) = hangs_up_after(words).await;
        running.set(target("web", &[("one", at)], LONG)).await;
        assert_eq!(running.get("web", "/").await.status, StatusCode::BAD_GATEWAY);
        assert_eq!(
            got.load(Ordering::SeqCst),
            1,
            "{}",
            String::from_utf8_lossy(words)
        );
    }
}

#[tokio::test]
async fn an_outage_is_not_made_much_worse_by_repeating() {
    let running = edge().await;
    let (at, got) = hangs_up().await;
    running.set(target("web", &[("one", at)], LONG)).await;
    for _ in 0..10 {
        let asked = (0..100).map(|_| running.get("web", "/"));
        futures_util::future::join_all(asked).await;
    }
    // What is there for nothing, a fifth of the requests, and what has come back meanwhile, ten a second.
    let repeated = got.load(Ordering::SeqCst) - 1_000;
    assert!((100..600).contains(&repeated), "{repeated} of 1000 were repeated");
}

/// Answers one request on each connection, and closes it when the next one comes: an idle connection that has just ended.
async fn answers_once() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let got = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counts = Arc::clone(&counts);
            tokio::spawn(async move {
                let mut head = [0; 4_096];
                let _ = stream.read(&mut head).await;
                counts.fetch_add(1, Ordering::SeqCst);
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .await;
                let _ = stream.read(&mut head).await;
            });
        }
    });
    (at, got)
}

#[tokio::test]
async fn an_idle_connection_that_has_just_ended_costs_no_request() {
    let running = edge().await;
    let (at, got) = answers_once().await;
    running.set(target("web", &[("one", at)], LONG)).await;
    for _ in 0..20 {
        assert_eq!(running.get("web", "/").await.text(), "ok");
    }
    assert_eq!(got.load(Ordering::SeqCst), 20);
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_visitor() {
    let running = edge().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
                .await;
        }
    });
    running.set(target("web", &[("one", at)], LONG)).await;
    let mut sender = kit::http_one(TcpStream::connect(running.http()).await.expect("it listens")).await;
    let answered = sender.send_request(get(&host("web"), "/")).await.expect("a head");
    let body = http_body_util::BodyExt::collect(answered.into_body()).await;
    assert!(body.is_err(), "half an answer is not taken for a whole one");
}
