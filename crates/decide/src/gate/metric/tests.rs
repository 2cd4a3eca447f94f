//! Metrics as operators know them, and every input there is.

use super::share::chance;
use super::spread::{Lies, quantile};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use towpath_model::desired::metric::Objective;
use towpath_model::run::{Spread, Tally};
use towpath_model::unit::{Share, Unit};
use towpath_model::word::Ref;

/// The moment at which everything is judged.
fn now() -> Timestamp {
    "2026-03-01T10:10:00Z".parse().unwrap()
}

/// So many seconds ago.
fn ago(seconds: u64) -> Timestamp {
    now() - Duration::from_secs(seconds).to_jiff()
}

fn metric(text: &str) -> Metric {
    serde_json::from_str(text).unwrap()
}

fn gate(keep: &str, over: &str) -> MetricGate {
    MetricGate {
        metric: Ref::to("lag"),
        keep: Comparison::parse(keep).unwrap(),
        over: Duration::parse(over).unwrap(),
    }
}

/// What a gate finds, in a line.
fn asked(metric_text: &str, keep: &str, over: &str, samples: &[(Timestamp, Reading)]) -> String {
    line(&kept(&metric(metric_text), &gate(keep, over), samples, now()))
}

fn line(found: &Found) -> String {
    let (word, why) = match &found.verdict {
        Verdict::Pass => ("pass", String::new()),
        Verdict::Fail(why) => ("FAIL", format!(" | {why}")),
        Verdict::Inconclusive(why) => ("open", format!(" | {why}")),
        other => panic!("a metric does not answer {other:?}"),
    };
    let measured = found.measured.as_deref().unwrap_or("-");
    format!("{word} {measured}{why}")
}

/// A reading each quarter of a minute, for so many minutes until now.
fn steady(minutes: u64, reading: impl Fn(u64) -> Reading) -> Vec<(Timestamp, Reading)> {
    let last = minutes * 4;
    (0..=last)
        .map(|at| (ago((last - at) * 15), reading(at)))
        .collect()
}

fn count(value: f64) -> Reading {
    Reading::Count([("one".to_owned(), value)].into())
}

fn share(bad: f64, all: f64) -> Reading {
    Reading::Share([("one".to_owned(), Tally { bad, all })].into())
}

fn unknown(samples: &mut [(Timestamp, Reading)], from: u64, to: u64) {
    for (at, reading) in samples {
        if *at >= ago(from) && *at <= ago(to) {
            *reading = Reading::Unknown("Redis at 127.0.0.1:6379 does not answer".to_owned());
        }
    }
}

const EVICTIONS: &str = r#"{"measured": "evictions"}"#;
const DEPTH: &str = r#"{"redis": "bull:import:wait"}"#;
const LAG: &str = r#"{"series": "event_delivery_lag_ms", "unit": "ms"}"#;
const ERRORS: &str = r#"{"measured": "errors"}"#;

#[test]
fn no_evictions_for_ten_minutes_passes_and_one_fails() {
    let quiet = steady(10, |_| count(41.0));
    assert_eq!(asked(EVICTIONS, "= 0", "10m", &quiet), "pass 0 in 10m");
    let one = steady(10, |at| count(if at < 30 { 41.0 } else { 42.0 }));
    assert_eq!(
        asked(EVICTIONS, "= 0", "10m", &one),
        "FAIL 1 in 10m | `lag` is 1 in 10m, and `= 0` has to hold for 10m"
    );
    // What was thrown away before does not count.
    let before = steady(20, |at| count(if at < 30 { 41.0 } else { 42.0 }));
    assert_eq!(asked(EVICTIONS, "= 0", "10m", &before), "pass 0 in 10m");
}

