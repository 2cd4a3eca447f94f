//! Jobs: when one runs, and what a run that failed or was missed means.
//!
//! A job has at most one run at a time. A run that is due while the last one still goes on is left out, and one that was
//! due while nobody looked is not made up for: it may be hours late, and running it then is a person's decision. Both are
//! told. Only a run that is late by no more than `GRACE` is run all the same: a machine may be busy.
//!
//! The clock may jump. Forwards, the runs in between are missed, and told. Backwards, nothing runs until the time that was
//! reached before is passed again, so that nothing runs twice; unless that is further away than a day, when the clock must
//! have been wrong before.

use crate::converge::{Because, Standing, Step};
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
    turns: Turns,
    standing: &[Standing],
    number: u64,
    now: Timestamp,
) -> Decision {
    let lives = standing.iter().any(Standing::lives);
    let mut next = turns;
    let mut missed = None;
    let mut due = std::mem::take(&mut next.asked) && !lives;
    next.asked = turns.asked && lives;
    let until = turns
        .until
        .filter(|until| *until <= now || until.duration_since(now) < FAR)
        .unwrap_or(now);
    let mut again = None;
    if let Some((schedule, zone)) = &component.cron {
        let (runs, upcoming) = due_runs(until, now, |after| schedule.next(after, zone.name()));
        // Where nothing was due, what has been seen to stays what it was: nothing has to be kept anew.
        next.until = Some(if runs.is_empty() { until } else { now });
        again = upcoming;
        let is_late = |run: &Timestamp| now.duration_since(*run) > GRACE;
        let timely = runs.last().filter(|run| !is_late(run) && !lives && !due);
        let lost = runs.len() - usize::from(timely.is_some());
        if let Some(last) = runs.get(lost.wrapping_sub(1)).filter(|_| lost > 0) {
            missed = Some((lost, *last));
        }
        if timely.is_some() {
            due = true;
        }
    }
    if due {
        next.tried = 0;
    }
    let last = standing.last().filter(|one| one.busy.is_none());
    let failed = match last.map(|one| (&one.seen.life, one.seen.since)) {
        Some((Life::Ended { exit }, since)) if !exit.is_success() => {
            Some((Because::Ended(exit.clone()), since))
        }
        Some((Life::Lost, since)) => Some((Because::KeeperLost, since)),
        _ => None,
    };
    let mut start = due.then_some(Because::Due);
    if let (Some((_, since)), Some(retry), false) = (&failed, component.retry, due)
        && next.tried < retry.times
    {
        let pause = retry.backoff.times(1 << next.tried.min(16)).to_jiff();
        let at = since.checked_add(pause).unwrap_or(*since);
        if at <= now {
            next.tried += 1;
            start = Some(Because::Retry(next.tried, retry.times));
        } else {
            again = Some(again.map_or(at, |other: Timestamp| other.min(at)));
        }
    }
    let mut steps: Vec<(Step, Because)> = Vec::new();
    if let Some(because) = start {
        // What is left of earlier runs has been told by now.
        steps.extend(
            standing
                .iter()
                .filter(|one| one.seen.life.is_over() && one.busy.is_none())
                .map(|one| (Step::Forget(one.seen.id.clone()), Because::Over)),
        );
        steps.push((Step::Start(InstanceId::new(&component.name, number)), because));
    }
    let (state, because) = match (lives || !steps.is_empty(), failed) {
        (true, _) => (State::Running, Because::Runs),
        (false, Some((why, _))) => (State::Failed, why),
        (false, None) if again.is_some() => (State::Scheduled, Because::NextRun(again.unwrap_or(now))),
        (false, None) if last.is_some() => (State::Done, Because::EndedWell),
        (false, None) => (State::Asleep, Because::RunsWhenAsked),
    };
    Decision {
        next,
        state,
        steps,
        because,
        again,
        missed,
    }
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
