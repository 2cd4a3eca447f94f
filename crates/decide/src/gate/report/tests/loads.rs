//! Load tests.

use super::*;

fn found(keep: &str, report: &str) -> Found {
    let gate = gate(&format!(
        "load = {{ command = \"load\", report = \"load.json\", keep = [{keep}] }}"
    ));
    let asked = gate.load.expect("it is about load");
    load(
        &asked,
        Report {
            file: "load.json",
            bytes: report.as_bytes(),
        },
    )
}

/// `k6 run --summary-export`.
const EXPORTED: &str = r#"{"root_group": {}, "metrics": {
    "http_req_duration": {"avg": 120.1, "min": 3, "med": 100, "max": 900.5, "p(90)": 200, "p(95)": 249.9, "thresholds": {"p(95)<300": false}},
    "http_req_failed": {"passes": 3, "fails": 1201, "value": 0.0024916943521594683}, "http_reqs": {"count": 1204, "rate": 20.06},
    "checks": {"passes": 99, "fails": 1, "value": 0.99}, "queue_wait": {"p(95)": 12}}}"#;

/// What `handleSummary` of k6 is given.
const SUMMARY: &str = r#"{"metrics": {
    "http_req_duration": {"type": "trend", "contains": "time", "values": {"avg": 120.1, "med": 100, "p(95)": 310, "p(99.9)": 800}},
    "http_req_failed": {"type": "rate", "values": {"rate": 0.02, "passes": 20, "fails": 980}},
    "http_reqs": {"type": "counter", "values": {"count": 1000, "rate": 16.6}}}}"#;

/// `oha --output-format json`, in seconds.
const OHA: &str = r#"{"summary": {"successRate": 1.0, "slowest": 0.9, "fastest": 0.001, "average": 0.05, "requestsPerSec": 199.9},
    "latencyPercentiles": {"p50": 0.04, "p95": 0.2, "p99.9": 0.8},
    "statusCodeDistribution": {"200": 990, "503": 8}, "errorDistribution": {"connection refused": 2, "aborted due to deadline": 50}}"#;

/// `vegeta report -type=json`, in nanoseconds.
const VEGETA: &str = r#"{"latencies": {"mean": 50000000, "50th": 40000000, "95th": 200000000, "99th": 300000000, "max": 900000000},
    "requests": 500, "rate": 50, "throughput": 49, "success": 0.99, "status_codes": {"200": 495, "500": 5}}"#;

#[test]
fn summaries_are_held_against_what_people_call_things() {
    let told = all(&[
        (
            "k6, exported",
            found(
                r#""p95 < 250ms", "error rate < 1%", "median <= 100ms", "avg < 1s", "errors <= 3", "checks >= 99%""#,
                EXPORTED,
            ),
        ),
        (
            "k6, by its own names",
            found(
                r#""http_req_duration p(95) < 249ms", "http_req_failed < 1%", "metrics.queue_wait.p(95) < 10ms""#,
                EXPORTED,
            ),
        ),
        (
            "k6, a summary",
            found(
                r#""p95 < 300ms", "error rate < 1%", "p99.9 < 1s", "requests >= 1000", "rps > 10""#,
                SUMMARY,
            ),
        ),
        (
            "oha",
            found(
                r#""p95 <= 200ms", "error rate <= 1%", "max < 1s", "p99.9 < 1s""#,
                OHA,
            ),
        ),
        (
            "vegeta",
            found(r#""p95 <= 200ms", "error rate < 1%", "mean < 1s""#, VEGETA),
        ),
        (
            "another, in milliseconds",
            found(
                r#""p95 < 250ms", "error rate < 1%""#,
                r#"{"latency": {"p95": 200}, "errors": 1, "non2xx": 1, "requests": {"total": 100}}"#,
            ),
        ),
        (
            "another, with its unit",
            found(
                r#""p95 < 250ms", "error rate < 1%""#,
                r#"{"p95": "0.3s", "error_rate": "0.5%"}"#,
            ),
        ),
        (
            "without a subject it is the 95th percentile",
            found(r#""< 250ms""#, EXPORTED),
        ),
        ("nothing to keep but that it runs", found("", EXPORTED)),
    ]);
    same(&told, include_str!("loads.txt"), "loads");
}

#[test]
fn a_load_test_that_says_nothing_fails() {
    let told = all(&[
        (
            "no request was made",
            found(
                r#""p95 < 250ms""#,
                r#"{"root_group": {}, "metrics": {"http_reqs": {"count": 0}, "http_req_duration": {"p(95)": 0}}}"#,
            ),
        ),
        (
            "a quantile that k6 did not count",
            found(r#""p99 < 250ms""#, EXPORTED),
        ),
        ("nothing of that name", found(r#""wait < 250ms""#, EXPORTED)),
        (
            "failures of nobody knows how many",
            found(r#""error rate < 1%""#, r#"{"errors": 3}"#),
        ),
        ("a list", found(r#""p95 < 250ms""#, "[1]")),
        ("cut off", found(r#""p95 < 250ms""#, r#"{"metrics": {"#)),
        (
            "each line a table, as k6 writes points",
            found(
                r#""p95 < 250ms""#,
                "{\"type\": \"Metric\"}\n{\"type\": \"Point\"}",
            ),
        ),
        (
            "a time that is none",
            found(
                r#""p95 < 250ms""#,
                r#"{"root_group": {}, "metrics": {"http_req_duration": {"p(95)": "fast"}}}"#,
            ),
        ),
    ]);
    same(&told, include_str!("loads_broken.txt"), "loads_broken");
}
