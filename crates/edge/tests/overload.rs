//! More comes than can be carried: what is bounded, who is sent away, and that it passes.
#![allow(
    clippy::disallowed_methods,
    reason = "an edge of its own process, with few descriptors, and its memory"
)]

mod kit;

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use kit::{BOUND, Instance, edge, get, host, target};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use towpath_edge::Event;
use towpath_model::run::{Bounds, Rules};

const LONG: Duration = Duration::from_secs(20);

/// Says to this program, started anew, that it is to be the edge of a test.
const PLAYS: &str = "TOWPATH_TEST_PLAYS_EDGE";

/// This program once more, which is an edge in front of an instance at this port, with so many descriptors.
async fn child(
    plays: &str,
    descriptors: usize,
    instance: u16,
) -> (tokio::process::Child, u16, tokio::task::JoinHandle<Vec<String>>) {
    let program = std::env::current_exe().expect("it is a program");
    let script = format!("ulimit -n {descriptors} && exec \"$0\" --exact plays_the_edge --nocapture");
    let mut child = tokio::process::Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .env(PLAYS, format!("{plays} {instance}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a shell");
    let mut lines = BufReader::new(child.stdout.take().expect("it is there")).lines();
    let port = loop {
        let line = tokio::time::timeout(BOUND, lines.next_line())
            .await
            .expect("it starts");
        let line = line.expect("it is text").expect("it goes on");
        if let Some((_, port)) = line.split_once("listens at ") {
            break port.parse().expect("a port");
        }
    };
    let reads = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Ok(Some(line)) = lines.next_line().await {
            all.push(line);
        }
        all
    });
    (child, port, reads)
}

/// The other side of `child`: an edge, until its standard input ends. Without its order it has nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn plays_the_edge() {
    let Ok(order) = std::env::var(PLAYS) else {
        return;
    };
    let instance = order
        .split(' ')
        .next_back()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let mut running = edge().await;
    running
        .set(target("web", &[("one", ([127, 0, 0, 1], instance).into())], LONG))
        .await;
    println!("listens at {}", running.edge.listening().http);
    let read = tokio::task::spawn_blocking(|| std::io::stdin().lines().next().is_none());
    tokio::pin!(read);
    loop {
        tokio::select! {
            _ = &mut read => return,
            told = running.events.recv() => {
                if let Some(Event::Exhausted(why)) = told {
                    println!("exhausted: {why}");
                }
            }
        }
    }
}

async fn answers(port: u16) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let question = format!(
            "GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            host("web")
        );
        stream.write_all(question.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    };
    matches!(
        tokio::time::timeout(Duration::from_secs(2), asked).await,
        Ok(Some(()))
    )
}

/// Ticks of the processor that a process has taken.
fn ticks(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it lives");
    let after = text.rsplit_once(')').expect("it has a name").1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    [11, 12]
        .iter()
        .map(|at| fields[*at].parse::<u64>().expect("a number"))
        .sum()
}

fn resident(process: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it lives");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("it has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test]
async fn visitors_that_hold_all_descriptors_do_not_keep_others_from_an_answer_for_long() {
    let one = Instance::start("one");
    // So few that the seats for visitors are gone long before a descriptor lacks.
    let (mut child, port, reads) = child("seats", 128, one.at.port()).await;
    kit::until("it answers", async || answers(port).await).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(
            TcpStream::connect(("127.0.0.1", port))
                .await
                .expect("the system takes it"),
        );
    }
    let process = child.id().expect("it lives");
    // The system has taken them; the edge does so in a moment.
    kit::until("the end of all seats", async || !answers(port).await).await;
    let before = ticks(process);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(ticks(process) - before < 25, "it does not spin");
    drop(held);
    kit::until("it answers again", async || answers(port).await).await;
    drop(child.stdin.take());
    let lines = tokio::time::timeout(BOUND, reads)
        .await
        .expect("it ends")
        .expect("it reads");
    assert!(!lines.iter().any(|line| line.contains("exhausted")), "{lines:?}");
    child.wait().await.expect("it ends");
}

