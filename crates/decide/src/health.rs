//! Health: when an instance is asked again, and what its answers mean.
//!
//! A new instance is asked at once and then after pauses that grow with the time it takes, from half a thousandth of a
//! second, because somebody waits for it; it is well with its first good answer. When its deadline is over and it never was
//! well, that is said, and it is asked on: it may only be slow. One that is well is asked each `interval`, and less often the longer nothing has gone
//! wrong, up to ten intervals: the edge notices a refused connection long before we would. Two bad answers, the second
//! asked for soon after the first, make it unwell; one alone may be bad luck. The first good answer makes it well again.

use std::time::Duration;
use towpath_model::run::{Ask, Health};

/// The shortest pause between two questions to an instance that is not well yet.
const SHORTEST: Duration = Duration::from_micros(500);

/// The pause is this part of the time that it has taken so far: so much longer than needed does it seem to take at most.
const PART: u32 = 4;

/// The shortest pause where asking starts a process.
const SHORTEST_OF_COMMAND: Duration = Duration::from_millis(10);

/// The longest such pause. A person does not notice it, and an instance that takes a minute is asked 270 times.
const LONGEST: Duration = Duration::from_millis(250);

/// After a bad answer of one that was well it is asked again so soon.
const AGAIN: Duration = Duration::from_millis(200);

/// How many intervals may pass between two questions to one that has long been well.
const STRETCH: u32 = 10;

/// What is known of an instance's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    /// How many good ones in a row.
    good: u32,
    /// How many bad ones in a row.
    bad: u32,
    /// It was well once.
    was_well: bool,
    /// It has been said that it is late.
    late: bool,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing new.
    Same,
    /// It is well from now on.
    Well,
    /// It is not well any more: why.
    Lost(String),
    /// It has not become well in time: why.
    Late(String),
}

/// Hears an answer, or why there was none, so long after the instance was started. Says what it means, and after which
/// pause it is asked again.
pub fn hear(
    health: &Health,
    answers: Answers,
    answer: Result<(), String>,
    since_start: Duration,
) -> (Answers, Meaning, Duration) {
    let mut next = answers;
    let interval = health.interval.to_std();
    match answer {
        Ok(()) => {
            let meaning = if answers.is_well() {
                Meaning::Same
            } else {
                Meaning::Well
            };
            next.good = answers.good.saturating_add(1);
            next.bad = 0;
            next.was_well = true;
            next.late = false;
            (next, meaning, interval * next.good.min(STRETCH))
        }
        Err(why) => {
            next.good = 0;
            next.bad = answers.bad.saturating_add(1);
            if answers.was_well {
                let meaning = if next.bad == 2 {
                    Meaning::Lost(why)
                } else {
                    Meaning::Same
                };
                return (next, meaning, AGAIN.min(interval));
            }
            let is_late = since_start >= health.deadline.to_std() && !answers.late;
            next.late |= is_late;
            let shortest = match health.ask {
                Ask::Command(_) => SHORTEST_OF_COMMAND,
                _ => SHORTEST,
            };
            let pause = (since_start / PART).clamp(shortest, LONGEST);
            let meaning = if is_late {
                Meaning::Late(why)
            } else {
                Meaning::Same
            };
            (
                next,
                meaning,
                if next.late { interval } else { pause.min(interval) },
            )
        }
    }
}

impl Answers {
    /// Whether the instance counts as well.
    pub fn is_well(self) -> bool {
        self.was_well && self.bad < 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::known;

    fn health() -> Health {
        Health {
            ask: Ask::Port,
            interval: known("1s"),
            timeout: known("5s"),
            deadline: known("30s"),
        }
    }

    fn told(answers: &[Result<(), &str>]) -> Vec<(Meaning, u64)> {
        let mut known = Answers::default();
        let mut at = Duration::ZERO;
        let mut told = Vec::new();
        for answer in answers {
            let (next, meaning, pause) = hear(&health(), known, answer.map_err(str::to_owned), at);
            known = next;
            at += pause;
            told.push((meaning, pause.as_micros() as u64));
        }
        told
    }

    #[test]
    fn somebody_waits_for_a_new_instance() {
        let told = told(&[Err("refused"), Err("refused"), Err("refused"), Ok(()), Ok(())]);
        let pauses: Vec<u64> = told.iter().map(|(_, pause)| *pause).collect();
        assert_eq!(pauses, [500, 500, 500, 1_000_000, 2_000_000]);
        assert_eq!(told[3].0, Meaning::Well);
        assert_eq!(told[4].0, Meaning::Same);
    }

    #[test]
    fn whoever_takes_long_is_asked_less_often_and_a_command_is_never_started_at_once_again() {
        let pause = |health: &Health, after| {
            let refused = Err("refused".to_owned());
            hear(health, Answers::default(), refused, Duration::from_millis(after)).2
        };
        let by_command = Health {
            ask: Ask::Command("is-ready".to_owned()),
            ..health()
        };
        assert_eq!(pause(&health(), 1), Duration::from_micros(500));
        assert_eq!(pause(&by_command, 1), Duration::from_millis(10));
        assert_eq!(pause(&health(), 100), Duration::from_millis(25));
        assert_eq!(pause(&health(), 20_000), Duration::from_millis(250));
    }

    #[test]
    fn one_bad_answer_is_bad_luck_and_two_are_not() {
        let told = told(&[
            Ok(()),
            Err("500"),
            Ok(()),
            Err("500"),
            Err("500"),
            Err("500"),
            Ok(()),
        ]);
        let meanings: Vec<Meaning> = told.into_iter().map(|(meaning, _)| meaning).collect();
        use Meaning::{Lost, Same, Well};
        assert_eq!(meanings, [Well, Same, Same, Same, Lost("500".into()), Same, Well]);
    }

    #[test]
    fn it_is_said_once_that_an_instance_is_late() {
        let answers: Vec<Result<(), &str>> = vec![Err("refused"); 200];
        let late = told(&answers)
            .iter()
            .filter(|(meaning, _)| matches!(meaning, Meaning::Late(_)))
            .count();
        assert_eq!(late, 1);
    }
}
