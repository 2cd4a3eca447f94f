//! What is measured against what it is held against: numbers with units, and plain ones.

use super::outcome::{Fault, shown};
use rust_decimal::Decimal;
use serde_json::Value;
use towpath_model::unit::{Bytes, Comparison, Currency, Money, Op, Quantity, Unit as _};

/// Something that was measured, exactly.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Measure {
    /// Milliseconds.
    Time(Decimal),
    /// Bytes.
    Size(Decimal),
    /// A part of one, which may be more than all of it.
    Share(Decimal),
    /// An amount of a currency.
    Money(Decimal, Currency),
    /// A number.
    Count(Decimal),
    /// A word.
    Text(String),
}

/// Units of time as tools write them, in nanoseconds. Longer ones first where one begins like another.
const TIMES: &[(&str, i64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds in the millisecond that durations are counted in.
const NANOSECONDS: i64 = 1_000_000;

impl Measure {
    fn kind(&self) -> &'static str {
        match self {
            Measure::Time(_) => "a duration",
            Measure::Size(_) => "a size",
            Measure::Share(_) => "a share",
            Measure::Money(..) => "an amount of money",
            Measure::Count(_) => "a number",
            Measure::Text(_) => "a text",
        }
    }

    /// As people read it.
    pub(super) fn words(&self) -> String {
        match self {
            Measure::Time(millis) if *millis >= Decimal::from(10_000) => {
                format!("{}s", rounded(millis.checked_div(Decimal::from(1_000))))
            }
            Measure::Time(millis) => format!("{}ms", rounded(Some(*millis))),
            Measure::Size(bytes) => match u64::try_from(*bytes) {
                Ok(count) if bytes.is_integer() => Bytes::new(count).to_string(),
                _ => format!("{}B", rounded(Some(*bytes))),
            },
            Measure::Share(share) => format!("{}%", rounded(share.checked_mul(Decimal::from(100)))),
            Measure::Money(amount, currency) => {
                Money::new(*amount, *currency).map_or_else(|| amount.to_string(), |money| money.to_string())
            }
            Measure::Count(count) => rounded(Some(*count)),
            Measure::Text(text) => shown(text),
        }
    }
}

/// Four digits behind the point are more than anybody measures.
fn rounded(number: Option<Decimal>) -> String {
    number.map_or_else(
        || "more than can be counted".to_owned(),
        |number| number.round_dp(4).normalize().to_string(),
    )
}

/// A number of JSON, exactly as far as it can be kept.
pub(super) fn number(value: &Value) -> Option<Decimal> {
    let number = value.as_number()?;
    if let Some(whole) = number.as_i64() {
        return Some(Decimal::from(whole));
    }
    if let Some(whole) = number.as_u64() {
        return Some(Decimal::from(whole));
    }
    // The shortest text that is read back as the same number is what was written.
    number.as_f64().and_then(|number| number.to_string().parse().ok())
}

/// What stands in a report, as what it is held against asks for.
pub(super) fn measure(value: &Value, bound: &Quantity) -> Result<Measure, Fault> {
    let unfit = |what: &str| {
        Fault::new(
            format!("{what}, and it is held against {}", bound.kind()),
            "name the number itself",
        )
    };
    match value {
        Value::Number(_) => {
            let number = number(value)
                .ok_or_else(|| Fault::new("is a number too large to compare", "look what has written it"))?;
            plain(number, bound)
        }
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) if !matches!(bound, Quantity::Text(_)) => {
                let number = number.to_string().parse().map_err(|_| unfit("is no number"))?;
                plain(number, bound)
            }
            _ => Ok(written(text)),
        },
        Value::Bool(is) if matches!(bound, Quantity::Text(_)) => Ok(Measure::Text(is.to_string())),
        Value::Bool(_) => Err(unfit("is yes or no")),
        Value::Null => Err(unfit("is null: nothing was measured")),
        Value::Array(_) => Err(unfit("is a list")),
        Value::Object(_) => Err(unfit("is a table")),
    }
}

