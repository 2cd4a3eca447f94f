//! Units as people write them: durations, sizes, shares, money, rates, schedules, comparisons.

use std::fmt;

mod address;
mod bytes;
mod command;
mod comparison;
mod cpu;
mod cron;
mod date;
mod days;
mod decimal;
mod duration;
mod money;
mod name;
mod network;
mod path;
mod quantity;
mod ramp;
mod rate;
mod scan;
mod schedule;
mod severity;
mod share;
mod trigger;
mod window;
mod wire;
mod zone;

#[cfg(test)]
mod tests;

pub use address::{Domain, Email, Url};
pub use bytes::Bytes;
pub use command::{Column, Command, HeaderName, Region};
pub use comparison::{Comparison, Op};
pub use cpu::Cpu;
pub use date::Date;
pub use days::{Clock, Days};
pub use decimal::Decimal;
pub use duration::Duration;
pub use money::{Currency, Money, Price};
pub use name::{Name, SecretName, VarName};
pub use network::{Cidr, Ip, Port};
pub use path::{Glob, Path};
pub use quantity::Quantity;
pub use ramp::{Amount, Hold, Ramp};
pub use rate::{Rate, RateKey};
pub use schedule::{Schedule, When};
pub use severity::{Severities, Severity};
pub use share::{Change, Share};
pub use trigger::Trigger;
pub use window::{Span, Window};
pub use zone::Zone;

/// The longest text that is read as a unit: a longer one is refused before it is looked at,
/// so that a mistake (a whole file where a duration is meant) costs nothing.
pub const LONGEST_TEXT: usize = 512;

/// A value that people write as one short piece of text.
///
/// The canonical text (`Display`) parses back to the same value.
pub trait Unit: Sized + Clone + PartialEq + fmt::Debug + fmt::Display {
    /// What it is, with its article: `a duration`.
    const WHAT: &'static str;
    /// Texts that parse, the plainest first.
    const EXAMPLES: &'static [&'static str];
    /// Reads the text.
    fn parse(text: &str) -> Result<Self, Misread>;

    /// Reads the text, and proposes only what would be read in its place: a text with two
    /// mistakes is better left to its author than half repaired.
    fn read(text: &str) -> Result<Self, Misread> {
        Self::parse(text).map_err(|mut misread| {
            misread.meant = misread.meant.filter(|meant| Self::parse(meant).is_ok());
            misread
        })
    }
}

/// Why a text is not a value of the unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// What is wrong, to stand behind the unit's name: ``has no unit``.
    pub because: String,
    /// The text that was probably meant, to be offered as the fix.
    pub meant: Option<String>,
}

impl Misread {
    /// A refusal without a proposal.
    pub fn new(because: impl Into<String>) -> Self {
        Self {
            because: because.into(),
            meant: None,
        }
    }

    /// The same refusal, with the text that was probably meant.
    pub fn meant(mut self, text: impl fmt::Display) -> Self {
        self.meant = Some(text.to_string());
        self
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.because)
    }
}

impl std::error::Error for Misread {}

/// A value that is written in the source of Towpath itself: a default.
///
/// # Panics
///
/// Where the text is not of the unit, which a test over all defaults finds out.
pub fn known<U: Unit>(text: &str) -> U {
    U::parse(text).expect("a default is written as its unit asks")
}
