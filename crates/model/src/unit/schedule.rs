//! When something happens again and again: by name, by day and time, by interval or by cron.

use super::days::{Clock, Days};
use super::scan::bounded;
use super::{Duration, Misread, Unit, Zone, cron, zone};
use std::fmt;

/// The days and times at which something happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum When {
    /// Counted from the start of 1970, so that two machines agree.
    Every(Duration),
    /// At this minute of every hour.
    Hourly(u8),
    /// On these days of the week at this time.
    Days(Days, Clock),
    /// On this day of every month (1 to 28) at this time.
    Monthly(u8, Clock),
    /// On the first day of January, April, July and October at this time.
    Quarterly(Clock),
    /// On the first of January at this time.
    Yearly(Clock),
    /// Five fields, in lower case.
    Cron(String),
}

/// When something happens: `daily 02:00`, `every 5m`, `*/5 * * * *`, perhaps with a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Schedule {
    when: When,
    zone: Option<Zone>,
}

impl Schedule {
    pub const fn when(&self) -> &When {
        &self.when
    }

    /// The time zone, if the text names one.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_ref().map(Zone::name)
    }

    /// The longest time from one run to the next, where no clock is put forward or back.
    pub fn interval(&self) -> Duration {
        match &self.when {
            When::Every(each) => *each,
            When::Hourly(_) => Duration::from_hours(1),
            When::Days(days, _) => Duration::from_days(days.longest_gap()),
            When::Monthly(..) => Duration::from_days(31),
            When::Quarterly(_) => Duration::from_days(92),
            When::Yearly(_) => Duration::from_days(366),
            When::Cron(fields) => cron::parse(fields).map_or(Duration::MAX, |read| cron::longest_gap(&read)),
        }
    }

    /// The same in five cron fields, if they can say it.
    pub fn as_cron(&self) -> Option<String> {
        let at = |clock: &Clock| format!("{} {}", clock.minute(), clock.hour());
        Some(match &self.when {
            When::Every(each) => return every_as_cron(*each),
            When::Hourly(minute) => format!("{minute} * * * *"),
            When::Days(Days::ALL, clock) => format!("{} * * *", at(clock)),
            When::Days(days, clock) => format!("{} * * {}", at(clock), days.cron()),
            When::Monthly(day, clock) => format!("{} {day} * *", at(clock)),
            When::Quarterly(clock) => format!("{} 1 1,4,7,10 *", at(clock)),
            When::Yearly(clock) => format!("{} 1 1 *", at(clock)),
            When::Cron(fields) => fields.clone(),
        })
    }

    /// The first run after a moment; nothing if the default zone is unknown.
    ///
    /// A time that a clock skips happens when the clock has been put forward; one that comes
    /// twice happens at the first.
    pub fn next(&self, after: jiff::Timestamp, default_zone: &str) -> Option<jiff::Timestamp> {
        let rules = zone::rules(self.zone().unwrap_or(default_zone))?;
        if let When::Every(each) = &self.when {
            let each = i64::try_from(each.millis()).ok()?;
            let turn = after.as_millisecond().div_euclid(each).checked_add(1)?;
            return jiff::Timestamp::from_millisecond(turn.checked_mul(each)?).ok();
        }
        let fields = cron::parse(&self.as_cron()?).ok()?;
        cron::next(&fields, after, rules)
    }

    /// The words people say: `every day at 02:00 (Asia/Singapore)`.
    pub fn spoken(&self) -> String {
        let words = match &self.when {
            When::Every(each) => match each.spoken().strip_prefix("1 ") {
                Some(unit) if !unit.contains(' ') => format!("every {unit}"),
                _ => format!("every {}", each.spoken()),
            },
            When::Hourly(0) => "every hour".to_owned(),
            When::Hourly(minute) => format!("every hour at :{minute:02}"),
            When::Days(days, clock) => format!("{} at {clock}", days.spoken()),
            When::Monthly(1, clock) => format!("on the first day of every month at {clock}"),
            When::Monthly(day, clock) => format!("on day {day} of every month at {clock}"),
            When::Quarterly(clock) => format!("on the first day of every quarter at {clock}"),
            When::Yearly(clock) => format!("on the first day of every year at {clock}"),
            When::Cron(fields) => format!("by the cron expression `{fields}`"),
        };
        match &self.zone {
            Some(zone) => format!("{words} ({zone})"),
            None => words,
        }
    }
}

