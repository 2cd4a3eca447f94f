//! Answers that are kept, with a real origin behind them.

mod kit;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kit::{Reply, Running, edge, host, request, until};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use towpath_edge::Target;
use towpath_model::desired::edge::SignIn;
use towpath_model::run::{Access, Rules};
use towpath_model::unit::Duration as Time;

/// What an origin was asked.
#[derive(Clone)]
struct Got {
    line: String,
    headers: HeaderMap,
}

/// How an origin answers.
#[derive(Clone)]
struct Script {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// It waits before it answers.
    waits: bool,
    /// Its length is not said, and it waits before its second half.
    halves: bool,
}

/// An origin that answers as it is told.
struct Origin {
    at: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    script: Arc<Mutex<Script>>,
    go: Arc<Notify>,
}

impl Origin {
    async fn start() -> Origin {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("it listens");
        let origin = Origin {
            at: listener.local_addr().expect("an address"),
            got: Arc::default(),
            script: Arc::new(Mutex::new(Script {
                status: 200,
                headers: Vec::new(),
                body: String::new(),
                waits: false,
                halves: false,
            })),
            go: Arc::new(Notify::new()),
        };
        let (got, script, go) = (
            Arc::clone(&origin.got),
            Arc::clone(&origin.script),
            Arc::clone(&origin.go),
        );
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (got, script, go) = (Arc::clone(&got), Arc::clone(&script), Arc::clone(&go));
                let service = service_fn(move |request| {
                    answer(Arc::clone(&got), Arc::clone(&script), Arc::clone(&go), request)
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(async move {
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        origin
    }

    fn says(&self, control: &str, body: &str) -> &Origin {
        self.says_all(&[("cache-control", control)], body)
    }

    fn says_all(&self, headers: &[(&'static str, &str)], body: &str) -> &Origin {
        let mut script = self.script.lock().expect("nobody panicked");
        script.headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        script.body = body.to_owned();
        script.status = 200;
        drop(script);
        self
    }

    fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().expect("nobody panicked"));
    }

    fn got(&self) -> usize {
        self.got.lock().expect("nobody panicked").len()
    }

    fn last(&self) -> Got {
        self.got
            .lock()
            .expect("nobody panicked")
            .last()
            .expect("it was asked")
            .clone()
    }
}

async fn answer(
    got: Arc<Mutex<Vec<Got>>>,
    script: Arc<Mutex<Script>>,
    go: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let asked = Got {
        line: format!("{} {}", request.method(), request.uri()),
        headers: request.headers().clone(),
    };
    let tag = request.headers().get("if-none-match").cloned();
    let since = request.headers().get("if-modified-since").cloned();
    got.lock().expect("nobody panicked").push(asked);
    let script = script.lock().expect("nobody panicked").clone();
    if script.waits {
        go.notified().await;
    }
    let find = |name: &str| {
        script
            .headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    };
    let has = |given: &Option<http::HeaderValue>, name| {
        given
            .as_ref()
            .is_some_and(|given| find(name).is_some_and(|known| given.as_bytes() == known.as_bytes()))
    };
    let unchanged =
        script.status == 200 && (has(&tag, "etag") || tag.is_none() && has(&since, "last-modified"));
    let (status, body) = match unchanged {
        true => (304, String::new()),
        false => (script.status, script.body.clone()),
    };
    let mut response = Response::builder().status(status);
    for (name, value) in &script.headers {
        response = response.header(*name, value);
    }
    let body = if script.halves {
        let (first, second) = body.split_at(body.len() / 2);
        let (first, second) = (Bytes::from(first.to_owned()), Bytes::from(second.to_owned()));
        let stream = futures_util::stream::unfold(0, move |count| {
            let (go, first, second) = (Arc::clone(&go), first.clone(), second.clone());
            async move {
                match count {
                    0 => Some((Ok(Frame::data(first)), 1)),
                    1 => {
                        go.notified().await;
                        Some((Ok(Frame::data(second)), 2))
                    }
                    _ => None,
                }
            }
        });
        StreamBody::new(
            Box::pin(stream) as std::pin::Pin<Box<dyn futures_util::Stream<Item = _> + Send + Sync>>
        )
        .boxed()
    } else {
        Full::from(body).boxed()
    };
    Ok(response.body(body).expect("it is an answer"))
}

fn target(at: SocketAddr) -> Target {
    let mut web = kit::target("web", &[("one", at)], Duration::from_secs(5));
    web.rules = rules(|_| {});
    web.build = Some("a".to_owned());
    web
}

fn rules(change: impl FnOnce(&mut Rules)) -> Arc<Rules> {
    let mut rules = Rules {
        cache: Some(Time::from_days(1)),
        ..Rules::default()
    };
    change(&mut rules);
    Arc::new(rules)
}

async fn web() -> (Running, Origin) {
    let (running, origin) = (edge().await, Origin::start().await);
    running.set(target(origin.at)).await;
    (running, origin)
}

async fn ask(running: &Running, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    running
        .ask(request(method, &host("web"), path, headers, ""))
        .await
}

async fn get(running: &Running, path: &str) -> Reply {
    ask(running, Method::GET, path, &[]).await
}

/// Waits until what was asked for is kept: it is taken in beside its visitor.
async fn kept(running: &Running, answers: u64) {
    until("what is kept", async || running.edge.seen().kept.0 == answers).await;
}

#[tokio::test]
async fn what_is_marked_is_given_again_and_says_how_old_it_is() {
    let (running, origin) = web().await;
    origin.says("max-age=60", "one");
    let first = get(&running, "/a?b=1").await;
    assert_eq!(
        (first.text(), first.header("cache-status")),
        ("one", "towpath; fwd=uri-miss; stored")
    );
    kept(&running, 1).await;
    origin.says("max-age=60", "two");
    let again = get(&running, "/a?b=1").await;
    assert_eq!(again.text(), "one");
    assert!(
        again.header("cache-status").starts_with("towpath; hit; ttl="),
        "{:?}",
        again.headers
    );
    assert!(again.header("age").parse::<u64>().expect("a number") < 60);
    assert_ne!(
        again.header("x-request-id"),
        first.header("x-request-id"),
        "each request has a name of its own"
    );
    let head = ask(&running, Method::HEAD, "/a?b=1", &[]).await;
    assert_eq!((head.header("content-length"), head.body.len()), ("3", 0));
    assert_eq!(origin.got(), 1);
    assert_eq!(
        get(&running, "/a?b=2").await.text(),
        "two",
        "another query is another address"
    );
    let seen = running.edge.seen().of("web");
    assert_eq!(seen.cache.get("hit"), Some(&2), "{:?}", seen.cache);
    assert_eq!(seen.cache.get("miss"), Some(&2));
    let text = running.edge.seen().text();
    assert!(
        text.contains("towpath_edge_cache_total{component=\"web\",route=\"/\",result=\"hit\"} 2"),
        "{text}"
    );
    assert!(text.contains("towpath_edge_cache_answers "));
}

#[tokio::test]
async fn what_is_not_marked_or_belongs_to_somebody_is_asked_for_each_time() {
    let (running, origin) = web().await;
    for (number, (headers, asked)) in [
        (vec![], vec![]),
        (vec![("cache-control", "private, max-age=60")], vec![]),
        (vec![("cache-control", "no-store")], vec![]),
        (vec![("cache-control", "max-age=60"), ("vary", "*")], vec![]),
        (
            vec![("cache-control", "max-age=60"), ("set-cookie", "a=1")],
            vec![],
        ),
        (
            vec![("cache-control", "max-age=60")],
            vec![("authorization", "Bearer x")],
        ),
        (
            vec![("cache-control", "max-age=60")],
            vec![("cookie", "session=1")],
        ),
        (
            vec![("cache-control", "max-age=60")],
            vec![("x-original-url", "/admin")],
        ),
        (
            vec![("cache-control", "max-age=60")],
            vec![("cache-control", "no-store")],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        origin.says_all(&headers, "mine");
        // What looks like a picture is kept as little as a page is.
        let path = format!("/account/{number}.css");
        let before = origin.got();
        for _ in 0..2 {
            assert_eq!(ask(&running, Method::GET, &path, &asked).await.text(), "mine");
        }
        assert_eq!(origin.got(), before + 2, "{headers:?} {asked:?}");
    }
    assert_eq!(running.edge.seen().kept, (0, 0));
}

#[tokio::test]
async fn a_cookie_goes_to_its_first_visitor_and_to_nobody_else() {
    let (running, origin) = web().await;
    origin.says_all(
        &[
            ("cache-control", "public, max-age=60"),
            ("set-cookie", "session=1"),
        ],
        "all",
    );
    assert_eq!(get(&running, "/").await.header("set-cookie"), "session=1");
    kept(&running, 1).await;
    let again = get(&running, "/").await;
    assert_eq!((again.text(), again.header("set-cookie")), ("all", ""));
    assert_eq!(origin.got(), 1);
}

#[tokio::test]
async fn many_who_want_the_same_ask_once() {
    let (running, origin) = web().await;
    origin
        .says("max-age=60", "one for all")
        .change(|script| script.waits = true);
    let running = Arc::new(running);
    let asks = |count: usize| {
        (0..count)
            .map(|_| {
                let running = Arc::clone(&running);
                tokio::spawn(async move { get(&running, "/").await })
            })
            .collect::<Vec<_>>()
    };
    let all = asks(20);
    let active = async || running.edge.traffic("web").active == 20;
    until("all of them", active).await;
    until("the first of them", async || origin.got() == 1).await;
    origin.change(|script| script.waits = false);
    origin.go.notify_one();
    for one in all {
        assert_eq!(one.await.expect("it is answered").text(), "one for all");
    }
    assert_eq!(origin.got(), 1);
    // What turns out to be nobody else's is asked for by everybody.
    origin
        .says("private", "mine")
        .change(|script| script.waits = true);
    let all: Vec<_> = (0..5)
        .map(|_| {
            let running = Arc::clone(&running);
            tokio::spawn(async move { get(&running, "/mine").await })
        })
        .collect();
    until("the first of them", async || origin.got() == 2).await;
    until("all of them", async || running.edge.traffic("web").active == 5).await;
    origin.change(|script| script.waits = false);
    origin.go.notify_one();
    for one in all {
        assert_eq!(one.await.expect("it is answered").text(), "mine");
    }
    assert_eq!(origin.got(), 6);
}

#[tokio::test]
async fn an_answer_is_passed_on_while_it_comes_and_kept_when_it_is_whole() {
    use http_body_util::BodyExt;
    let (running, origin) = web().await;
    origin
        .says("max-age=60", "firstsecnd")
        .change(|script| script.halves = true);
    let stream = tokio::net::TcpStream::connect(running.http())
        .await
        .expect("it listens");
    let mut sender = kit::http_one(stream).await;
    let mut response = sender
        .send_request(kit::get(&host("web"), "/"))
        .await
        .expect("it is answered");
    let first = response
        .body_mut()
        .frame()
        .await
        .expect("a part")
        .expect("it is whole");
    assert_eq!(first.into_data().expect("bytes"), "first");
    assert_eq!(running.edge.seen().kept.0, 0);
    // Its visitor leaves, and the answer is kept all the same.
    drop((response, sender));
    until("the rest", async || {
        origin.go.notify_waiters();
        running.edge.seen().kept.0 == 1
    })
    .await;
    assert_eq!(get(&running, "/").await.text(), "firstsecnd");
    assert_eq!(origin.got(), 1);
}

#[tokio::test]
async fn what_is_too_large_goes_through_whole_and_is_not_kept() {
    let (running, origin) = web().await;
    let large = "0123456789abcdef".repeat(200_000);
    for halves in [false, true] {
        origin
            .says("max-age=60", &large)
            .change(|script| script.halves = halves);
        let go = Arc::clone(&origin.go);
        let goes = tokio::spawn(async move {
            loop {
                go.notify_waiters();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let path = format!("/{halves}");
        assert_eq!(get(&running, &path).await.text(), large);
        goes.abort();
        assert_eq!(running.edge.seen().kept.0, 0);
    }
}

#[tokio::test]
async fn what_is_old_is_asked_for_with_its_tag_and_is_right_again() {
    let (running, origin) = web().await;
    for (path, known) in [
        ("/a", ("etag", "\"1\"")),
        ("/b", ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")),
    ] {
        origin.says_all(&[("cache-control", "no-cache"), known], "the same");
        get(&running, path).await;
        until("it", async || {
            let again = get(&running, path).await;
            assert_eq!((again.status, again.text()), (StatusCode::OK, "the same"));
            again.header("cache-status") == "towpath; fwd=stale; fwd-status=304; stored"
        })
        .await;
        let condition = if known.0 == "etag" {
            "if-none-match"
        } else {
            "if-modified-since"
        };
        assert_eq!(
            origin.last().headers.get(condition).expect("it is asked with it"),
            known.1
        );
        origin.says_all(&[("cache-control", "no-cache"), (known.0, "\"2\"")], "another");
        assert_eq!(get(&running, path).await.text(), "another");
    }
}

#[tokio::test]
async fn a_visitor_who_has_it_or_wants_a_part_is_answered_from_what_is_kept() {
    let (running, origin) = web().await;
    origin.says_all(
        &[
            ("cache-control", "max-age=60"),
            ("etag", "\"1\""),
            ("content-type", "text/plain"),
        ],
        "0123456789",
    );
    let has = ask(&running, Method::GET, "/", &[("if-none-match", "\"1\"")]).await;
    assert_eq!((has.status, has.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert!(
        origin.last().headers.get("if-none-match").is_none(),
        "we want to have all of it"
    );
    kept(&running, 1).await;
    for (asked, status, body) in [
        (("if-none-match", "W/\"1\""), 304, ""),
        (("if-none-match", "\"2\""), 200, "0123456789"),
        (("range", "bytes=2-4"), 206, "234"),
        (("range", "bytes=-2"), 206, "89"),
        (("range", "bytes=20-"), 416, ""),
    ] {
        let reply = ask(&running, Method::GET, "/", &[asked]).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (status, body), "{asked:?}");
    }
    let part = ask(
        &running,
        Method::GET,
        "/",
        &[("range", "bytes=2-4"), ("if-range", "\"1\"")],
    )
    .await;
    assert_eq!(
        (part.header("content-range"), part.header("content-length")),
        ("bytes 2-4/10", "3")
    );
    let other = ask(
        &running,
        Method::GET,
        "/",
        &[("range", "bytes=2-4"), ("if-range", "\"2\"")],
    )
    .await;
    assert_eq!(other.text(), "0123456789");
    assert_eq!(origin.got(), 1);
    ask(&running, Method::GET, "/part", &[("range", "bytes=2-4")]).await;
    assert_eq!(
        origin.last().headers.get("range").expect("it goes on"),
        "bytes=2-4"
    );
    assert_eq!(running.edge.seen().kept.0, 1, "a part is not kept");
}

#[tokio::test]
async fn what_is_old_is_given_while_it_is_asked_for_anew_and_when_that_fails() {
    let (running, origin) = web().await;
    origin.says("max-age=0, stale-while-revalidate=60", "old");
    get(&running, "/").await;
    kept(&running, 1).await;
    origin.says("max-age=60", "new");
    let old = get(&running, "/").await;
    assert_eq!(old.text(), "old");
    assert!(
        old.header("cache-status").starts_with("towpath; hit; ttl="),
        "{:?}",
        old.headers
    );
    until("the new one", async || get(&running, "/").await.text() == "new").await;
    assert_eq!(origin.got(), 2);

    origin.says_all(
        &[
            ("cache-control", "max-age=0, stale-if-error=60"),
            ("etag", "\"1\""),
        ],
        "right",
    );
    get(&running, "/error").await;
    kept(&running, 2).await;
    origin
        .says("max-age=60", "broken")
        .change(|script| script.status = 503);
    let reply = get(&running, "/error").await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, "right"));
    assert_eq!(
        get(&running, "/new").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert!(running.edge.seen().of("web").cache.get("stale") >= Some(&2));
}

#[tokio::test]
async fn what_is_left_of_a_sleeper_is_given_and_it_is_woken() {
    let (mut running, origin) = web().await;
    origin.says_all(
        &[
            ("cache-control", "max-age=0, stale-if-error=60"),
            ("etag", "\"1\""),
        ],
        "right",
    );
    get(&running, "/").await;
    kept(&running, 1).await;
    let mut sleeps = target(origin.at);
    sleeps.build = None;
    if let towpath_edge::Answer::Instances { ready, .. } = &mut sleeps.answer {
        ready.clear();
    }
    running.set(sleeps).await;
    assert_eq!(get(&running, "/").await.text(), "right");
    assert_eq!(
        running.event().await,
        towpath_edge::Event::Wanted("web".to_owned())
    );
}

#[tokio::test]
async fn nothing_of_an_earlier_build_is_given() {
    let (running, origin) = web().await;
    origin.says("max-age=60", "old");
    get(&running, "/").await;
    kept(&running, 1).await;
    let mut more = target(origin.at);
    more.drain = Duration::from_secs(1);
    running.set(more).await;
    assert_eq!(running.edge.seen().kept.0, 1, "it is made of the same");
    let mut next = target(origin.at);
    next.build = Some("b".to_owned());
    running.set(next).await;
    assert_eq!(running.edge.seen().kept, (0, 0));
    origin.says("max-age=60", "new");
    assert_eq!(get(&running, "/").await.text(), "new");
    // Back again, and nothing of it has come back.
    running.set(target(origin.at)).await;
    origin.says("max-age=60", "back");
    assert_eq!(get(&running, "/").await.text(), "back");
}

#[tokio::test]
async fn a_change_makes_what_is_kept_of_it_wrong() {
    let (running, origin) = web().await;
    origin.says("max-age=60", "one");
    for path in ["/a", "/b", "/c"] {
        get(&running, path).await;
    }
    kept(&running, 3).await;
    origin.says_all(&[("location", "/b")], "");
    assert_eq!(
        ask(&running, Method::POST, "/a", &[])
            .await
            .header("cache-status"),
        "towpath; fwd=method"
    );
    assert_eq!(running.edge.seen().kept.0, 1);
    origin.change(|script| script.status = 500);
    ask(&running, Method::DELETE, "/c", &[]).await;
    assert_eq!(running.edge.seen().kept.0, 1, "what failed has changed nothing");
}

#[tokio::test]
async fn each_language_and_coding_has_an_answer_of_its_own() {
    let (running, origin) = web().await;
    let says = |text: &str| {
        origin.says_all(
            &[("cache-control", "max-age=60"), ("vary", "Accept-Language")],
            text,
        );
    };
    says("hello");
    let en = [("accept-language", "en")];
    let de = [("accept-language", "de")];
    ask(&running, Method::GET, "/", &en).await;
    kept(&running, 1).await;
    says("hallo");
    assert_eq!(ask(&running, Method::GET, "/", &de).await.text(), "hallo");
    kept(&running, 2).await;
    assert_eq!(ask(&running, Method::GET, "/", &en).await.text(), "hello");
    assert_eq!(ask(&running, Method::GET, "/", &de).await.text(), "hallo");
    assert_eq!(origin.got(), 2);

    let mut small = target(origin.at);
    small.compress = true;
    running.set(small).await;
    let long = "a long text, again and again. ".repeat(1_000);
    origin.says_all(
        &[
            ("cache-control", "max-age=60"),
            ("content-type", "text/plain"),
            ("etag", "\"1\""),
        ],
        &long,
    );
    for (asked, coding) in [("gzip", "gzip"), ("", ""), ("br", "br"), ("gzip", "gzip")] {
        let reply = ask(&running, Method::GET, "/long", &[("accept-encoding", asked)]).await;
        assert_eq!(
            (reply.header("content-encoding"), reply.header("vary")),
            (coding, "accept-encoding")
        );
        let tag = if coding.is_empty() { "\"1\"" } else { "W/\"1\"" };
        assert_eq!(reply.header("etag"), tag);
        if coding.is_empty() {
            assert_eq!(reply.text(), long);
        } else {
            assert!(reply.body.len() < long.len() / 10 && !reply.body.is_empty());
        }
        kept(&running, 3).await;
    }
    assert_eq!(
        origin.got(),
        3,
        "one answer is kept, in whatever coding it goes out"
    );
    until("the coded one", async || {
        let reply = ask(&running, Method::GET, "/long", &[("accept-encoding", "gzip")]).await;
        !reply.header("content-length").is_empty()
    })
    .await;
}

#[tokio::test]
async fn behind_a_sign_in_only_what_is_everybodys_is_kept_and_nobody_else_gets_it() {
    let (running, origin) = web().await;
    let mut closed = target(origin.at);
    closed.rules = rules(|rules| {
        rules.access = Some(Access {
            secret: Some("TOKEN".to_owned()),
            ..Access::by(SignIn::Token)
        });
    });
    running.set(closed).await;
    let values = [(
        "TOKEN".to_owned(),
        towpath_model::sealed::Sealed::new("open".to_owned()),
    )];
    running.edge.know(&values.into());
    let signed_in = [("authorization", "Bearer open")];
    origin.says("s-maxage=60", "mine");
    ask(&running, Method::GET, "/mine", &signed_in).await;
    ask(&running, Method::GET, "/mine", &signed_in).await;
    assert_eq!(origin.got(), 2);
    origin.says("public, max-age=60", "all");
    ask(&running, Method::GET, "/all", &signed_in).await;
    kept(&running, 1).await;
    assert_eq!(ask(&running, Method::GET, "/all", &signed_in).await.text(), "all");
    assert_eq!(get(&running, "/all").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(origin.got(), 3);
}

#[tokio::test]
async fn a_host_that_is_written_otherwise_poisons_nobody() {
    let (running, origin) = web().await;
    origin.says("max-age=60", "odd");
    let odd = request(Method::GET, "WEB.hello.localhost:80", "/", &[], "");
    assert_eq!(running.ask(odd).await.text(), "odd");
    kept(&running, 1).await;
    origin.says("max-age=60", "usual");
    assert_eq!(get(&running, "/").await.text(), "usual");
}

#[tokio::test]
async fn only_what_is_kept_is_a_wish_that_is_heard() {
    let (running, origin) = web().await;
    origin.says("max-age=60", "one");
    let only = [("cache-control", "only-if-cached")];
    assert_eq!(
        ask(&running, Method::GET, "/", &only).await.status,
        StatusCode::GATEWAY_TIMEOUT
    );
    assert_eq!(origin.got(), 0);
    get(&running, "/").await;
    kept(&running, 1).await;
    assert_eq!(ask(&running, Method::GET, "/", &only).await.text(), "one");
    ask(&running, Method::GET, "/", &[("cache-control", "no-cache")]).await;
    assert_eq!(origin.got(), 2, "who wants it anew gets it anew");
    assert_eq!(origin.last().line, "GET /");
}
