//! Repeating spans of time: when something may happen, or when people are at work.

mod edge;

use super::days::{Clock, Days};
use super::scan::bounded;
use super::schedule::split_zone;
use super::{Duration, Misread, Unit, Zone, zone};
use std::fmt;

/// Always, or from one time of the day to another on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    Always,
    /// An end that is not after the start is on the next day.
    Days {
        days: Days,
        from: Clock,
        to: Clock,
    },
}

/// A repeating span of time: `sun 02:00-04:00`, `daily 22:00-06:00`, `always`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Window {
    span: Span,
    zone: Option<Zone>,
}

impl Window {
    pub const ALWAYS: Self = Self {
        span: Span::Always,
        zone: None,
    };

    pub const fn span(&self) -> Span {
        self.span
    }

    /// The time zone, if the text names one.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_ref().map(Zone::name)
    }

    /// How long it is open in a week in which no clock is put forward or back.
    pub fn per_week(&self) -> Duration {
        match self.span {
            Span::Always => Duration::from_days(7),
            Span::Days { days, from, to } => {
                let over = if to <= from { Clock::END.minutes() } else { 0 };
                let minutes = to.minutes() + over - from.minutes();
                Duration::from_minutes(u64::from(minutes) * u64::from(days.count()))
            }
        }
    }

    /// Whether the moment is inside, on the clocks of its zone or else of the default one.
    ///
    /// A zone that nobody knows contains nothing: a closed window is the safe answer.
    pub fn contains(&self, at: jiff::Timestamp, default_zone: &str) -> bool {
        let Span::Days { days, from, to } = self.span else {
            return true;
        };
        let Some(rules) = zone::rules(self.zone().unwrap_or(default_zone)) else {
            return false;
        };
        let local = at.to_zoned(rules);
        let minutes = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let now = Clock::from_minutes(minutes);
        let today = days.contains(local.weekday());
        if from < to {
            return today && from <= now && now < to;
        }
        let yesterday = days.contains(local.weekday().previous());
        today && from <= now || yesterday && now < to
    }

    /// Whether some minute of the week is inside both; nothing where they go by the clocks of different zones.
    pub fn meets(&self, other: &Self) -> Option<bool> {
        let theirs = other.stretches_beside(self)?;
        let meets = |one: &(u32, u32)| theirs.iter().any(|two| one.0 < two.1 && two.0 < one.1);
        Some(self.stretches().iter().any(meets))
    }

    /// Whether every minute of the other one is inside this one, too; nothing where their zones differ.
    pub fn covers(&self, other: &Self) -> Option<bool> {
        let ours = self.stretches();
        let theirs = other.stretches_beside(self)?;
        let covered = |two: &(u32, u32)| ours.iter().any(|one| one.0 <= two.0 && two.1 <= one.1);
        Some(theirs.iter().all(covered))
    }

    fn stretches_beside(&self, other: &Self) -> Option<Vec<(u32, u32)>> {
        let always = self.span == Span::Always || other.span == Span::Always;
        (always || self.zone() == other.zone()).then(|| self.stretches())
    }

    /// The stretches of the week in which it is open, in minutes from Monday 00:00, each as long as it can be.
    fn stretches(&self) -> Vec<(u32, u32)> {
        const DAY: u32 = 24 * 60;
        const WEEK: u32 = 7 * DAY;
        let Span::Days { days, from, to } = self.span else {
            return vec![(0, WEEK)];
        };
        let over = if to <= from { DAY } else { 0 };
        let length = u32::from(to.minutes()) + over - u32::from(from.minutes());
        let mut open = Vec::new();
        for (day, start) in (0_i8..7).zip((0..).step_by(24 * 60)) {
            if !jiff::civil::Weekday::from_monday_zero_offset(day).is_ok_and(|day| days.contains(day)) {
                continue;
            }
            let start = start + u32::from(from.minutes());
            open.push((start, (start + length).min(WEEK)));
            if start + length > WEEK {
                open.push((0, start + length - WEEK));
            }
        }
        open.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (start, end) in open {
            match joined.last_mut() {
                Some(last) if last.1 >= start => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        joined
    }

    /// The words people say: `every Sunday from 02:00 to 04:00 (Asia/Singapore)`.
    pub fn spoken(&self) -> String {
        let words = match self.span {
            Span::Always => "at any time".to_owned(),
            Span::Days {
                days,
                from: Clock::MIDNIGHT,
                to: Clock::END,
            } => days.spoken(),
            Span::Days { days, from, to } => {
                let next = if to <= from { " of the next day" } else { "" };
                format!("{} from {from} to {to}{next}", days.spoken())
            }
        };
        match &self.zone {
            Some(zone) => format!("{words} ({zone})"),
            None => words,
        }
    }
}

impl Unit for Window {
    const WHAT: &'static str = "a window of time";
    const EXAMPLES: &'static [&'static str] = &[
        "sun 02:00-04:00",
        "weekdays 08:00-20:00 Asia/Singapore",
        "daily 22:00-06:00",
        "mon-fri 09:00-17:00",
        "always",
        "weekends",
        "mon,wed 9am-5pm",
        "sat 10:00 to 12:00 UTC",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, zone) = split_zone(&words)?;
        let suffix = zone.as_ref().map(|z| format!(" {z}")).unwrap_or_default();
        let span = span(&tidied(&words)).map_err(|mut misread| {
            misread.meant = misread.meant.map(|text| text + &suffix);
            misread
        })?;
        Ok(Self { span, zone })
    }
}

