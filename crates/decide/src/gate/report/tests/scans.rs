//! Scans in SARIF: how bad a weakness is, what counts, and what is no scan at all.

use super::*;
use jiff::Timestamp;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn found(gate_text: &str, report: &str, is_first: bool) -> Found {
    let gate = gate(gate_text);
    let asked = gate.sarif.expect("it is about SARIF");
    sarif(
        &asked,
        Report {
            file: "scan.sarif",
            bytes: report.as_bytes(),
        },
        is_first,
        now(),
    )
}

/// A report of one run with these results, and three rules.
fn run(results: &str) -> String {
    format!(
        r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "scan", "rules": [
            {{"id": "R9", "properties": {{"security-severity": "9.8"}}}},
            {{"id": "R7", "properties": {{"security-severity": 7.0}}}},
            {{"id": "RN", "defaultConfiguration": {{"level": "note"}}}}]}},
            "extensions": [{{"rules": [{{"id": "X4", "properties": {{"security-severity": "4.0"}}}}]}}]}},
            "results": [{results}]}}]}}"#
    )
}

const SCAN: &str = "sarif = \"scan.sarif\"";

#[test]
fn how_bad_a_result_is_decides() {
    let of = |results: &str| found(SCAN, &run(results), false);
    let told = all(&[
        ("nothing", of("")),
        (
            "critical by its rule's score",
            of(
                r#"{"ruleId": "R9", "ruleIndex": 0, "message": {"text": "bad"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.js"}, "region": {"startLine": 3}}}]}"#,
            ),
        ),
        (
            "high by its rule's score, found by its name",
            of(r#"{"ruleId": "R7/sub"}"#),
        ),
        (
            "medium by the rule of an extension",
            of(r#"{"ruleId": "X4", "rule": {"index": 0, "toolComponent": {"index": 0}}}"#),
        ),
        ("an error is high", of(r#"{"level": "error"}"#)),
        (
            "a warning is medium, and so is one that says nothing",
            of(r#"{"ruleId": "a", "level": "warning"}, {"ruleId": "b"}"#),
        ),
        ("a note is low, by its rule", of(r#"{"ruleId": "RN"}"#)),
        (
            "its own score counts before that of its rule",
            of(r#"{"ruleId": "R9", "properties": {"security-severity": "1.0"}}"#),
        ),
        (
            "what is no failure does not count",
            of(r#"{"ruleId": "R9", "kind": "pass"}, {"ruleId": "R9", "kind": "notApplicable"}"#),
        ),
        (
            "suppressed, and under review",
            of(
                r#"{"ruleId": "R9", "suppressions": [{"kind": "inSource"}]}, {"ruleId": "R7", "suppressions": [{"kind": "external", "status": "underReview"}]}"#,
            ),
        ),
        (
            "gone, and known to the baseline",
            of(
                r#"{"ruleId": "R9", "baselineState": "absent"}, {"ruleId": "R9", "baselineState": "unchanged"}"#,
            ),
        ),
        (
            "new to the baseline",
            of(r#"{"ruleId": "R9", "baselineState": "new"}"#),
        ),
    ]);
    same(&told, include_str!("scans.txt"), "scans");
}

#[test]
fn what_blocks_may_come_into_a_first_environment_and_no_further() {
    let high = run(r#"{"ruleId": "R7"}"#);
    let critical = run(r#"{"ruleId": "R9"}"#);
    let old = run(
        r#"{"ruleId": "RN", "baselineState": "unchanged", "provenance": {"firstDetectionTimeUtc": "2026-11-01T00:00:00Z"}}"#,
    );
    let young = run(r#"{"ruleId": "RN", "provenance": {"firstDetectionTimeUtc": "2026-11-21T00:00:00Z"}}"#);
    let within = "sarif = { report = \"scan.sarif\", older_than = \"7d\" }";
    let strict = "sarif = { report = \"scan.sarif\", block = \"low\", fail = \"medium\" }";
    let told = all(&[
        ("high, in a first environment", found(SCAN, &high, true)),
        ("high, in one after another", found(SCAN, &high, false)),
        ("critical, in a first environment", found(SCAN, &critical, true)),
        ("known for too long", found(within, &old, true)),
        ("known since yesterday", found(within, &young, true)),
        ("strict", found(strict, &young, true)),
    ]);
    same(&told, include_str!("scans_onward.txt"), "scans_onward");
    assert!(goes_no_further(&found(SCAN, &high, true)).is_some());
    assert!(goes_no_further(&found(SCAN, &young, true)).is_none());
}

#[test]
fn a_scan_that_is_none_fails_with_its_place() {
    let of = |report: &str| found(SCAN, report, true);
    let told = all(&[
        ("cut off", of(r#"{"version": "2.1.0", "runs": [{"res"#)),
        ("another version", of(r#"{"version": "2.0.0", "runs": []}"#)),
        ("other JSON", of(r#"{"vulnerabilities": []}"#)),
        ("a list", of("[]")),
        ("XML", of("<sarif/>")),
        ("no run", of(r#"{"version": "2.1.0", "runs": []}"#)),
        (
            "no results: nothing was looked at",
            of(r#"{"version": "2.1.0", "runs": [{"tool": {}}]}"#),
        ),
        (
            "results are no list",
            of(r#"{"version": "2.1.0", "runs": [{"results": {}}]}"#),
        ),
        (
            "the scan failed",
            of(
                r#"{"version": "2.1.0", "runs": [{"results": [], "invocations": [{"executionSuccessful": false}]}]}"#,
            ),
        ),
        (
            "a score that is none",
            of(&run(r#"{"properties": {"security-severity": "eleven"}}"#)),
        ),
        (
            "a score beyond ten",
            of(&run(r#"{"properties": {"security-severity": 11}}"#)),
        ),
        ("a level that is none", of(&run(r#"{"level": "terrible"}"#))),
        (
            "a date that is none",
            of(&run(r#"{"provenance": {"firstDetectionTimeUtc": "yesterday"}}"#)),
        ),
        (
            "nested without end",
            of(&format!(r#"{{"version": "2.1.0", "runs": {}"#, "[".repeat(500))),
        ),
    ]);
    same(&told, include_str!("scans_broken.txt"), "scans_broken");
}
