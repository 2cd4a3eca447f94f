//! Jobs: when one runs, and what a run that failed or was missed means.
//!
//! A job has at most one run at a time. A run that is due while the last one still goes on is left out, and one that was
//! due while nobody looked is not made up for: it may be hours late, and running it then is a person's decision. Both are
//! told. Only a run that is late by no more than `GRACE` is run all the same: a machine may be busy.
//!
//! A job without a time runs once when the product comes up, and again when what it is started from has changed. That it
//! has run shows in the instance that stands there, ended.
//!
//! The clock may jump. Forwards, the runs in between are missed, and told. Backwards, nothing runs until the time that was
//! reached before is passed again, so that nothing runs twice; unless that is further away than a day, when the clock must
//! have been wrong before.

use crate::converge::{After, Because, Standing, Step};
use jiff::{SignedDuration, Timestamp};
use towpath_model::run::{Component, InstanceId, Life, State};

/// How late a run may begin. A busy machine is late by seconds; what is later was not looked after.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// How far back the time that was reached may lie ahead of the clock before the clock is believed.
const FAR: SignedDuration = SignedDuration::from_hours(24);

/// The most missed runs that are counted one by one.
const MOST_MISSED: usize = 10_000;

/// What is remembered of a job from one look to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Turns {
    /// Everything that was due up to here has been seen to.
    pub until: Option<Timestamp>,
    /// How often the run that goes on, or was the last, has been tried.
    pub tried: u32,
    /// A person wants it to run now.
    pub asked: bool,
}

/// What was decided about a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What is remembered.
    pub next: Turns,
    /// Its state.
    pub state: State,
    /// What is done next.
    pub steps: Vec<(Step, Because)>,
    /// Why it is as it is.
    pub because: Because,
    /// When it has to be looked at again.
    pub again: Option<Timestamp>,
    /// How many runs were missed, and the last of them.
    pub missed: Option<(usize, Timestamp)>,
}

/// Decides about a job whose build is done and whose needs are well.
pub fn turn(
    component: &Component,
    digest: &str,
    turns: Turns,
    standing: &[Standing],
    number: u64,
    now: Timestamp,
) -> Decision {
    let lives = standing.iter().any(Standing::lives);
    let asked = turns.asked && !lives;
    let times = times(component, turns.until, asked || lives, now);
    let has_run = standing.iter().any(|one| one.seen.digest == digest);
    let start = match (asked || times.due, component.cron.is_none() && !has_run && !lives) {
        (true, _) => Some(Because::Due),
        (false, true) => Some(Because::Once),
        (false, false) => None,
    };
    let mut next = Turns {
        until: times.until,
        asked: turns.asked && lives,
        tried: if start.is_some() { 0 } else { turns.tried },
    };
    let failed = failure(standing);
    let (retry, at) = match &failed {
        Some((_, since)) if start.is_none() => again(component, &mut next, *since, now),
        _ => (None, None),
    };
    let start = start.or(retry);
    let again = times.next.into_iter().chain(at).min();
    let steps = start
        .map(|because| run(component, standing, number, because))
        .unwrap_or_default();
    let (state, because) = match (lives || !steps.is_empty(), failed) {
        (true, _) => (State::Running, Because::Runs),
        (false, Some((why, _))) => {
            let after = match (at, times.next) {
                (Some(at), next) if next.is_none_or(|next| at <= next) => After::Try(at),
                (_, Some(next)) => After::Run(next),
                _ => After::Nothing,
            };
            (State::Failed, Because::RunFailed(Box::new(why), after))
        }
        (false, None) => match times.next {
            Some(at) => (State::Scheduled, Because::NextRun(at)),
            None if has_run => (State::Done, Because::EndedWell),
            None => (State::Asleep, Because::RunsWhenAsked),
        },
    };
    Decision {
        next,
        state,
        steps,
        because,
        again,
        missed: times.missed,
    }
}

/// What the clock says about a job.
struct Times {
    /// It is its time.
    due: bool,
    /// Everything up to here has been seen to.
    until: Option<Timestamp>,
    /// How many runs were missed, and the last of them.
    missed: Option<(usize, Timestamp)>,
    /// When it runs next.
    next: Option<Timestamp>,
}