/// What a plain number means against this.
fn plain(number: Decimal, bound: &Quantity) -> Result<Measure, Fault> {
    let measure = match bound {
        Quantity::Duration(_) => Measure::Time(number),
        Quantity::Bytes(_) => Measure::Size(number),
        Quantity::Share(_) => Measure::Share(number),
        Quantity::Money(money) => Measure::Money(number, money.currency()),
        Quantity::Count(_) => Measure::Count(number),
        Quantity::Text(_) => Measure::Text(number.normalize().to_string()),
    };
    match measure {
        Measure::Share(share) if share > Decimal::ONE => Err(Fault::new(
            format!(
                "is {}, and a plain number that is held against a share is a part of one",
                share.normalize()
            ),
            format!(
                "write it as `\"{}%\"` in the report, or as a part of one",
                share.normalize()
            ),
        )),
        Measure::Time(of) | Measure::Size(of) | Measure::Share(of)
            if of.is_sign_negative() && !of.is_zero() =>
        {
            Err(Fault::new("is less than nothing", "look what has written it"))
        }
        measure => Ok(measure),
    }
}

/// What a text means that is no plain number.
fn written(text: &str) -> Measure {
    let trimmed = text.trim();
    if let Some(millis) = time(trimmed) {
        return Measure::Time(millis);
    }
    let percent = trimmed.strip_suffix('%').map(str::trim_end);
    if let Some(share) =
        percent.and_then(|number| number.parse::<Decimal>().ok()?.checked_div(Decimal::from(100)))
    {
        return Measure::Share(share);
    }
    if let Ok(bytes) = Bytes::parse(trimmed) {
        return Measure::Size(Decimal::from(bytes.count()));
    }
    match Money::parse(trimmed) {
        Ok(money) => Measure::Money(money.amount(), money.currency()),
        Err(_) => Measure::Text(text.to_owned()),
    }
}

/// A time of one unit or several, as `1m2.5s`, in milliseconds.
fn time(text: &str) -> Option<Decimal> {
    let mut rest = text;
    let mut nanoseconds = Decimal::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let behind = rest[number..].trim_start();
        let unit = behind
            .find(|letter: char| letter.is_ascii_digit() || letter.is_whitespace())
            .unwrap_or(behind.len());
        let (_, factor) = TIMES.iter().find(|(name, _)| *name == &behind[..unit])?;
        let amount: Decimal = rest[..number].parse().ok()?;
        nanoseconds = nanoseconds.checked_add(amount.checked_mul(Decimal::from(*factor))?)?;
        rest = behind[unit..].trim_start();
    }
    (!text.is_empty()).then(|| nanoseconds.checked_div(Decimal::from(NANOSECONDS)))?
}

/// Whether what was measured keeps its bound; a fault where the two cannot be compared.
pub(super) fn keeps(keep: &Comparison, measured: &Measure) -> Result<bool, Fault> {
    let ordered = match (measured, &keep.value) {
        (Measure::Time(of), Quantity::Duration(bound)) => of.cmp(&Decimal::from(bound.millis())),
        (Measure::Size(of), Quantity::Bytes(bound)) => of.cmp(&Decimal::from(bound.count())),
        (Measure::Share(of), Quantity::Share(bound)) => of.cmp(&Decimal::new(i64::from(bound.ppm()), 6)),
        (Measure::Money(of, currency), Quantity::Money(bound)) if *currency == bound.currency() => {
            of.cmp(&bound.amount())
        }
        (Measure::Count(of), Quantity::Count(bound)) => of.cmp(bound),
        (Measure::Text(of), Quantity::Text(_)) => {
            let kept = keep.holds(&Quantity::Text(of.clone()));
            return kept.ok_or_else(|| unlike(keep, measured));
        }
        _ => return Err(unlike(keep, measured)),
    };
    match keep.op {
        Op::Contains | Op::Matches => Err(unlike(keep, measured)),
        op => Ok(op.holds(ordered)),
    }
}

fn unlike(keep: &Comparison, measured: &Measure) -> Fault {
    Fault::new(
        format!(
            "is {} ({}), and it is held against {}",
            measured.kind(),
            measured.words(),
            keep.value.kind()
        ),
        "name another value, or give the bound its unit",
    )
}
