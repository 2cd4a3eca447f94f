//! What a number of a metric is in, and how it is compared with a bound that has a unit.
//!
//! Numbers are compared as exact decimals: 0.57 s is 570 ms, and not a little less.

use super::words;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromStr;
use std::cmp::Ordering;
use towpath_model::desired::metric::{Measured, Metric};
use towpath_model::unit::{Bytes, Comparison, Currency, Duration, Money, Op, Quantity, Unit};

/// What a number is in.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Milliseconds.
    Time,
    Size,
    /// Shares of one.
    Part,
    Money(Currency),
    /// Nothing that a bound could have, with its word.
    Plain(Option<String>),
}

/// What a metric's numbers are in, and how much one of them is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    kind: Kind,
    one: Decimal,
    /// Whether Towpath measures it itself: then nobody has written its unit, and nobody could mean another.
    is_ours: bool,
}

/// Units that no duration of the manifest is fine enough for, in thousandths of a millisecond and finer.
const FINER: &[(&str, i64, u32)] = &[("us", 1, 3), ("µs", 1, 3), ("μs", 1, 3), ("ns", 1, 6)];

/// Words for parts of a whole, and how much one of them is: a number and how many decimals it has.
const PARTS: &[(&str, i64, u32)] = &[
    ("%", 1, 2),
    ("percent", 1, 2),
    ("pct", 1, 2),
    ("ratio", 1, 0),
    ("share", 1, 0),
    ("fraction", 1, 0),
];

fn listed(list: &[(&str, i64, u32)], word: &str) -> Option<Decimal> {
    let found = list.iter().find(|(known, ..)| known.eq_ignore_ascii_case(word));
    found.map(|(_, number, decimals)| Decimal::new(*number, *decimals))
}

/// What a word for a unit stands for.
fn unit(word: &str) -> (Kind, Decimal) {
    let word = word.trim();
    let one = format!("1{word}");
    if let Some(part) = listed(PARTS, word) {
        return (Kind::Part, part);
    }
    if let Some(time) = listed(FINER, word) {
        return (Kind::Time, time);
    }
    if let Ok(time) = Duration::parse(&one) {
        return (Kind::Time, Decimal::from(time.millis()));
    }
    if let Ok(size) = Bytes::parse(&one) {
        return (Kind::Size, Decimal::from(size.count()));
    }
    let money = Money::parse(&format!("1 {word}")).or_else(|_| Money::parse(&format!("{word}1")));
    if let Ok(money) = money {
        return (Kind::Money(money.currency()), money.amount());
    }
    let word = Some(word.to_owned()).filter(|word| !word.is_empty());
    (Kind::Plain(word), Decimal::ONE)
}

/// The unit at the end of a series' name, as Prometheus asks for.
fn of_series(series: &str) -> Option<(Kind, Decimal)> {
    let ends = ["_total", "_bucket", "_sum"];
    let base = ends
        .iter()
        .find_map(|end| series.strip_suffix(end))
        .unwrap_or(series);
    let word = base.rsplit('_').next()?;
    let known = [
        "ms",
        "milliseconds",
        "microseconds",
        "seconds",
        "minutes",
        "hours",
        "days",
        "bytes",
        "kilobytes",
        "megabytes",
        "ratio",
        "percent",
    ];
    let word = known.into_iter().find(|known| *known == word)?;
    Some(unit(match word {
        "microseconds" => "us",
        "bytes" => "B",
        "kilobytes" => "KB",
        "megabytes" => "MB",
        word => word,
    }))
}

impl Scale {
    pub(super) fn of(metric: &Metric) -> Scale {
        let ours = metric.measured.map(|measured| match measured {
            Measured::Latency | Measured::WebVitals => Kind::Time,
            Measured::Availability | Measured::Errors | Measured::Uptime | Measured::Cpu => Kind::Part,
            Measured::Memory => Kind::Size,
            Measured::Requests
            | Measured::Connections
            | Measured::Restarts
            | Measured::QueueDepth
            | Measured::DeadLetters
            | Measured::Locks
            | Measured::DatabaseConnections
            | Measured::Evictions
            | Measured::Incidents => Kind::Plain(None),
        });
        if let Some(kind) = ours {
            return Scale {
                kind,
                one: Decimal::ONE,
                is_ours: true,
            };
        }
        let written = metric.unit.as_deref().map(unit);
        let named = metric.series.as_deref().and_then(of_series);
        let (kind, one) = written.or(named).unwrap_or((Kind::Plain(None), Decimal::ONE));
        Scale {
            kind,
            one,
            is_ours: false,
        }
    }

