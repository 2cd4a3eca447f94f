//! What the edge is told and tells: how browsers had pages, how everything was asked lately, and which headers are weak.

use crate::kit::{Product, eventually};

const SHAPE: &str = r#"
[service.web]
run     = "sh ./program web"
public  = true
health  = { path = "/healthz", interval = "100ms" }
headers = "strict"

[service.weak]
run     = "python3 weak.py"
public  = true
health  = { path = "/", interval = "100ms" }
headers = "strict"

[telemetry]
vitals = true
"#;

/// Its framework sets a policy of its own.
const WEAK: &str = r#"
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Weak(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Security-Policy", "default-src * 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(b"ok")

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Weak).serve_forever()
"#;

fn posted(product: &Product, path: &str, body: &str) -> u16 {
    let rest = format!("content-length: {}\r\n\r\n{body}", body.len());
    product.say("web", &format!("POST {path}"), &[&rest]).0
}

/// The number behind a name and its labels.
fn counted(metrics: &str, name: &str) -> Option<u64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

const VITALS: &str = r#"towpath_edge_web_vital_seconds_count{component="web",route="/",vital="lcp"}"#;
const REQUESTS: &str = r#"towpath_edge_requests_total{component="web",route="/",code="2xx"}"#;

#[test]
fn what_browsers_tell_and_what_was_asked_is_shown() {
    let product = Product::new("tellingstory", SHAPE);
    product.write("weak.py", WEAK);
    product.up();
    let vitals = r#"{"path": "/", "vitals": [{"name": "LCP", "value": 1200}]}"#;
    assert_eq!(posted(&product, "/.well-known/towpath/vitals", vitals), 204);
    let report = r#"{"csp-report": {"document-uri": "http://web.tellingstory.localhost/a?token=HUSH",
        "effective-directive": "img-src", "blocked-uri": "https://cdn.example/i.png?key=HUSH"}}"#;
    assert_eq!(posted(&product, "/.well-known/towpath/csp", report), 204);
    for _ in 0..20 {
        assert_eq!(product.get("web", "/").as_deref(), Some("hello"));
    }
    let metrics = || product.well(&["metrics"]).out;
    eventually("all are counted", || {
        counted(&metrics(), REQUESTS).filter(|count| *count >= 20)
    });
    let after = metrics();
    assert_eq!(counted(&after, VITALS), Some(1), "{after}");
    let before = counted(&after, REQUESTS).expect("they are counted");
    let old = product.edge().expect("there is one");
    assert!(product.kill_steward(), "there was one");
    product.up_with(&product.another_program(1));
    eventually("another edge", || product.edge().filter(|edge| *edge != old));
    let after = metrics();
    assert_eq!(counted(&after, VITALS), Some(1), "{after}");
    assert!(counted(&after, REQUESTS) >= Some(before), "{before}: {after}");
    let notes = eventually("the weak headers are told", || {
        let notes = product.status()["notes"].to_string();
        notes
            .contains("weak answers with weaker headers")
            .then_some(notes)
    });
    for words in ["lets * 'unsafe-inline' into default-src", "[service.weak]"] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
    assert!(!notes.contains("web answers"), "{notes}");

    let lately = product.until("web", |web| web["lately"]["per_second"].as_f64() > Some(0.0));
    assert_eq!(lately["lately"]["error_share"], 0.0);
    let status = product.status();
    let edge = &status["edge"];
    assert_eq!(
        (edge["pid"].as_u64(), &edge["ours"], &edge["log_fault"]),
        (
            product.edge().map(u64::from),
            &true.into(),
            &serde_json::Value::Null
        )
    );
    assert!(edge["memory_bytes"].as_u64() > Some(100_000), "{edge}");
    assert_eq!(edge["violations"][0]["blocked"], "https://cdn.example/i.png");
    let shown = product.run(&["status"]).out;
    for words in ["asked in the last ", "0% errors", "img-src on /a", "to know"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let doctor = product.run(&["doctor"]).out;
    assert!(
        doctor
            .lines()
            .any(|line| line.contains("edge") && line.contains("answers on 127.0.0.1")),
        "{doctor}"
    );
    product.well(&["down"]);
    for text in [&shown, &after, &status.to_string()] {
        assert!(!text.contains("HUSH"), "{text}");
    }
    product.leaves_nothing();
}
