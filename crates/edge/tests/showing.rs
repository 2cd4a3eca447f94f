//! What visitors are shown in place of an answer: the product's own page, and that it is closed for a while.
#![allow(clippy::disallowed_methods, reason = "the test says until when it is closed")]

mod kit;

use std::time::Duration;

use http::{Method, StatusCode};
use kit::{Instance, Reply, Running, edge, host, request, target, with};
use towpath_edge::Answer;
use towpath_model::run::Maintenance;
use towpath_model::unit::known;

const PAGE: &str =
    "<!doctype html><title>{{status}}</title><h1>{{title}}</h1><p>{{reason}}</p><small>{{request}}</small>";

async fn ask(running: &Running, name: &str, headers: &[(&str, &str)]) -> Reply {
    running
        .ask(request(Method::GET, &host(name), "/", headers, ""))
        .await
}

#[tokio::test]
async fn browsers_are_shown_the_products_own_page_and_programs_what_they_ask_for() {
    let running = edge().await;
    let because = "web is <b>gone</b>.".to_owned();
    running.set(with("web", Answer::Closed { because })).await;
    let browser = [("accept", "text/html,*/*;q=0.8"), ("x-request-id", "abc-1")];
    let ours = ask(&running, "web", &browser).await;
    assert!(ours.text().contains("<h1>Nothing answers here</h1>"));
    running.edge.show(Some(PAGE));
    let own = ask(&running, "web", &browser).await;
    assert_eq!(own.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        own.text(),
        format!(
            "<!doctype html><title>503</title><h1>Nothing answers here</h1><p>web is &lt;b&gt;gone&lt;/b&gt;.</p><small>{}</small>",
            own.header("x-request-id")
        )
    );
    assert_eq!(own.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(own.header("retry-after"), "2");
    assert_eq!(own.header("cache-control"), "no-store");
    let json = ask(&running, "web", &[("accept", "application/json")]).await;
    assert_eq!(json.header("content-type"), "application/problem+json");
    assert!(
        ask(&running, "web", &[])
            .await
            .text()
            .starts_with("Nothing answers here\n")
    );
    // What an instance says is what it says.
    let instance = Instance::start("one");
    running
        .set(target("api", &[("one", instance.at)], Duration::from_secs(1)))
        .await;
    assert_eq!(ask(&running, "api", &browser).await.text(), "one GET /");
    // A name that nothing has is told with those that there are.
    assert!(
        ask(&running, "other", &browser)
            .await
            .text()
            .contains("web.hello.localhost")
    );
    running.edge.show(None);
    assert_eq!(
        ask(&running, "web", &browser).await.text().len(),
        ours.text().len()
    );
}

#[tokio::test]
async fn in_maintenance_visitors_come_later_and_components_go_on() {
    let running = edge().await;
    let instance = Instance::start("one");
    let now = jiff::Timestamp::now();
    let inside = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = inside.local_addr().expect("an address").port();
    drop(inside);
    let closed = |how: Option<Maintenance>| {
        let mut web = target("web", &[("one", instance.at)], Duration::from_secs(1));
        web.inside = Some(port);
        web.maintenance = how;
        web
    };
    let how = Maintenance {
        because: Some("A new database comes.".to_owned()),
        since: now,
        until: Some(now + jiff::SignedDuration::from_secs(600)),
        let_in: Vec::new(),
    };
    running.set(closed(Some(how.clone()))).await;
    let told = ask(&running, "web", &[]).await;
    assert_eq!(
        (told.status, told.text()),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "Closed for maintenance\nA new database comes.\n"
        )
    );
    let seconds: u64 = told.header("retry-after").parse().expect("a number");
    assert!((1..=600).contains(&seconds));
    assert_eq!(instance.got(), 0);
    let asked = kit::ask(([127, 0, 0, 1], port).into(), kit::get("web", "/")).await;
    assert_eq!(asked.text(), "one GET /", "components ask each other");
    running.edge.show(Some(PAGE));
    let page = ask(&running, "web", &[("accept", "text/html")]).await;
    assert!(page.text().contains("<p>A new database comes.</p>"));

    let let_in = vec![known("127.0.0.0/8")];
    running
        .set(closed(Some(Maintenance {
            let_in,
            ..how.clone()
        })))
        .await;
    assert_eq!(ask(&running, "web", &[]).await.text(), "one GET /");
    let others = vec![known("10.0.0.0/8")];
    let unending = Maintenance {
        let_in: others,
        until: None,
        ..how.clone()
    };
    running.set(closed(Some(unending))).await;
    assert_eq!(ask(&running, "web", &[]).await.header("retry-after"), "120");
    running
        .set(closed(Some(Maintenance {
            until: Some(now),
            ..how
        })))
        .await;
    assert_eq!(ask(&running, "web", &[]).await.text(), "one GET /", "it is over");
}
