//! The time, and how it is written.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time as people read it: `2027-03-01 14:05:09 UTC`.
pub(crate) fn written(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The date of a day, counted from 1970: eras of 400 years that begin in March, so that a leap day comes last.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let calendar = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(calendar <= 2), calendar, of_month)
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_time_is_written_as_people_read_it() {
        assert_eq!(written(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(written(951_782_399_000), "2000-02-28 23:59:59 UTC");
        assert_eq!(written(951_868_799_000), "2000-02-29 23:59:59 UTC");
        assert_eq!(written(1_804_514_709_000), "2027-03-08 14:05:09 UTC");
    }
}
