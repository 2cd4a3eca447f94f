//! What the edge sees of requests: counts, times, and a log in which no secret stands.
#![allow(
    clippy::disallowed_methods,
    reason = "a log is a file, and what checks the text is a program"
)]

mod kit;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, edge, edge_with_log, host, request, target, until, with};
use serde_json::Value;
use towpath_edge::{Answer, Counted, RequestLog, Route, RouteTo, Snapshot};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

fn route<'s>(seen: &'s Snapshot, component: &str, route: &str) -> &'s Counted {
    let found = seen
        .requests
        .iter()
        .find(|one| one.component == component && one.route == route);
    found.unwrap_or_else(|| panic!("{component} {route} is not in {seen:#?}"))
}

#[tokio::test]
async fn requests_are_counted_by_the_component_that_is_asked_and_the_route_that_leads_to_it() {
    let running = edge().await;
    let (web, api) = (Instance::start("web.1"), Instance::start("api.1"));
    running.set(target("api", &[("api.1", api.at)], LONG)).await;
    let mut site = target("web", &[("web.1", web.at)], LONG);
    site.routes = vec![Route {
        path: "/api".to_owned(),
        to: Some(RouteTo::Target("api".to_owned())),
        rules: std::sync::Arc::default(),
    }];
    running.set(site).await;
    assert!(
        running.edge.seen().requests.is_empty(),
        "nobody has asked anything"
    );
    for path in ["/", "/a", "/b", "/api", "/api/users/1", "/api/users/2"] {
        assert_eq!(running.get("web", path).await.status, StatusCode::OK);
    }
    let body = "so many letters";
    let echoed = running
        .ask(request(Method::PUT, &host("web"), "/echo", &[], body))
        .await;
    assert_eq!(echoed.text(), body);
    until("the end of all", async || {
        let seen = running.edge.seen();
        seen.of("web").whole.count() == 4 && seen.of("api").whole.count() == 3
    })
    .await;
    let seen = running.edge.seen();
    let (web, api) = (route(&seen, "web", "/"), route(&seen, "api", "/api"));
    assert_eq!((web.answers, api.answers), ([0, 4, 0, 0, 0], [0, 3, 0, 0, 0]));
    assert_eq!(web.received, body.len() as u64);
    let told = ["web.1 GET /", "web.1 GET /a", "web.1 GET /b", body];
    assert_eq!(web.sent, told.iter().map(|text| text.len() as u64).sum::<u64>());
    assert_eq!((web.first.count(), web.release.as_deref()), (4, None));
    assert!(
        web.refusals.is_empty() && web.cut == 0 && web.gone == 0,
        "{web:?}"
    );
    assert!(
        web.first.micros > 0 && web.whole.micros >= web.first.micros,
        "{web:?}"
    );
    assert_eq!(seen.requests.len(), 2, "paths are no routes: {seen:#?}");
}

#[tokio::test]
async fn what_the_edge_answers_itself_has_a_reason_and_who_leaves_is_no_answer() {
    let running = edge().await;
    let because = "it is closed".to_owned();
    running.set(with("shut", Answer::Closed { because })).await;
    running.set(target("web", &[], SHORT)).await;
    assert_eq!(
        running.get("shut", "/").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        running.get("web", "/").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(running.get("nobody", "/").await.status, StatusCode::NOT_FOUND);
    let seen = running.edge.seen();
    for name in ["shut", "web"] {
        let one = route(&seen, name, "/");
        assert_eq!((one.errors(), one.refusals.get("unavailable")), (1, Some(&1)));
    }
    assert_eq!(seen.nowhere.get("unknown"), Some(&1));

    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    let mut sender = kit::http_one(
        tokio::net::TcpStream::connect(running.http())
            .await
            .expect("it listens"),
    )
    .await;
    let asked = tokio::spawn(async move {
        sender
            .send_request(kit::get(&host("web"), "/wait"))
            .await
            .map(drop)
    });
    until("the request", async || one.got() == 1).await;
    let whole = running.edge.seen().components;
    let web = whole.iter().find(|whole| whole.component == "web");
    assert_eq!(web.map(|web| (web.active, web.waiting)), Some((1, 0)));
    asked.abort();
    until("its end", async || running.edge.seen().of("web").gone == 1).await;
    assert_eq!(running.edge.seen().of("web").answered(), 1);
}

#[tokio::test]
async fn an_instance_that_is_not_there_is_a_failure_and_the_next_one_answers() {
    let running = edge().await;
    let (gone, there) = (Instance::start("web.1").kill().await, Instance::start("web.2"));
    let ready = [("web.1", gone), ("web.2", there.at)];
    running.set(target("web", &ready, LONG)).await;
    for _ in 0..4 {
        assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
    }
    let seen = running.edge.seen();
    assert_eq!(seen.of("web").answers, [0, 4, 0, 0, 0]);
    assert!(seen.components[0].failures >= 1, "{:?}", seen.components);
}

#[tokio::test]
async fn the_text_is_one_that_prometheus_takes() {
    let running = edge().await;
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    running.get("web", "/").await;
    running.get("nobody", "/").await;
    let text = running.edge.seen().text();
    let counted = r#"towpath_edge_requests_total{component="web",route="/",code="2xx"} 1"#;
    assert!(text.contains(counted), "{text}");
    let mut command = Command::new("promtool");
    command
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let Ok(mut checking) = command.stderr(Stdio::piped()).spawn() else {
        eprintln!("left out: promtool is not on this machine");
        return;
    };
    let mut stdin = checking.stdin.take().expect("it is piped");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    let checked = checking.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && said.is_empty(), "{said}\n{text}");
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("each line is an object"))
        .collect()
}

