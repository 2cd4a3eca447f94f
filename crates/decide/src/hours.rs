//! Hours: how many instances of a component its schedule wants, and until when.
//!
//! A schedule is a list of shifts: so many instances in a window of time. Where several windows are open the largest number
//! holds; where none is, the smallest that the manifest allows, which for a bot may be none. Then it sleeps.
//!
//! - **Whose clock.** A window goes by the clocks on the wall of its time zone, also on the days on which those are set. A
//!   window over a time that is left out opens when the clocks have jumped past its beginning, or not at all where they jump
//!   past its end, too. One over a time that comes twice is open both times.
//! - **When it is looked again.** At the first moment at which another number is wanted, and not before: every window is
//!   asked for the next moment at which it may open or close, until one of these changes the number. A schedule repeats
//!   each week, so that whoever finds no such moment in a month will find none later.
//! - **What a person asks for** holds until the schedule wants another number, and then the schedule holds again. Who wakes a
//!   bot at night wants to see it work now, and not to find it awake every night from then on.
//! - **When the clock is set.** Nothing is remembered of the past: whatever the clock says now decides.

use jiff::{SignedDuration, Timestamp};
use towpath_model::run::{Component, Shift};

/// How far is looked for the next change. A schedule repeats each week; a window that the clocks have jumped over comes a
/// week later, and a month is more than any calendar can put between two.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 31);

/// What a schedule says at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// How many instances it wants.
    pub instances: u32,
    /// The window that wants them; none where they are the fewest that are allowed.
    pub of: Option<String>,
    /// When it wants another number; never, where the number stays the same.
    pub turn: Option<Turn>,
}

/// A moment from which on a schedule wants another number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Timestamp,
    /// How many it wants from then on.
    pub instances: u32,
    /// The window that opens or closes then.
    pub of: String,
}

/// What the schedule of a component says now; nothing where it has none.
pub fn hours(component: &Component, now: Timestamp) -> Option<Hours> {
    if component.shifts.is_empty() {
        return None;
    }
    let (instances, of) = wanted(component, now);
    Some(Hours {
        instances,
        of: of.map(told),
        turn: turn(component, now, instances, of),
    })
}

/// How many are wanted at a moment, and the shift that wants them.
fn wanted(component: &Component, at: Timestamp) -> (u32, Option<&Shift>) {
    // The launch has given each window its zone.
    let open = |shift: &&Shift| shift.when.contains(at, "UTC");
    let mut wanted = (component.instances, None);
    for shift in component.shifts.iter().filter(open) {
        if wanted.1.is_none() || shift.instances > wanted.0 {
            wanted = (shift.instances, Some(shift));
        }
    }
    (wanted.0.max(component.instances), wanted.1)
}

/// The first moment at which another number is wanted.
fn turn(component: &Component, now: Timestamp, instances: u32, of: Option<&Shift>) -> Option<Turn> {
    let horizon = now.checked_add(HORIZON).ok()?;
    let edge = |after: Timestamp| {
        let edges = component.shifts.iter();
        edges.filter_map(|shift| shift.when.edge(after, "UTC")).min()
    };
    let edges = std::iter::successors(edge(now), |at| edge(*at));
    let (at, (next, by)) = edges
        .take_while(|at| *at <= horizon)
        .map(|at| (at, wanted(component, at)))
        .find(|(_, (next, _))| *next != instances)?;
    // More are wanted because a window opens, fewer because one closes.
    let shift = if next > instances { by.or(of) } else { of.or(by) };
    Some(Turn {
        at,
        instances: next,
        of: shift.map(told).unwrap_or_default(),
    })
}

