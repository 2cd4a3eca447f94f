//! Five-field cron expressions: whether one is right, when it comes next, and its longest gap.

use super::{Duration, Misread, Zone};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// The calendar repeats its pairs of date and day of the week after 28 years (until 2100).
const REFERENCE: Date = date(2001, 1, 1);
const REFERENCE_DAYS: i64 = 28 * 365 + 7;

/// Reads five fields, separated by one space each.
pub(super) fn parse(fields: &str) -> Result<Cron, Misread> {
    let count = fields.split(' ').count();
    if count != 5 {
        return Err(Misread::new(format!("has {count} fields where cron has five")));
    }
    // An empty part of a list is ignored by the parser, and an empty field would never match.
    let hollow = |field: &str| field.split(',').any(str::is_empty);
    if !fields.is_ascii() || fields.split(' ').any(hollow) || fields.contains('@') {
        return Err(Misread::new("has a field that cron cannot read"));
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let cron = parser.parse(fields).map_err(|_| {
        Misread::new(match faulty(&parser, fields) {
            Some((name, field)) => format!("has `{field}` as its {name}, which cron cannot read"),
            None => "has a field that cron cannot read".to_owned(),
        })
    })?;
    if days(&cron).next().is_none() || times(&cron).is_empty() {
        return Err(Misread::new("names a date that never comes"));
    }
    Ok(cron)
}

/// The first field that is wrong by itself.
fn faulty<'f>(parser: &CronParser, fields: &'f str) -> Option<(&'static str, &'f str)> {
    let names = ["minute", "hour", "day of the month", "month", "day of the week"];
    names
        .into_iter()
        .zip(fields.split(' '))
        .enumerate()
        .find_map(|(n, (name, field))| {
            let mut alone = ["*"; 5];
            alone[n] = field;
            parser.parse(&alone.join(" ")).is_err().then_some((name, field))
        })
}

/// The days on which it runs, counted from the reference.
fn days(cron: &Cron) -> impl Iterator<Item = i64> {
    // On a day that matches every named minute does: the first of them is enough to ask about.
    let first = times(cron).first().copied().unwrap_or(0);
    let hour = i8::try_from(first / 60).unwrap_or(0);
    let minute = i8::try_from(first % 60).unwrap_or(0);
    (0..REFERENCE_DAYS).filter(move |n| {
        let day = REFERENCE.checked_add(n.days());
        let run = day.map(|day| day.at(hour, minute, 0, 0));
        run.is_ok_and(|run| cron.is_time_matching(&run).unwrap_or(false))
    })
}

/// The minutes of a day at which it runs, ascending.
fn times(cron: &Cron) -> Vec<u16> {
    let minutes = cron.pattern.minutes.values();
    let hours = cron.pattern.hours.values();
    let at = |hour: &u16| minutes.iter().map(move |m| hour * 60 + m).collect::<Vec<_>>();
    hours.iter().flat_map(at).collect()
}

/// The longest time between two runs, where no clock is put forward or back.
pub(super) fn longest_gap(cron: &Cron) -> Duration {
    let times = times(cron);
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Duration::MAX;
    };
    let within = times.windows(2).map(|pair| u64::from(pair[1] - pair[0]));
    let within = within.max().unwrap_or(0) * MINUTE;
    let days: Vec<i64> = days(cron).collect();
    let apart = days.windows(2).map(|pair| pair[1] - pair[0]).max();
    let around = days.first().zip(days.last()).map(|(a, b)| a + REFERENCE_DAYS - b);
    let apart = apart.max(around).unwrap_or(1).unsigned_abs();
    let between = apart * DAY - u64::from(last - first) * MINUTE;
    Duration::from_millis(within.max(between))
}

/// The next run after a moment, on the clocks of the zone.
pub(super) fn next(cron: &Cron, after: Timestamp, rules: TimeZone) -> Option<Timestamp> {
    let start = after.to_zoned(rules);
    let found = cron.find_next_occurrence(&start, false).ok()?;
    Some(found.timestamp())
}

/// The time zone behind a text, or nothing if the last word is none.
pub(super) fn zone(word: &str) -> Option<Result<Zone, Misread>> {
    use super::Unit;
    let shaped = word.starts_with(|c: char| c.is_alphabetic()) && !word.contains([',', ':', '.']);
    if !shaped {
        return None;
    }
    match Zone::parse(word) {
        Ok(zone) => Some(Ok(zone)),
        Err(misread) if word.contains('/') || misread.meant.is_some() => Some(Err(misread)),
        Err(_) => None,
    }
}
