//! Indicators and advice. Whole numbers only and a fixed order: the same history has the same answer on every machine.

use crate::sign;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 24 * 60 * 60;

/// Something that a person did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since 1970.
    pub at: i64,
    pub kind: String,
    /// Minutes.
    pub amount: i64,
}

/// What the coach is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Question {
    pub history: Vec<Event>,
}

/// What a history shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicators {
    pub events: usize,
    pub minutes: BTreeMap<String, i64>,
    pub active_days: usize,
    pub longest_gap_days: i64,
    /// The later half beside the earlier one, in thousandths.
    pub trend: i64,
}

/// What the coach answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub indicators: Indicators,
    pub advice: String,
    /// The digest of the indicators: two answers with one hash say the same.
    pub hash: String,
}

/// Looks at a history. In which order it was told does not count.
pub fn answer(question: &Question) -> Answer {
    let mut history = question.history.clone();
    history.sort();
    let mut minutes = BTreeMap::<String, i64>::new();
    for event in &history {
        let sum = minutes.entry(event.kind.clone()).or_default();
        *sum = sum.saturating_add(event.amount);
    }
    let days: BTreeSet<i64> = history.iter().map(|event| event.at.div_euclid(DAY)).collect();
    let gaps = days.iter().zip(days.iter().skip(1)).map(|(one, next)| next - one);
    let indicators = Indicators {
        events: history.len(),
        active_days: days.len(),
        longest_gap_days: gaps.max().unwrap_or(0),
        trend: trend(&history),
        minutes,
    };
    let text = serde_json::to_vec(&indicators).expect("numbers and names become JSON");
    Answer {
        advice: advice(&indicators),
        hash: sign::digest(&text),
        indicators,
    }
}

fn trend(history: &[Event]) -> i64 {
    let (earlier, later) = history.split_at(history.len() / 2);
    let sum = |half: &[Event]| {
        half.iter()
            .fold(0_i64, |sum, event| sum.saturating_add(event.amount))
    };
    match sum(earlier) {
        0 => 1000,
        before => sum(later).saturating_mul(1000) / before,
    }
}

fn advice(seen: &Indicators) -> String {
    let most = seen
        .minutes
        .iter()
        .max_by_key(|(kind, sum)| (**sum, std::cmp::Reverse(*kind)));
    let Some((most, _)) = most else {
        return "Begin with something small today".to_owned();
    };
    if seen.longest_gap_days > 2 {
        format!(
            "{} days lay between two entries: a short {most} bridges the next gap",
            seen.longest_gap_days
        )
    } else if seen.trend < 800 {
        format!("It has become less lately: plan the next {most} for a fixed hour")
    } else if seen.minutes.len() < 3 {
        format!("You keep at it. Something beside {most} would do you good")
    } else {
        format!("You keep at it, {most} above all. Go on like this")
    }
}

/// What is said without the coach: rules alone, on the safe side.
pub fn rule_of_thumb(question: &Question) -> Answer {
    let mut answer = answer(&Question { history: Vec::new() });
    answer.advice = match question.history.len() {
        0 => "Begin with something small today",
        1..=6 => "Write down what you do for a week",
        _ => "Look at your week, and keep what did you good",
    }
    .to_owned();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Question {
        serde_json::from_str(include_str!("../fixtures/history.json")).expect("the fixture is a question")
    }

    #[test]
    fn the_answer_to_a_known_history_is_what_it_was() {
        let answer = answer(&known());
        assert_eq!(
            answer.hash,
            "4f8589b6595dac52a4db6a98e68ced5751a62cfbbd9e00c428f8e6d0968e320e"
        );
        assert_eq!(
            answer.advice,
            "3 days lay between two entries: a short walk bridges the next gap"
        );
    }

    #[test]
    fn in_which_order_a_history_is_told_does_not_count() {
        let mut turned = known();
        turned.history.reverse();
        assert_eq!(answer(&turned), answer(&known()));
    }

    #[test]
    fn numbers_of_any_size_are_taken() {
        let event = |amount| Event {
            at: i64::MIN,
            kind: "walk".to_owned(),
            amount,
        };
        let history = vec![event(i64::MAX), event(i64::MAX), event(1), event(i64::MIN)];
        assert_eq!(answer(&Question { history }).indicators.events, 4);
    }
}
