//! What came through lately, and who answers visitors: a few short lines, which a narrow screen has room for, too.

use super::measure::{ago, bytes, counted};
use super::{paint, tame};
use crate::columns::{Align, columns};
use jiff::Timestamp;
use std::fmt::Write;
use towpath_api::{Edge, Lately, Status};

/// What came through lately; nothing where nothing did.
pub(super) fn requests(status: &Status) -> String {
    let asked = status.components.iter().filter_map(|one| {
        let lately = one
            .lately
            .as_ref()
            .filter(|lately| lately.seconds > 0 && lately.per_second > 0.0)?;
        Some((one.name.as_str(), lately))
    });
    let asked: Vec<(&str, &Lately)> = asked.collect();
    let Some((_, first)) = asked.first() else {
        return String::new();
    };
    let rows: Vec<Vec<String>> = asked
        .iter()
        .map(|(name, lately)| {
            vec![
                paint::bold(name),
                rate(lately.per_second),
                format!("{} errors", share(lately.error_share)),
                format!("p95 {}", slowest(lately)),
            ]
        })
        .collect();
    let aligned = [Align::Left, Align::Right, Align::Right, Align::Right];
    format!(
        "\nasked in the last {}s\n{}",
        first.seconds,
        columns(&rows, &aligned)
    )
}

/// The instances that the edge leaves out, and why; nothing where it asks all of them.
pub(super) fn left_out(status: &Status, now: Timestamp) -> String {
    let all = status
        .components
        .iter()
        .flat_map(|component| &component.instances);
    let out = all.filter_map(|one| Some((&one.id, one.left_out.as_ref()?)));
    let lines: Vec<String> = out
        .map(|(id, out)| {
            let (long, because) = (ago(out.since, now), tame::plain(&out.because));
            format!("  {id} for {long}: {because}\n")
        })
        .collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!(
            "\nleft out by the edge, and tried again from time to time\n{}",
            lines.concat()
        ),
    }
}

/// Who answers visitors, and what browsers have refused.
pub(super) fn edge(status: &Status, now: Timestamp) -> String {
    let Some(edge) = &status.edge else {
        return String::new();
    };
    let other = if edge.ours { "" } else { ", another version" };
    let mut text = format!(
        "\nedge\n  process {} for {}{other}\n  {}, {}, {}\n",
        edge.pid,
        ago(edge.since, now),
        counted(
            usize::try_from(edge.connections).unwrap_or(usize::MAX),
            "connection"
        ),
        rate(edge.per_second),
        bytes(edge.memory_bytes),
    );
    for fault in faults(edge) {
        let _ = writeln!(text, "  {}", tame::plain(&fault));
    }
    if !edge.violations.is_empty() {
        text.push_str("\nrefused by browsers\n");
    }
    for one in &edge.violations {
        let only = if one.only_told { ", only told" } else { "" };
        let _ = writeln!(
            text,
            "  {} {} ago: {} on {}\n    {}{only}",
            tame::plain(&one.component),
            ago(one.at, now),
            tame::plain(&one.directive),
            tame::plain(&one.page),
            tame::plain(&one.blocked),
        );
    }
    text
}

/// What is not as it should be with an edge.
fn faults(edge: &Edge) -> Vec<String> {
    let of = |count: u64, what: &str| counted(usize::try_from(count).unwrap_or(usize::MAX), what);
    let leaving = (edge.leaving > 0).then(|| format!("{} before it end", of(edge.leaving.into(), "edge")));
    let log = edge
        .log_fault
        .as_ref()
        .map(|why| format!("requests.log cannot be written: {why}"));
    let lost = (edge.lines_lost > 0).then(|| format!("{} of requests.log lost", of(edge.lines_lost, "line")));
    let dropped = (edge.spans_dropped > 0).then(|| match &edge.spans_fault {
        Some(why) => format!("{} dropped: {why}", of(edge.spans_dropped, "span")),
        None => format!("{} dropped", of(edge.spans_dropped, "span")),
    });
    [leaving, log, lost, dropped].into_iter().flatten().collect()
}

/// `0.2/s`, `12/s`.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        none if none <= 0.0 => "0/s".to_owned(),
        few if few < 0.095 => format!("{few:.2}/s"),
        some if some < 99.5 => format!("{some:.1}/s"),
        many => format!("{many:.0}/s"),
    }
}

/// `0%`, `0.4%`, `12%`: none is none, and what is little is not shown as none.
pub(super) fn share(share: f64) -> String {
    match share * 100.0 {
        none if none <= 0.0 => "0%".to_owned(),
        few if few < 0.1 => "<0.1%".to_owned(),
        some if some < 9.95 => format!("{some:.1}%"),
        many => format!("{many:.0}%"),
    }
}

