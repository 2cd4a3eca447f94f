//! Sizes of memory, disks, files and bodies.

use super::scan::{Scan, bounded, nearest, plain};
use super::{Misread, Unit};
use std::fmt;

/// The words for each unit, the canonical one first, from large to small.
const UNITS: &[(u64, &[&str])] = &[
    (1 << 50, &["PiB", "Pi", "pebibyte", "pebibytes"]),
    (1_000_000_000_000_000, &["PB", "P", "petabyte", "petabytes"]),
    (1 << 40, &["TiB", "Ti", "tebibyte", "tebibytes"]),
    (1_000_000_000_000, &["TB", "T", "terabyte", "terabytes"]),
    (1 << 30, &["GiB", "Gi", "gibibyte", "gibibytes"]),
    (
        1_000_000_000,
        &["GB", "G", "gig", "gigs", "gigabyte", "gigabytes"],
    ),
    (1 << 20, &["MiB", "Mi", "mebibyte", "mebibytes"]),
    (1_000_000, &["MB", "M", "meg", "megs", "megabyte", "megabytes"]),
    (1 << 10, &["KiB", "Ki", "kibibyte", "kibibytes"]),
    (1000, &["KB", "K", "kilobyte", "kilobytes"]),
    (1, &["B", "byte", "bytes"]),
];

/// A number of bytes: `256MiB` (powers of 1024), `20MB` (powers of 1000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes {
    count: u64,
}

impl Bytes {
    pub const ZERO: Self = Self { count: 0 };

    pub const fn new(count: u64) -> Self {
        Self { count }
    }

    pub const fn from_kib(n: u64) -> Self {
        Self::new(n.saturating_mul(1 << 10))
    }

    pub const fn from_mib(n: u64) -> Self {
        Self::new(n.saturating_mul(1 << 20))
    }

    pub const fn from_gib(n: u64) -> Self {
        Self::new(n.saturating_mul(1 << 30))
    }

    pub const fn count(self) -> u64 {
        self.count
    }

    pub const fn is_zero(self) -> bool {
        self.count == 0
    }

    /// The sum, or nothing if it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.count.checked_add(other.count).map(Self::new)
    }

    /// So many times as much, or nothing if it does not fit.
    pub fn checked_mul(self, factor: u64) -> Option<Self> {
        self.count.checked_mul(factor).map(Self::new)
    }

    /// The difference, at least zero.
    pub const fn minus(self, other: Self) -> Self {
        Self::new(self.count.saturating_sub(other.count))
    }

    /// Mebibytes, rounded up: what engines that count in them are asked for.
    pub const fn mib_rounded_up(self) -> u64 {
        self.count.div_ceil(1 << 20)
    }
}

impl Unit for Bytes {
    const WHAT: &'static str = "a size";
    const EXAMPLES: &'static [&'static str] = &[
        "256MiB", "20MB", "500 KB", "1.75GB", "10GiB", "1MiB", "256 mb", "256M", "512Mi", "4096B", "0",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        let number = scan.number()?;
        let word = scan.word();
        if !scan.is_done() {
            return Err(Misread::new(format!("has `{}` behind it", scan.rest)));
        }
        if word.is_empty() {
            if number.is_zero() {
                return Ok(Self::ZERO);
            }
            // A bare small number counts mebibytes wherever tools take one, a large one counts bytes.
            let unit = if text.len() > 5 { "B" } else { "MiB" };
            return Err(Misread::new("has no unit").meant(format!("{text}{unit}")));
        }
        let known = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(word));
        let Some((factor, _)) = UNITS.iter().find(|(_, words)| known(words)) else {
            let misread = Misread::new(format!("has the unknown unit `{word}`"));
            let lower: Vec<String> = UNITS.iter().map(|(_, w)| w[0].to_lowercase()).collect();
            let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
            return Err(match nearest(word, &lower).filter(|_| word.len() > 1) {
                Some(near) => misread.meant(text.replacen(word, canonical(near), 1)),
                None => misread,
            });
        };
        // A part of a byte means nothing: 0.1GiB is 107374182 bytes.
        match number.times(*factor).map(|(n, _)| u64::try_from(n)) {
            Some(Ok(0)) if !number.is_zero() => Err(Misread::new("is less than one byte").meant("1B")),
            Some(Ok(count)) => Ok(Self::new(count)),
            _ => Err(Misread::new("is larger than can be kept")),
        }
    }
}

fn canonical(lower: &str) -> &'static str {
    let found = UNITS.iter().find(|(_, w)| w[0].eq_ignore_ascii_case(lower));
    found.map_or("B", |(_, words)| words[0])
}

impl fmt::Display for Bytes {
    /// The shortest exact text with at most two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut best: Option<String> = None;
        for (factor, words) in UNITS {
            let hundredths = u128::from(self.count) * 100;
            let factor = u128::from(*factor);
            if hundredths < factor * 100 || hundredths % factor != 0 {
                continue;
            }
            let Ok(digits) = u64::try_from(hundredths / factor) else {
                continue;
            };
            let text = format!("{}{}", plain(digits, 2), words[0]);
            if best.as_ref().is_none_or(|b| text.len() < b.len()) {
                best = Some(text);
            }
        }
        match best {
            Some(text) => f.write_str(&text),
            None => write!(f, "{}B", self.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_families_of_units() {
        for (text, count, canonical) in [
            ("256MiB", 268_435_456, "256MiB"),
            ("256mib", 268_435_456, "256MiB"),
            ("256MB", 256_000_000, "256MB"),
            ("256 mb", 256_000_000, "256MB"),
            ("256M", 256_000_000, "256MB"),
            ("1.75GB", 1_750_000_000, "1.75GB"),
            ("1.5gib", 1_610_612_736, "1.5GiB"),
            ("4096B", 4096, "4KiB"),
            ("0.1GiB", 107_374_182, "107374182B"),
            ("500 KB", 500_000, "500KB"),
            ("0", 0, "0B"),
        ] {
            assert_eq!(Bytes::parse(text), Ok(Bytes::new(count)), "{text}");
            assert_eq!(Bytes::new(count).to_string(), canonical);
        }
    }

    #[test]
    fn a_bare_size_is_offered_with_the_unit_that_is_usual_for_it() {
        for (text, meant) in [("512", "512MiB"), ("1048576", "1048576B")] {
            let misread = Bytes::parse(text).expect_err("bare");
            assert_eq!(
                (misread.because.as_str(), misread.meant.as_deref()),
                ("has no unit", Some(meant))
            );
        }
    }

    #[test]
    fn sizes_that_make_no_sense_are_refused() {
        for text in [
            "-1MB",
            "99999999TB",
            "1e9MB",
            "NaN",
            "5 parsecs",
            "0.1B",
            "1MB 2KB",
        ] {
            assert!(Bytes::parse(text).is_err(), "{text}");
        }
        assert_eq!(Bytes::parse("5MBi").expect_err("typo").meant, Some("5MB".into()));
    }
}
