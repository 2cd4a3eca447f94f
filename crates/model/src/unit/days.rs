//! Days of the week and times of the day, the parts of schedules and windows.

use super::Misread;
use super::scan::nearest;
use jiff::civil::Weekday;
use std::fmt;

const NAMES: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];

/// A set of days of the week that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days {
    /// One bit a day, Monday first.
    bits: u8,
}

impl Days {
    pub const ALL: Self = Self { bits: 0b111_1111 };
    pub const WEEKDAYS: Self = Self { bits: 0b001_1111 };
    pub const WEEKENDS: Self = Self { bits: 0b110_0000 };
    pub const SUNDAY: Self = Self { bits: 0b100_0000 };

    pub fn contains(self, day: Weekday) -> bool {
        self.has(day.to_monday_zero_offset().unsigned_abs().into())
    }

    /// How many days of the week.
    pub const fn count(self) -> u32 {
        self.bits.count_ones()
    }

    fn has(self, index: usize) -> bool {
        self.bits & (1 << index) != 0
    }

    /// The longest time from one of these days to the next, in days.
    pub(super) fn longest_gap(self) -> u64 {
        let all: Vec<usize> = (0..14).filter(|n| self.has(n % 7)).collect();
        let gaps = all.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().map_or(7, |gap| gap as u64)
    }

    /// The numbers that cron has for these days.
    pub(super) fn cron(self) -> String {
        let days: Vec<String> = (0..7)
            .map(|n| (n, (n + 6) % 7))
            .filter(|(_, index)| self.has(*index))
            .map(|(number, _)| number.to_string())
            .collect();
        days.join(",")
    }

    /// The words people say: `Monday and Wednesday`, `every weekday`.
    pub(super) fn spoken(self) -> String {
        match self {
            Self::ALL => return "every day".to_owned(),
            Self::WEEKDAYS => return "every weekday".to_owned(),
            Self::WEEKENDS => return "every Saturday and Sunday".to_owned(),
            _ => {}
        }
        let names: Vec<String> = (0..7)
            .filter(|n| self.has(*n))
            .map(|n| {
                let name = NAMES[n].1;
                name[..1].to_uppercase() + &name[1..]
            })
            .collect();
        match names.split_last() {
            Some((last, [])) => format!("every {last}"),
            Some((last, rest)) => format!("every {} and {last}", rest.join(", ")),
            None => "never".to_owned(),
        }
    }

    /// Reads `daily`, `weekdays`, `mon`, `mon,wed`, `mon-fri`; nothing if it is about no days at all.
    pub(super) fn read(text: &str) -> Option<Result<Self, Misread>> {
        match text {
            "daily" | "everyday" | "day" | "days" => return Some(Ok(Self::ALL)),
            "weekdays" | "weekday" | "workdays" | "workday" => return Some(Ok(Self::WEEKDAYS)),
            "weekends" | "weekend" => return Some(Ok(Self::WEEKENDS)),
            _ => {}
        }
        let mut bits = 0;
        for (n, part) in text.split(',').enumerate() {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (Some(from), Some(to)) = (day(from), day(to)) else {
                let unknown = if day(from).is_none() { from } else { to };
                let near = nearest(unknown, &NAMES.map(|(_, long)| long))
                    .or_else(|| nearest(unknown, &NAMES.map(|(short, _)| short)));
                let near = near.filter(|_| unknown.len() > 2);
                if n == 0 && near.is_none() {
                    return None;
                }
                let misread = Misread::new(format!("names `{unknown}`, which is no day"));
                return Some(Err(match near {
                    Some(near) => misread.meant(text.replacen(unknown, near, 1)),
                    None => misread,
                }));
            };
            for step in 0..=(to + 7 - from) % 7 {
                bits |= 1 << ((from + step) % 7);
            }
        }
        Some(Ok(Self { bits }))
    }
}

/// The number of a day from its name, Monday first.
fn day(word: &str) -> Option<usize> {
    NAMES.iter().position(|(short, long)| {
        word == *short
            || word.strip_suffix('s').unwrap_or(word) == *long
            || (word.len() > 3 && word.len() < 6 && long.starts_with(word))
    })
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => return f.write_str("daily"),
            Self::WEEKDAYS => return f.write_str("weekdays"),
            Self::WEEKENDS => return f.write_str("weekends"),
            _ => {}
        }
        let mut at = 0;
        let mut first = true;
        while at < 7 {
            let run = (at..7).take_while(|n| self.has(*n)).count();
            if run == 0 {
                at += 1;
                continue;
            }
            if !first {
                f.write_str(",")?;
            }
            first = false;
            f.write_str(NAMES[at].0)?;
            if run > 2 {
                write!(f, "-{}", NAMES[at + run - 1].0)?;
                at += run;
            } else {
                at += 1;
            }
        }
        Ok(())
    }
}