/// Lower case, one kind of dash, and no spaces around dashes and commas.
fn tidied(words: &[&str]) -> String {
    let mut text = String::new();
    for word in words {
        let word = word
            .to_lowercase()
            .replace(['\u{2013}', '\u{2014}', '\u{2212}'], "-");
        let word = match word.as_str() {
            "to" | "until" | "till" => "-",
            "from" | "every" | "between" => continue,
            word => word,
        };
        let half = matches!(word, "am" | "pm") || word.starts_with("am-") || word.starts_with("pm-");
        let glued = word.starts_with(['-', ',']) || text.ends_with(['-', ',']) || half;
        if !text.is_empty() && !glued {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

fn span(text: &str) -> Result<Span, Misread> {
    if matches!(text, "always" | "any time" | "anytime" | "24/7") {
        return Ok(Span::Always);
    }
    let (days_text, times) = text.split_once(' ').unwrap_or((text, ""));
    let Some(days) = Days::read(days_text) else {
        if read_times(text).is_ok() {
            return Err(Misread::new("does not say on which days").meant(format!("daily {text}")));
        }
        return Err(Misread::new(format!(
            "starts with `{days_text}`, which is no day"
        )));
    };
    let days = days.map_err(|mut misread| {
        misread.meant = misread
            .meant
            .map(|days| format!("{days} {times}").trim().to_owned());
        misread
    })?;
    if times.is_empty() {
        let (from, to) = (Clock::MIDNIGHT, Clock::END);
        return Ok(Span::Days { days, from, to });
    }
    let (from, to) = read_times(times)?;
    if from == to {
        let whole = Span::Days {
            days,
            from: Clock::MIDNIGHT,
            to: Clock::END,
        };
        return Err(Misread::new("ends when it starts").meant(Window {
            span: whole,
            zone: None,
        }));
    }
    Ok(Span::Days { days, from, to })
}

fn read_times(times: &str) -> Result<(Clock, Clock), Misread> {
    let Some((from, to)) = times.split_once('-') else {
        return Err(Misread::new("does not say when it ends"));
    };
    let read = |text: &str| match Clock::read(text) {
        Some(Ok(clock)) => Ok(clock),
        Some(Err(misread)) => Err(Misread::new(misread.because)),
        None => Err(Misread::new(format!("has `{text}`, which is no time of the day"))),
    };
    let (from, mut to) = (read(from)?, read(to)?);
    if from == Clock::END {
        return Err(Misread::new("starts at 24:00, which is 00:00 of the next day"));
    }
    if to == Clock::MIDNIGHT {
        to = Clock::END;
    }
    Ok((from, to))
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            Span::Always => f.write_str("always")?,
            Span::Days {
                days,
                from: Clock::MIDNIGHT,
                to: Clock::END,
            } => write!(f, "{days}")?,
            Span::Days { days, from, to } => write!(f, "{days} {from}-{to}")?,
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

    fn window(text: &str) -> Window {
        Window::parse(text).expect(text)
    }

    fn open(text: &str, at: &str) -> bool {
        window(text).contains(at.parse().expect("a timestamp"), "UTC")
    }

    #[test]
    fn windows_are_read_as_people_write_them() {
        for (text, canonical) in [
            ("Sun 02:00 - 04:00", "sun 02:00-04:00"),
            ("mon-fri 09:00–17:00", "weekdays 09:00-17:00"),
            ("mon, wed 9am to 5 pm", "mon,wed 09:00-17:00"),
            ("sat from 10:00 until 12:00 UTC", "sat 10:00-12:00 UTC"),
            ("daily 18:00-00:00", "daily 18:00-24:00"),
            ("weekends", "weekends"),
            ("ALWAYS", "always"),
        ] {
            assert_eq!(window(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_starts_on() {
        // 2026-12-04 is a Friday.
        assert!(open("fri 22:00-06:00", "2026-12-04T23:00:00Z"));
        assert!(open("fri 22:00-06:00", "2026-12-05T05:59:00Z"));
        assert!(!open("fri 22:00-06:00", "2026-12-05T06:00:00Z"));
        assert!(!open("fri 22:00-06:00", "2026-12-04T05:00:00Z"));
        assert_eq!(window("fri 22:00-06:00").per_week(), Duration::from_hours(8));
    }

    #[test]
    fn a_window_is_open_on_the_clocks_of_its_zone() {
        assert!(open(
            "weekdays 08:00-20:00 Asia/Singapore",
            "2026-12-04T00:00:00Z"
        ));
        assert!(!open("weekdays 08:00-20:00", "2026-12-04T00:00:00Z"));
        assert!(open("daily", "2026-12-04T00:00:00Z"));
        assert!(!window("daily").contains(jiff::Timestamp::UNIX_EPOCH, "Mars/Phobos"));
        assert_eq!(
            window("weekdays 08:00-20:00").per_week(),
            Duration::from_hours(60)
        );
    }

    #[test]
    fn a_misread_window_offers_a_right_one() {
        for (text, meant) in [
            ("02:00-04:00", "daily 02:00-04:00"),
            ("sun 02:00-02:00", "sun"),
            (
                "weekdays 08:00-20:00 asia/singapore",
                "weekdays 08:00-20:00 Asia/Singapore",
            ),
        ] {
            assert_eq!(
                Window::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in [
            "sun 02:00",
            "sun 25:00-26:00",
            "never",
            "sun 24:00-02:00",
            "sun 2-4-6",
            "-",
            ",",
        ] {
            assert!(Window::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn two_windows_meet_where_a_minute_is_in_both() {
        let meets = |one: &str, two: &str| window(one).meets(&window(two));
        assert_eq!(meets("sun 02:00-04:00", "daily 03:00-05:00"), Some(true));
        assert_eq!(meets("sun 02:00-04:00", "weekdays 02:00-04:00"), Some(false));
        assert_eq!(meets("sun 22:00-06:00", "mon 05:00-07:00"), Some(true));
        assert_eq!(meets("sun 02:00-04:00", "sun 04:00-06:00"), Some(false));
        assert_eq!(meets("always", "sun 02:00-04:00 Asia/Singapore"), Some(true));
        assert_eq!(
            meets("sun 02:00-04:00 UTC", "sun 02:00-04:00 Asia/Singapore"),
            None
        );
    }

    #[test]
    fn one_window_covers_another_where_every_minute_is_inside() {
        let covers = |one: &str, two: &str| window(one).covers(&window(two));
        assert_eq!(covers("always", "sun 02:00-04:00"), Some(true));
        assert_eq!(covers("daily 00:00-24:00", "sun 22:00-06:00"), Some(true));
        assert_eq!(covers("weekdays 00:00-24:00", "tue 22:00-06:00"), Some(true));
        assert_eq!(covers("weekdays 08:00-16:00", "mon 09:00-17:00"), Some(false));
    }
}
