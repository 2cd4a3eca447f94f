//! Tables of releases.

use super::super::status::tests::shown;
use super::*;
use std::collections::BTreeMap;
use towpath_api::{CourseTold, Happened, Listed};
use towpath_model::run::{Frozen, Origin, Warm};
use towpath_model::unit::known;

fn listed(id: &str, at: &str, who: &str, commit: Option<&str>, ended: Option<&str>) -> Listed {
    Listed {
        id: ReleaseId::new(id),
        at: at.parse().expect("a moment"),
        origin: Origin {
            by: who.to_owned(),
            at: None,
            commit: commit.map(str::to_owned),
            build: BTreeMap::new(),
        },
        ended: ended.map(str::to_owned),
    }
}

#[test]
fn releases_are_told_with_what_each_is_here() {
    let id = |text: &str| ReleaseId::new(text);
    let course = Course {
        current: Some(id("4f1c2b3a33334444")),
        before: Some(id("9e2b1c0d11112222")),
        warm: Some(Warm {
            release: id("9e2b1c0d11112222"),
            clock: towpath_model::run::Clock::default(),
            keep: known("10m"),
        }),
        frozen: Some(Frozen {
            until: "2027-01-04T08:00:00Z".parse().expect("a moment"),
            why: "holidays".to_owned(),
            by: "ana".to_owned(),
        }),
        ..Course::default()
    };
    let told = Releases {
        told: CourseTold {
            course,
            because: None,
            words: "release 4f1c2b3a33334444 is current, and nothing is under way".to_owned(),
            awaits: Vec::new(),
            shares: BTreeMap::new(),
        },
        releases: vec![
            listed(
                "4f1c2b3a33334444",
                "2026-11-22T03:00:00Z",
                "ana",
                Some("0123456789abcdef"),
                Some("all of it went well"),
            ),
            listed("9e2b1c0d11112222", "2026-11-21T15:00:00Z", "ben", None, None),
            listed(
                "77778888aaaabbbb",
                "2026-11-20T15:00:00Z",
                "ben",
                None,
                Some("`web` fails: it ended with code 1"),
            ),
        ],
    };
    insta::assert_snapshot!(shown(&releases(&told, "prod", &TimeZone::UTC)), @r"
    release   when              who  commit   state    how it ended
    4f1c2b3a  2026-11-22 03:00  ana  0123456  current  all of it went well
    9e2b1c0d  2026-11-21 15:00  ben  -        warm
    77778888  2026-11-20 15:00  ben  -        kept     `web` fails: it ended with code 1
    release 4f1c2b3a33334444 is current, and nothing is under way
    frozen until 2027-01-04 08:00: holidays (ana)
    ");
    let none = Releases::default();
    insta::assert_snapshot!(releases(&none, "prod", &TimeZone::UTC), @"there is no release in prod; `towpath deploy prod` makes one");
}

#[test]
fn what_differs_is_told_by_what_it_is_about() {
    let difference = |area: Area, at: &[&str], before: Option<&str>, after: Option<&str>| Difference {
        area,
        at: at.iter().map(|part| (*part).to_owned()).collect(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let found = [
        difference(
            Area::Code,
            &["components", "web", "artifact"],
            Some("aa"),
            Some("bb"),
        ),
        difference(
            Area::Config,
            &["components", "web", "component", "at", "line"],
            Some("1"),
            Some("2"),
        ),
        difference(
            Area::Config,
            &["components", "web", "component", "instances"],
            Some("1"),
            Some("2"),
        ),
        difference(Area::Secret, &["secrets", "KEY"], Some("1"), Some("2")),
        difference(Area::Flag, &["flags", "new"], None, Some("true")),
    ];
    insta::assert_snapshot!(shown(&differences(&found)), @r"
    code
      components.web.artifact: aa -> bb
    configuration
      components.web.component.instances: 1 -> 2
    secrets
      secrets.KEY: 1 -> 2
    flags
      flags.new: new, true
    and 1 component stands elsewhere in the manifest
    ");
    insta::assert_snapshot!(differences(&[]), @"nothing differs");
}

#[test]
fn history_is_told_the_newest_first() {
    let happened = |what: &str, subject: &str, took: Option<&str>| Happened {
        at: "2026-11-22T03:00:00Z".parse().expect("a moment"),
        what: what.to_owned(),
        subject: subject.to_owned(),
        because: "ana: \u{1b}[2Jit is late".to_owned(),
        rollout: Some(7),
        took: took.map(known),
    };
    let told = History {
        entries: vec![
            happened("ended", "4f1c2b3a33334444", Some("72s")),
            happened("freeze", "", None),
        ],
    };
    insta::assert_snapshot!(shown(&history(&told, "prod", &TimeZone::UTC)), @r"
    when              rollout  what    about      took  because
    2026-11-22 03:00        7  ended   4f1c2b3a  1m12s  ana: it is late
    2026-11-22 03:00        7  freeze  -                ana: it is late
    `towpath explain prod NUMBER` tells all of a rollout
    ");
    insta::assert_snapshot!(history(&History::default(), "prod", &TimeZone::UTC), @"nothing has happened to releases in prod");
}