#[tokio::test]
async fn each_request_has_a_line_and_no_secret_is_in_it() {
    let running = edge_with_log(|folder| RequestLog::at(folder.join("state/requests.log"))).await;
    let path = running.folder.path().join("state/requests.log");
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    running.set(target("shut", &[], SHORT)).await;
    let headers = [
        ("cookie", "session=HUSH-cookie"),
        ("authorization", "Bearer HUSH-bearer"),
        ("referer", "https://elsewhere/?token=HUSH-referer"),
        ("user-agent", "curl/8"),
        ("x-request-id", "a-request-of-mine"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    ];
    let asked = "/orders?token=HUSH-query&page=2&HUSH-bare";
    let answered = running
        .ask(request(Method::GET, &host("web"), asked, &headers, ""))
        .await;
    assert_eq!(answered.status, StatusCode::OK);
    running.get("shut", "/").await;
    running.get("nobody", "/").await;
    until("the lines", async || lines(&path).len() == 3).await;
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(!text.contains("HUSH"), "{text}");
    assert!(!running.edge.seen().text().contains("HUSH"));
    let all = lines(&path);
    let line = |name: &str| {
        let host = host(name);
        let found = all.iter().find(|line| line["host"] == host.as_str());
        found.unwrap_or_else(|| panic!("{name} is not in {text}"))
    };
    let web = line("web");
    for (key, value) in [
        ("request", "a-request-of-mine"),
        ("trace", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("component", "web"),
        ("route", "/"),
        ("method", "GET"),
        ("scheme", "http"),
        ("path", "/orders"),
        ("instance", "web.1"),
        ("agent", "curl/8"),
        ("address", "127.0.0.0/24"),
    ] {
        assert_eq!(web[key], value, "{key} of {web:#}");
    }
    assert_eq!(web["query"], serde_json::json!(["token", "page"]));
    assert_eq!((&web["status"], &web["received"]), (&200.into(), &0.into()));
    let (first, whole) = (web["first_ms"].as_f64(), web["whole_ms"].as_f64());
    assert!(first.is_some() && first <= whole, "{web:#}");
    assert_eq!(line("shut")["status"], 503);
    assert_eq!(line("shut").get("instance"), None);
    assert_eq!(line("nobody").get("component"), None);
    assert_eq!(running.edge.seen().lines.written, 3);
}

#[tokio::test]
async fn of_ordinary_requests_a_share_is_written_and_of_errors_every_one() {
    let running = edge_with_log(|folder| RequestLog {
        share: 0.0,
        whole_addresses: true,
        ..RequestLog::at(folder.join("requests.log"))
    })
    .await;
    let path = running.folder.path().join("requests.log");
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    running.set(target("shut", &[], Duration::ZERO)).await;
    for _ in 0..10 {
        running.get("web", "/").await;
        running.get("shut", "/").await;
    }
    until("the lines", async || {
        let told = running.edge.seen().lines;
        (told.written, told.passed_over, told.lost) == (10, 10, 0)
    })
    .await;
    let all = lines(&path);
    assert!(
        all.iter()
            .all(|line| line["status"] == 503 && line["address"] == "127.0.0.1"),
        "{all:?}"
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_written_holds_nobody_up_and_what_was_lost_is_counted() {
    let running = edge_with_log(|folder| {
        // A file stands where its folder should be.
        std::fs::write(folder.join("blocked"), "").expect("it can be written");
        RequestLog::at(folder.join("blocked/requests.log"))
    })
    .await;
    let blocked = running.folder.path().join("blocked");
    let path = blocked.join("requests.log");
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    for _ in 0..3 {
        assert_eq!(running.get("web", "/").await.status, StatusCode::OK);
    }
    until("the loss", async || running.edge.seen().lines.lost == 3).await;
    // When it can be written again the log itself says what is missing.
    std::fs::remove_file(&blocked).expect("it is there");
    running.get("web", "/").await;
    until("the line", async || lines(&path).len() == 2).await;
    let all = lines(&path);
    assert_eq!(all[0]["lost"], 3, "{all:?}");
    assert!(
        all[0]["because"]
            .as_str()
            .is_some_and(|because| !because.is_empty())
    );
    assert_eq!(all[1]["status"], 200);
}

#[tokio::test]
async fn an_edge_that_stops_has_written_every_line() {
    let running = edge_with_log(|folder| RequestLog::at(folder.join("requests.log"))).await;
    let path = running.folder.path().join("requests.log");
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    for _ in 0..50 {
        running.get("web", "/").await;
    }
    running.edge.clone().stop(LONG).await;
    assert_eq!(lines(&path).len(), 50);
}

#[tokio::test]
async fn a_trace_goes_on_to_the_instance_with_a_parent_of_its_own() {
    let running = edge().await;
    let one = Instance::start("web.1");
    running.set(target("web", &[("web.1", one.at)], LONG)).await;
    let ask = async |headers: &[(&str, &str)]| {
        let told = running
            .ask(request(Method::GET, &host("web"), "/headers", headers, ""))
            .await;
        let find = |name: &str| {
            let found = told
                .text()
                .lines()
                .find_map(|line| line.strip_prefix(name).map(str::to_owned));
            found.unwrap_or_default()
        };
        (find("traceparent: "), find("tracestate: "))
    };
    let brought = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let (parent, state) = ask(&[("traceparent", brought), ("tracestate", "vendor=1")]).await;
    assert!(
        parent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{parent}"
    );
    assert!(parent.ends_with("-00") && parent != brought, "{parent}");
    assert_eq!(state, "vendor=1");
    let (made, state) = ask(&[("traceparent", "nonsense"), ("tracestate", "vendor=1")]).await;
    assert!(made.len() == 55 && made.ends_with("-01"), "{made}");
    assert_eq!(state, "", "it belongs to a trace that there is not");
    assert_ne!(ask(&[]).await.0, made);
}
