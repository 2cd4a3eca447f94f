//! Names without end: whatever visitors make up, an edge holds no more of it than before.
//!
//! `TOWPATH_TEST_CHURN` says how many of each, where it is to be more than every run can have.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an edge of its own process, and how many are wished for"
)]

#[path = "kit/child.rs"]
mod child;
mod kit;

use std::net::SocketAddr;
use std::sync::Arc;

use child::Apart;
use kit::{BOUND, host};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use towpath_edge::{Answer, Releases, Route, Share, Target};
use towpath_model::desired::edge::SignIn;
use towpath_model::run::{Access, Bounds, Rules};
use towpath_model::unit::{Rate, Unit, Url};

/// How many of each there are in every run.
const USUAL: usize = 8_000;

/// How an answer begins, and how much of it is looked at.
const BEGINS: &str = "HTTP/1.1 ";
const HEAD: usize = 13;

/// So many are asked for before an answer is waited for.
const TOGETHER: usize = 50;

const VISITORS: usize = 4;

/// KiB that come and go with the allocator's moods; where whole answers are kept and let go, more of it.
const NOISE: usize = 1_024;
const MUCH: usize = 12 * 1_024;

/// Bytes that may stay of each, which is less than the shortest of the names.
const EACH: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn plays_the_edge() {
    child::plays().await;
}

