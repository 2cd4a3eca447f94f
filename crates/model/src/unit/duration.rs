//! Lengths of time, to the millisecond.

use super::scan::{Number, Scan, bounded, nearest};
use super::{Misread, Unit};
use std::fmt;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The words for each unit, the one to propose first.
const UNITS: &[(u64, &[&str])] = &[
    (365 * DAY, &["y", "yr", "yrs", "year", "years"]),
    (30 * DAY, &["month", "mo", "mon", "months"]),
    (7 * DAY, &["w", "wk", "wks", "week", "weeks"]),
    (DAY, &["d", "day", "days"]),
    (HOUR, &["h", "hr", "hrs", "hour", "hours"]),
    (MINUTE, &["m", "min", "mins", "minute", "minutes"]),
    (SECOND, &["s", "sec", "secs", "second", "seconds"]),
    (
        1,
        &[
            "ms",
            "msec",
            "msecs",
            "milli",
            "millis",
            "millisecond",
            "milliseconds",
        ],
    ),
];

/// A length of time: `30s`, `1h30m`, `30d`. A month is 30 days and a year 365.
///
/// At most a thousand years, so that adding one to a date cannot surprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration {
    millis: u64,
}

impl Duration {
    pub const ZERO: Self = Self { millis: 0 };
    /// The longest: a thousand years of 365 days.
    pub const MAX: Self = Self {
        millis: 365_000 * DAY,
    };

    /// So many milliseconds, at most [`Duration::MAX`].
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.millis {
            return Self::MAX;
        }
        Self { millis }
    }

    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(SECOND))
    }

    pub const fn from_minutes(minutes: u64) -> Self {
        Self::from_millis(minutes.saturating_mul(MINUTE))
    }

    pub const fn from_hours(hours: u64) -> Self {
        Self::from_millis(hours.saturating_mul(HOUR))
    }

    pub const fn from_days(days: u64) -> Self {
        Self::from_millis(days.saturating_mul(DAY))
    }

    pub const fn millis(self) -> u64 {
        self.millis
    }

    /// Whole seconds, rounded down.
    pub const fn secs(self) -> u64 {
        self.millis / SECOND
    }

    /// Whole days, rounded down.
    pub const fn days(self) -> u64 {
        self.millis / DAY
    }

    pub const fn is_zero(self) -> bool {
        self.millis == 0
    }

    /// The sum, at most [`Duration::MAX`].
    pub const fn plus(self, other: Self) -> Self {
        Self::from_millis(self.millis.saturating_add(other.millis))
    }

    /// The difference, at least zero.
    pub const fn minus(self, other: Self) -> Self {
        Self::from_millis(self.millis.saturating_sub(other.millis))
    }

    /// So many times as long, at most [`Duration::MAX`].
    pub const fn times(self, factor: u64) -> Self {
        Self::from_millis(self.millis.saturating_mul(factor))
    }

    /// The same length for the standard library.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.millis)
    }

    /// The same length for arithmetic with timestamps.
    pub const fn to_jiff(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_millis(self.millis.cast_signed())
    }

    /// The words people say: `30 minutes`, `1 hour 30 minutes`.
    pub fn spoken(self) -> String {
        if self.millis == 0 {
            return "no time".to_owned();
        }
        let parts = [
            (DAY, "day"),
            (HOUR, "hour"),
            (MINUTE, "minute"),
            (SECOND, "second"),
            (1, "millisecond"),
        ];
        let mut left = self.millis;
        let mut words = Vec::new();
        for (size, word) in parts {
            let n = left / size;
            left %= size;
            if n > 0 {
                words.push(format!("{n} {word}{}", if n == 1 { "" } else { "s" }));
            }
        }
        words.join(" ")
    }
}

/// The size of a unit by its word.
pub(super) fn unit_millis(word: &str) -> Option<u64> {
    let known = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    UNITS
        .iter()
        .find(|(_, words)| known(words))
        .map(|(size, _)| *size)
}

fn millis_of(number: Number, size: u64) -> Result<u64, Misread> {
    match number.times(size) {
        Some((n, exact)) if n <= u128::from(Duration::MAX.millis) => {
            let millis = u64::try_from(n).unwrap_or(u64::MAX);
            if exact {
                Ok(millis)
            } else {
                let near = Duration::from_millis(millis.max(1));
                Err(Misread::new("is finer than a millisecond").meant(near))
            }
        }
        _ => Err(Misread::new("is longer than a thousand years").meant(Duration::MAX)),
    }
}

