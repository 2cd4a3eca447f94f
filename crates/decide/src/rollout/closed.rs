//! Times in which nothing is deployed, by what the manifest says: until when, and why.
//!
//! A time has days, or times that come again, or both: then it is closed at those times of those days. Days go by the clocks
//! of the product's zone, and the last one belongs to it. Several may follow each other without a gap; what is told is
//! when something can be deployed again, and the reason that holds now.

use jiff::Timestamp;
use towpath_model::run::{Closed, Frame};
use towpath_model::unit::{Date, Zone};

/// How many ends are followed: a window of each day for a year. Whatever is closed for longer is told up to there.
const MOST: usize = 400;

/// Whether nothing is deployed now: until when, and why.
pub fn closed(frame: &Frame, now: Timestamp) -> Option<(Timestamp, String)> {
    let holds = |at: Timestamp| {
        let mut ends = frame
            .closed
            .iter()
            .filter_map(|one| Some((end(one, &frame.zone, at)?, one)));
        ends.next()
    };
    let (mut until, why) = holds(now).map(|(until, one)| (until, one.why.clone()))?;
    for _ in 0..MOST {
        match holds(until) {
            Some((later, _)) if later > until => until = later,
            _ => break,
        }
    }
    Some((until, why))
}

/// When a time that holds at a moment may end; nothing where it does not hold.
fn end(one: &Closed, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
    if one.from.is_none() && one.to.is_none() && one.every.is_none() {
        return None;
    }
    let midnight = |date: Date, days: i64| {
        let day = date.civil().checked_add(jiff::Span::new().days(days)).ok()?;
        Some(day.to_zoned(zone.rules()).ok()?.timestamp())
    };
    if one
        .from
        .is_some_and(|from| midnight(from, 0).is_some_and(|begins| at < begins))
    {
        return None;
    }
    let ends = match one.to {
        Some(to) => midnight(to, 1).unwrap_or(Timestamp::MAX),
        None => Timestamp::MAX,
    };
    if at >= ends {
        return None;
    }
    let Some(every) = &one.every else {
        return Some(ends);
    };
    if !every.contains(at, zone.name()) {
        return None;
    }
    Some(every.edge(at, zone.name()).map_or(ends, |edge| edge.min(ends)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::run::Front;
    use towpath_model::unit::known;

    fn told(closed: &[(&str, &str, &str)], zone: &str, now: &str) -> Option<String> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let closed = closed.iter().enumerate().map(|(nth, (from, to, every))| Closed {
            from: given(from).map(|text| known(&text)),
            to: given(to).map(|text| known(&text)),
            every: given(every).map(|text| known(&text)),
            why: format!("reason {nth}"),
        });
        let frame = Frame {
            product: known("shop"),
            environment: known("prod"),
            error_page: None,
            front: Front::default(),
            credentials: None,
            closed: closed.collect(),
            zone: known(zone),
            keep: 5,
            rehearse: None,
        };
        let (until, why) = super::closed(&frame, now.parse().expect("a moment"))?;
        Some(format!("{until} {why}"))
    }

    #[test]
    fn the_last_day_of_a_freeze_belongs_to_it_in_the_zone_of_the_product() {
        let holidays = [("2026-12-20", "2027-01-03", "")];
        for (now, until) in [
            ("2026-12-19T15:59:59Z", None),
            ("2026-12-19T16:00:00Z", Some("2027-01-03T16:00:00Z reason 0")),
            ("2027-01-03T15:59:59Z", Some("2027-01-03T16:00:00Z reason 0")),
            ("2027-01-03T16:00:00Z", None),
        ] {
            assert_eq!(told(&holidays, "Asia/Singapore", now).as_deref(), until, "{now}");
        }
    }

    #[test]
    fn what_comes_again_ends_with_its_window_and_with_what_follows_it() {
        for (closed, now, until) in [
            (
                &[("", "", "fri 16:00-23:59")][..],
                "2026-11-27T17:00:00Z",
                Some("2026-11-27T23:59:00Z reason 0"),
            ),
            (&[("", "", "fri 16:00-23:59")], "2026-11-26T17:00:00Z", None),
            (
                &[("", "", "fri 16:00-24:00"), ("", "", "weekends")],
                "2026-11-27T17:00:00Z",
                Some("2026-11-30T00:00:00Z reason 0"),
            ),
            (
                &[("2026-12-01", "", "daily 22:00-06:00")],
                "2026-11-30T23:00:00Z",
                None,
            ),
            (
                &[("2026-12-01", "2026-12-01", "daily 22:00-06:00")],
                "2026-12-01T23:00:00Z",
                Some("2026-12-02T00:00:00Z reason 0"),
            ),
            (&[("", "", "")], "2026-12-01T23:00:00Z", None),
        ] {
            assert_eq!(told(closed, "UTC", now).as_deref(), until, "{closed:?} at {now}");
        }
    }

    #[test]
    fn what_has_no_end_is_told_as_the_end_of_time() {
        let told = told(&[("2026-12-01", "", "")], "UTC", "2026-12-02T00:00:00Z");
        assert_eq!(told, Some(format!("{} reason 0", Timestamp::MAX)));
    }
}
