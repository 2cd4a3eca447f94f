//! What is kept in front of a target, seen by real visitors over real connections.

mod kit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use kit::{Instance, Reply, Running, edge, get, host, request, target};
use tokio::net::TcpStream;
use towpath_edge::{Route, RouteTo};
use towpath_model::desired::edge::SignIn;
use towpath_model::run::{Access, Rules};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Cidr, Rate, Unit};

const HOLD: Duration = Duration::from_secs(10);

/// An edge with one instance of `web`, and rules in front of it.
async fn guarded(change: impl FnOnce(&mut Rules)) -> (Running, Instance) {
    let running = edge().await;
    let instance = Instance::start("one");
    let mut rules = Rules::default();
    change(&mut rules);
    let mut web = target("web", &[("one", instance.at)], HOLD);
    web.rules = Arc::new(rules);
    running.set(web).await;
    (running, instance)
}

fn rate(text: &str) -> Option<Rate> {
    Some(Rate::parse(text).expect("a rate"))
}

async fn send(
    running: &Running,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Reply {
    running
        .ask(request(method, &host("web"), path, headers, body))
        .await
}

#[tokio::test]
async fn what_is_refused_reaches_no_instance_and_is_told_in_words() {
    let (running, one) = guarded(|rules| {
        rules.allow = vec![Cidr::parse("203.0.113.0/24").expect("a network")];
        rules.headers = vec![(
            "Content-Security-Policy".to_owned(),
            "default-src 'self'".to_owned(),
        )];
    })
    .await;
    let plain = running.get("web", "/").await;
    assert_eq!(plain.status, StatusCode::FORBIDDEN);
    assert_eq!(
        plain.text(),
        "You may not come here\nOnly some networks reach this, and yours is none of them.\n"
    );
    assert!(plain.header("x-request-id").len() == 32);
    assert_eq!(plain.header("content-security-policy"), "default-src 'self'");
    let id = ("x-request-id", "4bf92f3577b34da6");
    let json = send(
        &running,
        Method::GET,
        "/",
        &[("accept", "application/json"), id],
        "",
    )
    .await;
    assert_eq!(json.header("content-type"), "application/problem+json");
    assert!(
        json.text().contains("\"status\":403") && json.text().contains("\"request\":\"4bf92f3577b34da6\"")
    );
    let page = send(&running, Method::GET, "/", &[("accept", "text/html")], "").await;
    assert!(page.text().contains("<h1>You may not come here</h1>"));
    assert!(
        page.header("content-security-policy")
            .contains("style-src 'unsafe-inline'")
    );
    let mut two = kit::http_two(running.tls(&host("web"), &[b"h2"]).await.expect("it is trusted")).await;
    let address = format!("https://{}/", host("web"));
    let asked = Request::get(address)
        .body(Full::<Bytes>::default())
        .expect("a request");
    let answer = kit::read(two.send_request(asked).await.expect("an answer")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.header("strict-transport-security"), "");
    assert_eq!(one.got(), 0);
}

#[tokio::test]
async fn a_rate_is_kept_over_all_connections_and_all_changes_of_a_target() {
    let (running, one) = guarded(|rules| rules.bounds.rate = rate("3/hour per ip")).await;
    let first = running.get("web", "/").await;
    assert_eq!(
        (first.status, first.header("ratelimit-policy")),
        (StatusCode::OK, "\"edge\";q=3;w=3600")
    );
    assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
    // The target is set anew, with a part that has inherited the rate.
    let two = Instance::start("two");
    let mut rules = Rules::default();
    rules.bounds.rate = rate("3/hour per ip");
    let mut web = target("web", &[("two", two.at)], HOLD);
    web.rules = Arc::new(rules.clone());
    rules.bounds.body = Some(1);
    web.routes = vec![Route {
        path: "/part".to_owned(),
        to: None,
        rules: Arc::new(rules),
    }];
    running.set(web).await;
    assert_eq!(running.get("web", "/part").await.status, StatusCode::OK);
    let refused = running.get("web", "/").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1_190..=1_200).contains(&wait), "{wait}");
    assert!(
        refused
            .text()
            .starts_with("Too many requests\nThere may be 3 in 3600 seconds. Ask again in ")
    );
    assert_eq!((one.got(), two.got()), (2, 1));
}

