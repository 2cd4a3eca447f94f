//! Names of time zones, from the tz database that is built in: the machine's own is never asked.

use super::scan::{bounded, nearest};
use super::{Misread, Unit};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::fmt;
use std::sync::LazyLock;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The name of a time zone: `Asia/Singapore`, `UTC`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone {
    name: String,
}

impl Zone {
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's rules.
    pub fn rules(&self) -> TimeZone {
        // The name was looked up when it was read, so it is there.
        rules(&self.name).unwrap_or(TimeZone::UTC)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

/// The rules of the zone of this name, if there is one.
pub(super) fn rules(name: &str) -> Option<TimeZone> {
    (name != "Etc/Unknown").then(|| DATABASE.get(name).ok())?
}

impl Unit for Zone {
    const WHAT: &'static str = "a time zone";
    const EXAMPLES: &'static [&'static str] = &["UTC", "Asia/Singapore", "Europe/Berlin", "America/New_York"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let wanted = text.replace(' ', "_");
        let mut near = Vec::new();
        let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        for name in DATABASE.available() {
            let name = name.as_str();
            if name == text {
                return Ok(Self {
                    name: name.to_owned(),
                });
            }
            if name.eq_ignore_ascii_case(&wanted) {
                return Err(Misread::new("is written differently").meant(name));
            }
            if city(name).eq_ignore_ascii_case(&wanted) {
                near.push(name.to_owned());
            }
        }
        let misread = Misread::new("is not in the tz database");
        if let Some(name) = near.iter().max_by_key(|name| name.contains('/')) {
            return Err(misread.meant(name));
        }
        let names: Vec<String> = DATABASE.available().map(|n| n.as_str().to_owned()).collect();
        let lower: Vec<String> = names.iter().map(|n| n.to_lowercase()).collect();
        let known: Vec<&str> = lower.iter().map(String::as_str).collect();
        let found = nearest(&wanted, &known).and_then(|n| lower.iter().position(|l| l == n));
        Err(match found {
            Some(at) if wanted.len() > 4 => misread.meant(&names[at]),
            _ => misread,
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_in_the_wrong_case_is_offered_in_the_right_one() {
        for (text, meant) in [
            ("asia/singapore", "Asia/Singapore"),
            ("utc", "UTC"),
            ("Asia/Singapor", "Asia/Singapore"),
            ("Berlin", "Europe/Berlin"),
            ("America/New York", "America/New_York"),
        ] {
            assert_eq!(
                Zone::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in [
            "Mars/Phobos",
            "",
            "../../etc/passwd",
            "/etc/localtime",
            "Etc/Unknown",
        ] {
            assert!(Zone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_zone_of_the_database_is_read() {
        let names: Vec<String> = DATABASE.available().map(|n| n.as_str().to_owned()).collect();
        assert!(names.len() > 400);
        for name in names.iter().filter(|name| *name != "Etc/Unknown") {
            assert!(rules(name).is_some(), "{name}");
        }
    }
}