/// Cron can count minutes that divide an hour, and hours that divide a day.
fn every_as_cron(each: Duration) -> Option<String> {
    let minutes = each.millis() / 60_000;
    if minutes == 0 || !each.millis().is_multiple_of(60_000) {
        return None;
    }
    match (minutes, minutes / 60, minutes % 60) {
        (1, ..) => Some("* * * * *".to_owned()),
        (60, ..) => Some("0 * * * *".to_owned()),
        (2..60, ..) if 60 % minutes == 0 => Some(format!("*/{minutes} * * * *")),
        (_, hours @ 2..24, 0) if 24 % hours == 0 => Some(format!("0 */{hours} * * *")),
        _ => None,
    }
}

impl Unit for Schedule {
    const WHAT: &'static str = "a schedule";
    const EXAMPLES: &'static [&'static str] = &[
        "daily",
        "daily 02:00",
        "hourly",
        "weekly",
        "sun 03:00",
        "monthly",
        "quarterly",
        "yearly",
        "weekdays 09:00",
        "mon,wed 08:00",
        "every 5m",
        "*/5 * * * *",
        "daily 02:00 Asia/Singapore",
        "cron 0 3 * * 1-5 UTC",
        "every day at 2am",
        "monthly 15 04:00",
        "hourly :15",
        "@daily",
        "every monday 09:00",
        "mon-fri 09:00",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let prefixed = words[0].trim_end_matches(':').eq_ignore_ascii_case("cron");
        let fields = &words[usize::from(prefixed)..];
        let like_cron = |word: &&str| {
            word.starts_with('*')
                || !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit() || b"/,-".contains(&b))
        };
        if prefixed
            || fields.first().is_some_and(|w| w.starts_with('*'))
            || fields.len() > 4 && like_cron(&fields[0])
            || fields.len() > 1 && fields.iter().all(like_cron)
        {
            return from_cron(fields, like_cron);
        }
        let (words, zone) = split_zone(&words)?;
        let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let suffix = zone.as_ref().map(|z| format!(" {z}")).unwrap_or_default();
        let when = when(&lower).map_err(|mut misread| {
            misread.meant = misread.meant.map(|text| text + &suffix);
            misread
        })?;
        Ok(Self { when, zone })
    }
}

fn from_cron(words: &[&str], like_cron: impl Fn(&&str) -> bool) -> Result<Schedule, Misread> {
    let (fields, rest) = words.split_at(words.len().min(5));
    let fields = fields.join(" ").to_lowercase();
    if rest.first().is_some_and(&like_cron) {
        let misread = Misread::new(format!("has {} fields where cron has five", words.len()));
        let tail = words[words.len().min(1)..].join(" ");
        return Err(match (words.len(), cron::parse(&tail)) {
            // A field for seconds in front is what other tools have.
            (6, Ok(_)) => misread.meant(tail),
            _ => misread,
        });
    }
    cron::parse(&fields)?;
    let zone = match rest {
        [] => None,
        [word] => Some(Zone::parse(word).map_err(|m| in_zone(m, word, &fields))?),
        _ => return Err(Misread::new("has more than a time zone behind its fields")),
    };
    Ok(Schedule {
        when: When::Cron(fields),
        zone,
    })
}

fn in_zone(misread: Misread, word: &str, before: &str) -> Misread {
    Misread {
        because: format!("has the time zone `{word}`, which {}", misread.because),
        meant: misread.meant.map(|zone| format!("{before} {zone}")),
    }
}

/// Takes the time zone off the end, if there is one.
pub(super) fn split_zone<'w>(words: &[&'w str]) -> Result<(Vec<&'w str>, Option<Zone>), Misread> {
    let Some((last, before)) = words.split_last().filter(|(_, before)| !before.is_empty()) else {
        return Ok((words.to_vec(), None));
    };
    let lower = last.to_lowercase();
    const OURS: &[&str] = &[
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "quarterly",
        "yearly",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "midnight",
        "noon",
        "am",
        "pm",
    ];
    let ours = OURS.contains(&lower.as_str()) || Days::read(&lower).is_some_and(|d| d.is_ok());
    if ours || super::duration::unit_millis(&lower).is_some() {
        return Ok((words.to_vec(), None));
    }
    match cron::zone(last) {
        None => Ok((words.to_vec(), None)),
        Some(Ok(zone)) => Ok((before.to_vec(), Some(zone))),
        Some(Err(misread)) => Err(in_zone(misread, last, &before.join(" "))),
    }
}

