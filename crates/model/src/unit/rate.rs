//! How many of something may happen in a time, perhaps for each caller.

use super::duration::unit_millis;
use super::scan::{Number, Scan, bounded};
use super::{Duration, Misread, Unit};
use rust_decimal::Decimal;
use std::fmt;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateKey {
    Ip,
    User,
    Visitor,
    Token,
    /// The value of this header, its name in lower case.
    Header(String),
}

/// So many in so long: `100/s`, `5/min per user`, `10000/day`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u64,
    per: Duration,
    key: Option<RateKey>,
}

impl Rate {
    /// So many in so long, both at least one.
    pub fn new(count: u64, per: Duration, key: Option<RateKey>) -> Self {
        Self {
            count: count.max(1),
            per: per.max(Duration::from_millis(1)),
            key,
        }
    }

    pub const fn count(&self) -> u64 {
        self.count
    }

    pub const fn per(&self) -> Duration {
        self.per
    }

    pub const fn key(&self) -> Option<&RateKey> {
        self.key.as_ref()
    }

    /// How many a second on average.
    pub fn per_second(&self) -> Decimal {
        let thousandfold = Decimal::from(self.count) * Decimal::ONE_THOUSAND;
        (thousandfold / Decimal::from(self.per.millis())).normalize()
    }

    /// The time after which one more is allowed, rounded down to a millisecond.
    pub fn each(&self) -> Duration {
        Duration::from_millis(self.per.millis() / self.count)
    }
}

/// What people say is counted; it changes nothing.
const COUNTED: &[&str] = &[
    "req", "reqs", "request", "requests", "call", "calls", "hit", "hits", "message", "messages", "event",
    "events", "job", "jobs", "time", "times", "attempt", "attempts",
];

impl Unit for Rate {
    const WHAT: &'static str = "a rate";
    const EXAMPLES: &'static [&'static str] = &[
        "100/s",
        "100/s per ip",
        "10000/day",
        "10 000 req/day",
        "5/min per user",
        "60 per minute",
        "100/10s",
        "20 requests per second per token",
        "10/s per visitor",
        "50 rps",
        "5/s per header X-Api-Key",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut scan = Scan::new(text);
        let number = scan.number()?;
        scan.take_word(COUNTED);
        let per = period(&mut scan, text)?;
        let key = key(&mut scan)?;
        let Some(count) = number.whole() else {
            return Err(fraction(number, per, key));
        };
        if count == 0 {
            return Err(Misread::new("is zero, so that nothing would ever pass"));
        }
        Ok(Self { count, per, key })
    }
}

fn fraction(number: Number, per: Duration, key: Option<RateKey>) -> Misread {
    let misread = Misread::new("is not a whole number");
    let scaled = 10_u64
        .checked_pow(number.scale)
        .filter(|_| number.scale <= 4)
        .zip(u64::try_from(number.digits).ok());
    match scaled {
        Some((factor, count)) if count > 0 => misread.meant(Rate::new(count, per.times(factor), key)),
        _ => misread,
    }
}

/// `/s`, `per minute`, `/10s`, `rps`.
fn period(scan: &mut Scan<'_>, text: &str) -> Result<Duration, Misread> {
    for (words, secs) in [(["rps", "qps"], 1), (["rpm", "qpm"], 60)] {
        if scan.take_word(&words) {
            return Ok(Duration::from_secs(secs));
        }
    }
    if !(scan.take("/") || scan.take_word(&["per", "a", "an", "each", "every", "in"])) {
        let misread = Misread::new("does not say in which time");
        return Err(if scan.is_done() {
            misread.meant(format!("{text}/s"))
        } else {
            misread
        });
    }
    scan.rest = scan.rest.trim_start();
    let end = scan.rest.find([' ', '/']).unwrap_or(scan.rest.len());
    let (mut first, mut rest) = scan.rest.split_at(end);
    if !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()) {
        // The unit stands apart from its number: `5 per 10 minutes`.
        let apart = rest.trim_start();
        let word = apart.find([' ', '/']).unwrap_or(apart.len());
        let length = scan.rest.len() - apart.len() + word;
        (first, rest) = scan.rest.split_at(length);
    }
    scan.rest = rest.trim_start();
    if let Some(millis) = unit_millis(first) {
        return Ok(Duration::from_millis(millis));
    }
    let per = Duration::parse(first)
        .map_err(|misread| Misread::new(format!("has the time `{first}`, which {}", misread.because)))?;
    if per.is_zero() {
        return Err(Misread::new("is over no time at all"));
    }
    Ok(per)
}

