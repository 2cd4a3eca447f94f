//! What browsers tell the edge: how they had a page, and what its policy forbade.
#![allow(
    clippy::disallowed_methods,
    reason = "a browser is a program, and a page is a file"
)]

mod kit;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, Running, edge, host, request, target, until, with};
use towpath_edge::{Answer, Route, RouteTo, Target};
use towpath_model::run::Rules;

const LONG: Duration = Duration::from_secs(20);
const VITALS: &str = "/.well-known/towpath/vitals";
const CSP: &str = "/.well-known/towpath/csp";
const POLICY: &str = "default-src 'self'; report-uri /.well-known/towpath/csp; report-to towpath";

fn telling() -> Arc<Rules> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Arc::new(Rules {
        vitals: true,
        reports: true,
        headers: vec![
            header("Content-Security-Policy", POLICY),
            header("Reporting-Endpoints", &format!("towpath=\"{CSP}\"")),
        ],
        ..Rules::default()
    })
}

fn told(target: Target) -> Target {
    Target {
        rules: telling(),
        ..target
    }
}

async fn post(running: &Running, path: &str, headers: &[(&str, &str)], body: &'static str) -> StatusCode {
    let asked = request(Method::POST, &host("web"), path, headers, body);
    running.ask(asked).await.status
}

#[tokio::test]
async fn what_pages_tell_is_counted_by_component_and_route_and_by_no_path() {
    let running = edge().await;
    let (web, api) = (Instance::start("web.1"), Instance::start("api.1"));
    running.set(target("api", &[("api.1", api.at)], LONG)).await;
    let mut site = told(target("web", &[("web.1", web.at)], LONG));
    site.routes = vec![Route {
        path: "/help".to_owned(),
        to: Some(RouteTo::Target("api".to_owned())),
        rules: telling(),
    }];
    running.set(site).await;
    for body in [
        r#"{"path": "/orders/1?no", "vitals": [{"name": "LCP", "value": 1200}, {"name": "CLS", "value": 0.2}]}"#,
        r#"{"path": "/orders/2", "vitals": [{"name": "LCP", "value": 2400}]}"#,
        r#"{"path": "/help/me", "vitals": [{"name": "INP", "value": 40}]}"#,
    ] {
        assert_eq!(post(&running, VITALS, &[], body).await, StatusCode::NO_CONTENT);
    }
    let seen = running.edge.seen();
    let of = |name: &str, vital: &str| seen.of(name).vitals.get(vital).cloned().unwrap_or_default();
    assert_eq!((of("web", "lcp").count(), of("api", "inp").count()), (2, 1));
    let slowest = of("web", "lcp").quantile(1.0).expect("it was told");
    assert!(slowest.as_millis().abs_diff(2_400) < 30, "{slowest:?}");
    assert_eq!(of("web", "cls").micros, 200_000);
    assert_eq!(seen.requests.len(), 2, "{seen:#?}");
    assert_eq!(
        (seen.of("web").answered(), web.got()),
        (0, 0),
        "it is no request of a visitor"
    );
    assert!(seen.nowhere.is_empty(), "{:?}", seen.nowhere);
    assert!(
        seen.text().contains("route=\"/help\",vital=\"inp\""),
        "{}",
        seen.text()
    );
}