fn told(shift: &Shift) -> String {
    shift.when.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tend::tests::service;
    use proptest::prelude::*;
    use towpath_model::unit::known;

    fn component(least: u32, shifts: &[(&str, u32)]) -> Component {
        let shift = |(when, instances): &(&str, u32)| Shift {
            when: known(when),
            instances: *instances,
        };
        Component {
            instances: least,
            most: 9,
            shifts: shifts.iter().map(shift).collect(),
            ..service("guard", &[])
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// What is wanted at a moment, and when that changes, in turn.
    fn days(component: &Component, from: &str, count: usize) -> String {
        let mut now = at(from);
        let mut text = String::new();
        for _ in 0..count {
            let hours = hours(component, now).unwrap();
            text.push_str(&format!("{now} {}", hours.instances));
            match hours.turn {
                Some(turn) => {
                    text.push_str(&format!(", then {} by {}\n", turn.instances, turn.of));
                    now = turn.at;
                }
                None => {
                    text.push_str(" for good\n");
                    break;
                }
            }
        }
        text
    }

    #[test]
    fn a_bot_sleeps_at_night() {
        let guard = component(0, &[("daily 07:00-23:00 Asia/Singapore", 1)]);
        insta::assert_snapshot!(days(&guard, "2026-11-21T18:00:00Z", 3), @r"
        2026-11-21T18:00:00Z 0, then 1 by daily 07:00-23:00 Asia/Singapore
        2026-11-21T23:00:00Z 1, then 0 by daily 07:00-23:00 Asia/Singapore
        2026-11-22T15:00:00Z 0, then 1 by daily 07:00-23:00 Asia/Singapore
        ");
    }

    #[test]
    fn the_largest_of_several_windows_holds() {
        let web = component(
            1,
            &[
                ("weekdays 08:00-20:00 UTC", 2),
                ("daily 12:00-14:00 UTC", 4),
                ("always UTC", 1),
            ],
        );
        // The 20th is a Friday.
        insta::assert_snapshot!(days(&web, "2026-11-20T07:00:00Z", 8), @r"
        2026-11-20T07:00:00Z 1, then 2 by weekdays 08:00-20:00 UTC
        2026-11-20T08:00:00Z 2, then 4 by daily 12:00-14:00 UTC
        2026-11-20T12:00:00Z 4, then 2 by daily 12:00-14:00 UTC
        2026-11-20T14:00:00Z 2, then 1 by weekdays 08:00-20:00 UTC
        2026-11-20T20:00:00Z 1, then 4 by daily 12:00-14:00 UTC
        2026-11-21T12:00:00Z 4, then 1 by daily 12:00-14:00 UTC
        2026-11-21T14:00:00Z 1, then 4 by daily 12:00-14:00 UTC
        2026-11-22T12:00:00Z 4, then 1 by daily 12:00-14:00 UTC
        ");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let worker = component(0, &[("fri 22:00-06:00 Europe/Berlin", 1)]);
        insta::assert_snapshot!(days(&worker, "2026-11-20T12:00:00Z", 4), @r"
        2026-11-20T12:00:00Z 0, then 1 by fri 22:00-06:00 Europe/Berlin
        2026-11-20T21:00:00Z 1, then 0 by fri 22:00-06:00 Europe/Berlin
        2026-11-21T05:00:00Z 0, then 1 by fri 22:00-06:00 Europe/Berlin
        2026-11-27T21:00:00Z 1, then 0 by fri 22:00-06:00 Europe/Berlin
        ");
    }

    #[test]
    fn on_the_days_on_which_clocks_are_set_the_clock_on_the_wall_holds() {
        // 29 March 2026: 02:00 is followed by 03:00. 25 October: 03:00 is followed by 02:00.
        let morning = component(0, &[("daily 02:30-04:00 Europe/Berlin", 1)]);
        insta::assert_snapshot!(days(&morning, "2026-03-28T00:00:00Z", 5), @r"
        2026-03-28T00:00:00Z 0, then 1 by daily 02:30-04:00 Europe/Berlin
        2026-03-28T01:30:00Z 1, then 0 by daily 02:30-04:00 Europe/Berlin
        2026-03-28T03:00:00Z 0, then 1 by daily 02:30-04:00 Europe/Berlin
        2026-03-29T01:00:00Z 1, then 0 by daily 02:30-04:00 Europe/Berlin
        2026-03-29T02:00:00Z 0, then 1 by daily 02:30-04:00 Europe/Berlin
        ");
        let left_out = component(0, &[("sun 02:00-03:00 Europe/Berlin", 1)]);
        insta::assert_snapshot!(days(&left_out, "2026-03-22T00:00:00Z", 4), @r"
        2026-03-22T00:00:00Z 0, then 1 by sun 02:00-03:00 Europe/Berlin
        2026-03-22T01:00:00Z 1, then 0 by sun 02:00-03:00 Europe/Berlin
        2026-03-22T02:00:00Z 0, then 1 by sun 02:00-03:00 Europe/Berlin
        2026-04-05T00:00:00Z 1, then 0 by sun 02:00-03:00 Europe/Berlin
        ");
        let twice = component(0, &[("sun 01:00-02:30 Europe/Berlin", 1)]);
        insta::assert_snapshot!(days(&twice, "2026-10-24T12:00:00Z", 6), @r"
        2026-10-24T12:00:00Z 0, then 1 by sun 01:00-02:30 Europe/Berlin
        2026-10-24T23:00:00Z 1, then 0 by sun 01:00-02:30 Europe/Berlin
        2026-10-25T00:30:00Z 0, then 1 by sun 01:00-02:30 Europe/Berlin
        2026-10-25T01:00:00Z 1, then 0 by sun 01:00-02:30 Europe/Berlin
        2026-10-25T01:30:00Z 0, then 1 by sun 01:00-02:30 Europe/Berlin
        2026-11-01T00:00:00Z 1, then 0 by sun 01:00-02:30 Europe/Berlin
        ");
    }

    #[test]
    fn a_schedule_that_never_changes_the_number_has_no_turn() {
        let always = component(0, &[("always UTC", 1)]);
        assert_eq!(
            days(&always, "2026-11-21T00:00:00Z", 2),
            "2026-11-21T00:00:00Z 1 for good\n"
        );
        let same = component(2, &[("daily 07:00-23:00 UTC", 2)]);
        assert_eq!(
            days(&same, "2026-11-21T00:00:00Z", 2),
            "2026-11-21T00:00:00Z 2 for good\n"
        );
    }

    /// A window as people may write one.
    fn window() -> impl Strategy<Value = String> {
        let days = prop_oneof!["daily", "weekdays", "weekends", "sun", "mon,wed", "tue-thu"];
        let zone = prop_oneof![
            "UTC",
            "Europe/Berlin",
            "Asia/Singapore",
            "America/Sao_Paulo",
            "Australia/Lord_Howe",
            "Asia/Beirut",
            "Africa/Casablanca",
        ];
        let clock = || (0..96_u32).prop_map(|quarter| quarter * 15);
        (days, clock(), clock(), zone).prop_filter_map("it ends when it starts", |(days, from, to, zone)| {
            let told = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            (from != to).then(|| format!("{days} {}-{} {zone}", told(from), told(to)))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn the_next_moment_is_the_first_at_which_another_number_is_wanted(
            windows in prop::collection::vec((window(), 0..5_u32), 1..4),
            least in 0..3_u32,
            // The years from 2017 to 2030, and from 2018 on in a week in which many clocks are set.
            seconds in prop_oneof![1_483_228_800_i64..1_893_456_000, (0..12_i64).prop_map(|year| 1_522_368_000 + year * 31_556_952)],
        ) {
            let shifts: Vec<(&str, u32)> = windows.iter().map(|(text, n)| (text.as_str(), *n)).collect();
            let component = component(least, &shifts);
            let now = Timestamp::from_second(seconds).unwrap();
            let hours = hours(&component, now).unwrap();
            let most = shifts.iter().map(|(_, n)| *n).max().unwrap_or(0).max(least);
            prop_assert!(hours.instances >= least && hours.instances <= most);
            let end = hours.turn.as_ref().map_or_else(|| now + SignedDuration::from_hours(24 * 15), |turn| turn.at);
            if let Some(turn) = &hours.turn {
                prop_assert_eq!(wanted(&component, turn.at).0, turn.instances);
                prop_assert_ne!(turn.instances, hours.instances);
                prop_assert!(turn.at > now);
            }
            // All the time before it is as it is now: what is asked here knows of no edges.
            let mut minute = now;
            while minute < end {
                prop_assert_eq!(wanted(&component, minute).0, hours.instances, "at {}", minute);
                minute += SignedDuration::from_secs(5 * 60);
            }
            prop_assert_eq!(wanted(&component, end - SignedDuration::from_nanos(1)).0, hours.instances);
        }
    }
}