/// Answers everything with the same, and may be a provider that people sign in at.
async fn says(answer: impl Fn(SocketAddr) -> String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let answer = Arc::new(answer(at));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut came = Vec::new();
                while stream.read_buf(&mut came).await.unwrap_or(0) > 0 {
                    if came.ends_with(b"\r\n\r\n") {
                        came.clear();
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    at
}

fn answer(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn rate(text: &str) -> Bounds {
    Bounds {
        rate: Some(Rate::parse(text).expect("a rate")),
        ..Bounds::default()
    }
}

/// Everything that looks at what a visitor says of himself.
async fn target() -> Target {
    let small = says(|_| answer("", "ok")).await;
    let large = answer("cache-control: max-age=600\r\n", &"x".repeat(24 * 1_024));
    let large = says(move |_| large.clone()).await;
    let provider = says(|at| {
        let body = format!(
            r#"{{"issuer":"http://{at}","jwks_uri":"http://{at}/keys","authorization_endpoint":"http://{at}/a","token_endpoint":"http://{at}/t","keys":[]}}"#
        );
        answer("content-type: application/json\r\n", &body)
    })
    .await;
    let mut web = kit::target("web", &[], BOUND);
    let share = |release: &str, id: &str| Share {
        release: release.to_owned(),
        parts: 5_000,
        instances: vec![id.to_owned()],
    };
    web.answer = Answer::Instances {
        ready: vec![("one".to_owned(), small), ("two".to_owned(), small)],
        hold: BOUND,
        because: "nobody is there".to_owned(),
        releases: Releases {
            shares: vec![share("old", "one"), share("new", "two")],
            ..Releases::default()
        },
    };
    web.sticky = true;
    let part = |path: &str, rules: Rules| Route {
        path: path.to_owned(),
        to: None,
        rules: Arc::new(rules),
    };
    web.rules = Arc::new(Rules {
        bounds: rate("1000000/s per header x-user"),
        reports: true,
        ..Rules::default()
    });
    let door = Access {
        issuer: Some(Url::parse(&format!("http://{provider}")).expect("an address")),
        client: Some("shop".to_owned()),
        ..Access::by(SignIn::Oidc)
    };
    web.routes = vec![
        part(
            "/door",
            Rules {
                access: Some(door),
                ..Rules::default()
            },
        ),
        part(
            "/visitor",
            Rules {
                bounds: rate("1000000/s per visitor"),
                ..Rules::default()
            },
        ),
    ];
    // What is kept is in front of instances of its own.
    let mut kept = kit::target("kept", &[("one", large)], BOUND);
    kept.build = Some("a".to_owned());
    kept.rules = Arc::new(Rules {
        cache: Some(towpath_model::unit::Duration::from_hours(1)),
        ..Rules::default()
    });
    kept.routes = Vec::new();
    web.routes.push(Route {
        path: "/kept".to_owned(),
        to: Some(towpath_edge::RouteTo::Target("kept".to_owned())),
        rules: Arc::clone(&kept.rules),
    });
    KEPT.set(kept).expect("it is made once");
    web
}

static KEPT: std::sync::OnceLock<Target> = std::sync::OnceLock::new();

/// What is made up, and the request with the number of one of it.
type Kind = (&'static str, u16, fn(usize) -> String);

fn get(host: &str, path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n")
}

fn kinds() -> Vec<Kind> {
    vec![
        ("visitors, by all that can be said of them", 200, |number| {
            let headers = format!(
                "x-user: user-{number:030}\r\nx-request-id: request-{number:030}\r\ntraceparent: 00-{:032x}-{:016x}-01\r\n\
                 cookie: session={number:030}; towpath-instance={number:016x}; towpath-bucket={number:030}; \
                 towpath-visitor={number:030}\r\nif-none-match: \"{number:030}\"\r\nuser-agent: browser/{number}\r\n",
                number + 1,
                number + 1
            );
            get(
                &host("web"),
                &format!("/path/{number:030}?page={number}"),
                &headers,
            )
        }),
        ("visitors who are counted apart", 200, |number| {
            let cookie = format!("cookie: towpath-visitor={number:030}\r\nx-forwarded-for: 10.0.0.1\r\n");
            get(&host("web"), &format!("/visitor/{number}"), &cookie)
        }),
        ("hosts", 404, |number| {
            get(&format!("host-{number:030}.example"), "/", "")
        }),
        ("answers that are kept", 200, |number| {
            get(&host("web"), &format!("/kept/{number:030}"), "")
        }),
        ("people who begin to sign in", 303, |number| {
            let path = format!("/door/{number:030}");
            get(
                &host("web"),
                &path,
                "accept: text/html\r\nsec-fetch-mode: navigate\r\n",
            )
        }),
        ("violations", 204, |number| {
            let body = format!(
                r#"{{"csp-report":{{"document-uri":"http://{}/{number:030}","violated-directive":"script-src","effective-directive":"made-up-{number}","blocked-uri":"http://evil-{number}.example/"}}}}"#,
                host("web")
            );
            format!(
                "POST /.well-known/towpath/csp HTTP/1.1\r\nhost: {}\r\ncontent-type: application/csp-report\r\n\
                 content-length: {}\r\n\r\n{body}",
                host("web"),
                body.len()
            )
        }),
    ]
}

/// Asks for all of these numbers, and says how many answers were not as they should be.
async fn asks(port: u16, (_, status, request): Kind, numbers: std::ops::Range<usize>) -> usize {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let expected = format!("{BEGINS}{status} ");
    let mut room = vec![0; 256 * 1_024];
    let (mut from, mut others) = (numbers.start, 0);
    while from < numbers.end {
        let until = numbers.end.min(from + TOGETHER);
        let text: String = (from..until).map(request).collect();
        stream.write_all(text.as_bytes()).await.expect("it is open");
        let (mut heads, mut kept) = (0, 0);
        while heads < until - from {
            let count = tokio::time::timeout(BOUND, stream.read(&mut room[kept..])).await;
            let count = count.expect("it answers").expect("it is open");
            assert!(count > 0, "it has closed the connection of {}", request(from));
            let length = kept + count;
            let came = std::str::from_utf8(&room[..length]).expect("it is text");
            let mut rest = 0;
            while let Some(next) = came[rest..]
                .find(BEGINS)
                .filter(|next| rest + next + HEAD <= length)
            {
                heads += 1;
                others += usize::from(!came[rest + next..].starts_with(&expected));
                rest += next + HEAD;
            }
            // A head may begin at the end of what has come.
            rest = rest.max(length.saturating_sub(HEAD - 1));
            room.copy_within(rest..length, 0);
            kept = length - rest;
        }
        from = until;
    }
    others
}

async fn all_ask(edge: &Apart, kind: Kind, from: usize, until: usize) -> usize {
    let part = (until - from) / VISITORS;
    let visitors = (0..VISITORS).map(|visitor| {
        let first = from + visitor * part;
        tokio::spawn(asks(edge.http, kind, first..first + part))
    });
    let mut others = 0;
    for visitor in visitors.collect::<Vec<_>>() {
        others += visitor.await.expect("it ends");
    }
    others
}

#[tokio::test(flavor = "multi_thread")]
async fn what_visitors_make_up_takes_no_more_memory_the_more_it_is() {
    let wished = std::env::var("TOWPATH_TEST_CHURN").ok();
    let count: usize = wished.and_then(|count| count.parse().ok()).unwrap_or(USUAL);
    let mut edge = Apart::start(2_000, None).await;
    let web = target().await;
    edge.set(KEPT.get().expect("it was made")).await;
    edge.set(&web).await;
    for kind in kinds() {
        let first = count / 4;
        let mut others = all_ask(&edge, kind, 0, first).await;
        let before = edge.resident();
        others += all_ask(&edge, kind, first, count).await;
        let after = edge.resident();
        println!(
            "{}: {before} KiB after {first}, {after} KiB after {count}, {others} otherwise",
            kind.0
        );
        let more = (count - first) * EACH / 1_024 + if kind.0.contains("kept") { MUCH } else { NOISE };
        assert!(after < before + more, "{}: {before} KiB became {after}", kind.0);
        // What pages tell is bounded for each address, too, and all of this comes from one.
        let is_bounded = kind.1 == 204;
        assert!(
            is_bounded || others == 0,
            "{}: {others} were answered otherwise",
            kind.0
        );
    }
    let seen = edge.seen().await;
    let active: u64 = seen.components.iter().map(|one| one.active).sum();
    assert_eq!(active, 0, "{:?}", seen.components);
    // The snapshot, which a steward asks for again and again, does not grow either.
    let length = serde_json::to_string(&seen).expect("it can be written").len();
    assert!(length < 64 * 1_024, "{length}");
    edge.end().await;
}