fn key(scan: &mut Scan<'_>) -> Result<Option<RateKey>, Misread> {
    if scan.is_done() {
        return Ok(None);
    }
    let joined = scan.take("/") || scan.take_word(&["per", "by", "for", "from"]);
    scan.take_word(&["each", "one", "a", "an"]);
    let written = scan.rest.to_lowercase();
    let key = match written.as_str() {
        "ip" | "ip address" | "address" => RateKey::Ip,
        "user" | "account" => RateKey::User,
        "visitor" | "client" => RateKey::Visitor,
        "token" | "key" | "api key" => RateKey::Token,
        _ => match written.strip_prefix("header") {
            Some(name) => RateKey::Header(header(name)?),
            None => {
                return Err(Misread::new(format!(
                    "is counted per `{written}`, which is none of ip, user, visitor, token and header NAME"
                )));
            }
        },
    };
    if !joined {
        return Err(Misread::new(format!("has `{written}` behind it without `per`")));
    }
    Ok(Some(key))
}

fn header(name: &str) -> Result<String, Misread> {
    let name = name.trim_start_matches([' ', ':']).trim();
    let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || !name.bytes().all(fine) {
        return Err(Misread::new("has no name of a header behind `header`"));
    }
    Ok(name.to_owned())
}

impl fmt::Display for RateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("ip"),
            Self::User => f.write_str("user"),
            Self::Visitor => f.write_str("visitor"),
            Self::Token => f.write_str("token"),
            Self::Header(name) => write!(f, "header {name}"),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.count)?;
        match self.per.secs() {
            _ if !self.per.millis().is_multiple_of(1000) => write!(f, "{}", self.per)?,
            1 => f.write_str("s")?,
            60 => f.write_str("min")?,
            3600 => f.write_str("hour")?,
            86_400 => f.write_str("day")?,
            _ => write!(f, "{}", self.per)?,
        }
        match &self.key {
            Some(key) => write!(f, " per {key}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, canonical) in [
            ("100/s", "100/s"),
            ("100 / sec per IP", "100/s per ip"),
            ("60 per minute", "60/min"),
            ("10 000 req/day", "10000/day"),
            ("5 per 10 minutes by user", "5/10m per user"),
            ("100/s/ip", "100/s per ip"),
            ("600 rpm", "600/min"),
            ("3/1h30m for each token", "3/1h30m per token"),
            ("5/s per header X-Api-Key", "5/s per header x-api-key"),
        ] {
            assert_eq!(
                Rate::parse(text).map(|r| r.to_string()),
                Ok(canonical.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_rate_without_a_time_is_offered_a_second() {
        assert_eq!(
            Rate::parse("100").expect_err("bare").meant.as_deref(),
            Some("100/s")
        );
        assert_eq!(
            Rate::parse("0.5/s").expect_err("half").meant.as_deref(),
            Some("5/10s")
        );
        for text in [
            "0/s",
            "-1/s",
            "5/s per cow",
            "5/",
            "5/0s",
            "5/s ip",
            "1e9/s",
            "5/s per header",
            "5/s/ip/user",
        ] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_knows_its_pace() {
        let rate = Rate::parse("30/min").expect("a rate");
        assert_eq!(rate.each(), Duration::from_secs(2));
        assert_eq!(rate.per_second().to_string(), "0.5");
    }
}
