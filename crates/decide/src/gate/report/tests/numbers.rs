//! Numbers in reports.

use super::*;

fn found(value: &str, keep: &str, report: &str) -> Found {
    let gate = gate(&format!(
        "performance = {{ report = \"web.json\", value = \"{value}\", keep = \"{keep}\" }}"
    ));
    let asked = gate.performance.expect("it is about a number");
    performance(
        &asked,
        Report {
            file: "web.json",
            bytes: report.as_bytes(),
        },
    )
}

const WEB: &str = r#"{"modal": {"render": {"p95": 49.6, "p99": "61ms"}}, "score": 0.93, "bundle": 480000,
    "runs": [{"total": "1m2.5s"}], "a.b": {"c/d": 1}, "none": null, "list": [], "micro": "340us", "percent": "120%", "state": "stable", "price": 4.5, "ok": true}"#;

#[test]
fn numbers_are_held_against_their_bounds() {
    let of = |value: &str, keep: &str| found(value, keep, WEB);
    let told = all(&[
        ("a plain number is milliseconds", of("modal.render.p95", "< 50ms")),
        ("not rounded", of("modal.render.p95", "<= 49ms")),
        ("with its unit", of("modal.render.p99", "<= 50ms")),
        ("microseconds", of("micro", "< 1ms")),
        ("several units, in a list", of("runs[0].total", "< 1m")),
        ("a share of one", of("score", ">= 90%")),
        ("a share beyond all of it", of("percent", "< 5%")),
        ("bytes", of("bundle", "< 500KB")),
        ("money", of("price", "< $5")),
        ("a number", of("modal.render.p95", "< 50")),
        ("a word", of("state", "= stable")),
        ("a point in a name, a slash in a pointer", of("/a.b/c~1d", "= 1")),
        ("a point in a name", of("a.b.c/d", "= 2")),
    ]);
    same(&told, include_str!("numbers.txt"), "numbers");
}

#[test]
fn what_is_no_number_fails_with_its_place() {
    let of = |value: &str, keep: &str| found(value, keep, WEB);
    let told = all(&[
        ("not there", of("modal.render.p90", "< 50ms")),
        ("nothing below it", of("score.p95", "< 50ms")),
        ("no such pointer", of("/modal/p95", "< 50ms")),
        ("null", of("none", "< 50ms")),
        ("a list", of("list", "< 50ms")),
        ("a table", of("modal.render", "< 50ms")),
        ("yes or no", of("ok", "< 50ms")),
        ("a word", of("state", "< 50ms")),
        ("a share in percent", found("rate", "< 5%", r#"{"rate": 3}"#)),
        ("a duration against a size", of("modal.render.p99", "< 500KB")),
        ("less than nothing", found("p95", "< 50ms", r#"{"p95": -1}"#)),
        ("too large", found("p95", "> 50ms", r#"{"p95": 1e300}"#)),
        ("not a number", found("p95", "< 50ms", r#"{"p95": NaN}"#)),
        ("empty", found("p95", "< 50ms", "")),
        ("cut off", found("p95", "< 50ms", r#"{"p95": 4"#)),
        ("a word against order", found("p95", "= fast", r#"{"p95": 4}"#)),
    ]);
    same(&told, include_str!("numbers_broken.txt"), "numbers_broken");
}
