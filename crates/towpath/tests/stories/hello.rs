//! What should be: a product comes up, serves, tells how it is, and goes without a trace.

use crate::kit::Product;
use serde_json::Value;

const WEB: &str = r#"
[service.web]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }
"#;

#[test]
fn hello_is_served_over_http_and_https_tells_how_it_is_and_goes_without_a_trace() {
    let product = Product::new("hellostory", WEB);
    let ran = product.up();
    assert!(
        ran.out.contains("https://web.hellostory.localhost:"),
        "{}",
        ran.out
    );
    assert_eq!(product.get("web", "/").as_deref(), Some("hello"));
    assert_eq!(product.get_safely("web", "/").as_deref(), Some("hello"));
    assert_eq!(
        product.get_safely("web", "/env/TOWPATH_PRODUCT").as_deref(),
        Some("hellostory")
    );
    is_documented(&product.status());
    product.get("web", "/say/something-to-remember");
    assert!(product.logs("web").contains("something-to-remember"));
    // Nothing to do is said, and does nothing.
    let pid = product.pid("web");
    product.up();
    assert_eq!(product.pid("web"), pid);
    let ran = product.well(&["down"]);
    assert!(ran.err.contains("has stopped"), "{}", ran.err);
    product.leaves_nothing();
    let status = product.status();
    assert_eq!(status["steward"], Value::Null);
    let all = status["components"].as_array().expect("they are told");
    assert!(
        !all.is_empty() && all.iter().all(|one| one["state"] == "stopped"),
        "{status:#}"
    );
    // What was said is still there when nothing runs.
    assert!(product.logs("web").contains("something-to-remember"));
}

/// The shape that `docs/reference/status.md` promises.
fn is_documented(status: &Value) {
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(
        keys(status),
        ["components", "edge", "environment", "notes", "product", "steward"]
    );
    assert_eq!(status["product"], "hellostory");
    assert_eq!(status["environment"], "dev");
    assert!(status["steward"]["pid"].is_u64());
    let web = &status["components"][0];
    // What came through lately is told of what was asked lately.
    let told: Vec<String> = keys(web).into_iter().filter(|key| key != "lately").collect();
    assert_eq!(
        told,
        [
            "because",
            "inside",
            "instances",
            "kind",
            "name",
            "requests",
            "state",
            "url"
        ]
    );
    assert_eq!(
        (&web["state"], &web["kind"]),
        (&"ready".into(), &"service".into())
    );
    let one = &web["instances"][0];
    assert_eq!(
        keys(one),
        [
            "because",
            "cpu_percent",
            "id",
            "memory_bytes",
            "pid",
            "restarts",
            "since",
            "state"
        ]
    );
    assert_eq!(one["id"], "web.1");
}
