//! Which instance gets a request, who waits for one, and who is left out.

mod kit;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, edge, get, host, request, target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use towpath_edge::Event;
use towpath_model::run::{Bounds, Rules};

const LONG: Duration = Duration::from_secs(20);

fn bounded(bounds: Bounds) -> Arc<Rules> {
    Arc::new(Rules {
        bounds,
        ..Rules::default()
    })
}

#[tokio::test]
async fn who_waits_for_room_is_served_in_the_order_of_coming() {
    let running = edge().await;
    // One request at a time, and each is told when it has come.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let at = listener.local_addr().expect("it");
    let (came, mut comes) = tokio::sync::mpsc::unbounded_channel();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opens = Arc::clone(&gate);
    let serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (came, opens) = (came.clone(), Arc::clone(&opens));
            tokio::spawn(async move {
                let mut head = vec![0; 4_096];
                while let Ok(count @ 1..) = stream.read(&mut head).await {
                    let text = String::from_utf8_lossy(&head[..count]).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                    let _ = came.send(path);
                    opens.acquire().await.expect("it is open").forget();
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    let _ = stream.write_all(answer).await;
                }
            });
        }
    });
    let mut web = target("web", &[("one", at)], LONG);
    web.rules = bounded(Bounds {
        hard: Some(1),
        ..Bounds::default()
    });
    running.set(web).await;
    let mut asked = Vec::new();
    for number in 0..20 {
        let path = format!("/{number}");
        asked.push(tokio::spawn(kit::ask(running.http(), get(&host("web"), &path))));
        let waiting = async || {
            let seen = running.edge.seen();
            seen.components
                .first()
                .is_some_and(|web| (web.active, web.waiting) == (number + 1, number))
        };
        kit::until("it waits", waiting).await;
    }
    // The one that is being answered, and whoever goes away lets the next one in.
    for number in (0..20).filter(|number| *number != 5) {
        let path = tokio::time::timeout(kit::BOUND, comes.recv())
            .await
            .expect("one comes");
        assert_eq!(path, Some(format!("/{number}")));
        assert!(comes.try_recv().is_err(), "one at a time");
        if number == 4 {
            asked[5].abort();
            let waiting = async || running.edge.seen().components[0].waiting == 14;
            kit::until("it has gone", waiting).await;
        }
        gate.add_permits(1);
    }
    for (number, asked) in asked.into_iter().enumerate().filter(|(number, _)| *number != 5) {
        assert_eq!(asked.await.expect("it ends").status, StatusCode::OK, "{number}");
    }
    serves.abort();
}

/// An instance that answers with a status that can be changed.
async fn changeable(status: Arc<Mutex<u16>>) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let at = listener.local_addr().expect("it");
    let serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let status = Arc::clone(&status);
            tokio::spawn(async move {
                let mut head = vec![0; 4_096];
                while let Ok(1..) = stream.read(&mut head).await {
                    let answer = format!(
                        "HTTP/1.1 {} X\r\ncontent-length: 3\r\n\r\nbad",
                        *status.lock().await
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    (at, serves)
}

#[tokio::test]
async fn an_instance_that_does_worse_is_left_out_told_and_tried_again() {
    let mut running = edge().await;
    let status = Arc::new(Mutex::new(500));
    let (bad, serves) = changeable(Arc::clone(&status)).await;
    let good = Instance::start("good");
    running
        .set(target("web", &[("bad", bad), ("good", good.at)], LONG))
        .await;
    let mut wrong = 0;
    for _ in 0..200 {
        wrong += usize::from(running.get("web", "/").await.status == StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert!(
        (20..=40).contains(&wrong),
        "{wrong} were answered wrongly before it was left out"
    );
    let told = running.event().await;
    let Event::Ejected {
        target: of,
        instance,
        because,
    } = told
    else {
        panic!("{told:?}");
    };
    assert_eq!((of.as_str(), instance.as_str()), ("web", "bad"));
    assert!(because.contains("5xx"), "{because}");
    let seen = running.edge.seen();
    assert_eq!((seen.components[0].ejected, seen.components[0].out), (1, 1));
    assert!(seen.text().contains("towpath_edge_ejected{component=\"web\"} 1"));
    let out = &seen.left_out[0];
    assert_eq!(
        (seen.left_out.len(), out.instance.as_str(), &out.because),
        (1, "bad", &because)
    );
    assert!(out.since >= seen.began, "{out:?}");
    *status.lock().await = 200;
    kit::until("it is back", async || {
        running.get("web", "/").await;
        running.edge.seen().components[0].out == 0
    })
    .await;
    let back = Event::Returned {
        target: "web".to_owned(),
        instance: "bad".to_owned(),
    };
    assert_eq!(running.event().await, back);
    assert_eq!(running.edge.seen().left_out, []);
    serves.abort();
}

#[tokio::test]
async fn a_slow_instance_is_asked_rarely_beside_fast_ones() {
    let running = edge().await;
    let (fast, slow) = (Instance::start("fast"), Instance::start("slow"));
    running
        .set(target("web", &[("fast", fast.at), ("slow", slow.at)], LONG))
        .await;
    // What takes long is one request that is held, and let go: it is slow once.
    let asked: Vec<_> = (0..2)
        .map(|_| tokio::spawn(kit::ask(running.http(), get(&host("web"), "/wait"))))
        .collect();
    kit::until("both wait", async || {
        fast.got() + slow.got() == 2 && fast.got() == 1
    })
    .await;
    fast.go.notify_one();
    let mut waited = 0;
    while waited < 300 {
        running.get("web", "/").await;
        waited += 1;
    }
    slow.go.notify_one();
    for asked in asked {
        asked.await.expect("it ends");
    }
    let before = slow.got();
    for _ in 0..50 {
        running.get("web", "/").await;
    }
    assert!(slow.got() - before < 10, "{} of 50", slow.got() - before);
}

#[tokio::test]
async fn what_has_a_key_is_repeated_and_another_post_is_not() {
    let running = edge().await;
    // It takes what comes, and closes without an answer.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let breaks = listener.local_addr().expect("it");
    let serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
        }
    });
    let good = Instance::start("good");
    let all = [("breaks", breaks), ("good", good.at)];
    let mut broken = 0;
    for (key, may_break) in [(Some("one"), false), (None, true)] {
        for _ in 0..4 {
            running.set(target("web", &all, LONG)).await;
            let key: Vec<(&str, &str)> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
            let reply = running
                .ask(request(Method::POST, &host("web"), "/echo", &key, "paid"))
                .await;
            broken += usize::from(reply.status == StatusCode::BAD_GATEWAY);
            assert!(may_break || (reply.status, reply.text()) == (StatusCode::OK, "paid"));
        }
    }
    assert!(broken > 0, "one of them met the instance that breaks");
    serves.abort();
}

#[tokio::test]
async fn a_grpc_client_is_told_when_its_own_time_is_over() {
    let running = edge().await;
    let mut web = target("web", &[], LONG);
    web.grpc = true;
    running.set(web).await;
    let asked = request(
        Method::POST,
        &host("web"),
        "/service/Method",
        &[("grpc-timeout", "40m")],
        "",
    );
    let reply = running.ask(asked).await;
    assert_eq!(reply.status, StatusCode::GATEWAY_TIMEOUT);
}
