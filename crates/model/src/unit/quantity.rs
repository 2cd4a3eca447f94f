//! What a measured value is compared with: a quantity of some kind, or a text.

use super::scan::{Scan, bounded};
use super::{Bytes, Duration, Misread, Money, Share, Unit};
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::fmt;

/// A value of one of the kinds that can be measured.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Quantity {
    Duration(Duration),
    Bytes(Bytes),
    Share(Share),
    Money(Money),
    /// A plain number, which may be negative.
    Count(Decimal),
    Text(String),
}

impl Quantity {
    /// The kind, with its article: `a duration`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Duration(_) => Duration::WHAT,
            Self::Bytes(_) => Bytes::WHAT,
            Self::Share(_) => Share::WHAT,
            Self::Money(_) => Money::WHAT,
            Self::Count(_) => "a number",
            Self::Text(_) => "a text",
        }
    }

    /// Whether the two can be compared by size.
    pub fn is_like(&self, other: &Self) -> bool {
        self.kind() == other.kind()
    }
}

impl PartialOrd for Quantity {
    /// Quantities of one kind, and money of one currency; texts are equal or nothing.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Share(a), Self::Share(b)) => Some(a.cmp(b)),
            (Self::Money(a), Self::Money(b)) => a.partial_cmp(b),
            (Self::Count(a), Self::Count(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => (a == b).then_some(Ordering::Equal),
            _ => None,
        }
    }
}

/// A plain number, with its sign.
fn count(text: &str) -> Option<Decimal> {
    let negative = text.strip_prefix(['-', '\u{2212}']);
    let unsigned = negative.unwrap_or(text);
    let digits = |b: u8| b.is_ascii_digit() || b == b'.';
    let ends = unsigned.starts_with('.') || unsigned.ends_with('.');
    let count = if unsigned.bytes().all(digits) && !ends {
        Decimal::from_str_exact(unsigned).ok()?
    } else {
        let mut scan = Scan::new(unsigned);
        let number = scan.number().ok().filter(|_| scan.is_done())?;
        let digits = i128::try_from(number.digits).ok()?;
        Decimal::try_from_i128_with_scale(digits, number.scale).ok()?
    };
    let signed = if negative.is_some() { -count } else { count };
    Some(signed.normalize())
}

/// The text between quotation marks, if the whole is such a text.
fn quoted(text: &str) -> Option<Result<String, Misread>> {
    let inner = text.strip_prefix('"')?;
    let mut read = String::new();
    let mut chars = inner.chars();
    loop {
        match chars.next() {
            Some('\\') => read.extend(chars.next()),
            Some('"') if chars.as_str().is_empty() => return Some(Ok(read)),
            Some('"') => {
                let because = "has something behind its closing quotation mark";
                return Some(Err(Misread::new(because)));
            }
            Some(letter) => read.push(letter),
            None => {
                let misread = Misread::new("has no closing quotation mark");
                return Some(Err(misread.meant(format!("{text}\""))));
            }
        }
    }
}

/// Reads what can only be a text, with or without quotation marks.
pub(super) fn text(written: &str) -> Result<String, Misread> {
    let written = bounded(written)?;
    quoted(written).unwrap_or_else(|| Ok(written.to_owned()))
}

impl Unit for Quantity {
    const WHAT: &'static str = "a value";
    const EXAMPLES: &'static [&'static str] = &[
        "250ms",
        "20MB",
        "1%",
        "$5",
        "200",
        "0",
        "-3",
        "2.5",
        "stable",
        "\"two words\"",
        "\"200\"",
    ];

    fn parse(written: &str) -> Result<Self, Misread> {
        let written = bounded(written)?;
        if let Some(count) = count(written) {
            return Ok(Self::Count(count));
        }
        if let Ok(duration) = Duration::parse(written) {
            return Ok(Self::Duration(duration));
        }
        if let Ok(bytes) = Bytes::parse(written) {
            return Ok(Self::Bytes(bytes));
        }
        if let Ok(share) = Share::parse(written) {
            return Ok(Self::Share(share));
        }
        if let Ok(money) = Money::parse(written) {
            return Ok(Self::Money(money));
        }
        text(written).map(Self::Text)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => duration.fmt(f),
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::Share(share) => share.fmt(f),
            Self::Money(money) => money.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Text(text) if is_plain(text) => f.write_str(text),
            Self::Text(text) => {
                let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{escaped}\"")
            }
        }
    }
}

/// Whether the text is read back as itself without quotation marks.
fn is_plain(text: &str) -> bool {
    let free = !text.starts_with(['<', '>', '=', '!', '~', '≤', '≥', '"']);
    free && Quantity::parse(text).is_ok_and(|read| matches!(&read, Quantity::Text(t) if t == text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).expect(text)
    }

    #[test]
    fn the_kind_follows_from_the_text() {
        for (text, kind) in [
            ("250ms", "a duration"),
            ("20MB", "a size"),
            ("1%", "a share"),
            ("$5", "an amount of money"),
            ("200", "a number"),
            ("stable", "a text"),
            ("\"200\"", "a text"),
            ("120%", "a text"),
        ] {
            assert_eq!(quantity(text).kind(), kind, "{text}");
        }
    }

    #[test]
    fn only_like_is_compared_with_like() {
        assert!(quantity("250ms") < quantity("1s"));
        assert_eq!(quantity("250ms").partial_cmp(&quantity("250")), None);
        assert_eq!(quantity("$5").partial_cmp(&quantity("€5")), None);
        assert_eq!(quantity("a").partial_cmp(&quantity("b")), None);
        assert_eq!(quantity("1.50"), quantity("1.5"));
    }

    #[test]
    fn a_text_that_looks_like_something_else_is_quoted() {
        assert_eq!(Quantity::Text("200".into()).to_string(), "\"200\"");
        assert_eq!(Quantity::Text("a \"b\"".into()).to_string(), "a \"b\"");
        assert_eq!(Quantity::Text("\"b\"".into()).to_string(), r#""\"b\"""#);
        assert!(Quantity::parse("\"open").is_err());
    }
}