/// `31 ms`, `2.4 s`; `-` where nothing was answered.
pub(super) fn slowest(lately: &Lately) -> String {
    match lately.p95_ms {
        None => "-".to_owned(),
        Some(millis) if millis < 9.95 => format!("{millis:.1} ms"),
        Some(millis) if millis < 999.5 => format!("{millis:.0} ms"),
        Some(millis) => format!("{:.1} s", millis / 1_000.0),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::status::tests::{at, component, shown, status};
    use super::*;
    use towpath_api::Violation;
    use towpath_model::run::{Kind, State};

    pub(crate) fn lately(per_second: f64, error_share: f64, p95_ms: f64) -> Lately {
        Lately {
            seconds: 62,
            per_second,
            error_share,
            p95_ms: Some(p95_ms),
        }
    }

    fn shop() -> Status {
        let asked = |name: &str, lately| {
            let mut asked = component(name, Kind::Service, State::Ready);
            asked.lately = lately;
            asked
        };
        let mut shop = status(vec![
            asked("api", Some(lately(0.02, 0.000_4, 2_410.0))),
            asked("quiet", Some(lately(0.0, 0.0, 1.0))),
            asked("web", Some(lately(1_204.4, 0.031, 31.4))),
        ]);
        shop.edge = Some(edge());
        shop
    }

    /// One that is well.
    pub(crate) fn edge() -> Edge {
        Edge {
            pid: 4_243,
            since: at(-90_000),
            ours: true,
            connections: 12,
            leaving: 0,
            per_second: 1_204.42,
            memory_bytes: 9_900_000,
            lines_lost: 0,
            log_fault: None,
            spans_dropped: 0,
            spans_fault: None,
            violations: Vec::new(),
        }
    }

    #[test]
    fn who_is_left_out_is_told_with_the_reason_and_since_when() {
        let mut web = component("web", Kind::Service, State::Ready);
        web.instances = vec![
            super::super::status::tests::instance("web", 1, State::Ready, "it is well"),
            super::super::status::tests::instance("web", 2, State::Ready, "it is well"),
        ];
        web.instances[1].left_out = Some(towpath_api::LeftOut {
            because: "it refused or broke 5 requests in a row".to_owned(),
            since: at(-12),
        });
        let living = super::super::status::living(&web);
        let shop = status(vec![web]);
        assert_eq!(living, "2, 1 out");
        insta::assert_snapshot!(shown(&left_out(&shop, at(0))), @r"

        left out by the edge, and tried again from time to time
          web.2 for 12s: it refused or broke 5 requests in a row
        ");
        assert_eq!(left_out(&status(Vec::new()), at(0)), "");
    }

    #[test]
    fn what_was_asked_and_who_answers_fits_a_narrow_screen() {
        let shop = shop();
        let text = shown(&(requests(&shop) + &super::edge(&shop, at(0))));
        insta::assert_snapshot!(text, @r"

        asked in the last 62s
          api  0.02/s  <0.1% errors  p95 2.4 s
          web  1204/s   3.1% errors  p95 31 ms

        edge
          process 4243 for 1d 1h
          12 connections, 1204/s, 9.4 MiB
        ");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }

    #[test]
    fn what_is_not_as_it_should_be_with_the_edge_is_told_below_it() {
        let mut shop = shop();
        let one = shop.edge.as_mut().expect("it is there");
        one.ours = false;
        (one.leaving, one.lines_lost, one.spans_dropped) = (1, 3, 20);
        one.log_fault = Some("no space left on device".to_owned());
        one.spans_fault = Some("the collector\u{1b}[31m refused".to_owned());
        one.violations = vec![Violation {
            at: at(-120),
            component: "web".to_owned(),
            directive: "script-src".to_owned(),
            blocked: "https://cdn.example/x.js".to_owned(),
            page: "/orders".to_owned(),
            only_told: false,
        }];
        insta::assert_snapshot!(shown(&super::edge(&shop, at(0))), @r"

        edge
          process 4243 for 1d 1h, another version
          12 connections, 1204/s, 9.4 MiB
          1 edge before it end
          requests.log cannot be written: no space left on device
          3 lines of requests.log lost
          20 spans dropped: the collector refused

        refused by browsers
          web 2m ago: script-src on /orders
            https://cdn.example/x.js
        ");
    }

    #[test]
    fn nothing_is_told_of_what_is_not_known() {
        let shop = status(vec![component("web", Kind::Service, State::Ready)]);
        assert_eq!(requests(&shop) + &super::edge(&shop, at(0)), "");
    }
}
