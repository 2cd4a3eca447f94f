//! What came through is counted and written down, and no secret of it is anywhere.

use crate::kit::{Product, eventually};
use serde_json::Value;
use std::path::Path;

const WEB: &str = r#"
[service.web]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }
"#;

#[test]
fn requests_are_counted_and_written_down_and_a_secret_in_a_query_stands_nowhere() {
    let product = Product::new("seeingstory", WEB);
    product.up();
    assert_eq!(
        product.get("web", "/?token=HUSH-of-the-query&page=2").as_deref(),
        Some("hello")
    );
    assert_eq!(product.get("web", "/").as_deref(), Some("hello"));
    let counted = r#"towpath_edge_requests_total{component="web",route="/",code="2xx"} 2"#;
    let told = eventually("both are counted", || {
        let told = product.well(&["metrics"]).out;
        told.lines().any(|line| line == counted).then_some(told)
    });
    let of_web = product.well(&["metrics", "web"]).out;
    assert!(
        of_web.contains(counted) && !of_web.contains("log_lines_total{"),
        "{of_web}"
    );
    let lines = eventually("both are written", || {
        let ran = product.well(&["logs", "--requests", "--json", "web"]);
        let lines: Vec<Value> = ran
            .out
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        (lines.len() == 2).then_some(lines)
    });
    let with_query = lines
        .iter()
        .find(|line| line["query"].is_array())
        .expect("one has a query");
    assert_eq!(with_query["query"], serde_json::json!(["token", "page"]));
    assert_eq!(
        (&with_query["status"], &with_query["instance"]),
        (&200.into(), &"web.1".into())
    );
    let shown = product.well(&["logs", "--requests", "web"]).out;
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert!(
        shown.contains("GET web.seeingstory.localhost/?token&page"),
        "{shown}"
    );
    product.well(&["down"]);
    // It is still there when nothing runs.
    assert_eq!(product.well(&["logs", "--requests", "web"]).out, shown);
    for text in [&told, &of_web, &shown] {
        assert!(!text.contains("HUSH"), "{text}");
    }
    let held = holders(&product.state());
    assert!(held.is_empty(), "the secret stands in {held:?}");
    product.leaves_nothing();
}

/// The files below a folder in which the secret stands.
fn holders(folder: &Path) -> Vec<String> {
    let mut held = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            held.extend(holders(&path));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(4).any(|part| part == b"HUSH")) {
            held.push(path.display().to_string());
        }
    }
    held
}
