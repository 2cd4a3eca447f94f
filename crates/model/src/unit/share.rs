//! Parts of a whole, and changes against a baseline, in parts per million.

use super::scan::{Number, Scan, bounded, plain};
use super::{Misread, Unit};
use std::fmt;

const PERCENT: &[&str] = &["%", "percent", "pct"];

/// A part of a whole, from `0%` to `100%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share {
    ppm: u32,
}

impl Share {
    pub const NONE: Self = Self { ppm: 0 };
    pub const ALL: Self = Self { ppm: 1_000_000 };

    /// So many parts per million, at most all of them.
    pub const fn from_ppm(ppm: u32) -> Self {
        if ppm > Self::ALL.ppm {
            return Self::ALL;
        }
        Self { ppm }
    }

    /// So many percent, at most 100.
    pub const fn from_percent(percent: u32) -> Self {
        Self::from_ppm(percent.saturating_mul(10_000))
    }

    /// What part `n` is of `all`, rounded down; nothing of nothing is nothing.
    pub fn of_counts(n: u64, all: u64) -> Self {
        let ppm = (u128::from(n) * 1_000_000).checked_div(u128::from(all));
        Self::from_ppm(u32::try_from(ppm.unwrap_or(0)).unwrap_or(u32::MAX))
    }

    pub const fn ppm(self) -> u32 {
        self.ppm
    }

    pub const fn is_zero(self) -> bool {
        self.ppm == 0
    }

    /// What is left of the whole: an objective's error budget.
    pub const fn rest(self) -> Self {
        Self {
            ppm: Self::ALL.ppm - self.ppm,
        }
    }

    /// This part of a number, rounded down.
    pub fn of(self, n: u64) -> u64 {
        let part = u128::from(n) * u128::from(self.ppm) / 1_000_000;
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    /// This part of a number, rounded up.
    pub fn of_rounded_up(self, n: u64) -> u64 {
        let part = (u128::from(n) * u128::from(self.ppm)).div_ceil(1_000_000);
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

/// A number and its percent sign, in parts per million.
fn percent(scan: &mut Scan<'_>) -> Result<(Number, Option<u128>), Misread> {
    let number = scan.number()?;
    let signed = scan.take("%") || scan.take_word(PERCENT) || {
        let mut ahead = *scan;
        let both = ahead.take_word(&["per"]) && ahead.take_word(&["cent"]);
        if both {
            *scan = ahead;
        }
        both
    };
    if !signed {
        return Ok((number, None));
    }
    match number.times(10_000) {
        Some((ppm, true)) => Ok((number, Some(ppm))),
        Some((ppm, false)) => {
            let near = u64::try_from(ppm).unwrap_or(u64::MAX);
            Err(Misread::new("is finer than 0.0001%").meant(format!("{}%", plain(near, 4))))
        }
        None => Err(Misread::new("is larger than can be kept")),
    }
}

impl Unit for Share {
    const WHAT: &'static str = "a share";
    const EXAMPLES: &'static [&'static str] = &["10%", "99.95%", "100%", "0%", "10 %", "5 percent", "0"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        let (number, ppm) = percent(&mut scan)?;
        if !scan.is_done() {
            return Err(Misread::new(format!("has `{}` behind it", scan.rest)));
        }
        let Some(ppm) = ppm else {
            return without_sign(number);
        };
        match u32::try_from(ppm) {
            Ok(ppm) if ppm <= Self::ALL.ppm => Ok(Self { ppm }),
            _ => Err(Misread::new("is more than 100%").meant("100%")),
        }
    }
}

/// `10` is likely ten percent, and so is `0.1`.
fn without_sign(number: Number) -> Result<Share, Misread> {
    if number.is_zero() {
        return Ok(Share::NONE);
    }
    let misread = Misread::new("has no percent sign");
    let factor = if number.scale > 0 && number.digits < 10_u128.pow(number.scale) {
        1_000_000
    } else {
        10_000
    };
    Err(
        match number.times(factor).map(|(n, exact)| (u32::try_from(n), exact)) {
            Some((Ok(ppm), true)) if ppm <= Share::ALL.ppm => misread.meant(Share { ppm }),
            _ => misread,
        },
    )
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", plain(u64::from(self.ppm), 4))
    }
}

/// A change against a baseline: `-30%`, `+10%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Change {
    ppm: i64,
}

