//! Processor time, in thousandths of a core.

use super::scan::{Scan, bounded};
use super::{Misread, Unit};
use std::fmt;

/// So much of processor cores: `500m` and `0.5` are half a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpu {
    millis: u32,
}

impl Cpu {
    /// So many thousandths of a core, at least one.
    pub const fn from_millis(millis: u32) -> Self {
        Self {
            millis: if millis == 0 { 1 } else { millis },
        }
    }

    pub const fn from_cores(cores: u32) -> Self {
        Self::from_millis(cores.saturating_mul(1000))
    }

    pub const fn millis(self) -> u32 {
        self.millis
    }
}

impl Unit for Cpu {
    const WHAT: &'static str = "an amount of processor";
    const EXAMPLES: &'static [&'static str] = &["500m", "2", "0.5", "2 cores", "1 vCPU", "0.25 cpu"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        let number = scan.number()?;
        let word = scan.word();
        if !scan.is_done() {
            return Err(Misread::new(format!("has `{}` behind it", scan.rest)));
        }
        let factor = match word.to_lowercase().as_str() {
            "" | "c" | "core" | "cores" | "cpu" | "cpus" | "vcpu" | "vcpus" => 1000,
            "m" | "milli" | "millis" | "millicpu" | "millicore" | "millicores" => 1,
            _ => return Err(Misread::new(format!("has the unknown unit `{word}`"))),
        };
        match number.times(factor).map(|(n, exact)| (u32::try_from(n), exact)) {
            Some((Ok(0), true)) => Err(Misread::new("is zero")),
            Some((Ok(millis), true)) => Ok(Self { millis }),
            Some((Ok(millis), false)) => {
                Err(Misread::new("is finer than a thousandth of a core").meant(Self::from_millis(millis)))
            }
            _ => Err(Misread::new("is larger than can be kept")),
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis.is_multiple_of(1000) {
            write!(f, "{}", self.millis / 1000)
        } else {
            write!(f, "{}m", self.millis)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_and_thousandths_are_the_same_thing() {
        assert_eq!(Cpu::parse("0.5"), Cpu::parse("500m"));
        assert_eq!(Cpu::parse("2 Cores").map(|c| c.to_string()), Ok("2".into()));
        assert_eq!(Cpu::parse("1.5").map(|c| c.to_string()), Ok("1500m".into()));
        for text in ["0", "-1", "0.0001", "2 cats", "99999999999", "NaN"] {
            assert!(Cpu::parse(text).is_err(), "{text}");
        }
    }
}