    /// Whether a bound can be compared with such numbers; otherwise why not, and what to write.
    pub(super) fn admits(&self, name: &str, keep: &Comparison) -> Result<(), String> {
        let bound = &keep.value;
        let is_like = match (bound, &self.kind) {
            _ if matches!(keep.op, Op::Contains | Op::Matches) => false,
            (Quantity::Text(_), _) => false,
            (Quantity::Duration(_), Kind::Time)
            | (Quantity::Bytes(_), Kind::Size)
            | (Quantity::Share(_), Kind::Part)
            | (Quantity::Count(_), Kind::Plain(_)) => true,
            (Quantity::Money(money), Kind::Money(currency)) => money.currency() == *currency,
            // Nothing is nothing in every unit. Where somebody has written the unit, a bare number is meant in it.
            (Quantity::Count(number), _) => number.is_zero() || !self.is_ours,
            _ => false,
        };
        if is_like {
            Ok(())
        } else {
            Err(self.unlike(name, keep))
        }
    }

    fn unlike(&self, name: &str, keep: &Comparison) -> String {
        let asked = keep.value.kind();
        let next = match (&keep.value, &self.kind) {
            (Quantity::Text(_), _) => "write a number behind the sign".to_owned(),
            _ if matches!(keep.op, Op::Contains | Op::Matches) => {
                "compare it with <, <=, =, >= or >".to_owned()
            }
            (_, Kind::Plain(None)) if !self.is_ours => {
                let unit = match &keep.value {
                    Quantity::Duration(_) => "ms",
                    Quantity::Bytes(_) => "MB",
                    Quantity::Share(_) => "%",
                    _ => "USD",
                };
                format!("say what it is in: unit = \"{unit}\" at [metric.{name}]")
            }
            (_, Kind::Time) => format!("write {} 250ms", keep.op),
            (_, Kind::Size) => format!("write {} 20MB", keep.op),
            (_, Kind::Part) => format!("write {} 5%", keep.op),
            (_, Kind::Money(currency)) => format!("write {} 5 {}", keep.op, currency.code()),
            (_, Kind::Plain(_)) => "write a plain number".to_owned(),
        };
        let is = match &self.kind {
            Kind::Time => "is a time".to_owned(),
            Kind::Size => "is a size".to_owned(),
            Kind::Part => "is a share".to_owned(),
            Kind::Money(currency) => format!("is in {}", currency.code()),
            Kind::Plain(Some(word)) => format!("is in {word}"),
            Kind::Plain(None) => "is a number without a unit".to_owned(),
        };
        format!("`{name}` {is}, and `{keep}` asks for {asked}; {next}")
    }

    /// How a number stands to a bound of the same kind.
    fn ordering(&self, value: f64, bound: &Quantity) -> Option<Ordering> {
        let value = decimal(value);
        let here = value
            .checked_mul(self.one)
            .unwrap_or(match value.is_sign_negative() {
                true => Decimal::MIN,
                false => Decimal::MAX,
            });
        match bound {
            Quantity::Count(number) => Some(value.cmp(number)),
            Quantity::Duration(time) => Some(here.cmp(&Decimal::from(time.millis()))),
            Quantity::Bytes(size) => Some(here.cmp(&Decimal::from(size.count()))),
            Quantity::Share(share) => Some(here.cmp(&Decimal::new(i64::from(share.ppm()), 6))),
            Quantity::Money(money) => Some(here.cmp(&money.amount())),
            Quantity::Text(_) => None,
        }
    }

    /// Whether a number keeps a bound.
    pub(super) fn holds(&self, name: &str, value: f64, keep: &Comparison) -> Result<bool, String> {
        self.admits(name, keep)?;
        let ordering = self.ordering(value, &keep.value);
        let ordering = ordering.ok_or_else(|| self.unlike(name, keep))?;
        Ok(keep.op.holds(ordering))
    }

    pub(super) fn is_beyond(&self, value: f64, bound: &Quantity) -> bool {
        self.ordering(value, bound).is_some_and(Ordering::is_gt)
    }

    pub(super) fn is_at_or_beyond(&self, value: f64, bound: &Quantity) -> bool {
        self.ordering(value, bound).is_some_and(Ordering::is_ge)
    }

    /// A number for people.
    pub(super) fn said(&self, value: f64) -> String {
        let here = decimal(value).checked_mul(self.one);
        let here = here
            .and_then(|here| here.to_string().parse().ok())
            .unwrap_or(value);
        match &self.kind {
            Kind::Time => words::milliseconds(here),
            Kind::Size => words::bytes(here),
            Kind::Part => words::percent(here),
            Kind::Money(currency) => format!("{} {}", words::grouped(here), currency.code()),
            Kind::Plain(None) => words::grouped(here),
            Kind::Plain(Some(word)) => format!("{} {word}", words::grouped(here)),
        }
    }
}

/// The shortest decimal that is this number; the outermost where there is none.
fn decimal(value: f64) -> Decimal {
    Decimal::from_str(&value.to_string()).unwrap_or(match value {
        value if value.is_nan() => Decimal::ZERO,
        value if value < 0.0 => Decimal::MIN,
        _ => Decimal::MAX,
    })
}