/// Reads everything but cron and the time zone, in lower case.
fn when(words: &[&str]) -> Result<When, Misread> {
    let nothing = || Misread::new("says no time").meant("daily 02:00");
    let (first, mut rest) = words.split_first().ok_or_else(nothing)?;
    let mut name = first.trim_start_matches('@');
    let mut every = false;
    if matches!(name, "every" | "each") {
        every = true;
        let Some((second, others)) = rest.split_first() else {
            return Err(Misread::new("does not say how often").meant("every 5m"));
        };
        if second.starts_with(|c: char| c.is_ascii_digit()) {
            return interval(&rest.join(" "));
        }
        (name, rest) = (second, others);
    }
    let rest: Vec<&str> = rest
        .iter()
        .copied()
        .filter(|w| !matches!(*w, "at" | "on"))
        .collect();
    match name {
        "hourly" | "hour" => return hourly(&rest),
        "minutely" | "minute" => return interval("1m"),
        "weekly" | "week" => return Ok(When::Days(Days::SUNDAY, clock(&rest)?)),
        "monthly" | "month" => return monthly(&rest),
        "quarterly" | "quarter" => return Ok(When::Quarterly(clock(&rest)?)),
        "yearly" | "annually" | "year" => return Ok(When::Yearly(clock(&rest)?)),
        "nightly" | "night" => {
            return Err(Misread::new("does not say at which hour").meant("daily 02:00"));
        }
        _ => {}
    }
    if let Some(days) = Days::read(name) {
        let days = days.map_err(|mut m| {
            m.meant = m
                .meant
                .map(|days| [&[days.as_str()], &rest[..]].concat().join(" "));
            m
        })?;
        return Ok(When::Days(days, clock(&rest)?));
    }
    if let Some(Ok(clock)) = Clock::read(name) {
        return Err(Misread::new("does not say on which days").meant(format!("daily {clock}")));
    }
    if !every && let Ok(When::Every(each)) = interval(&words.join(" ")) {
        return Err(Misread::new("does not say that it is an interval").meant(format!("every {each}")));
    }
    const NAMES: &[&str] = &[
        "hourly",
        "daily",
        "weekly",
        "monthly",
        "quarterly",
        "yearly",
        "weekdays",
        "every",
    ];
    let misread = Misread::new(format!(
        "starts with `{first}`, which is no time that comes again"
    ));
    Err(match super::scan::nearest(name, NAMES) {
        Some(near) => misread.meant([&[near], &words[1..]].concat().join(" ")),
        None => misread,
    })
}

fn interval(text: &str) -> Result<When, Misread> {
    let each = Duration::parse(text).map_err(|misread| Misread {
        because: format!("has the interval `{text}`, which {}", misread.because),
        meant: misread.meant.map(|text| format!("every {text}")),
    })?;
    if each < Duration::from_secs(1) {
        return Err(Misread::new("comes more often than once a second").meant("every 1s"));
    }
    Ok(When::Every(each))
}

fn hourly(rest: &[&str]) -> Result<When, Misread> {
    let [minute] = rest else {
        return match rest {
            [] => Ok(When::Hourly(0)),
            _ => Err(Misread::new("has more than a minute behind `hourly`")),
        };
    };
    let digits = minute.strip_prefix(':').unwrap_or(minute);
    match digits.parse::<u8>() {
        Ok(minute @ 0..60) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok(When::Hourly(minute)),
        _ => Err(
            Misread::new(format!("has `{minute}` behind `hourly`, which is no minute")).meant("hourly :15"),
        ),
    }
}

fn monthly(rest: &[&str]) -> Result<When, Misread> {
    let day = rest.first().and_then(|word| {
        let digits = ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|end| word.strip_suffix(end));
        let digits = digits.unwrap_or(word);
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<u8>().ok())?
    });
    match day {
        None => Ok(When::Monthly(1, clock(rest)?)),
        Some(day @ 1..=28) => Ok(When::Monthly(day, clock(&rest[1..])?)),
        Some(day) => {
            let tail = [&["monthly", "28"], &rest[1..]].concat().join(" ");
            Err(Misread::new(format!("has the day {day}, which not every month has")).meant(tail))
        }
    }
}