/// Looks which runs were due. While one goes on, or is about to, none of them can begin.
fn times(component: &Component, until: Option<Timestamp>, taken: bool, now: Timestamp) -> Times {
    let Some((schedule, zone)) = &component.cron else {
        return Times {
            due: false,
            until,
            missed: None,
            next: None,
        };
    };
    let believed = |until: &Timestamp| *until <= now || until.duration_since(now) < FAR;
    let until = until.filter(believed).unwrap_or(now);
    let (runs, next) = due_runs(until, now, |after| schedule.next(after, zone.name()));
    let timely = |run: &&Timestamp| now.duration_since(**run) <= GRACE && !taken;
    let due = runs.last().filter(timely).is_some();
    let lost = runs.len() - usize::from(due);
    Times {
        due,
        // Where nothing was due, what has been seen to stays what it was: nothing has to be kept anew.
        until: Some(if runs.is_empty() { until } else { now }),
        missed: lost
            .checked_sub(1)
            .and_then(|last| Some((lost, *runs.get(last)?))),
        next,
    }
}

/// How the last run failed, and when.
fn failure(standing: &[Standing]) -> Option<(Because, Timestamp)> {
    let last = standing.last().filter(|one| one.busy.is_none())?;
    match &last.seen.life {
        Life::Ended { exit } if !exit.is_success() => Some((Because::Ended(exit.clone()), last.seen.since)),
        Life::Lost => Some((Because::KeeperLost, last.seen.since)),
        _ => None,
    }
}

/// Tries a failed run again, or says when.
fn again(
    component: &Component,
    turns: &mut Turns,
    since: Timestamp,
    now: Timestamp,
) -> (Option<Because>, Option<Timestamp>) {
    let Some(retry) = component.retry.filter(|retry| turns.tried < retry.times) else {
        return (None, None);
    };
    let pause = retry.backoff.times(1 << turns.tried.min(16)).to_jiff();
    let at = since.checked_add(pause).unwrap_or(since);
    if at > now {
        return (None, Some(at));
    }
    turns.tried += 1;
    (Some(Because::Retry(turns.tried, retry.times)), None)
}

/// Starts a run. What is left of earlier ones has been told by now.
fn run(component: &Component, standing: &[Standing], number: u64, because: Because) -> Vec<(Step, Because)> {
    let over = standing
        .iter()
        .filter(|one| one.seen.life.is_over() && one.busy.is_none());
    let mut steps: Vec<(Step, Because)> = over
        .map(|one| (Step::Forget(one.seen.id.clone()), Because::Over))
        .collect();
    steps.push((Step::Start(InstanceId::new(&component.name, number)), because));
    steps
}