impl Change {
    /// A ten-thousandfold growth is beyond every baseline that means something.
    const MOST: i64 = 1_000_000 * 10_000;
    /// Nothing can shrink by more than all of it.
    const LEAST: i64 = -1_000_000;

    /// So many parts per million more (or, below zero, less), kept from -100% to +1000000%.
    pub const fn from_ppm(ppm: i64) -> Self {
        if ppm > Self::MOST {
            return Self { ppm: Self::MOST };
        }
        if ppm < Self::LEAST {
            return Self { ppm: Self::LEAST };
        }
        Self { ppm }
    }

    pub const fn ppm(self) -> i64 {
        self.ppm
    }

    pub const fn is_less(self) -> bool {
        self.ppm < 0
    }
}

impl Unit for Change {
    const WHAT: &'static str = "a change";
    const EXAMPLES: &'static [&'static str] = &[
        "-30%",
        "+10%",
        "0%",
        "- 5 %",
        "+0.5%",
        "30% less",
        "30% fewer",
        "10% more",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        let minus = scan.take("-") || scan.take("\u{2212}");
        let plus = !minus && scan.take("+");
        let written = scan.rest;
        let (number, ppm) = percent(&mut scan)?;
        let less = scan.take_word(&["less", "fewer", "lower", "down"]);
        let more = !less && scan.take_word(&["more", "higher", "up"]);
        if !scan.is_done() {
            return Err(Misread::new(format!("has `{}` behind it", scan.rest)));
        }
        let sign = if minus || less { "-" } else { "+" };
        if ppm.is_none() {
            let fixed = format!("{sign}{written}%");
            return Err(Misread::new("has no percent sign").meant(fixed));
        }
        if !(minus || plus || less || more || number.is_zero()) {
            let fixed = format!("+{text}");
            return Err(Misread::new("has no sign that says more or less").meant(fixed));
        }
        if (minus || plus) && (less || more) {
            return Err(Misread::new(
                "says both with a sign and with a word which way it goes",
            ));
        }
        let ppm = i64::try_from(ppm.unwrap_or(0)).unwrap_or(i64::MAX);
        let signed = if sign == "-" { -ppm } else { ppm };
        match signed {
            ..Self::LEAST => Err(Misread::new("is a drop by more than all of it").meant("-100%")),
            n if n > Self::MOST => Err(Misread::new("is larger than can be kept")),
            ppm => Ok(Self { ppm }),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.ppm {
            ..0 => "-",
            0 => "",
            _ => "+",
        };
        write!(f, "{sign}{}%", plain(self.ppm.unsigned_abs(), 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_to_a_millionth() {
        assert_eq!(Share::parse("99.95%"), Ok(Share::from_ppm(999_500)));
        assert_eq!(Share::parse("10 %").map(|s| s.to_string()), Ok("10%".into()));
        assert_eq!(
            Share::parse("99.9%").map(|s| s.rest().to_string()),
            Ok("0.1%".into())
        );
        assert_eq!(Share::of_counts(1, 3).ppm(), 333_333);
        assert_eq!(Share::of_counts(1, 0), Share::NONE);
        assert_eq!(Share::from_percent(10).of_rounded_up(11), 2);
    }

    #[test]
    fn a_share_without_its_sign_is_offered_in_percent() {
        for (text, meant) in [("0.1", "10%"), ("10", "10%"), ("1", "1%"), ("0.995", "99.5%")] {
            assert_eq!(
                Share::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in [
            "101%",
            "-1%",
            "NaN%",
            "0.00001%",
            "1e3%",
            "10%%",
            "9999999999999999999999999999%",
        ] {
            assert!(Share::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_change_says_which_way() {
        assert_eq!(Change::parse("-30%"), Ok(Change::from_ppm(-300_000)));
        assert_eq!(
            Change::parse("30% fewer").map(|c| c.to_string()),
            Ok("-30%".into())
        );
        assert_eq!(
            Change::parse("30%").expect_err("bare").meant.as_deref(),
            Some("+30%")
        );
        for text in [
            "-101%",
            "+-3%",
            "-30",
            "-30% more",
            "9999999999999999999999999999%",
        ] {
            assert!(Change::parse(text).is_err(), "{text}");
        }
    }
}