/// An instance that answers with so many bytes, as fast as they are taken.
async fn large(bytes: usize) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let port = listener.local_addr().expect("it").port();
    let serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4_096]).await;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).await;
                let piece = [b'x'; 64 * 1_024];
                let mut left = bytes;
                while left > 0 {
                    let now = left.min(piece.len());
                    if stream.write_all(&piece[..now]).await.is_err() {
                        return;
                    }
                    left -= now;
                }
            });
        }
    });
    (port, serves)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_of_a_large_answer_hold_little_each() {
    const READERS: usize = 2_000;
    const BYTES: usize = 8 * 1_024 * 1_024;
    let (instance, serves) = large(BYTES).await;
    let (mut child, port, reads) = child("slow", 20_000, instance).await;
    let process = child.id().expect("it lives");
    let mut readers = Vec::new();
    let before = resident(process);
    for _ in 0..READERS {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("an option");
        let stream = socket.connect(([127, 0, 0, 1], port).into()).await;
        let Ok(mut stream) = stream else {
            println!("left out: this machine lets a process have too few descriptors");
            return;
        };
        let question = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", host("web"));
        stream.write_all(question.as_bytes()).await.expect("it is sent");
        let mut head = [0; 64];
        stream.read_exact(&mut head).await.expect("it begins to answer");
        readers.push(stream);
    }
    // What it holds does not grow any more once nobody takes anything.
    let last = AtomicUsize::new(0);
    kit::until("it is still", async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = resident(process);
        last.swap(now, Ordering::SeqCst) == now
    })
    .await;
    let each = (last.into_inner() - before) / READERS;
    println!("each of {READERS} slow readers holds {each} KiB");
    assert!(each < 70, "{each} KiB each");
    // Whoever reads gets more all the same: far more than anybody holds.
    let mut one = readers.swap_remove(READERS - 1);
    let mut got = 64;
    let mut room = vec![0; 64 * 1_024];
    while got < BYTES / 32 {
        got += tokio::time::timeout(BOUND, one.read(&mut room))
            .await
            .expect("it goes on")
            .expect("it reads");
    }
    drop((one, readers));
    drop(child.stdin.take());
    tokio::time::timeout(BOUND, reads)
        .await
        .expect("it ends")
        .expect("it reads");
    child.wait().await.expect("it ends");
    serves.abort();
}

/// An instance that has so many workers, each of which is busy for so long with an answer.
async fn workers(count: usize, takes: Duration) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let at = listener.local_addr().expect("it");
    let free = Arc::new(tokio::sync::Semaphore::new(count));
    let serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let free = Arc::clone(&free);
            tokio::spawn(async move {
                while let Ok(1..) = stream.read(&mut [0; 4_096]).await {
                    let worker = free.acquire().await;
                    tokio::time::sleep(takes).await;
                    drop(worker);
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                        .await;
                }
            });
        }
    });
    (at, serves)
}

