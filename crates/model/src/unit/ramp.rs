//! One step of a rollout: how much goes to the new release, and how long it stays so.

use super::scan::{Scan, bounded};
use super::{Duration, Misread, Share, Unit};
use std::fmt;

/// How much the new release gets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Amount {
    /// A part of the traffic.
    Share(Share),
    /// So many of something, the word in the singular: instances, guilds, users.
    Count { n: u64, unit: String },
    /// As much as before.
    Same,
}

/// How long the step stays before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    None,
    For(Duration),
    /// Until a person says go on.
    Person,
}

/// One step of a rollout: `10% for 30m`, `1 instance for 10m`, `100%`, `pause`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ramp {
    amount: Amount,
    hold: Hold,
}

impl Ramp {
    /// A step that changes nothing waits at least for a person.
    pub fn new(amount: Amount, hold: Hold) -> Self {
        let hold = match (&amount, hold) {
            (Amount::Same, Hold::None) => Hold::Person,
            (_, Hold::For(Duration::ZERO)) => Hold::None,
            (_, hold) => hold,
        };
        Self { amount, hold }
    }

    pub const fn amount(&self) -> &Amount {
        &self.amount
    }

    pub const fn hold(&self) -> Hold {
        self.hold
    }
}

impl Unit for Ramp {
    const WHAT: &'static str = "a step of a rollout";
    const EXAMPLES: &'static [&'static str] = &[
        "10% for 30m",
        "100%",
        "1 instance for 10m",
        "5 guilds for 1d",
        "pause",
        "pause for 10m",
        "10% until approved",
        "10%, pause",
        "50 % for 1 hour",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let lower = text.to_lowercase();
        let mut scan = Scan::new(&lower);
        if scan.take_word(&["pause", "wait", "hold"]) {
            scan.take_word(&["for"]);
            return Ok(Self::new(Amount::Same, hold(scan.rest)?));
        }
        let end = [" for ", " until ", " pause", ",", " then "];
        let at = end.iter().filter_map(|word| lower.find(word)).min();
        let (amount_text, rest) = lower.split_at(at.unwrap_or(lower.len()));
        let amount = amount(amount_text)?;
        let mut scan = Scan::new(rest);
        scan.skip(&[',']);
        scan.take_word(&["then"]);
        let rest = scan.rest;
        if rest.is_empty() {
            return Ok(Self::new(amount, Hold::None));
        }
        if let Some(time) = rest.strip_prefix("for ") {
            let hold = hold(time).map_err(|mut misread| {
                let before = Self::new(amount.clone(), Hold::None);
                misread.meant = misread.meant.map(|time| format!("{before} for {time}"));
                misread
            })?;
            return Ok(Self::new(amount, hold));
        }
        match rest {
            "pause" | "wait" | "hold" | "until approved" | "until approval" | "until a person goes on" => {
                Ok(Self::new(amount, Hold::Person))
            }
            _ => Err(Misread::new(format!("has `{rest}` where it says how long"))
                .meant(Self::new(amount, Hold::Person))),
        }
    }
}

fn hold(text: &str) -> Result<Hold, Misread> {
    if text.is_empty() {
        return Ok(Hold::Person);
    }
    match Duration::parse(text) {
        Ok(Duration::ZERO) => Err(Misread::new("holds for no time at all")),
        Ok(time) => Ok(Hold::For(time)),
        Err(misread) => Err(Misread {
            because: format!("has the time `{text}`, which {}", misread.because),
            meant: misread.meant,
        }),
    }
}

fn amount(text: &str) -> Result<Amount, Misread> {
    if text.contains('%') || text.contains("percent") {
        return share(text);
    }
    let mut scan = Scan::new(text);
    let number = scan.number()?;
    let unit = scan.rest.trim();
    if unit.is_empty() {
        let misread = Misread::new("does not say of what");
        return Err(match Share::parse(text) {
            Err(Misread {
                meant: Some(share), ..
            }) => misread.meant(share),
            _ => misread,
        });
    }
    let Some(n) = number.whole() else {
        return Err(Misread::new("is not a whole number"));
    };
    if !unit.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') || unit.len() > 40 {
        return Err(Misread::new(format!("counts in `{unit}`, which is no word")));
    }
    if unit.starts_with("pause") || ["for", "until", "then", "wait", "hold"].contains(&unit) {
        return Err(Misread::new(format!("counts in `{unit}`, which is not a thing")));
    }
    if super::duration::unit_millis(unit).is_some() {
        let because = "says how long, but not how much";
        return Err(Misread::new(because).meant(format!("pause for {text}")));
    }
    Ok(Amount::Count {
        n,
        unit: singular(unit),
    })
}

fn share(text: &str) -> Result<Amount, Misread> {
    let of = ["of traffic", "of the traffic", "traffic"];
    let text = of
        .iter()
        .find_map(|of| text.strip_suffix(of))
        .unwrap_or(text)
        .trim();
    match Share::parse(text) {
        Ok(share) => Ok(Amount::Share(share)),
        Err(misread) => match text.split_once('%') {
            Some((n, time)) if Duration::parse(time).is_ok() => {
                Err(Misread::new("has no `for` before its time").meant(format!("{n}% for {}", time.trim())))
            }
            _ => Err(misread),
        },
    }
}

/// `guilds` is `guild`; a word that ends in two s, or is one, stays.
fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(one) if one.len() > 1 && !one.ends_with(['s', 'u', 'i']) => one.to_owned(),
        _ => word.to_owned(),
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => share.fmt(f),
            Self::Count { n: 1, unit } => write!(f, "1 {unit}"),
            Self::Count { n, unit } if singular(&format!("{unit}s")) == *unit => {
                write!(f, "{n} {unit}s")
            }
            Self::Count { n, unit } => write!(f, "{n} {unit}"),
            Self::Same => f.write_str("pause"),
        }
    }
}

impl fmt::Display for Ramp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.amount.fmt(f)?;
        match (&self.amount, self.hold) {
            (_, Hold::For(time)) => write!(f, " for {time}"),
            (Amount::Same, _) | (_, Hold::None) => Ok(()),
            (_, Hold::Person) => f.write_str(" until approved"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_people_write_them() {
        for (text, canonical) in [
            ("10 % for 30 minutes", "10% for 30m"),
            ("100%", "100%"),
            ("1 Instance for 10m", "1 instance for 10m"),
            ("5 guilds for 1d", "5 guilds for 1d"),
            ("2 instances", "2 instances"),
            ("pause", "pause"),
            ("10%, then pause", "10% until approved"),
            ("25% of traffic for 1h", "25% for 1h"),
            ("pause 10m", "pause for 10m"),
        ] {
            assert_eq!(
                Ramp::parse(text).map(|r| r.to_string()),
                Ok(canonical.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_misread_step_offers_a_right_one() {
        for (text, meant) in [
            ("10", "10%"),
            ("10% 30m", "10% for 30m"),
            ("10% for 30", "10% for 30s"),
            ("30m", "pause for 30m"),
        ] {
            assert_eq!(
                Ramp::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in ["110%", "-1%", "for 10m", "10% for 0s", "1.5 guilds", "5 g!"] {
            assert!(Ramp::parse(text).is_err(), "{text}");
        }
    }
}
