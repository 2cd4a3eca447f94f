//! What has been seen, in the text that Prometheus and everything like it reads (exposition format 0.0.4).

use std::fmt::Write;
use std::time::Duration;

use super::histogram::Times;
use super::snapshot::{Counted, Snapshot, Whole};

/// What the text is, for whoever is sent it.
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where the buckets end, in microseconds and as they are written in seconds.
const ENDS: [(u64, &str); 13] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
];

/// The same for what browsers measure: what is called good, what is called poor, and some between and around them.
const PAGES: [(u64, &str); 14] = [
    (50_000, "0.05"),
    (100_000, "0.1"),
    (200_000, "0.2"),
    (300_000, "0.3"),
    (500_000, "0.5"),
    (800_000, "0.8"),
    (1_200_000, "1.2"),
    (1_800_000, "1.8"),
    (2_500_000, "2.5"),
    (3_000_000, "3"),
    (4_000_000, "4"),
    (6_000_000, "6"),
    (10_000_000, "10"),
    (30_000_000, "30"),
];

/// The same for how much of a page moves, which has no unit.
const SHIFTS: [(u64, &str); 8] = [
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (150_000, "0.15"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
];

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl Snapshot {
    /// The text of all of it.
    pub fn text(&self) -> String {
        let mut page = Page(String::new());
        page.requests(&self.requests);
        page.components(&self.components);
        page.head("unrouted_total", "counter", "Requests that reached no component");
        for (reason, count) in &self.nowhere {
            page.line("unrouted_total", &[("reason", reason)], *count);
        }
        page.head("log_lines_total", "counter", "Lines of the log of requests");
        let lines = &self.lines;
        for (fate, count) in [
            ("written", lines.written),
            ("passed_over", lines.passed_over),
            ("lost", lines.lost),
        ] {
            page.line("log_lines_total", &[("fate", fate)], count);
        }
        let (answers, bytes) = self.kept;
        for (name, help, value) in [
            ("cache_answers", "Answers that are kept", answers),
            ("cache_bytes", "Bytes of the answers that are kept", bytes),
        ] {
            page.head(name, "gauge", help);
            let _ = writeln!(page.0, "towpath_edge_{name} {value}");
        }
        if self.began > 0 {
            page.head(
                "counting_since_seconds",
                "gauge",
                "When these counts began, in seconds since 1970",
            );
            let (seconds, millis) = (self.began / 1_000, self.began % 1_000);
            let _ = writeln!(
                page.0,
                "towpath_edge_counting_since_seconds {seconds}.{millis:03}"
            );
        }
        page.further(self);
        page.0
    }
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP towpath_edge_{name} {help}.");
        let _ = writeln!(self.0, "# TYPE towpath_edge_{name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let _ = write!(self.0, "towpath_edge_{name}{{");
        for (at, (label, text)) in labels.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(self.0, "{comma}{label}=\"");
            escape(text, &mut self.0);
            self.0.push('"');
        }
        let _ = writeln!(self.0, "}} {value}");
    }

    fn requests(&mut self, all: &[Counted]) {
        self.head(
            "requests_total",
            "counter",
            "Answers by the class of their status",
        );
        for one in all {
            for (class, count) in CLASSES.iter().zip(one.answers).filter(|(_, count)| *count > 0) {
                self.line("requests_total", &with(one, ("code", class)), count);
            }
        }
        self.head(
            "refused_total",
            "counter",
            "Answers that the edge gave in the place of an instance",
        );
        for one in all {
            for (reason, count) in &one.refusals {
                self.line("refused_total", &with(one, ("reason", reason)), *count);
            }
        }
        self.head(
            "cache_total",
            "counter",
            "Answers where answers are kept, by how they came about",
        );
        for one in all {
            for (source, count) in &one.cache {
                self.line("cache_total", &with(one, ("result", source)), *count);
            }
        }
        type Read = fn(&Counted) -> u64;
        let plain: [(&str, &str, Read); 4] = [
            (
                "gone_total",
                "Requests whose visitor left before an answer began",
                |one| one.gone,
            ),
            ("cut_total", "Answers that broke off", |one| one.cut),
            (
                "received_bytes_total",
                "Bytes of bodies that came from visitors",
                |one| one.received,
            ),
            (
                "sent_bytes_total",
                "Bytes of bodies that went to visitors",
                |one| one.sent,
            ),
        ];
        for (name, help, read) in plain {
            self.head(name, "counter", help);
            for one in all {
                self.line(name, &labels(one), read(one));
            }
        }
        type Timed = for<'c> fn(&'c Counted) -> &'c Times;
        let timed: [(&str, &str, Timed); 2] = [
            (
                "first_byte_seconds",
                "Time until the head of an answer was there",
                |one| &one.first,
            ),
            (
                "duration_seconds",
                "Time until the last byte of an answer was taken",
                |one| &one.whole,
            ),
        ];
        for (name, help, read) in timed {
            self.head(name, "histogram", help);
            for one in all {
                self.times(name, one, read(one));
            }
        }
    }

    fn times(&mut self, name: &str, one: &Counted, times: &Times) {
        self.histogram(name, &labels(one), &ENDS, times);
    }

    /// What is counted by where it ends, under these labels.
    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], ends: &[(u64, &str)], times: &Times) {
        let bucket = format!("{name}_bucket");
        let with = |end| labels.iter().copied().chain([("le", end)]).collect::<Vec<_>>();
        for (micros, written) in ends {
            let within = times.within(Duration::from_micros(*micros));
            self.line(&bucket, &with(written), within);
        }
        let count = times.count();
        self.line(&bucket, &with("+Inf"), count);
        let seconds = format!("{}.{:06}", times.micros / 1_000_000, times.micros % 1_000_000);
        self.line(&format!("{name}_sum"), labels, seconds);
        self.line(&format!("{name}_count"), labels, count);
    }

    /// What browsers have told, and what has become of spans.
    fn further(&mut self, all: &Snapshot) {
        let is_shift = |name: &str| name == "cls";
        type Family<'f> = (&'f str, &'f str, &'f [(u64, &'f str)], bool);
        let rows: [Family<'_>; 2] = [
            (
                "web_vital_seconds",
                "What browsers have measured of pages",
                &PAGES,
                false,
            ),
            (
                "layout_shift",
                "How much of a page has moved while it was read",
                &SHIFTS,
                true,
            ),
        ];
        for (name, help, ends, shifts) in rows {
            self.head(name, "histogram", help);
            for one in &all.requests {
                for (vital, times) in one.vitals.iter().filter(|(vital, _)| is_shift(vital) == shifts) {
                    let mut labels = labels(one);
                    labels.extend((!shifts).then_some(("vital", vital.as_str())));
                    self.histogram(name, &labels, ends, times);
                }
            }
        }
        let help = "What browsers have refused because the policy of a page forbids it";
        self.head("policy_violations_total", "counter", help);
        for (component, directive, count) in &all.violations.counts {
            let labels = [
                ("component", component.as_str()),
                ("directive", directive.as_str()),
            ];
            self.line("policy_violations_total", &labels, *count);
        }
        self.head("spans_total", "counter", "Spans, where they go somewhere");
        if let Some(spans) = &all.spans {
            for (fate, count) in [("sent", spans.sent), ("dropped", spans.dropped)] {
                self.line("spans_total", &[("fate", fate)], count);
            }
        }
    }

    fn components(&mut self, all: &[Whole]) {
        type Read = fn(&Whole) -> u64;
        let rows: [(&str, &str, &str, Read); 9] = [
            (
                "active",
                "gauge",
                "Requests and connections that are open",
                |one| one.active,
            ),
            ("waiting", "gauge", "Requests that wait for an instance", |one| {
                one.waiting
            }),
            (
                "crowded_total",
                "counter",
                "Requests for which there was no place among those that wait",
                |one| one.crowded,
            ),
            (
                "retries_total",
                "counter",
                "Requests that were sent once more",
                |one| one.repeated,
            ),
            (
                "instance_failures_total",
                "counter",
                "Connections that an instance refused or broke",
                |one| one.failures,
            ),
            (
                "release_fallbacks_total",
                "counter",
                "Requests that another release answered, because their own had no instance that could",
                |one| one.fallen,
            ),
            (
                "ejections_total",
                "counter",
                "Times that an instance was left out for doing worse than the others",
                |one| one.ejected,
            ),
            (
                "shed_total",
                "counter",
                "Requests that were sent away from a queue that did not get shorter",
                |one| one.shed,
            ),
            ("ejected", "gauge", "Instances that are left out", |one| one.out),
        ];
        for (name, kind, help, read) in rows {
            self.head(name, kind, help);
            for one in all {
                self.line(name, &[("component", &one.component)], read(one));
            }
        }
    }
}

fn labels(one: &Counted) -> Vec<(&str, &str)> {
    let mut labels = vec![
        ("component", one.component.as_str()),
        ("route", one.route.as_str()),
    ];
    labels.extend(one.release.as_deref().map(|release| ("release", release)));
    labels
}

fn with<'a>(one: &'a Counted, further: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    let mut labels = labels(one);
    labels.push(further);
    labels
}

/// A label's text: what would end it, or the line, is written otherwise.
fn escape(text: &str, to: &mut String) {
    for letter in text.chars() {
        match letter {
            '\\' => to.push_str("\\\\"),
            '"' => to.push_str("\\\""),
            '\n' => to.push_str("\\n"),
            _ => to.push(letter),
        }
    }
}