#[test]
fn a_record_that_is_too_short_is_never_a_pass_but_may_be_a_failure() {
    let short = steady(3, |_| count(41.0));
    assert_eq!(
        asked(EVICTIONS, "= 0", "10m", &short),
        "open 0 in 3m | `lag` is known for 3m of 10m"
    );
    let short = steady(3, |at| count(at as f64));
    assert!(asked(EVICTIONS, "= 0", "10m", &short).starts_with("FAIL 12 in 3m"));
    let short = steady(3, |_| Reading::Level(7.0));
    assert_eq!(
        asked(DEPTH, "< 500", "10m", &short),
        "open at most 7, in 13 readings | `lag` is known for 3m of 10m"
    );
    let short = steady(3, |_| Reading::Level(700.0));
    assert!(asked(DEPTH, "< 500", "10m", &short).starts_with("FAIL 700 at 2026-03-01T10:07:00Z"));
    assert_eq!(
        asked(DEPTH, "< 500", "10m", &[]),
        "open - | `lag` has not been read yet"
    );
}

#[test]
fn a_gap_is_told_with_its_reason() {
    let mut samples = steady(10, |_| Reading::Level(7.0));
    unknown(&mut samples, 300, 120);
    assert_eq!(
        asked(DEPTH, "< 500", "10m", &samples),
        "open at most 7, in 27 readings | `lag` is not known from 2026-03-01T10:04:45Z to 2026-03-01T10:08:15Z: \
         Redis at 127.0.0.1:6379 does not answer"
    );
    let mut samples = steady(10, |_| Reading::Level(7.0));
    unknown(&mut samples, 120, 0);
    assert_eq!(
        asked(DEPTH, "< 500", "10m", &samples),
        "open at most 7, in 31 readings | `lag` is not known since 2026-03-01T10:07:45Z: Redis at 127.0.0.1:6379 does not answer"
    );
    let mut samples = steady(10, |_| Reading::Level(7.0));
    unknown(&mut samples, 600, 0);
    assert_eq!(
        asked(DEPTH, "< 500", "10m", &samples),
        "open - | `lag` cannot be read: Redis at 127.0.0.1:6379 does not answer"
    );
    // One that is lost is no gap, and one that nobody took is.
    let mut samples = steady(10, |_| Reading::Level(7.0));
    unknown(&mut samples, 120, 120);
    assert!(asked(DEPTH, "< 500", "10m", &samples).starts_with("pass"));
    samples.drain(10..20);
    assert!(asked(DEPTH, "< 500", "10m", &samples).ends_with("nobody has looked"));
}

#[test]
fn a_count_bridges_a_gap_unless_it_began_again_in_it() {
    let mut samples = steady(10, |_| count(41.0));
    unknown(&mut samples, 300, 120);
    assert_eq!(asked(EVICTIONS, "= 0", "10m", &samples), "pass 0 in 10m");
    let mut samples = steady(10, |at| count(if at < 25 { 41.0 } else { 0.0 }));
    unknown(&mut samples, 300, 120);
    assert!(asked(EVICTIONS, "= 0", "10m", &samples).contains("and it began again in that time"));
}