/// The time of the day, or midnight if there is none.
fn clock(rest: &[&str]) -> Result<Clock, Misread> {
    let joined = match rest {
        [] => return Ok(Clock::MIDNIGHT),
        [one] => (*one).to_owned(),
        [time, half @ ("am" | "pm")] => format!("{time}{half}"),
        _ => {
            return Err(Misread::new(format!("has `{}` behind its days", rest.join(" "))));
        }
    };
    match Clock::read(&joined) {
        Some(Ok(Clock::END)) => Err(Misread::new("has the time 24:00, which is 00:00 of the next day")),
        Some(Ok(clock)) => Ok(clock),
        Some(Err(misread)) => Err(Misread::new(misread.because)),
        None => Err(Misread::new(format!(
            "has `{joined}`, which is no time of the day"
        ))),
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = match &self.when {
            When::Every(each) => {
                write!(f, "every {each}")?;
                Clock::MIDNIGHT
            }
            When::Hourly(0) => {
                f.write_str("hourly")?;
                Clock::MIDNIGHT
            }
            When::Hourly(minute) => {
                write!(f, "hourly :{minute:02}")?;
                Clock::MIDNIGHT
            }
            When::Days(Days::SUNDAY, Clock::MIDNIGHT) => {
                f.write_str("weekly")?;
                Clock::MIDNIGHT
            }
            When::Days(days, clock) => {
                write!(f, "{days}")?;
                *clock
            }
            When::Monthly(1, clock) => {
                f.write_str("monthly")?;
                *clock
            }
            When::Monthly(day, clock) => {
                write!(f, "monthly {day}")?;
                *clock
            }
            When::Quarterly(clock) => {
                f.write_str("quarterly")?;
                *clock
            }
            When::Yearly(clock) => {
                f.write_str("yearly")?;
                *clock
            }
            When::Cron(fields) => {
                write!(f, "cron {fields}")?;
                Clock::MIDNIGHT
            }
        };
        if clock != Clock::MIDNIGHT {
            write!(f, " {clock}")?;
        }
        match &self.zone {
            Some(zone) => write!(f, " {zone}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        Schedule::parse(text).expect(text)
    }

    fn next(text: &str, after: &str, zone: &str) -> String {
        let after = after.parse().expect("a timestamp");
        schedule(text)
            .next(after, zone)
            .map_or("never".into(), |t| t.to_string())
    }

    #[test]
    fn schedules_are_read_as_people_write_them() {
        for (text, canonical) in [
            ("every day at 2am", "daily 02:00"),
            ("Every Monday 9:00", "mon 09:00"),
            ("every 5 minutes", "every 5m"),
            ("every hour", "hourly"),
            ("@weekly", "weekly"),
            ("mon-fri 09:00 utc", ""),
            ("daily 02:00 Asia/Singapore", "daily 02:00 Asia/Singapore"),
            ("*/5 * * * *", "cron */5 * * * *"),
            ("0 9 * * MON-FRI UTC", "cron 0 9 * * mon-fri UTC"),
            ("monthly on 15th 04:00", "monthly 15 04:00"),
            ("weekly 03:00", "sun 03:00"),
            ("2 pm", ""),
            ("daily 2 pm", "daily 14:00"),
            ("every 2 days", "every 2d"),
        ] {
            let read = Schedule::parse(text).map(|s| s.to_string()).unwrap_or_default();
            assert_eq!(read, canonical, "{text}");
        }
    }

    #[test]
    fn a_misread_schedule_offers_a_right_one() {
        for (text, meant) in [
            ("daily 02:00 asia/singapore", "daily 02:00 Asia/Singapore"),
            ("5m", "every 5m"),
            ("02:00", "daily 02:00"),
            ("dialy 02:00", "daily 02:00"),
            ("nightly", "daily 02:00"),
            ("0 */5 * * * *", "*/5 * * * *"),
            ("monthly 31 02:00", "monthly 28 02:00"),
            ("every 5", "every 5s"),
            ("munday 09:00", "monday 09:00"),
            ("every 0s", "every 1s"),
            ("0 2 * * * utc", "0 2 * * * UTC"),
        ] {
            assert_eq!(
                Schedule::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in [
            "* * * *",
            "0 0 30 2 *",
            "60 * * * *",
            "daily 25:00",
            "daily daily",
            "cron",
            "cron 0",
            ", * * * *",
            "every",
            "0 0 * * * * *",
            "*/0 * * * *",
        ] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_longest_gap_is_known_for_every_schedule() {
        for (text, gap) in [
            ("daily", "1d"),
            ("weekdays 09:00", "3d"),
            ("mon,wed 08:00", "5d"),
            ("sun 03:00", "7d"),
            ("monthly", "31d"),
            ("quarterly", "92d"),
            ("*/5 * * * *", "5m"),
            ("0 9-17 * * 1-5", "2d16h"),
            ("0 0 29 2 *", "1461d"),
            ("0 0 1 * *", "31d"),
            ("every 90s", "1m30s"),
        ] {
            assert_eq!(schedule(text).interval().to_string(), gap, "{text}");
        }
    }

    #[test]
    fn the_next_run_is_on_the_clocks_of_the_zone() {
        assert_eq!(
            next("daily 02:00 Asia/Singapore", "2026-12-01T00:00:00Z", "UTC"),
            "2026-12-01T18:00:00Z"
        );
        assert_eq!(
            next("daily 02:00", "2026-12-01T02:00:00Z", "UTC"),
            "2026-12-02T02:00:00Z"
        );
        assert_eq!(
            next("sun 03:00", "2026-12-01T00:00:00Z", "UTC"),
            "2026-12-06T03:00:00Z"
        );
        assert_eq!(
            next("every 5m", "2026-12-01T00:04:59.5Z", "UTC"),
            "2026-12-01T00:05:00Z"
        );
        assert_eq!(
            next("quarterly", "2026-12-01T00:00:00Z", "UTC"),
            "2027-01-01T00:00:00Z"
        );
        assert_eq!(
            next("*/15 * * * *", "2026-12-01T00:00:00Z", "Asia/Kathmandu"),
            "2026-12-01T00:15:00Z"
        );
        assert_eq!(next("daily", "2026-12-01T00:00:00Z", "Mars/Phobos"), "never");
    }

    #[test]
    fn a_skipped_time_happens_once_and_a_repeated_one_too() {
        // Berlin puts its clocks forward at 02:00 on 2026-03-29 and back at 03:00 on 2026-10-25.
        let zone = "Europe/Berlin";
        assert_eq!(
            next("daily 02:30", "2026-03-28T12:00:00Z", zone),
            "2026-03-29T01:00:00Z"
        );
        assert_eq!(
            next("daily 02:30", "2026-03-29T01:00:00Z", zone),
            "2026-03-30T00:30:00Z"
        );
        assert_eq!(
            next("daily 02:30", "2026-10-24T12:00:00Z", zone),
            "2026-10-25T00:30:00Z"
        );
        assert_eq!(
            next("daily 02:30", "2026-10-25T00:30:00Z", zone),
            "2026-10-26T01:30:00Z"
        );
    }

    #[test]
    fn a_schedule_can_be_said_aloud() {
        for (text, spoken) in [
            (
                "daily 02:00 Asia/Singapore",
                "every day at 02:00 (Asia/Singapore)",
            ),
            ("mon,wed 08:00", "every Monday and Wednesday at 08:00"),
            ("every 5m", "every 5 minutes"),
            ("every 1h", "every hour"),
            ("monthly", "on the first day of every month at 00:00"),
        ] {
            assert_eq!(schedule(text).spoken(), spoken);
        }
    }

    #[test]
    fn other_tools_get_the_schedule_as_cron() {
        for (text, fields) in [
            ("daily 02:30", Some("30 2 * * *")),
            ("sun,mon 03:00", Some("0 3 * * 0,1")),
            ("every 15m", Some("*/15 * * * *")),
            ("every 6h", Some("0 */6 * * *")),
            ("every 7m", None),
            ("every 90s", None),
        ] {
            assert_eq!(schedule(text).as_cron().as_deref(), fields, "{text}");
        }
    }
}