fn unknown_unit(text: &str, word: &str) -> Misread {
    if ["us", "ns", "µs", "μs"].contains(&word.to_lowercase().as_str()) {
        return Misread::new("is finer than a millisecond").meant("1ms");
    }
    let misread = Misread::new(format!("has the unknown unit `{word}`"));
    let words: Vec<&str> = UNITS.iter().flat_map(|(_, w)| w.iter().copied()).collect();
    match nearest(word, &words) {
        Some(known) => misread.meant(text.replacen(word, known, 1)),
        None => misread,
    }
}

impl Unit for Duration {
    const WHAT: &'static str = "a duration";
    const EXAMPLES: &'static [&'static str] = &[
        "30s",
        "250ms",
        "1h30m",
        "4h",
        "3 days",
        "30d",
        "2w",
        "1 month",
        "1y",
        "0",
        "1.5 hours",
        "30 M",
        "1 hour and 30 minutes",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        if unit_millis(text).is_some() {
            return Err(Misread::new("has no number").meant(format!("1 {}", text.to_lowercase())));
        }
        let (mut total, mut last, mut disordered) = (0_u64, u64::MAX, false);
        while !scan.is_done() {
            let written = scan.rest;
            let number = scan.number()?;
            let word = scan.word();
            if word.is_empty() {
                return bare(text, written, number, last, &scan);
            }
            let size = unit_millis(word).ok_or_else(|| unknown_unit(text, word))?;
            disordered |= size >= last;
            last = size;
            total = total.saturating_add(millis_of(number, size)?);
            scan.skip(&[',']);
            scan.take_word(&["and"]);
        }
        if total > Self::MAX.millis {
            return Err(Misread::new("is longer than a thousand years").meant(Self::MAX));
        }
        let read = Self::from_millis(total);
        if disordered {
            return Err(Misread::new("does not go from large units to small ones").meant(read));
        }
        Ok(read)
    }
}

/// A number without a unit: only nothing at all may be written so.
fn bare(text: &str, written: &str, number: Number, last: u64, scan: &Scan<'_>) -> Result<Duration, Misread> {
    if !scan.is_done() {
        return Err(Misread::new(format!(
            "has `{}` in it, which is no unit",
            scan.rest
        )));
    }
    if last == u64::MAX && number.is_zero() {
        return Ok(Duration::ZERO);
    }
    let smaller = UNITS
        .iter()
        .find(|(size, _)| *size < last && *size <= HOUR && *size < DAY);
    let unit = match smaller {
        Some((_, words)) if last != u64::MAX => words[0],
        _ => "s",
    };
    let because = match last {
        u64::MAX => "has no unit".to_owned(),
        _ => format!("has no unit behind `{written}`"),
    };
    Err(Misread::new(because).meant(format!("{text}{unit}")))
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis == 0 {
            return f.write_str("0s");
        }
        let mut left = self.millis;
        for (size, unit) in [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")] {
            if left >= size {
                write!(f, "{}{unit}", left / size)?;
                left %= size;
            }
        }
        match left {
            0 => Ok(()),
            1..SECOND => write!(f, "{left}ms"),
            _ => write!(f, "{}s", super::scan::plain(left, 3)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misread(text: &str) -> (String, Option<String>) {
        let misread = Duration::parse(text).expect_err(text);
        (misread.because, misread.meant)
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, canonical) in [
            ("250ms", "250ms"),
            ("90s", "1m30s"),
            ("2.5S", "2.5s"),
            ("1h 30m", "1h30m"),
            ("30 minutes", "30m"),
            ("1 month", "30d"),
            ("1Y", "365d"),
            ("2w", "14d"),
            ("0", "0s"),
            ("1 hour, 5 mins", "1h5m"),
            ("10 000 s", "2h46m40s"),
        ] {
            assert_eq!(
                Duration::parse(text).map(|d| d.to_string()),
                Ok(canonical.into()),
                "{text}"
            );
        }
        assert_eq!(Duration::parse("30m"), Ok(Duration::from_secs(1800)));
    }

    #[test]
    fn a_duration_without_a_unit_is_offered_in_seconds() {
        assert_eq!(misread("30"), ("has no unit".into(), Some("30s".into())));
        assert_eq!(misread("1h30").1, Some("1h30m".into()));
        assert_eq!(misread("hour").1, Some("1 hour".into()));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_a_reason() {
        assert_eq!(misread("-5s").0, "is negative");
        assert_eq!(misread("5 secnds").1, Some("5 seconds".into()));
        assert_eq!(misread("30m1h").1, Some("1h30m".into()));
        assert_eq!(misread("0.5ms").0, "is finer than a millisecond");
        assert_eq!(misread("1,5h").1, Some("1.5h".into()));
        for text in [
            "",
            "NaN",
            "inf",
            "1e400s",
            "99999999999999999999y",
            "18446744073709551616ms",
            "1s1s",
            "1..5s",
            "٣s",
        ] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        assert!(Duration::parse(&"9".repeat(100_000)).is_err());
    }
}
