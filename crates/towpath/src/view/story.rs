//! The story of a rollout: from where to where, who wanted it, each step with its time, and how it ended.

use super::course::short;
use super::tame;
use crate::columns::{Align, columns};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use towpath_api::Story;
use towpath_model::run::{Line, ReleaseId};
use towpath_model::unit::Duration;

/// The whole of it.
pub(crate) fn story(told: &Story, environment: &str, zone: &TimeZone) -> String {
    let mut text = format!("rollout {} of {environment}{}\n", told.rollout, way(told));
    if let Some(first) = told.lines.first() {
        let day = first.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
        let who = first.by.as_deref().map(tame::plain);
        let who = who.map_or_else(String::new, |who| format!(", wanted by {who}"));
        text.push_str(&format!("  {} {day}{who}\n", first.what));
    }
    text.push_str(&format!("  {}\n\n", end(told)));
    let began = told.lines.first().map(|line| line.at);
    let head = ["when", "after", "what", "about", "because"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in &told.lines {
        rows.push(vec![
            line.at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string(),
            after(began, line.at),
            tame::plain(&line.what),
            tame::plain(&line.about),
            tame::plain(&line.because),
        ]);
    }
    let aligned = [Align::Left, Align::Right, Align::Left, Align::Left, Align::Left];
    text.push_str(&columns(&rows, &aligned));
    text
}

/// `: 4f1c2b3a -> 9e2b1c0d`
fn way(told: &Story) -> String {
    let find = |of: fn(&Line) -> Option<&ReleaseId>| told.lines.iter().find_map(of);
    let from = find(|line| line.from.as_ref()).map(short);
    let to = find(|line| line.to.as_ref()).map(short);
    match (from, to) {
        (Some(from), Some(to)) => format!(": {from} -> {to}"),
        (None, Some(to)) => format!(": -> {to}"),
        _ => String::new(),
    }
}

/// How it ended, and how long it took.
fn end(told: &Story) -> String {
    let last = told.lines.iter().rev().find(|line| line.took.is_some());
    match last {
        Some(line) => {
            let took = line.took.unwrap_or_default();
            let (what, because) = (tame::plain(&line.what), tame::plain(&line.because));
            format!("{what} after {took}: {because}")
        }
        None if told.lives => "it is under way".to_owned(),
        None => "how it ended is not written down".to_owned(),
    }
}

/// How long after the beginning.
fn after(began: Option<Timestamp>, at: Timestamp) -> String {
    let millis = began.map_or(0, |began| at.duration_since(began).as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: &str, what: &str, about: &str, because: &str) -> Line {
        let at = at.parse().expect("a moment");
        Line::new(at, what, about.to_owned(), because.to_owned())
    }

    #[test]
    fn it_says_who_wanted_what_each_step_and_how_it_ended() {
        let begins = Line {
            by: Some("ana".to_owned()),
            from: Some(ReleaseId::new("4f1c2b3a33334444")),
            to: Some(ReleaseId::new("9e2b1c0d11112222")),
            ..line(
                "2026-11-22T03:00:00Z",
                "begins",
                "canary web; watch for 10m",
                "ana wants it so",
            )
        };
        let ends = Line {
            took: Some(Duration::from_secs(95)),
            ..line(
                "2026-11-22T03:01:35Z",
                "not promoted",
                "",
                "a gate said no: login: 3 of 9 failed",
            )
        };
        let told = Story {
            rollout: 7,
            lives: false,
            lines: vec![
                begins,
                line(
                    "2026-11-22T03:00:04Z",
                    "goes on",
                    "canary web, step 1 of 2, 10%",
                    "",
                ),
                line(
                    "2026-11-22T03:01:04Z",
                    "asks",
                    "login",
                    "the gates are asked: login",
                ),
                line(
                    "2026-11-22T03:01:30Z",
                    "answer",
                    "login",
                    "fail: login: 3 of 9 failed",
                ),
                line(
                    "2026-11-22T03:01:30Z",
                    "returns",
                    "",
                    "a gate said no: login: 3 of 9 failed",
                ),
                ends,
            ],
        };
        insta::assert_snapshot!(story(&told, "prod", &TimeZone::UTC), @r"
        rollout 7 of prod: 4f1c2b3a -> 9e2b1c0d
          begins 2026-11-22 03:00:00, wanted by ana
          not promoted after 1m35s: a gate said no: login: 3 of 9 failed

          when      after  what          about                         because
          03:00:00     0s  begins        canary web; watch for 10m     ana wants it so
          03:00:04     4s  goes on       canary web, step 1 of 2, 10%
          03:01:04   1m4s  asks          login                         the gates are asked: login
          03:01:30  1m30s  answer        login                         fail: login: 3 of 9 failed
          03:01:30  1m30s  returns                                     a gate said no: login: 3 of 9 failed
          03:01:35  1m35s  not promoted                                a gate said no: login: 3 of 9 failed
        ");
    }

    #[test]
    fn one_that_is_under_way_says_so() {
        let told = Story {
            rollout: 1,
            lives: true,
            lines: vec![line(
                "2026-11-22T03:00:00Z",
                "begins",
                "rolling web",
                "ana wants it so",
            )],
        };
        let text = story(&told, "dev", &TimeZone::UTC);
        assert!(text.contains("it is under way"), "{text}");
    }
}