/// A time of the day to the minute: `02:00`. The end of the day, `24:00`, is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Clock {
    minutes: u16,
}

impl Clock {
    pub const MIDNIGHT: Self = Self { minutes: 0 };
    pub const END: Self = Self { minutes: 24 * 60 };

    /// So many minutes after midnight, at most the end of the day.
    pub const fn from_minutes(minutes: u16) -> Self {
        if minutes > Self::END.minutes {
            return Self::END;
        }
        Self { minutes }
    }

    /// Minutes after midnight.
    pub const fn minutes(self) -> u16 {
        self.minutes
    }

    pub const fn hour(self) -> u16 {
        self.minutes / 60
    }

    pub const fn minute(self) -> u16 {
        self.minutes % 60
    }

    /// Reads `02:00`, `2:00`, `2am`, `14:30`, `midnight`; nothing if it is no time of the day.
    pub(super) fn read(text: &str) -> Option<Result<Self, Misread>> {
        match text {
            "midnight" => return Some(Ok(Self::MIDNIGHT)),
            "noon" => return Some(Ok(Self { minutes: 720 })),
            _ => {}
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (digits, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
            (Some(digits), _) => (digits, Some(0)),
            (_, Some(digits)) => (digits, Some(12)),
            _ => (text, None),
        };
        let (hour, minute) = match digits.split_once([':', '.']) {
            Some((hour, minute)) => (hour, minute),
            None => (digits.strip_suffix('h').unwrap_or(digits), ""),
        };
        let number = |text: &str| {
            let fine = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            fine.then(|| text.parse::<u16>().ok())?
        };
        let mut hour = number(hour)?;
        let no_minute = minute.is_empty();
        let minute = if no_minute { 0 } else { number(minute)? };
        if let Some(half) = half {
            if !(1..=12).contains(&hour) {
                return Some(Err(Misread::new(format!(
                    "has the time `{text}`, which no clock shows"
                ))));
            }
            hour = hour % 12 + half;
        }
        let minutes = hour * 60 + minute;
        if minute > 59 || minutes > Self::END.minutes {
            return Some(Err(Misread::new(format!(
                "has the time `{text}`, which no clock shows"
            ))));
        }
        let read = Self { minutes };
        if no_minute && half.is_none() {
            return Some(Err(Misread::new(format!(
                "has the time `{text}` without minutes"
            ))
            .meant(read)));
        }
        Some(Ok(read))
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_lists_and_ranges() {
        for (text, canonical) in [
            ("mon", "mon"),
            ("sundays", "sun"),
            ("mon,wed", "mon,wed"),
            ("mon-fri", "weekdays"),
            ("sat,sun", "weekends"),
            ("fri-mon", "mon,fri-sun"),
            ("mon-sun", "daily"),
            ("tues", "tue"),
            ("thurs", "thu"),
        ] {
            let days = Days::read(text).map(|days| days.map(|d| d.to_string()));
            assert_eq!(days, Some(Ok(canonical.to_owned())), "{text}");
        }
        let all: Vec<u8> = (1..128).collect();
        for bits in all {
            let days = Days { bits };
            assert_eq!(Days::read(&days.to_string()), Some(Ok(days)));
        }
    }

    #[test]
    fn times_of_the_day_are_read_in_both_clocks() {
        for (text, canonical) in [
            ("2am", "02:00"),
            ("12am", "00:00"),
            ("12:30pm", "12:30"),
            ("24:00", "24:00"),
            ("9:05", "09:05"),
        ] {
            assert_eq!(
                Clock::read(text).map(|c| c.map(|c| c.to_string())),
                Some(Ok(canonical.into())),
                "{text}"
            );
        }
        for text in ["25:00", "24:01", "12:60", "13pm", "2"] {
            assert!(matches!(Clock::read(text), Some(Err(_))), "{text}");
        }
        assert_eq!(Clock::read("later"), None);
        assert_eq!(Clock::read("123:00"), None);
    }
}
