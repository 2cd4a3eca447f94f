//! Decimal numbers that are exact.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;

/// A number of units that is not negative, kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    value: rust_decimal::Decimal,
}

impl Decimal {
    /// The number.
    pub fn value(self) -> rust_decimal::Decimal {
        self.value
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.normalize().fmt(f)
    }
}

impl Unit for Decimal {
    const WHAT: &'static str = "a number";
    const EXAMPLES: &'static [&'static str] = &["3", "0.5", "10 000"];

    fn parse(text: &str) -> Result<Self, Misread> {
        bounded(text)?;
        let digits: String = text
            .chars()
            .filter(|letter| !matches!(letter, ' ' | '_'))
            .collect();
        let plain = !digits.is_empty()
            && digits
                .chars()
                .all(|letter| letter.is_ascii_digit() || letter == '.');
        if digits.starts_with('-') {
            return Err(Misread::new("is less than nothing"));
        }
        if !plain {
            let meant: String = digits
                .chars()
                .filter(|letter| letter.is_ascii_digit() || *letter == '.')
                .collect();
            return Err(Misread::new("has something else than digits and a point in it").meant(meant));
        }
        let value: rust_decimal::Decimal = digits
            .parse()
            .map_err(|_| Misread::new("has more digits than can be kept exactly"))?;
        Ok(Decimal {
            value: value.normalize(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_exactly() {
        let third = Decimal::parse("0.10").expect("a number");
        assert_eq!(third.to_string(), "0.1");
        assert_eq!(Decimal::parse("10 000").expect("a number").to_string(), "10000");
        assert!(Decimal::parse("-1").is_err());
        assert!(Decimal::parse("1e400").is_err());
        assert!(Decimal::parse(&"9".repeat(60)).is_err());
    }
}