/// The runs that were due after one moment and up to another, and the one after.
fn due_runs(
    after: Timestamp,
    now: Timestamp,
    next: impl Fn(Timestamp) -> Option<Timestamp>,
) -> (Vec<Timestamp>, Option<Timestamp>) {
    let mut runs = Vec::new();
    let mut at = after;
    while let Some(run) = next(at) {
        if run > now {
            return (runs, Some(run));
        }
        if runs.len() >= MOST_MISSED {
            return (runs, next(now));
        }
        runs.push(run);
        at = run;
    }
    (runs, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tend::tests::{bed_seen, service};
    use towpath_model::run::{Exit, Retry};
    use towpath_model::unit::known;

    fn job(cron: Option<&str>) -> Component {
        Component {
            cron: cron.map(|cron| (known(cron), known("UTC"))),
            listens: None,
            ..service("job", &[])
        }
    }

    fn at(text: &str) -> Timestamp {
        format!("2026-03-01T{text}Z").parse().unwrap()
    }

    fn ended(code: i32, since: Timestamp) -> Standing {
        bed_seen(
            "job.1",
            "a",
            Life::Ended {
                exit: Exit::Code { code },
            },
            since,
        )
    }

    fn starts(decision: &Decision) -> usize {
        decision
            .steps
            .iter()
            .filter(|(step, _)| matches!(step, Step::Start(_)))
            .count()
    }

    #[test]
    fn it_runs_at_its_time_and_says_when_next() {
        let job = job(Some("every 1m"));
        let first = turn(&job, "a", Turns::default(), &[], 1, at("10:00:30"));
        assert_eq!((starts(&first), first.state), (0, State::Scheduled));
        assert_eq!(first.again, Some(at("10:01:00")));
        let due = turn(&job, "a", first.next, &[], 1, at("10:01:00"));
        assert_eq!((starts(&due), due.missed), (1, None));
        let after = turn(
            &job,
            "a",
            due.next,
            &[ended(0, at("10:01:01"))],
            2,
            at("10:01:02"),
        );
        assert_eq!((starts(&after), after.state), (0, State::Scheduled));
    }

    #[test]
    fn what_was_missed_is_told_and_not_made_up_for() {
        let job = job(Some("every 1m"));
        let turns = Turns {
            until: Some(at("10:00:00")),
            ..Turns::default()
        };
        let late = turn(&job, "a", turns, &[], 1, at("11:00:30"));
        assert_eq!(starts(&late), 1, "the last of them is only half a minute late");
        assert_eq!(late.missed, Some((59, at("10:59:00"))));
    }

    #[test]
    fn a_run_that_goes_on_leaves_no_room_for_another() {
        let job = job(Some("every 1m"));
        let runs = bed_seen("job.1", "a", Life::Running { pid: 7 }, at("10:00:00"));
        let turns = Turns {
            until: Some(at("10:00:00")),
            ..Turns::default()
        };
        let due = turn(&job, "a", turns, &[runs], 2, at("10:01:00"));
        assert_eq!((starts(&due), due.missed), (0, Some((1, at("10:01:00")))));
    }

    #[test]
    fn a_clock_that_jumps_back_runs_nothing_twice() {
        let job = job(Some("every 1m"));
        let turns = Turns {
            until: Some(at("11:00:00")),
            ..Turns::default()
        };
        let back = turn(&job, "a", turns, &[], 1, at("10:00:30"));
        assert_eq!((starts(&back), back.again), (0, Some(at("11:01:00"))));
    }

    #[test]
    fn a_failed_run_is_tried_again_after_pauses_that_double() {
        let job = Component {
            retry: Some(Retry {
                times: 2,
                backoff: known("10s"),
            }),
            ..job(None)
        };
        let failed = [ended(1, at("10:00:00"))];
        let first = turn(&job, "a", Turns::default(), &failed, 2, at("10:00:01"));
        assert_eq!((starts(&first), first.again), (0, Some(at("10:00:10"))));
        let again = turn(&job, "a", first.next, &failed, 2, at("10:00:10"));
        assert_eq!((starts(&again), again.next.tried), (1, 1));
        let second = turn(&job, "a", again.next, &failed, 3, at("10:00:11"));
        assert_eq!(second.again, Some(at("10:00:20")));
        let last = Turns {
            tried: 2,
            ..second.next
        };
        let over = turn(&job, "a", last, &failed, 4, at("12:00:00"));
        assert_eq!((starts(&over), over.state), (0, State::Failed));
    }

    #[test]
    fn a_failed_run_says_how_it_failed_and_what_comes_next() {
        let failed = [ended(7, at("10:00:00"))];
        let turns = Turns {
            until: Some(at("10:00:00")),
            ..Turns::default()
        };
        let said = |job: &Component| {
            turn(job, "a", turns, &failed, 2, at("10:00:01"))
                .because
                .to_string()
        };
        assert_eq!(
            said(&job(Some("every 1m"))),
            "its last run failed: ended with code 7; it runs next at 2026-03-01T10:01:00Z"
        );
        let tried = Component {
            retry: Some(Retry {
                times: 2,
                backoff: known("10s"),
            }),
            ..job(Some("every 1m"))
        };
        assert_eq!(
            said(&tried),
            "its last run failed: ended with code 7; it is tried again at 2026-03-01T10:00:10Z"
        );
        assert_eq!(
            said(&job(None)),
            "its last run failed: ended with code 7; `towpath start` runs it again"
        );
    }

    #[test]
    fn without_a_time_it_runs_once_and_again_when_it_has_changed() {
        let job = job(None);
        let first = turn(&job, "a", Turns::default(), &[], 1, at("10:00:00"));
        assert_eq!(starts(&first), 1);
        let done = turn(
            &job,
            "a",
            first.next,
            &[ended(0, at("10:00:01"))],
            2,
            at("10:00:02"),
        );
        assert_eq!((starts(&done), done.state), (0, State::Done));
        let changed = turn(
            &job,
            "b",
            done.next,
            &[ended(0, at("10:00:01"))],
            2,
            at("10:00:03"),
        );
        assert_eq!(starts(&changed), 1);
    }
}
