//! When a window opens and closes: the moments between which nothing about it can change.

use super::{Clock, Span, Window, Zone, zone};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A day of the calendar before, for a night in which the clocks are put back over midnight, and two after: each day has
/// an edge, but for one that a zone leaves out.
const DAYS: std::ops::RangeInclusive<i64> = -1..=2;

impl Window {
    /// The same window with its zone spelled out: its own, or else this one.
    pub fn in_zone(&self, zone: &Zone) -> Window {
        Window {
            span: self.span,
            zone: Some(self.zone.clone().unwrap_or_else(|| zone.clone())),
        }
    }

    /// The first moment after this one at which it may open or close; none of one that is always open, or never. Until
    /// then it stays as it is: its own times on each day, and the moments at which the clocks of its zone are set, are all
    /// that can change it.
    pub fn edge(&self, after: Timestamp, default_zone: &str) -> Option<Timestamp> {
        let Span::Days { from, to, .. } = self.span else {
            return None;
        };
        let rules = zone::rules(self.zone().unwrap_or(default_zone))?;
        let today = after.to_zoned(rules.clone()).date();
        let set = rules.following(after).next().map(|set| set.timestamp());
        let days = DAYS.filter_map(|days| today.checked_add(jiff::Span::new().days(days)).ok());
        let edges = days.flat_map(|day| [(day, from), (day, to)]);
        let edges = edges.flat_map(|(day, clock)| moments(&rules, day, clock));
        edges.filter(|edge| *edge > after).chain(set).min()
    }
}

/// When it is that time on that day: twice where the clocks are put back over it, and close by where they leave it out.
fn moments(rules: &TimeZone, day: Date, clock: Clock) -> impl Iterator<Item = Timestamp> + use<> {
    let day = match clock {
        Clock::END => day.tomorrow().ok(),
        _ => Some(day),
    };
    let hour = i8::try_from(clock.hour() % 24).unwrap_or_default();
    let minute = i8::try_from(clock.minute()).unwrap_or_default();
    let told = day.map(|day| day.at(hour, minute, 0, 0));
    let moments = told.map(|told| {
        let moment = rules.to_ambiguous_timestamp(told);
        [moment.earlier().ok(), moment.later().ok()]
    });
    moments.into_iter().flatten().flatten()
}
