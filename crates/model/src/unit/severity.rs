//! How bad something is, and which severities a rule is about.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;

/// From sev0, the most severe, to sev4.
///
/// The order is that of the numbers: sev0 is less than sev1 though it is more severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Sev0,
    Sev1,
    Sev2,
    Sev3,
    Sev4,
}

impl Severity {
    /// All of them, the most severe first.
    pub const ALL: [Self; 5] = [Self::Sev0, Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4];

    pub const fn number(self) -> u8 {
        self as u8
    }

    pub const fn is_at_least_as_severe_as(self, other: Self) -> bool {
        self.number() <= other.number()
    }
}

/// The digits behind `sev`, `SEV-` or nothing.
fn number(text: &str) -> Option<&str> {
    let lower = text.trim();
    let word = lower.get(..3).filter(|w| w.eq_ignore_ascii_case("sev"))?;
    let rest = lower[word.len()..].trim_start_matches(['-', ' ']);
    (!rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())).then_some(rest)
}

fn of_digits(digits: &str) -> Option<Severity> {
    let n: usize = digits.parse().ok()?;
    Severity::ALL.get(n).copied()
}

impl Unit for Severity {
    const WHAT: &'static str = "a severity";
    const EXAMPLES: &'static [&'static str] = &["sev0", "sev1", "sev4", "SEV-2", "sev 3"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        if let Some(digits) = number(text) {
            return of_digits(digits).ok_or_else(|| Misread::new("is none of sev0 to sev4").meant("sev4"));
        }
        let misread = Misread::new("is none of sev0 to sev4");
        let lower = text.to_lowercase();
        let digits = lower.trim_start_matches(['p', 's']).trim_start_matches('-');
        if let Some(severity) = of_digits(digits).filter(|_| digits.len() == 1) {
            return Err(misread.meant(severity));
        }
        Err(match lower.as_str() {
            "critical" | "fatal" | "emergency" => misread.meant(Self::Sev0),
            "high" | "major" | "error" | "page" => misread.meant(Self::Sev1),
            "medium" | "warning" | "warn" | "ticket" => misread.meant(Self::Sev2),
            "low" | "minor" | "info" => misread.meant(Self::Sev3),
            _ => misread,
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sev{}", self.number())
    }
}

/// A set of severities that is not empty: `sev0`, `sev0-sev1`, `sev2+` (and less severe), `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Severities {
    bits: u8,
}

impl Severities {
    pub const ALL: Self = Self { bits: 0b1_1111 };

    pub const fn only(severity: Severity) -> Self {
        Self {
            bits: 1 << severity.number(),
        }
    }

    /// From one to the other, whichever comes first.
    pub fn between(one: Severity, other: Severity) -> Self {
        let range = one.min(other)..=one.max(other);
        let bits = |severity: &Severity| Self::only(*severity).bits;
        Self {
            bits: Severity::ALL.iter().filter(|s| range.contains(s)).map(bits).sum(),
        }
    }

    pub const fn contains(self, severity: Severity) -> bool {
        self.bits & (1 << severity.number()) != 0
    }

    /// The severities of the set, the most severe first.
    pub fn iter(self) -> impl Iterator<Item = Severity> {
        Severity::ALL.into_iter().filter(move |s| self.contains(*s))
    }
}

impl Unit for Severities {
    const WHAT: &'static str = "a set of severities";
    const EXAMPLES: &'static [&'static str] = &[
        "sev0",
        "sev0-sev1",
        "sev2+",
        "all",
        "sev0-1",
        "sev0, sev2",
        "SEV1..SEV3",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let lower = text.to_lowercase();
        if matches!(lower.as_str(), "all" | "any" | "every") {
            return Ok(Self::ALL);
        }
        let mut bits = 0;
        for part in lower.split(',') {
            bits |= part_of(part.trim(), text)?.bits;
        }
        Ok(Self { bits })
    }
}

fn part_of(part: &str, text: &str) -> Result<Severities, Misread> {
    let one = |text: &str| Severity::parse(text).ok();
    if let Some(from) = part.strip_suffix('+').and_then(one) {
        return Ok(Severities::between(from, Severity::Sev4));
    }
    if let Some(only) = one(part) {
        return Ok(Severities::only(only));
    }
    // `sev-0-sev-1` has a dash in each name: the one in the middle stands before the last name.
    let last = part.rfind("sev").filter(|at| *at > 0);
    let (from, to) = match last {
        Some(at) => part.split_at(at),
        None => part.rsplit_once(['-', '.', '\u{2013}']).unwrap_or((part, "")),
    };
    let ends = |c: char| matches!(c, '-' | '.' | '\u{2013}' | ' ');
    let from_text = from.trim_end_matches(ends).trim_end_matches(" to");
    let to = to.trim();
    let short = format!("sev{to}");
    let range = one(from_text).zip(one(to).or_else(|| one(&short)));
    range
        .map(|(from, to)| Severities::between(from, to))
        .ok_or_else(|| {
            let misread = Misread::new(format!("has `{part}` in it, which is none of sev0 to sev4"));
            match Severity::parse(part) {
                Err(Misread {
                    meant: Some(meant), ..
                }) if part.len() == text.len() => misread.meant(meant),
                _ => misread,
            }
        })
}

impl fmt::Display for Severities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<Severity> = self.iter().collect();
        let (Some(first), Some(last)) = (all.first(), all.last()) else {
            return f.write_str("all");
        };
        match (*self == Self::between(*first, *last), first, last) {
            (true, Severity::Sev0, Severity::Sev4) => f.write_str("all"),
            (true, first, last) if first == last => first.fmt(f),
            (true, first, Severity::Sev4) => write!(f, "{first}+"),
            (true, first, last) => write!(f, "{first}-{last}"),
            (false, ..) => {
                let names: Vec<String> = all.iter().map(Severity::to_string).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_read_in_ranges_and_lists() {
        for (text, canonical) in [
            ("SEV-0", "sev0"),
            ("sev0-sev1", "sev0-sev1"),
            ("sev0-1", "sev0-sev1"),
            ("sev-0-sev-1", "sev0-sev1"),
            ("sev2+", "sev2+"),
            ("sev2-sev4", "sev2+"),
            ("sev0+", "all"),
            ("sev0, sev1", "sev0-sev1"),
            ("sev0,sev3", "sev0, sev3"),
            ("sev1 to sev2", "sev1-sev2"),
            ("sev1..3", "sev1-sev3"),
        ] {
            assert_eq!(
                Severities::parse(text).map(|s| s.to_string()),
                Ok(canonical.into()),
                "{text}"
            );
        }
        for bits in 1..32 {
            let set = Severities { bits };
            assert_eq!(Severities::parse(&set.to_string()), Ok(set));
        }
    }

    #[test]
    fn other_words_for_a_severity_are_offered_as_ours() {
        for (text, meant) in [
            ("p1", "sev1"),
            ("2", "sev2"),
            ("critical", "sev0"),
            ("sev9", "sev4"),
        ] {
            assert_eq!(
                Severity::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        assert!(Severity::Sev0.is_at_least_as_severe_as(Severity::Sev1));
        for text in ["sev", "", "sev0-", "-", "sev0-sev9", "sevé"] {
            assert!(Severities::parse(text).is_err(), "{text}");
        }
    }
}