/// Asks again and again until it is over, and says how often it was answered and how often sent away.
async fn asks(port: std::net::SocketAddr, over: Arc<AtomicBool>) -> Result<(usize, usize), String> {
    let (mut well, mut away) = (0, 0);
    let mut sender = kit::http_one(TcpStream::connect(port).await.map_err(|why| why.to_string())?).await;
    while !over.load(Ordering::Relaxed) {
        let reply = sender.send_request(get(&host("web"), "/")).await;
        let reply = kit::read(reply.map_err(|why| format!("no answer: {why:?}"))?).await;
        match reply.status {
            StatusCode::OK => well += 1,
            StatusCode::SERVICE_UNAVAILABLE if !reply.header("retry-after").is_empty() => {
                away += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other => return Err(format!("{other}: {}", reply.text())),
        }
    }
    Ok((well, away))
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_an_instance_answers_is_sent_away_where_nothing_is_said_until_the_crowd_is_gone() {
    let mut running = edge().await;
    let (at, serves) = workers(4, Duration::from_millis(5)).await;
    running.set(target("web", &[("one", at)], LONG)).await;
    for _ in 0..100 {
        assert_eq!(running.get("web", "/").await.status, StatusCode::OK, "it is calm");
    }
    let over = Arc::new(AtomicBool::new(false));
    let all: Vec<_> = (0..400)
        .map(|_| tokio::spawn(asks(running.http(), Arc::clone(&over))))
        .collect();
    // Whoever was cut off, or anything else than these two answers, ends it; so does nothing within the bound.
    let shed = async || running.edge.seen().components.first().map_or(0, |one| one.shed);
    let began = tokio::time::Instant::now();
    // On a machine that has other things to do it is tried again.
    while shed().await < 1_000 && began.elapsed() < BOUND * 4 && !all.iter().any(|one| one.is_finished()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let counted = shed().await;
    over.store(true, Ordering::Relaxed);
    let (mut well, mut away) = (0, 0);
    for one in all {
        let (answered, sent_away) = one.await.expect("it ends").expect("all are answered");
        (well, away) = (well + answered, away + sent_away);
    }
    assert!(counted >= 1_000, "{counted} were sent away, {well} answered");
    assert!(well > 100, "{well} were answered, {away} sent away");
    let told = running.event().await;
    assert!(
        matches!(&told, Event::Shed { target, because } if target == "web" && because.contains("bring no more answers")),
        "{told:?}"
    );
    kit::until("the crowd is gone", async || {
        running.get("web", "/").await.status == StatusCode::OK
    })
    .await;
    for _ in 0..50 {
        let reply = running.get("web", "/").await;
        assert_eq!(reply.status, StatusCode::OK, "nobody else is there");
    }
    serves.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn long_polls_are_all_let_in_however_quick_it_was_before() {
    const POLLS: usize = 300;
    let running = edge().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let at = listener.local_addr().expect("it");
    let all_there = Arc::new(tokio::sync::Barrier::new(POLLS));
    let serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let all_there = Arc::clone(&all_there);
            tokio::spawn(async move {
                let mut read = [0; 4_096];
                let Ok(count @ 1..) = stream.read(&mut read).await else {
                    return;
                };
                // None of those that wait is answered before all have come.
                if read[..count].starts_with(b"GET /wait") {
                    all_there.wait().await;
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                let _ = stream.write_all(answer).await;
            });
        }
    });
    running.set(target("web", &[("one", at)], LONG)).await;
    for _ in 0..64 {
        assert_eq!(
            running.get("web", "/").await.status,
            StatusCode::OK,
            "it is quick"
        );
    }
    for _ in 0..3 {
        let asks: Vec<_> = (0..POLLS)
            .map(|_| tokio::spawn(kit::ask(running.http(), get(&host("web"), "/wait"))))
            .collect();
        for one in asks {
            let reply = tokio::time::timeout(BOUND, one).await.expect("all are let in");
            assert_eq!(reply.expect("it ends").status, StatusCode::OK);
        }
    }
    assert_eq!(running.edge.seen().components[0].shed, 0);
    serves.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_times_what_can_be_carried_is_sent_away_at_once_and_the_rest_is_answered_soon() {
    let running = edge().await;
    let takes = Duration::from_millis(20);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    let at = listener.local_addr().expect("it");
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (opens, mosts) = (Arc::clone(&open), Arc::clone(&most));
    let serves = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (open, most) = (Arc::clone(&opens), Arc::clone(&mosts));
            tokio::spawn(async move {
                while let Ok(1..) = stream.read(&mut [0; 4_096]).await {
                    most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(takes).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                        .await;
                }
            });
        }
    });
    let mut web = target("web", &[("one", at)], LONG);
    web.rules = Arc::new(Rules {
        bounds: Bounds {
            hard: Some(4),
            ..Bounds::default()
        },
        ..Rules::default()
    });
    running.set(web).await;
    let asks = |port: std::net::SocketAddr| async move {
        let (mut well, mut away) = (0, 0);
        let until = tokio::time::Instant::now() + Duration::from_secs(3);
        while tokio::time::Instant::now() < until {
            let reply = kit::ask(port, get(&host("web"), "/")).await;
            match reply.status {
                StatusCode::OK => well += 1,
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!(!reply.header("retry-after").is_empty());
                    away += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                other => panic!("{other}"),
            }
        }
        (well, away)
    };
    let all: Vec<_> = (0..40).map(|_| tokio::spawn(asks(running.http()))).collect();
    let (mut well, mut away) = (0, 0);
    for one in all {
        let (one_well, one_away) = one.await.expect("it ends");
        well += one_well;
        away += one_away;
    }
    assert_eq!(most.load(Ordering::SeqCst), 4, "never more at once");
    assert!(well > 100 && away > 100, "{well} were answered, {away} sent away");
    assert_eq!(running.edge.seen().components[0].shed, away);
    serves.abort();
}