#[test]
fn a_count_that_began_again_is_not_less_than_nothing() {
    let samples = steady(10, |at| count(if at < 20 { 100.0 } else { (at - 20) as f64 }));
    assert_eq!(
        asked(r#"{"measured": "requests"}"#, ">= 20", "10m", &samples),
        "pass 20 in 10m"
    );
}

#[test]
fn an_instance_that_leaves_takes_no_events_with_it_and_one_that_comes_brings_its_own() {
    let samples = steady(10, |at| {
        let mut by = BTreeMap::from([("1".to_owned(), 1000.0)]);
        if at < 20 {
            by.insert("2".to_owned(), 900.0);
        } else {
            by.insert("3".to_owned(), 5.0);
        }
        Reading::Count(by)
    });
    assert_eq!(
        asked(r#"{"measured": "restarts"}"#, "<= 5", "10m", &samples),
        "pass 5 in 10m"
    );
}

#[test]
fn dead_letters_are_what_was_added_whatever_was_taken_away() {
    let dead = r#"{"measured": "dead-letters"}"#;
    let samples = steady(10, |at| Reading::Level(if at < 20 { 50.0 } else { 10.0 }));
    assert_eq!(asked(dead, "= 0", "10m", &samples), "pass 0 in 10m");
    let samples = steady(10, |at| Reading::Level(if at % 10 == 9 { 3.0 } else { 1.0 }));
    assert!(asked(dead, "= 0", "10m", &samples).starts_with("FAIL 8 in 10m"));
}

#[test]
fn a_unit_makes_a_number_comparable_and_none_is_guessed() {
    let level = |value: f64| steady(10, move |_| Reading::Level(value));
    let sql = |unit: &str| format!(r#"{{"sql": "select 1", "unit": "{unit}"}}"#);
    for (unit, keep, value, verdict) in [
        ("ms", "< 3s", 2999.0, "pass"),
        ("ms", "< 3s", 3000.0, "FAIL"),
        ("s", "< 3s", 2.5, "pass"),
        ("s", "< 570ms", 0.57, "FAIL"),
        ("seconds", "<= 570ms", 0.57, "pass"),
        ("us", "< 1ms", 999.0, "pass"),
        ("%", "< 5%", 4.9, "pass"),
        ("%", "< 5%", 5.0, "FAIL"),
        ("ratio", "< 5%", 0.04, "pass"),
        ("MB", "< 2GB", 1999.0, "pass"),
        ("MiB", "< 2GB", 1999.0, "FAIL"),
        ("USD", "< $5", 4.0, "pass"),
        ("ms", "< 3000", 2999.0, "pass"),
        ("events/minute", "> 10", 11.0, "pass"),
    ] {
        let found = asked(&sql(unit), keep, "10m", &level(value));
        assert!(found.starts_with(verdict), "{value} {unit} {keep}: {found}");
    }
    assert_eq!(
        asked(r#"{"sql": "select 1"}"#, "< 3s", "10m", &level(2.0)),
        "open - | `lag` is a number without a unit, and `< 3s` asks for a duration; say what it is in: unit = \"ms\" at [metric.lag]"
    );
    assert!(asked(&sql("MB"), "< 5%", "10m", &level(2.0)).contains("is a size"));
    assert!(asked(&sql("EUR"), "< $5", "10m", &level(2.0)).contains("is in EUR"));
    assert!(asked(ERRORS, "< 5", "10m", &[]).contains("is a share, and `< 5` asks for a number; write < 5%"));
    assert!(asked(DEPTH, "contains ok", "10m", &level(2.0)).starts_with("open"));
    let series = r#"{"series": "lag_seconds"}"#;
    assert!(asked(series, "< 3s", "10m", &level(2.0)).starts_with("pass at most 2s"));
    let memory = r#"{"measured": "memory"}"#;
    assert!(asked(memory, "< 100MB", "10m", &level(99e6)).starts_with("pass at most 99MB"));
}

#[test]
fn what_is_made_of_readings_may_be_bounded() {
    let samples = steady(10, |at| Reading::Level(if at == 20 { 900.0 } else { 10.0 }));
    assert!(asked(DEPTH, "< 500", "10m", &samples).starts_with("FAIL 900 at"));
    assert_eq!(
        asked(DEPTH, "p95 < 500", "10m", &samples),
        "pass p95 10, in 40 readings"
    );
    assert!(asked(DEPTH, "avg < 30", "10m", &samples).starts_with("FAIL avg 32.25"));
    assert!(asked(DEPTH, "max < 30", "10m", &samples).starts_with("FAIL max 900"));
    assert!(asked(DEPTH, "depth < 30", "10m", &samples).contains("has no `depth`"));
    assert!(asked(DEPTH, "lag < 1000", "10m", &samples).starts_with("pass"));
}

#[test]
fn of_web_vitals_the_named_one_is_judged() {
    let vitals = r#"{"measured": "web-vitals"}"#;
    let samples = steady(10, |_| {
        let named = [("lcp".to_owned(), 2400.0), ("ttfb".to_owned(), 900.0)];
        Reading::Named(named.into())
    });
    assert_eq!(
        asked(vitals, "LCP < 2.5s", "10m", &samples),
        "pass at most 2.4s, in 40 readings"
    );
    assert!(asked(vitals, "ttfb < 800ms", "10m", &samples).starts_with("FAIL 900ms"));
    assert!(
        asked(vitals, "< 800ms", "10m", &samples).ends_with("write the one that is meant: \"lcp < 800ms\"")
    );
    assert!(asked(vitals, "fid < 1s", "10m", &samples).contains("has lcp, ttfb, and no `fid`"));
}

#[test]
fn no_traffic_is_neither_good_nor_bad_and_little_says_little() {
    let none = steady(10, |_| share(3.0, 1000.0));
    assert_eq!(
        asked(ERRORS, "< 1%", "10m", &none),
        "open - | nothing that `lag` counts has happened"
    );
    let some = steady(10, |at| share(0.0, at as f64));
    assert_eq!(
        asked(ERRORS, "< 1%", "10m", &some),
        "open 0%: 0 of 40 requests failed | 0%: 0 of 40 requests failed is too little to tell whether `lag` keeps `< 1%`, which takes 100"
    );
    let one = steady(10, |at| share(if at > 20 { 1.0 } else { 0.0 }, at as f64));
    assert!(asked(ERRORS, "< 1%", "10m", &one).starts_with("open 2.5%: 1 of 40"));
    let many = steady(10, |at| share(if at > 20 { 6.0 } else { 0.0 }, at as f64));
    assert!(asked(ERRORS, "< 1%", "10m", &many).starts_with("FAIL 15%: 6 of 40"));
    let enough = steady(10, |at| share(0.0, at as f64 * 30.0 + 4.0));
    assert_eq!(
        asked(ERRORS, "< 1%", "10m", &enough),
        "pass 0%: 0 of 1,200 requests failed"
    );
    assert!(asked(ERRORS, "error rate = 0%", "10m", &enough).starts_with("pass"));
    let broken = steady(1, |at| share(at as f64 * 10.0, at as f64 * 10.0));
    assert!(asked(ERRORS, "< 1%", "10m", &broken).starts_with("FAIL 100%: 40 of 40"));
}

#[test]
fn availability_is_the_other_side_of_errors() {
    let availability = r#"{"measured": "availability"}"#;
    let samples = steady(10, |at| share(at as f64, at as f64 * 100.0));
    assert_eq!(
        asked(availability, ">= 99%", "10m", &samples),
        "pass 99%: 40 of 4,000 requests failed"
    );
    assert!(asked(availability, "> 99%", "10m", &samples).starts_with("FAIL 99%"));
    let uptime = steady(10, |at| share(if at > 10 { 30.0 } else { 0.0 }, at as f64 * 15.0));
    let found = asked(r#"{"measured": "uptime"}"#, "> 99%", "10m", &uptime);
    assert!(found.starts_with("FAIL 95%, down for 30s of 10m"), "{found}");
}

fn lags(at: f64) -> Reading {
    let spread = Spread {
        classes: vec![(100.0, at * 90.0), (1000.0, at * 94.0), (5000.0, at * 99.0)],
        count: at * 100.0,
        sum: Some(at * 20_000.0),
    };
    Reading::Spread([("1".to_owned(), spread)].into())
}

#[test]
fn of_a_histogram_the_quantile_of_what_came_counts() {
    let samples = steady(10, |at| lags(at as f64));
    // 94 of 100 up to 1 s, 99 up to 5 s: the 95th lies a fifth of the way.
    assert_eq!(
        asked(LAG, "p95 < 3s", "10m", &samples),
        "pass 1.8s of 4,000 events"
    );
    assert!(asked(LAG, "p95 < 1.8s", "10m", &samples).starts_with("FAIL 1.8s"));
    assert!(asked(LAG, "avg < 201ms", "10m", &samples).starts_with("pass 200ms"));
    assert!(asked(LAG, "count > 3999", "10m", &samples).starts_with("pass"));
    assert!(asked(LAG, "< 3s", "10m", &samples).contains("write p95, p99, avg or count: \"p95 < 3s\""));
    assert!(asked(LAG, "max < 3s", "10m", &samples).starts_with("open"));
    assert!(asked(LAG, "p99.5 < 5s", "10m", &samples).starts_with("FAIL more than 5s"));
    assert_eq!(
        asked(LAG, "p99.5 < 6s", "10m", &samples),
        "open more than 5s of 4,000 events | the classes of `lag` end at 5s, so `p99.5 < 6s` cannot be told; give it a larger one"
    );
    let still = steady(10, |_| lags(7.0));
    assert!(asked(LAG, "p95 < 3s", "10m", &still).starts_with("open - | nothing"));
    let few = steady(10, |at| lags(if at > 20 { 0.15 } else { 0.0 }));
    assert!(asked(LAG, "p95 < 3s", "10m", &few).ends_with("cannot be told of 15 events, which takes 20"));
    let latency = r#"{"measured": "latency"}"#;
    assert!(asked(latency, "< 3s", "10m", &samples).starts_with("pass 1.8s"));
}

#[test]
fn a_query_about_a_time_is_asked_about_all_of_it() {
    let sql = r#"{"sql": "select count(*) from i where at >= :from and at < :to"}"#;
    let span = |from: u64, to: u64, value: f64| {
        let reading = Reading::Span {
            from: ago(from),
            to: ago(to),
            value,
        };
        vec![(ago(to), reading)]
    };
    assert_eq!(asked(sql, "< 5", "10m", &span(600, 0, 3.0)), "pass 3 in 10m");
    assert!(asked(sql, "< 5", "10m", &span(600, 0, 5.0)).starts_with("FAIL"));
    assert_eq!(
        asked(sql, "< 5", "10m", &span(180, 0, 9.0)),
        "open 9 in 3m | `lag` is known for 3m of 10m"
    );
    assert!(asked(sql, "< 5", "10m", &span(900, 300, 3.0)).contains("not known since"));
}

#[test]
fn a_change_is_made_of_amounts() {
    let requests = metric(r#"{"measured": "requests"}"#);
    let samples = steady(20, |at| count(at as f64 * 2.0));
    let of = |metric: &Metric, samples: &[_], from, to| amount(metric, "lag", samples, ago(from), ago(to));
    assert_eq!(of(&requests, &samples, 1200, 600), Ok(80.0));
    assert_eq!(of(&requests, &samples, 600, 0), Ok(80.0));
    assert!(
        of(&requests, &samples, 2400, 1200)
            .unwrap_err()
            .contains("is known for 0s of 20m")
    );
    let span = Reading::Span {
        from: ago(600),
        to: ago(0),
        value: 34.0,
    };
    let sql = metric(r#"{"sql": "select :from"}"#);
    assert_eq!(of(&sql, &[(ago(0), span.clone())], 600, 0), Ok(34.0));
    assert!(
        of(&sql, &[(ago(0), span)], 500, 0)
            .unwrap_err()
            .contains("was not asked about")
    );
    assert!(
        of(&metric(DEPTH), &steady(10, |_| Reading::Level(1.0)), 600, 0)
            .unwrap_err()
            .contains("no count")
    );
}

#[test]
fn a_moment_is_judged_by_the_last_reading() {
    let samples = [(ago(300), Reading::Level(9000.0)), (ago(10), Reading::Level(7.0))];
    assert_eq!(
        asked(DEPTH, "< 500", "0s", &samples),
        "pass at most 7, in 1 reading"
    );
    assert!(asked(DEPTH, "< 500", "0s", &samples[..1]).contains("is not known since"));
}

#[test]
fn whoever_reads_a_metric_is_known() {
    assert_eq!(origin(&metric(ERRORS)), Origin::Here(Measured::Errors));
    assert_eq!(origin(&metric(EVICTIONS)), Origin::Outside);
    assert_eq!(origin(&metric(DEPTH)), Origin::Outside);
}

fn promise(text: &str) -> Objective {
    serde_json::from_str(text).unwrap()
}

fn promised(text: &str, requests: u64, errors: u64, days: u64) -> (String, String) {
    let counted = Counted {
        requests,
        errors,
        within_bound: None,
        since: ago(days * 86400),
    };
    let promise = promise(text);
    let budget = Budget {
        name: "site",
        objective: &promise,
        counted,
    };
    let left = budget_left(Share::from_percent(20), &[budget], now());
    (line(&objective("site", &promise, &counted, now())), line(&left))
}

const SITE: &str = r#"{"target": "99.9%", "window": "30d"}"#;

#[test]
fn an_objective_is_kept_or_missed_by_what_was_counted() {
    let (kept, left) = promised(SITE, 100_000, 50, 40);
    assert_eq!(kept, "pass 99.95%: 50 of 100,000 requests failed in 30d");
    assert_eq!(
        left,
        "pass site: 50% of the error budget is left, 50 of 100,000 requests failed in 30d"
    );
    let (kept, left) = promised(SITE, 100_000, 80, 30);
    assert!(
        kept.starts_with("pass") && left.starts_with("pass site: 20%"),
        "{kept} {left}"
    );
    let (kept, left) = promised(SITE, 100_000, 101, 30);
    assert_eq!(
        kept,
        "FAIL 99.899%: 101 of 100,000 requests failed in 30d | objective `site` is missed: 99.899%: 101 of 100,000 requests \
         failed in 30d, and 99.9% over 30d is promised"
    );
    assert!(left.contains("the error budget is spent 1.01 times"), "{left}");
}

#[test]
fn a_shorter_time_is_said_and_its_errors_take_their_part_of_the_budget() {
    let (kept, left) = promised(SITE, 100_000, 200, 3);
    assert!(
        kept.starts_with("FAIL 99.8%: 200 of 100,000 requests failed in 3d of 30d"),
        "{kept}"
    );
    assert_eq!(
        left,
        "pass site: 80% of the error budget is left, 200 of 100,000 requests failed in 3d of 30d"
    );
}

#[test]
fn few_bad_events_wake_nobody_and_little_traffic_is_no_promise_kept() {
    let (kept, left) = promised(SITE, 500, 4, 30);
    assert!(kept.starts_with("open 99.2%"), "{kept}");
    assert!(
        left.starts_with("open") && left.ends_with("fewer than 5 bad events say little"),
        "{left}"
    );
    let (kept, _) = promised(SITE, 500, 0, 3);
    assert!(kept.ends_with("and 99.9% takes 1,000"), "{kept}");
    assert!(promised(SITE, 500, 0, 30).0.starts_with("pass 100%"));
    let (kept, left) = promised(SITE, 0, 0, 30);
    assert_eq!(kept, "open - | nothing that objective `site` counts has happened");
    assert_eq!(left, kept);
    let (kept, left) = promised(r#"{"target": "100%"}"#, 10, 5, 30);
    assert!(
        kept.starts_with("FAIL") && left.contains("nothing of the error budget is left"),
        "{kept} {left}"
    );
}

#[test]
fn an_objective_about_latency_counts_what_was_good() {
    let fast = promise(r#"{"target": "95%", "measure": "latency", "good": "latency < 250ms"}"#);
    let counted = |within_bound| Counted {
        requests: 1000,
        errors: 0,
        within_bound,
        since: ago(86400 * 30),
    };
    let said = |within| line(&objective("fast", &fast, &counted(within), now()));
    assert_eq!(
        said(Some(960)),
        "pass 96%: 40 of 1,000 requests were not good (`latency < 250ms`) in 30d"
    );
    assert!(said(Some(900)).starts_with("FAIL 90%"));
    assert!(said(None).contains("nobody has counted which requests are good"));
}

#[test]
fn the_worst_budget_decides() {
    let site = promise(SITE);
    let budget = |name, errors| Budget {
        name,
        objective: &site,
        counted: Counted {
            requests: 100_000,
            errors,
            within_bound: None,
            since: ago(86400 * 30),
        },
    };
    let found = budget_left(
        Share::from_percent(20),
        &[budget("a", 10), budget("b", 95)],
        now(),
    );
    assert!(
        line(&found).contains("| b: 5% of the error budget is left"),
        "{found:?}"
    );
    assert!(line(&budget_left(Share::from_percent(20), &[], now())).starts_with("open"));
}

fn readings() -> impl Strategy<Value = Reading> {
    let number = prop_oneof![
        any::<f64>(),
        0.0..1000.0_f64,
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MAX)
    ];
    let by = || prop::collection::btree_map("[a-c]", number.clone(), 0..3);
    let spread = (
        prop::collection::vec((number.clone(), number.clone()), 0..4),
        number.clone(),
    )
        .prop_map(|(classes, count)| Spread {
            classes,
            count,
            sum: None,
        });
    let tally = (number.clone(), number.clone()).prop_map(|(bad, all)| Tally { bad, all });
    prop_oneof![
        number.clone().prop_map(Reading::Level),
        by().prop_map(Reading::Named),
        by().prop_map(Reading::Count),
        prop::collection::btree_map("[a-c]", tally, 0..3).prop_map(Reading::Share),
        prop::collection::btree_map("[a-c]", spread, 0..3).prop_map(Reading::Spread),
        (any::<i32>(), any::<i32>(), number).prop_map(|(from, to, value)| Reading::Span {
            from: Timestamp::from_second(from.into()).unwrap(),
            to: Timestamp::from_second(to.into()).unwrap(),
            value,
        }),
        ".{0,8}".prop_map(Reading::Unknown),
    ]
}

const KEEPS: &[&str] = &[
    "= 0",
    "< 5",
    "> 5%",
    "<= 3s",
    "p95 < 3s",
    "avg < 20MB",
    "count > 1",
    "!= 7",
    "a < 9",
    "contains x",
    "< $5",
];
const METRICS: &[&str] = &[
    EVICTIONS,
    DEPTH,
    LAG,
    ERRORS,
    r#"{"measured": "uptime"}"#,
    r#"{"measured": "latency"}"#,
    r#"{"measured": "dead-letters"}"#,
    r#"{"measured": "memory"}"#,
    r#"{"sql": "select 1", "unit": "EUR"}"#,
];

proptest! {
    /// Whatever was read, there is an answer; the order of readings does not matter; and without a whole record none passes.
    #[test]
    fn any_readings_have_an_answer(
        samples in prop::collection::vec((0_u64..1500, readings()), 0..12),
        keep in prop::sample::select(KEEPS),
        what in prop::sample::select(METRICS),
        over in prop::sample::select(&["0s", "1m", "10m", "1000y"][..]),
    ) {
        let mut samples: Vec<_> = samples.into_iter().map(|(at, reading)| (ago(at), reading)).collect();
        samples.sort_by_key(|(at, _)| *at);
        samples.dedup_by_key(|(at, _)| *at);
        let (metric, gate) = (metric(what), gate(keep, over));
        let found = kept(&metric, &gate, &samples, now());
        if over == "1000y" && !samples.iter().any(|(_, reading)| matches!(reading, Reading::Span { .. })) {
            prop_assert_ne!(&found.verdict, &Verdict::Pass);
        }
        let _ = amount(&metric, "lag", &samples, ago(600), now());
        samples.reverse();
        prop_assert_eq!(found, kept(&metric, &gate, &samples, now()));
    }

    /// A count only ever grows, whatever it shows.
    #[test]
    fn growth_is_never_less_than_nothing(values in prop::collection::vec(0.0..1e6_f64, 1..40)) {
        let samples: Vec<_> = values.iter().rev().enumerate().map(|(at, value)| (ago(at as u64 * 15), count(*value))).collect();
        let record = Record::of("lag", &samples, Duration::from_minutes(60), now());
        prop_assert!(growth::of_counts(&record).by >= 0.0);
    }

    /// Any objective has an answer, and more errors never make it better.
    #[test]
    fn any_objective_has_an_answer(
        requests in any::<u64>(), errors in any::<u64>(), days in 0_u64..400, target in 0_u32..=1_000_000, least in 0_u32..100,
    ) {
        let promise = Objective { target: Share::from_ppm(target), min_bad: least, ..promise(SITE) };
        let of = |errors: u64| {
            let counted = Counted { requests, errors, within_bound: None, since: ago(days * 86400) };
            let budget = Budget { name: "x", objective: &promise, counted };
            let left = budget_left(Share::from_percent(20), &[budget], now());
            (objective("x", &promise, &counted, now()).verdict, left.verdict)
        };
        let (fewer, more) = (of(errors / 2), of(errors));
        prop_assert!(!matches!(fewer.0, Verdict::Fail(_)) || matches!(more.0, Verdict::Fail(_)));
        prop_assert!(!matches!(fewer.1, Verdict::Fail(_)) || matches!(more.1, Verdict::Fail(_)));
    }

    /// Chernoff's bound is never below the binomial tail.
    #[test]
    fn what_is_called_seldom_is_seldom(all in 1_u32..60, bad in 0_u32..60, share in 0.001..0.5_f64) {
        let bad = bad.min(all);
        let mut tail = 0.0;
        for k in bad..=all {
            let ways: f64 = (0..k).map(|at| f64::from(all - at) / f64::from(k - at)).product();
            tail += ways * share.powi(k as i32) * (1.0 - share).powi((all - k) as i32);
        }
        prop_assert!(chance(f64::from(bad), f64::from(all), share).exp() >= tail - 1e-9);
    }

    /// A quantile lies among the events.
    #[test]
    fn a_quantile_lies_where_the_events_are(counts in prop::collection::vec(0_u32..50, 1..8), part in 0.01..1.0_f64) {
        let mut sum = 0.0;
        let mut classes = Vec::new();
        for (at, count) in (1_u32..).zip(&counts) {
            sum += f64::from(*count);
            classes.push((f64::from(at) * 10.0, sum));
        }
        prop_assume!(sum > 0.0);
        let spread = Spread { classes: classes.clone(), count: sum, sum: None };
        let Some(Lies::At(value)) = quantile(&spread, part) else { panic!("it lies in a class") };
        let rank = part * sum;
        let class = classes.iter().find(|(_, count)| *count >= rank).unwrap();
        prop_assert!(value <= class.0 + 1e-9 && value >= class.0 - 10.0 - 1e-9, "{value} {class:?}");
    }
}

#[test]
fn readings_stand_beside_the_answer_and_not_all_of_them() {
    let samples = steady(30, |_| Reading::Level(1204.0));
    let found = kept(&metric(DEPTH), &gate("< 5000", "20m"), &samples, now());
    let text = &found.evidence[0].text;
    assert!(
        text.starts_with("41 before these\n2026-03-01T10:00:15Z 1,204\n"),
        "{text}"
    );
    assert_eq!(found.bound.as_deref(), Some("< 5000 for 20m"));
    assert_eq!(cadence(gate("= 0", "10m").over), Duration::parse("15s").unwrap());
}
