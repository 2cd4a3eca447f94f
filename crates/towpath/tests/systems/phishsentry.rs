//! PhishSentry: from a browser's report to a verdict, and what an operator's word changes.

use crate::inside::{ask, example, get, inside, made_up, post, visit};
use crate::kit::{Product, eventually};
use serde_json::{Value, json};
use std::thread;

const KNOWN: &str = "https://login.example.com.phish.test/";

/// What is said of a page now.
fn page(api: u16, url: &str) -> Value {
    let all = get(api, "/v1/verdicts");
    let all = all.as_array().expect("a list");
    all.iter()
        .find(|one| one["url"] == url)
        .cloned()
        .unwrap_or_default()
}

fn report(port: u16, token: &str, url: &str) -> (u16, Value) {
    let header = format!("authorization: Bearer {token}\r\n");
    ask(
        port,
        "POST /v1/reports",
        &header,
        &json!({ "url": url }).to_string(),
    )
}

/// The ingress knows whoever reports, holds back who is too eager, and passes on what is left.
fn reports_come_through_the_ingress(product: &Product) {
    let door = inside(product, "telemetry-ingress");
    let token = made_up(product, "EXTENSION_TOKEN");
    let (status, said) = report(door, &token, KNOWN);
    assert_eq!((status, &said["verdict"]), (200, &json!("phishing")), "{said}");
    assert_eq!(
        product.running("telemetry-ingress").len(),
        1,
        "a request has woken it"
    );
    assert_eq!(report(door, "another", KNOWN).0, 401);
    assert_eq!(ask(door, "POST /v1/reports", "", "{}").0, 401);
    assert_eq!(report(door, &token, "no address").0, 422);
    assert_eq!(report(door, &token, &"x".repeat(300 * 1024)).0, 413);
    let eager = thread::scope(|scope| {
        let ask = || (0..20).map(|_| report(door, &token, KNOWN).0).collect::<Vec<_>>();
        let all: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        all.into_iter()
            .flat_map(|one| one.join().expect("it asks"))
            .collect::<Vec<_>>()
    });
    assert!(eager.contains(&200) && eager.contains(&429), "{eager:?}");
    assert!(
        eager.iter().all(|status| [200, 429].contains(status)),
        "{eager:?}"
    );
}

/// A word about one page is evidence about the others of its host, which a job scores again.
fn an_operator_is_believed(api: u16) {
    let (reviewed, beside) = (
        "https://gifts.example.org/card",
        "https://gifts.example.org/winner",
    );
    assert_eq!(page(api, beside)["verdict"], "harmless");
    let review = |url: &str, verdict: &str| {
        post(
            api,
            "/internal/reviews",
            &json!({ "url": url, "verdict": verdict }),
        )
        .0
    };
    assert_eq!(review("https://nobody.example.org/", "phishing"), 404);
    assert_eq!(review(reviewed, "perhaps"), 422);
    assert_eq!(review(reviewed, "phishing"), 202);
    assert_eq!(page(api, reviewed)["by"], "operator");
    eventually("the page beside it is scored again", || {
        (page(api, beside)["verdict"] == "suspicious" || page(api, beside)["verdict"] == "phishing")
            .then_some(())
    });
    let summary = get(api, "/v1/summary");
    assert_eq!((&summary["waiting"], &summary["dead"]), (&json!(0), &json!(0)));
    // What an operator has decided is not changed by the model.
    assert_eq!(
        post(api, "/v1/score", &json!({ "url": reviewed })).1["by"],
        "operator"
    );
}

#[test]
fn a_report_becomes_a_verdict_and_an_operator_changes_it() {
    let Some(product) = example("phishsentry") else {
        return;
    };
    product.well(&["up", "--detach", "--yes", "--env", "local"]);
    for name in [
        "shared",
        "model-engine",
        "scoring-api",
        "model-jobs",
        "ops-dashboard",
    ] {
        product.until_state(name, "ready");
    }
    let api = inside(&product, "scoring-api");
    // The schema is there, and what it was filled with.
    assert_eq!(page(api, KNOWN)["reports"], 14);
    assert_eq!(
        get(inside(&product, "model-engine"), "/ready")["model"],
        "addresses-3"
    );
    let by_feed = post(api, "/v1/score", &json!({ "url": "https://shop.known.test/" })).1;
    assert_eq!(
        (&by_feed["by"], &by_feed["verdict"]),
        (&json!("feed"), &json!("phishing"))
    );
    reports_come_through_the_ingress(&product);
    an_operator_is_believed(api);
    let (status, dashboard) = visit(&product, "ops-dashboard", "/");
    assert_eq!(status, 200);
    assert!(
        dashboard.to_string().contains("<h1>PhishSentry</h1>"),
        "{dashboard}"
    );
    let (_, summary) = visit(&product, "ops-dashboard", "/v1/summary");
    assert!(summary["phishing"].as_u64() > Some(0), "{summary}");
    assert!(
        !product.logs("scoring-api").contains("phish.test"),
        "no address of a page is logged"
    );

    let before = page(api, KNOWN)["reports"].clone();
    product.well(&["down"]);
    product.leaves_nothing();
    product.well(&["up", "--detach", "--yes", "--env", "local"]);
    product.until_state("scoring-api", "ready");
    let api = inside(&product, "scoring-api");
    assert_eq!(
        page(api, KNOWN)["reports"],
        before,
        "every row is there again, and nothing was filled twice"
    );
    assert_eq!(page(api, "https://gifts.example.org/card")["by"], "operator");
}