#[tokio::test]
async fn a_body_is_cut_where_it_becomes_too_large() {
    let (running, one) = guarded(|rules| rules.bounds.body = Some(8)).await;
    let small = send(&running, Method::POST, "/echo", &[], "12345678").await;
    assert_eq!((small.status, small.text()), (StatusCode::OK, "12345678"));
    let large = send(&running, Method::POST, "/echo", &[], "123456789").await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        large.text(),
        "The request is too large\nIts body may have 8 bytes.\n"
    );
    assert_eq!(one.got(), 1, "its length was said");
    // Without a length it is found out on the way. The instance reads it all before it answers.
    for method in [Method::POST, Method::PUT] {
        let parts = ["12345", "67890"].map(|part| Ok::<_, std::io::Error>(Frame::data(Bytes::from(part))));
        let body = StreamBody::new(futures_util::stream::iter(parts));
        let asked = Request::builder()
            .method(method)
            .uri("/trailers")
            .header("host", host("web"));
        let stream = TcpStream::connect(running.http()).await.expect("it listens");
        let mut sender = kit::http_one(stream).await;
        let answer = sender.send_request(asked.body(body).expect("a request")).await;
        let answer = kit::read(answer.expect("an answer")).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn an_answer_begins_in_time_or_not_at_all() {
    let (running, one) =
        guarded(|rules| rules.bounds.time = Some(towpath_model::unit::Duration::from_millis(50))).await;
    let late = running.get("web", "/wait").await;
    assert_eq!(late.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        late.text(),
        "No answer in time\nweb has not begun to answer within 50ms.\n"
    );
    assert_eq!(one.got(), 1, "it is not sent once more");
    assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_password_stays_at_the_edge() {
    let (running, one) = guarded(|rules| {
        rules.access = Some(Access {
            secret: Some("SITE_PASSWORD".to_owned()),
            ..Access::by(SignIn::Password)
        });
    })
    .await;
    // ana:open
    let basic = ("authorization", "Basic YW5hOm9wZW4=");
    let early = send(&running, Method::GET, "/headers", &[basic], "").await;
    assert_eq!(
        early.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "nobody knows it yet"
    );
    let know = |value: &str| {
        let value = Sealed::new(value.to_owned());
        running
            .edge
            .know(&BTreeMap::from([("SITE_PASSWORD".to_owned(), value)]));
    };
    know("open");
    let asked = running.get("web", "/headers").await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        asked.header("www-authenticate"),
        "Basic realm=\"web.hello.localhost\", charset=\"UTF-8\""
    );
    assert_eq!(one.got(), 0);
    let opened = send(&running, Method::GET, "/headers", &[basic, ("cookie", "a=1")], "").await;
    assert_eq!(opened.status, StatusCode::OK);
    assert!(!opened.text().contains("authorization") && opened.text().contains("cookie: a=1\n"));
    let cookie = opened
        .header("set-cookie")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let both = format!("{cookie}; a=1");
    let own = [("cookie", both.as_str()), ("authorization", "Bearer own")];
    let known = send(&running, Method::GET, "/headers", &own, "").await;
    assert!(known.text().contains("authorization: Bearer own\n") && known.text().contains("cookie: a=1\n"));
    know("another");
    assert_eq!(
        send(&running, Method::GET, "/headers", &own, "").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn components_among_themselves_are_bounded_and_nothing_more() {
    let (running, _one) = guarded(|_| {}).await;
    let instance = Instance::start("api");
    let mut rules = Rules {
        allow: vec![Cidr::parse("203.0.113.0/24").expect("a network")],
        own_pages: true,
        headers: vec![("X-Robots-Tag".to_owned(), "noindex".to_owned())],
        ..Rules::default()
    };
    rules.bounds.body = Some(4);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let mut api = target("api", &[("api", instance.at)], HOLD);
    api.rules = Arc::new(rules);
    api.inside = Some(port);
    running.set(api).await;
    assert_eq!(running.get("api", "/").await.status, StatusCode::FORBIDDEN);
    let at = ([127, 0, 0, 1], port).into();
    let post = |body| request(Method::POST, "127.0.0.1", "/echo", &[("cookie", "a=1")], body);
    let inside = kit::ask(at, post("1234")).await;
    assert_eq!(
        (inside.status, inside.header("x-robots-tag")),
        (StatusCode::OK, "")
    );
    assert_eq!(
        kit::ask(at, post("12345")).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn who_is_sent_elsewhere_is_looked_at_too() {
    let (running, _one) = guarded(|_| {}).await;
    let mut web = target("web", &[], HOLD);
    let part = |path: &str, allow: &str| Route {
        path: path.to_owned(),
        to: Some(RouteTo::Redirect("/new".to_owned())),
        rules: Arc::new(Rules {
            allow: vec![Cidr::parse(allow).expect("a network")],
            headers: vec![("Referrer-Policy".to_owned(), "no-referrer".to_owned())],
            ..Rules::default()
        }),
    };
    web.routes = vec![part("/old", "127.0.0.0/8"), part("/closed", "203.0.113.0/24")];
    running.set(web).await;
    let sent = running.get("web", "/old").await;
    assert_eq!(
        (sent.header("location"), sent.header("referrer-policy")),
        ("/new", "no-referrer")
    );
    assert_eq!(running.get("web", "/closed").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_instance_never_has_more_open_than_it_may() {
    let (running, one) = guarded(|rules| rules.bounds.hard = Some(2)).await;
    let edge = Arc::new(running);
    let asks: Vec<_> = (0..3)
        .map(|_| {
            let edge = Arc::clone(&edge);
            tokio::spawn(async move { edge.get("web", "/wait").await.status })
        })
        .collect();
    kit::until("the first two", async || one.got() == 2).await;
    // A fourth one waits as well; both get their turn when the first two are answered.
    let fourth = tokio::spawn({
        let edge = Arc::clone(&edge);
        async move { edge.get("web", "/").await.status }
    });
    tokio::task::yield_now().await;
    assert_eq!(one.got(), 2);
    kit::until("all are answered", async || {
        one.go.notify_waiters();
        asks.iter().all(|ask| ask.is_finished()) && fourth.is_finished()
    })
    .await;
    for ask in asks {
        assert_eq!(ask.await.expect("it ends"), StatusCode::OK);
    }
    assert_eq!(fourth.await.expect("it ends"), StatusCode::OK);
}

#[tokio::test]
async fn who_has_waited_for_a_full_instance_in_vain_is_told_so() {
    let (running, one) = guarded(|rules| rules.bounds.hard = Some(1)).await;
    let mut web = target("web", &[("one", one.at)], Duration::from_millis(60));
    let mut rules = Rules::default();
    rules.bounds.hard = Some(1);
    web.rules = Arc::new(rules);
    running.set(web).await;
    let stream = TcpStream::connect(running.http()).await.expect("it listens");
    let mut first = kit::http_one(stream).await;
    let waits = tokio::spawn(async move { first.send_request(get(&host("web"), "/wait")).await });
    kit::until("the first", async || one.got() == 1).await;
    let second = running.get("web", "/").await;
    assert_eq!(second.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        second.text(),
        "Nothing answers here yet\nweb has as many requests open as it may.\n"
    );
    assert_eq!(second.header("retry-after"), "2");
    one.go.notify_one();
    assert!(waits.await.expect("it ends").is_ok());
}

#[tokio::test]
async fn who_stays_on_an_instance_goes_elsewhere_where_that_one_has_much_open() {
    let running = edge().await;
    let (one, two) = (Instance::start("one"), Instance::start("two"));
    let mut web = target("web", &[("one", one.at), ("two", two.at)], HOLD);
    web.sticky = true;
    let mut rules = Rules::default();
    rules.bounds.soft = Some(1);
    web.rules = Arc::new(rules);
    running.set(web).await;
    let first = running.get("web", "/").await;
    let cookie = first
        .header("set-cookie")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let (mine, other) = if first.text().starts_with("one") {
        (&one, &two)
    } else {
        (&two, &one)
    };
    let stays = || request(Method::GET, &host("web"), "/wait", &[("cookie", &cookie)], "");
    let at = running.http();
    let waiting = tokio::spawn(kit::ask(at, stays()));
    kit::until("it is there", async || mine.got() == 2).await;
    let elsewhere = tokio::spawn(kit::ask(at, stays()));
    kit::until("it is elsewhere", async || other.got() == 1).await;
    mine.go.notify_one();
    other.go.notify_one();
    assert_eq!(waiting.await.expect("it ends").status, StatusCode::OK);
    assert_eq!(elsewhere.await.expect("it ends").status, StatusCode::OK);
}

#[tokio::test]
async fn calls_of_components_are_signed_and_what_a_visitor_says_of_it_is_not_believed() {
    let running = kit::edge().await;
    let instance = Instance::start("ai");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let mut ai = target("ai", &[("ai", instance.at)], HOLD);
    ai.rules = Arc::new(Rules {
        signs: vec!["AI_KEY".to_owned()],
        ..Rules::default()
    });
    ai.inside = Some(port);
    running.set(ai).await;
    let at = ([127, 0, 0, 1], port).into();
    let call = async |method, path: &str, body| {
        let forged = [
            ("x-towpath-signature", "t=1,d=-,v1=00"),
            ("x-towpath-user", "root"),
        ];
        kit::ask(at, request(method, "127.0.0.1", path, &forged, body)).await
    };
    let early = call(Method::GET, "/headers", "").await;
    assert_eq!(
        early.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "nothing goes on unsigned"
    );
    assert_eq!(instance.got(), 0);
    let secret = Sealed::new("k3y".to_owned());
    running
        .edge
        .know(&BTreeMap::from([("AI_KEY".to_owned(), secret)]));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"k3y");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let digest =
        |body: &str| hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes()).as_ref());
    for (method, path, body) in [
        (Method::GET, "/headers?a=b", ""),
        (Method::POST, "/headers", "a body"),
        (Method::PUT, "/headers", "another"),
    ] {
        let told = call(method.clone(), path, body).await;
        let line = told
            .text()
            .lines()
            .find_map(|line| line.strip_prefix("x-towpath-signature: "));
        let line = line.unwrap_or_else(|| panic!("{}", told.text()));
        let (time, rest) = line
            .strip_prefix("t=")
            .and_then(|rest| rest.split_once(','))
            .expect("a time");
        let text = format!("{time}\n{method}\n{path}\n{}", digest(body));
        let signed = hex(aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref());
        assert_eq!(rest, format!("d={},v1={signed}", digest(body)));
        assert!(!told.text().contains("x-towpath-user"));
    }
    let echoed = call(Method::POST, "/echo", "as it was").await;
    assert_eq!((echoed.status, echoed.text()), (StatusCode::OK, "as it was"));
    // What a visitor asks is no call of a component.
    let forged = [("x-towpath-signature", "t=1,d=-,v1=00")];
    let visitor = running
        .ask(request(Method::GET, &host("ai"), "/headers", &forged, ""))
        .await;
    assert!(
        visitor.status == StatusCode::OK && !visitor.text().contains("signature"),
        "{}",
        visitor.text()
    );
}
