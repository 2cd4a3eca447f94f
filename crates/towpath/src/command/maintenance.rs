//! `towpath maintenance on` and `off`: visitors are told to come later, and nothing stops.

use super::Context;
use crate::cli::{Maintenance as Args, MaintenanceOff, MaintenanceOn};
use crate::door::clock;
use crate::failure::{Failure, Kind};
use crate::here::{Here, Purpose};
use crate::talk::{failed, reach, wait};
use crate::view::tame;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use towpath_api::{Maintain, Maintained};
use towpath_model::unit::{Duration, Unit};

pub(super) fn run(context: &Context, args: Args) -> Result<(), Failure> {
    match args {
        Args::On(args) => on(context, args),
        Args::Off(args) => off(context, args),
    }
}

fn on(context: &Context, args: MaintenanceOn) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let until = match &args.until {
        Some(text) => Some(coming(text, clock::now(), clock::zone())?),
        None => None,
    };
    let asked = Maintain {
        on: true,
        components: here.components.clone(),
        because: args.because,
        until,
        let_in: args.let_in,
    };
    tell(context, &ask(&here, &asked)?)
}

fn off(context: &Context, args: MaintenanceOff) -> Result<(), Failure> {
    let here = Here::find(&args.among.words, args.among.env.as_deref(), Purpose::Running)?;
    let asked = Maintain {
        components: here.components.clone(),
        ..Maintain::default()
    };
    let told = ask(&here, &asked)?;
    if !told.changed {
        return context.terminal.result("it is in no maintenance\n");
    }
    if told.holds.is_empty() {
        return context.terminal.result("nothing is in maintenance any more\n");
    }
    tell(context, &told)
}

fn ask(here: &Here, asked: &Maintain) -> Result<Maintained, Failure> {
    wait(async {
        let client = reach(here).await?;
        client
            .ask(http::Method::POST, "/maintenance", asked)
            .await
            .map_err(|error| failed(&error, here))
    })
}

fn tell(context: &Context, told: &Maintained) -> Result<(), Failure> {
    let lines = told.holds.iter().map(|line| format!("{}\n", tame::plain(line)));
    context.terminal.result(&lines.collect::<String>())
}

/// A time to come, as people say it: in how long, a time of day, or a whole one. Without a date it is the next such time.
pub(super) fn coming(text: &str, now: Timestamp, zone: TimeZone) -> Result<Timestamp, Failure> {
    let text = text.trim();
    let here = now.to_zoned(zone.clone());
    let in_zone = |time: DateTime| time.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    let clock = text.parse::<Time>().or_else(|_| Time::strptime("%H:%M", text));
    let found = if let Ok(long) = Duration::parse(text) {
        let long = SignedDuration::from_millis(i64::try_from(long.millis()).unwrap_or(i64::MAX));
        now.checked_add(long).ok()
    } else if let Ok(moment) = text.parse::<Timestamp>() {
        Some(moment)
    } else if let (Ok(time), false) = (clock, text.contains('-')) {
        let day = |date: jiff::civil::Date| in_zone(date.to_datetime(time));
        let today = day(here.date()).filter(|today| *today > now);
        today.or_else(|| day(here.date().tomorrow().ok()?))
    } else {
        text.parse::<DateTime>().ok().and_then(in_zone)
    };
    let hint = "say in how long (30m, 2h), a time of day (09:30), or a whole time (2026-11-21T09:30)";
    let found = found.ok_or_else(|| Failure::new(Kind::User, format!("`{text}` is no time")).hint(hint))?;
    if found <= now {
        return Err(Failure::new(Kind::User, format!("`{text}` is over")).hint(hint));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_come_is_the_next_one() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a time");
        for (text, expected) in [
            ("30m", "2026-11-21T12:30:00Z"),
            ("13:00", "2026-11-21T13:00:00Z"),
            ("09:30", "2026-11-22T09:30:00Z"),
            ("2026-11-21T14:00", "2026-11-21T14:00:00Z"),
            ("2026-11-21T14:00:00Z", "2026-11-21T14:00:00Z"),
        ] {
            let found = coming(text, now, TimeZone::UTC).expect("it is a time");
            assert_eq!(found.to_string(), expected, "{text}");
        }
        for wrong in ["soon", "2026-11-21T11:00", "0s"] {
            assert!(coming(wrong, now, TimeZone::UTC).is_err(), "{wrong}");
        }
    }
}
