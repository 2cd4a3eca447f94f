//! Numbers for people, and the readings that a verdict rests on.

use super::record::Record;
use super::scale::Scale;
use towpath_model::run::{Reading, Tally};
use towpath_model::unit::Duration;

/// How many readings are shown: those of ten minutes at the usual pace, and what fits on a screen.
const SHOWN: usize = 40;

/// A number with commas between thousands, and no more than three decimals.
pub(super) fn grouped(value: f64) -> String {
    let written = if value.abs() < 1e15 {
        format!("{value:.3}")
    } else {
        format!("{value:.3e}")
    };
    if written.contains('e') {
        return written;
    }
    let trimmed = written.trim_end_matches('0').trim_end_matches('.');
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) if digits != "0" => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", trimmed),
    };
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// `0.25%` of a share of one.
pub(super) fn percent(value: f64) -> String {
    format!("{}%", grouped(value * 100.0))
}

/// `2.31s` of milliseconds; below one, and below nothing, as a number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is no time of the manifest is written as a number"
)]
pub(super) fn milliseconds(value: f64) -> String {
    let rounded = value.round();
    if (10.0..1e15).contains(&rounded) {
        Duration::from_millis(rounded as u64).to_string()
    } else {
        format!("{}ms", grouped(value))
    }
}

/// The same of seconds.
pub(super) fn seconds(value: f64) -> String {
    milliseconds(value * 1000.0)
}

/// `1.2MB` of bytes.
pub(super) fn bytes(value: f64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")];
    let unit = units.into_iter().find(|(size, _)| value.abs() >= *size);
    match unit {
        Some((size, word)) => format!("{}{word}", grouped((value / size * 100.0).round() / 100.0)),
        None => format!("{}B", grouped(value)),
    }
}

/// The last readings, a line each; nothing where there are none.
pub(super) fn readings(record: &Record<'_>, scale: &Scale) -> Option<String> {
    let known = &record.known;
    let left = known.len().saturating_sub(SHOWN);
    let mut lines: Vec<String> = Vec::new();
    if left > 0 {
        lines.push(format!("{left} before these"));
    }
    for (at, reading) in &known[left..] {
        lines.push(format!("{at:.0} {}", said(reading, scale)));
    }
    (!known.is_empty()).then(|| lines.join("\n"))
}

fn said(reading: &Reading, scale: &Scale) -> String {
    match reading {
        Reading::Level(value) => scale.said(*value),
        Reading::Named(values) => {
            let values = values
                .iter()
                .map(|(name, value)| format!("{name} {}", scale.said(*value)));
            values.collect::<Vec<_>>().join(", ")
        }
        Reading::Count(by) => format!("{} in all", scale.said(by.values().sum())),
        Reading::Share(by) => {
            let add = |all: Tally, one: &Tally| Tally {
                bad: all.bad + one.bad,
                all: all.all + one.all,
            };
            let tally = by.values().fold(Tally::default(), add);
            format!("{} of {}, in all", grouped(tally.bad), grouped(tally.all))
        }
        Reading::Spread(by) => {
            let events: f64 = by.values().map(|spread| spread.count).sum();
            format!("{} events in all", grouped(events))
        }
        Reading::Span { from, to, value } => format!("{} from {from:.0} to {to:.0}", scale.said(*value)),
        Reading::Unknown(why) => why.clone(),
    }
}
