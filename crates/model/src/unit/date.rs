//! Days of the calendar.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;

/// A day of the calendar: `2026-12-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    civil: jiff::civil::Date,
}

impl Date {
    /// The day; nothing before the year 1.
    pub fn new(civil: jiff::civil::Date) -> Option<Self> {
        (civil.year() > 0).then_some(Self { civil })
    }

    pub const fn civil(self) -> jiff::civil::Date {
        self.civil
    }
}

/// Year, month and day from their digits.
fn from_parts(year: &str, month: &str, day: &str) -> Option<Date> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || !digits(year) || !digits(month) || !digits(day) {
        return None;
    }
    let civil = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    Date::new(civil.ok()?)
}

impl Unit for Date {
    const WHAT: &'static str = "a date";
    const EXAMPLES: &'static [&'static str] = &["2026-12-01", "2028-02-29"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let parts: Vec<&str> = text.split(['-', '/', '.']).map(str::trim).collect();
        let [a, b, c] = parts[..] else {
            return Err(Misread::new(
                "is not written as year, month and day, like `2026-12-01`",
            ));
        };
        let shaped = text.len() == 10 && a.len() == 4 && b.len() == 2 && !text.contains(['/', '.']);
        match (from_parts(a, b, c), shaped) {
            (Some(date), true) => return Ok(date),
            (None, true) => return Err(Misread::new("is no day of the calendar")),
            (Some(date), false) => {
                return Err(Misread::new("is not written like `2026-12-01`").meant(date));
            }
            (None, false) => {}
        }
        let misread = Misread::new("is not written as year, month and day, like `2026-12-01`");
        // Points mean day first; with slashes nobody knows which is the day.
        Err(match from_parts(c, b, a).filter(|_| text.contains('.')) {
            Some(date) => misread.meant(date),
            None => misread,
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.civil.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_year_month_day() {
        assert_eq!(
            Date::parse("2026-12-01").map(|d| d.to_string()),
            Ok("2026-12-01".into())
        );
        for (text, meant) in [
            ("2026/12/01", "2026-12-01"),
            ("1.12.2026", "2026-12-01"),
            ("2026-12-1", "2026-12-01"),
        ] {
            assert_eq!(
                Date::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in [
            "2026-02-30",
            "12/01/2026",
            "tomorrow",
            "0000-01-01",
            "99999-01-01",
            "-2026-01-01",
            "2026-é-1",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
        assert_eq!(Date::parse("12/01/2026").expect_err("slashes").meant, None);
    }
}
