//! Whatever stands in a report, something is found, and what is no report is no pass.

use super::*;
use proptest::prelude::*;
use std::sync::OnceLock;

/// Every kind of question about the same bytes.
fn every(bytes: &[u8]) -> Vec<Found> {
    static GATES: OnceLock<[Gate; 4]> = OnceLock::new();
    let [suites, scans, numbers, loads] = GATES.get_or_init(|| {
        [
            "junit = \"r\"",
            "sarif = { report = \"r\", older_than = \"7d\" }",
            "performance = { report = \"r\", value = \"a.b[0].c\", keep = \"< 50ms\" }",
            "load = { command = \"l\", report = \"r\", keep = [\"p95 < 1s\", \"error rate < 1%\"] }",
        ]
        .map(gate)
    });
    let report = Report { file: "r", bytes };
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");
    vec![
        junit(suites.junit.as_ref().expect("JUnit"), report),
        sarif(scans.sarif.as_ref().expect("SARIF"), report, true, now),
        performance(numbers.performance.as_ref().expect("a number"), report),
        load(loads.load.as_ref().expect("load"), report),
    ]
}

/// Pieces of reports, in any order.
const PIECES: &[&str] = &[
    "<testsuites>",
    "</testsuites>",
    "<testsuite failures='9'>",
    "</testsuite>",
    "<testcase name='a'/>",
    "<testcase>",
    "</testcase>",
    "<failure message='&#x1b;'>",
    "</failure>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a>",
    "&amp;",
    "<?xml version='1.0'?>",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"version\":\"2.1.0\"",
    "\"runs\":[{\"results\":[",
    "\"level\":\"error\"",
    "\"properties\":{\"security-severity\":\"9\"}",
    "\"p95\"",
    "1e999",
    "-0",
    "12.5",
    "\"1ms\"",
    "null",
    "\"metrics\":{\"http_reqs\":{\"count\":1}}",
    "\u{feff}",
    "é",
    "\u{202e}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_answered_and_are_no_pass(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for found in every(&bytes) {
            let is_fail = matches!(found.verdict, Verdict::Fail(_));
            prop_assert!(is_fail, "{:?}", found);
        }
    }

    #[test]
    fn any_pieces_are_answered(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..24)) {
        for found in every(pieces.concat().as_bytes()) {
            if let Verdict::Fail(why) = &found.verdict {
                prop_assert!(!why.is_empty() && !why.contains(char::is_control), "{why:?}");
            }
        }
    }

    #[test]
    fn a_report_that_is_cut_anywhere_is_no_pass(cut in 0_usize..400) {
        let xml = "<testsuites><testsuite name='a'><testcase name='é'/><testcase name='b'><system-out>x</system-out></testcase></testsuite></testsuites>";
        let json = r#"{"version": "2.1.0", "runs": [{"tool": {}, "results": [{"level": "note", "ruleId": "é"}]}]}"#;
        let numbers = r#"{"a": {"b": [{"c": 1.25}]}}"#;
        let loads = r#"{"p95": 12, "errors": 0, "requests": 10}"#;
        for (at, text) in [xml, json, numbers, loads].into_iter().enumerate() {
            prop_assert_eq!(&every(text.as_bytes())[at].verdict, &Verdict::Pass, "{}", text);
            let end = cut % text.len();
            let found = &every(&text.as_bytes()[..end])[at];
            prop_assert!(matches!(found.verdict, Verdict::Fail(_)), "{} {:?}", end, found);
        }
    }
}

#[test]
fn what_nobody_can_read_costs_little() {
    let wide = format!("<testsuite>{}", "<a b='c'/>".repeat(100_000));
    let deep = "[".repeat(1_000_000);
    let references = format!(
        "<testsuite><system-out>{}</system-out></testsuite>",
        "&amp;".repeat(100_000)
    );
    for text in [wide.as_str(), deep.as_str(), references.as_str()] {
        for found in every(text.as_bytes()) {
            assert!(matches!(found.verdict, Verdict::Fail(_)));
            let kept: usize = found.evidence.iter().map(|one| one.text.len()).sum();
            assert!(kept < 10_000, "what is kept of it is short");
        }
    }
}