#[tokio::test]
async fn what_is_too_long_too_often_from_elsewhere_or_nothing_of_the_sort_is_refused() {
    let running = edge().await;
    let web = Instance::start("web.1");
    running.set(told(target("web", &[("web.1", web.at)], LONG))).await;
    running.set(target("plain", &[("web.1", web.at)], LONG)).await;
    let body = r#"{"path": "/", "vitals": [{"name": "LCP", "value": 1}]}"#;
    let elsewhere = [("origin", "https://evil.example")];
    assert_eq!(
        post(&running, VITALS, &elsewhere, body).await,
        StatusCode::FORBIDDEN
    );
    let cross = [("sec-fetch-site", "cross-site")];
    assert_eq!(post(&running, VITALS, &cross, body).await, StatusCode::FORBIDDEN);
    assert_eq!(
        post(&running, VITALS, &[], "nonsense").await,
        StatusCode::BAD_REQUEST
    );
    let long = Box::leak(format!(r#"{{"path": "/{}", "vitals": []}}"#, "x".repeat(4_096)).into_boxed_str());
    assert_eq!(
        post(&running, VITALS, &[], long).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let got = running.get("web", VITALS).await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
    let script = running.get("web", "/.well-known/towpath/vitals.js").await;
    assert_eq!(script.status, StatusCode::OK);
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert_eq!(script.header("content-security-policy"), POLICY);
    // Where nobody has said that pages tell something it is the component's address.
    assert_eq!(
        running.get("plain", VITALS).await.text(),
        format!("web.1 GET {VITALS}")
    );
    let mut refused = 0;
    for _ in 0..130 {
        refused += usize::from(post(&running, VITALS, &[], body).await == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "one address may tell so much and no more");
    let told = running.edge.seen().of("web").vitals["lcp"].count();
    assert_eq!(told, 130 - refused as u64);
}

#[tokio::test]
async fn violations_are_counted_by_component_and_directive_and_no_secret_is_kept() {
    let running = edge().await;
    let web = Instance::start("web.1");
    running.set(told(target("web", &[("web.1", web.at)], LONG))).await;
    let old = r#"{"csp-report": {"document-uri": "http://web.hello.localhost/a?token=HUSH", "violated-directive": "img-src",
        "blocked-uri": "https://cdn.example/i.png?sig=HUSH"}}"#;
    let new = r#"[{"type": "csp-violation", "body": {"documentURL": "http://web.hello.localhost/b", "blockedURL": "inline",
        "effectiveDirective": "script-src-elem"}}, {"type": "csp-violation", "body": {"documentURL": "https://evil.example/",
        "effectiveDirective": "script-src"}}]"#;
    assert_eq!(post(&running, CSP, &[], old).await, StatusCode::NO_CONTENT);
    assert_eq!(post(&running, CSP, &[], new).await, StatusCode::NO_CONTENT);
    assert_eq!(post(&running, CSP, &[], "{}").await, StatusCode::BAD_REQUEST);
    let seen = running.edge.seen();
    let one = |directive: &str| ("web".to_owned(), directive.to_owned(), 1);
    assert_eq!(seen.violations.counts, [one("img-src"), one("script-src-elem")]);
    let last: Vec<(&str, &str)> = seen
        .violations
        .last
        .iter()
        .map(|one| (one.page.as_str(), one.blocked.as_str()))
        .collect();
    assert_eq!(last, [("/a", "https://cdn.example/i.png"), ("/b", "inline")]);
    assert!(
        !serde_json::to_string(&seen)
            .expect("it is written")
            .contains("HUSH")
    );
}

/// A browser looks at a page, which leads to another one, and then tells how it was and what was forbidden.
#[tokio::test]
async fn a_real_browser_tells_how_it_had_a_page_and_what_its_policy_forbade() {
    let running = edge().await;
    let pages = running.folder.path().join("pages");
    std::fs::create_dir(&pages).expect("a folder");
    let page = "<!doctype html><title>one</title><h1>A page that is looked at</h1>\
        <script src=\"/.well-known/towpath/vitals.js\" defer></script><script src=\"/on.js\" defer></script>\
        <script>document.title = \"HUSH\"</script>";
    let on = "setTimeout(() => { location.href = \"/two.html\"; }, 300);";
    for (name, text) in [
        ("index.html", page),
        ("on.js", on),
        ("two.html", "<!doctype html><p>two"),
    ] {
        std::fs::write(pages.join(name), text).expect("it can be written");
    }
    let answer = Answer::Files {
        folder: pages,
        fallback: None,
        former: Vec::new(),
        releases: towpath_edge::Releases::default(),
        sides: Default::default(),
        assets: LONG,
        pages: None,
    };
    running.set(told(with("web", answer))).await;
    let address = format!("https://{}:{}/", host("web"), running.https().port());
    let mut command = Command::new("chromium");
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--ignore-certificate-errors",
            "--short-reporting-delay",
            "--no-proxy-server",
        ])
        .arg(format!(
            "--user-data-dir={}",
            running.folder.path().join("profile").display()
        ))
        .args(["--remote-debugging-port=0", &address])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut browser) = command.spawn() else {
        eprintln!("left out: chromium is not on this machine");
        return;
    };
    until("what the browser tells", async || {
        let seen = running.edge.seen();
        let vitals = seen.of("web").vitals;
        ["ttfb", "fcp", "lcp", "cls"]
            .iter()
            .all(|name| vitals.contains_key(*name))
            && !seen.violations.last.is_empty()
    })
    .await;
    browser.kill().expect("it runs");
    browser.wait().expect("it ends");
    let seen = running.edge.seen();
    let vitals = seen.of("web").vitals;
    let longest = |name: &str| vitals[name].quantile(1.0).expect("it was told");
    assert!(
        longest("ttfb") <= longest("fcp") && longest("fcp") <= longest("lcp"),
        "{vitals:?}"
    );
    let told = &seen.violations.last[0];
    assert_eq!(
        (
            told.component.as_str(),
            told.directive.as_str(),
            told.blocked.as_str(),
            told.page.as_str()
        ),
        ("web", "script-src-elem", "inline", "/")
    );
}
