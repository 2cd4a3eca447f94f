//! Rollouts: how an environment goes from one release to another, when it holds, and when it comes back.
//!
//! `advance` is asked whenever something has been seen, and answers with what the environment's course is from now on, what
//! is to be done beside, and why. It decides *which release has how many instances of a component, and how much of its
//! work*: that is the lineup, which follows from the course alone. `tend` and `converge` make it true, instance by instance,
//! as they always do: they know how to start, to heal and to stop, and need not know why there are two of something. So a
//! rollout holds no list of instances, and what crashes during one is mended by the same rules as at any other time.
//!
//! **Three numbers.** A leg (components that go together) has three shares of the new release: what is *grown* (started),
//! what has *moved* (visitors, jobs, the session of a bot), and what the old release has *left* (stopped). Forward, grown
//! goes first, and moved follows only when all that was grown is ready; left follows when the edge has said that it knows.
//! Back, it is the other way round: the old is whole again before anybody is sent to it, and the new is stopped last. Each
//! strategy is this walk with other steps. Rolling has a step for as many as may be more or fewer; blue-green has one, with
//! its question before it; a canary has those that are written, with theirs behind each. Recreate takes all three at once.
//! Where the old release is kept warm it does not leave while the rollout lives: its instances stand by without visitors, and
//! the way back is one switch. `surge` then bounds how many are started at a time; `warm = "0s"` is for whom memory is dearer.
//!
//! **By kind.** What visitors come to is ready before one of them does. What works from its first moment (a worker, a bot)
//! starts when its share moves, not before: a verdict that is still open must not find that jobs were taken. Workers
//! overlap, so there are never fewer than wanted; a bot's old session ends first, and with a share of tenants it is handed over
//! at the first step with the list of those it may treat the new way. Jobs change with their next run, and are tried
//! without effect before anything else. A site moves by visitors, and its old files stay reachable. What is the same in
//! both releases is in no leg, and nothing happens to it. What cannot stand beside itself is refused unless its way is
//! `recreate`: rolling that is silently an outage is worse than a no. What somebody needs and nothing is there of yet comes
//! first and at once, in the order of needs: there was nothing that could be missed, and who needs it would wait for ever.
//!
//! **The schema.** What adds runs before the new code, what fills in runs in batches after it (each may be interrupted),
//! and what takes away runs when the release has been watched, the one before is not kept warm any more, and its window
//! is open. That it was begun is written down before it begins. From then on no release can come that does not know it.
//!
//! **When it comes back.** By itself: an instance of the new release ends before it was ever well, is late, or ends again
//! and again; it was well and is not for ten seconds; a gate fails; a migration or a trial fails; nothing gets on. Or a
//! person says so. A rollout that comes back is never paused, and nothing freezes it.
//!
//! **When it holds.** A person has said pause, or has to say go on; there is too little to judge by; a freeze; a closed
//! window. Each has its sentence, and health is watched all the same.
//!
//! **Only one.** There is one pointer and one rollout. A deploy while another is under way makes that one come back, and
//! begins when it has: two are never mixed. If the other had switched already it stays, and the new one begins there.
//! Whatever is done carries the rollout's number, and what an earlier one has asked for is not listened to.
//!
//! **Time** is what was watched (`Clock`): a clock that is set forward by an hour ends no bake, and neither does an hour in
//! which no steward looked.
//!
//! **How it recovers.** A course is written whole, with the intents that follow from it, before anything is done. `advance`
//! looks at what is there and not at what it said before: a migration that has run is not due, one that nobody runs is begun
//! again, instances are counted. So each step can be made twice, and a steward that begins anew goes on where the newest
//! course says. Where that cannot be written, nothing moves.

mod ask;
mod back;
mod closed;
mod forward;
mod lineup;
mod making;
mod plan;
mod rehearse;
mod rest;
mod sight;
pub mod story;
#[cfg(test)]
mod tests;
mod vigil;

pub use ask::{Answer, Wish, ask};
pub use closed::closed;
pub use lineup::{Lineup, Row, Side, least, lineup};
pub use making::{Area, Difference, diff, identify, prune};
pub use plan::stages;
pub use sight::{Sight, Tally, sight, sights};

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use towpath_model::run::{
    Clock, Course, Ended, Moved, Reason, Release, ReleaseId, Rollout, Task, Trouble, Verdict, Vigil,
};
use towpath_model::sealed::{Sealed, hide};
use towpath_model::unit::{Duration, Name};

/// How long the new release may be less than well, after it has been well, before it comes back: as long as it has to be
/// well to be believed. A process that is killed once is back within a second or two.
const PATIENCE: Duration = Duration::from_secs(10);

/// So often each instance may be started again during a rollout: once may be somebody's hand, twice a machine in need.
const FALLS: u32 = 2;

/// The most that counts between two looks: twice what passes where nothing happens. More is a clock that was set, or a
/// time in which nobody looked.
const LATEST: Duration = Duration::from_secs(20);

/// How often it is looked at, at the least, where time counts and nothing happens.
const EACH: Duration = Duration::from_secs(10);

/// A course is written at least each time that so much more was watched.
const KEPT_EACH: u64 = 60_000;

/// More than this cannot follow from one look: each leg has a handful of steps.
const MOST_AT_ONCE: u32 = 10_000;

/// The releases that are there, with everything that they need.
pub type Known = BTreeMap<ReleaseId, Arc<Release>>;

/// Everything that is seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signals {
    /// It is known of each living instance how it is: a steward that has just begun has to ask first.
    pub known: bool,
    /// The components.
    pub sights: BTreeMap<Name, Sight>,
    /// The turn that the edge has said it follows, with every instance that is ready now; nothing where it has not said so: what
    /// it does not list yet takes no visitors, however ready it is.
    pub edge: Option<u64>,
    /// The migrations that have run, by their resources; nothing of one that has not said so.
    pub moved: BTreeMap<Name, BTreeSet<String>>,
    /// What was asked for, and how it is.
    pub tasks: BTreeMap<Task, Doing>,
    /// What is so bad that nobody waits for the next time that gates are asked.
    pub alarm: Option<String>,
    /// Nothing is deployed now by what the manifest says: until when, and why.
    pub closed: Option<(Timestamp, String)>,
}

/// How something is that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    /// It is being done.
    Underway,
    /// It is done. A batch of what fills in is done when it is, and the next one is asked for.
    Done,
    /// It failed.
    Failed(String),
    /// Gates have answered.
    Judged(Verdict),
}

impl Doing {
    /// The same, as it may be told on and written down: what is said why may repeat a value that somebody was told.
    #[must_use]
    pub fn without<'a>(self, values: impl IntoIterator<Item = &'a Sealed<String>>) -> Self {
        match self {
            Doing::Failed(why) => Doing::Failed(hide(&why, values)),
            Doing::Judged(Verdict::Fail(why)) => Doing::Judged(Verdict::Fail(hide(&why, values))),
            Doing::Judged(Verdict::Inconclusive(why)) => {
                Doing::Judged(Verdict::Inconclusive(hide(&why, values)))
            }
            Doing::Judged(Verdict::Waived(why)) => Doing::Judged(Verdict::Waived(hide(&why, values))),
            Doing::Judged(Verdict::Awaits(why)) => Doing::Judged(Verdict::Awaits(hide(&why, values))),
            Doing::Judged(Verdict::Pass) | Doing::Underway | Doing::Done => self,
        }
    }
}

/// Something to be done beside what the lineup says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub task: Task,
    /// The gates, where it is them that are asked.
    pub gates: Vec<String>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The course from now on. Its lineup is what has to stand.
    pub next: Course,
    /// What is done beside.
    pub acts: Vec<Act>,
    /// Why it is where it is.
    pub because: Reason,
    /// When it has to be looked at again though nothing has happened.
    pub again: Option<Timestamp>,
    /// The course has to be in the journal before anything follows from it. Otherwise only time has passed.
    pub keep: bool,
}

/// Goes on from what is seen. Total: every course and everything seen has an answer.
pub fn advance(course: &Course, seen: &Signals, known: &Known, now: Timestamp) -> Decision {
    let mut turn = Turn {
        next: course.clone(),
        seen,
        known,
        now,
        acts: Vec::new(),
        waits: false,
        soon: EACH,
        due: None,
    };
    let mut because = Reason::Looks;
    if !seen.known {
        // Whoever has to look first has not watched until now.
        stop_clocks(&mut turn.next);
    } else {
        for _ in 0..MOST_AT_ONCE {
            if let Some(reason) = turn.step() {
                because = reason;
                break;
            }
        }
    }
    let Turn {
        mut next,
        acts,
        waits,
        soon,
        due,
        ..
    } = turn;
    let moved = still(&next) != still(course);
    if let Some(rollout) = next.rollout.as_mut().filter(|_| moved) {
        rollout.idle = Clock::default();
    }
    let minutes = |course: &Course| clocks(course).map(|clock| clock.spent.millis() / KEPT_EACH);
    let keep = moved || !acts.is_empty() || minutes(&next) != minutes(course);
    let again = (waits || next.rollout.is_some() || next.frozen.is_some())
        .then(|| now.saturating_add(soon.to_jiff()).unwrap_or(now));
    let again = [again, due].into_iter().flatten().min();
    Decision {
        next,
        acts,
        because,
        again,
        keep,
    }
}

/// Everything about a course but the time that has passed.
fn still(course: &Course) -> Course {
    let mut still = course.clone();
    if let Some(rollout) = &mut still.rollout {
        rollout.idle = Clock::default();
        rollout.unwell = Clock::default();
        rollout.calm = Clock::default();
        rollout.vigil.clock = Clock::default();
    }
    if let Some(warm) = &mut still.warm {
        warm.clock = Clock::default();
    }
    still
}

fn stop_clocks(course: &mut Course) {
    if let Some(rollout) = &mut course.rollout {
        let all = [
            &mut rollout.idle,
            &mut rollout.unwell,
            &mut rollout.calm,
            &mut rollout.vigil.clock,
        ];
        all.into_iter().for_each(|clock| clock.at = None);
    }
    if let Some(warm) = &mut course.warm {
        warm.clock.at = None;
    }
}

fn clocks(course: &Course) -> [Clock; 2] {
    let vigil = course.rollout.as_ref().map(|rollout| rollout.vigil.clock);
    let warm = course.warm.as_ref().map(|warm| warm.clock);
    [vigil.unwrap_or_default(), warm.unwrap_or_default()]
}

/// Time has passed, and was watched.
fn pass(clock: &mut Clock, now: Timestamp) -> Duration {
    let before = clock.at.replace(now).unwrap_or(now);
    let millis = u64::try_from(now.duration_since(before).as_millis()).unwrap_or(0);
    clock.spent = clock.spent.plus(Duration::from_millis(millis).min(LATEST));
    clock.spent
}

/// A look at a course.
struct Turn<'a> {
    next: Course,
    seen: &'a Signals,
    known: &'a Known,
    now: Timestamp,
    acts: Vec<Act>,
    /// Time alone may bring about something.
    waits: bool,
    /// How soon.
    soon: Duration,
    /// The calendar has something for then.
    due: Option<Timestamp>,
}

/// What follows from a look at a part of a rollout.
enum Flow {
    /// It goes on.
    On,
    /// It waits.
    Wait(Reason),
    /// It goes back.
    Back(Reason),
}

impl Turn<'_> {
    /// Time passes that is watched. So much of it there has been now; when there is as much as is waited for, it is looked again.
    fn spend(&mut self, clock: &mut Clock, wanted: Duration) -> Duration {
        let spent = pass(clock, self.now);
        if spent < wanted {
            self.soon = self.soon.min(wanted.minus(spent));
        }
        spent
    }

    /// One step; or why there is none.
    fn step(&mut self) -> Option<Reason> {
        if self
            .next
            .frozen
            .as_ref()
            .is_some_and(|frozen| frozen.until <= self.now)
        {
            self.next.frozen = None;
            return None;
        }
        if self.rehearse() {
            return None;
        }
        let Some(mut rollout) = self.next.rollout.take() else {
            return self.rest();
        };
        let reason = if rollout.back.is_some() {
            self.come_back(&mut rollout)
        } else {
            self.go(&mut rollout)
        };
        if self.next.rollout.is_none()
            && self
                .next
                .ended
                .as_ref()
                .is_none_or(|ended| ended.number != rollout.number)
        {
            self.next.rollout = Some(rollout);
        }
        reason
    }

    fn go(&mut self, rollout: &mut Rollout) -> Option<Reason> {
        if let Some((name, trouble)) = self.trouble(rollout) {
            let by_itself = self.way(rollout).auto_rollback;
            if by_itself || rollout.vigil.waved.is_none() {
                return self.turn_back(rollout, Reason::Failed(name, trouble));
            }
        }
        if let Some(held) = self.held(rollout) {
            rollout.idle.at = None;
            rollout.vigil.clock.at = None;
            return Some(held);
        }
        match self.forward(rollout) {
            Flow::On => None,
            Flow::Back(why) => self.turn_back(rollout, why),
            Flow::Wait(reason) => {
                let patience = self.way(rollout).progress;
                // What is being done, or watched, gets on as long as it is.
                let gets_on = reason.holds()
                    || matches!(
                        reason,
                        Reason::Watches(..)
                            | Reason::Asks(_)
                            | Reason::TooLittle(_)
                            | Reason::Migrates(_)
                            | Reason::Tries(_)
                    );
                if gets_on {
                    rollout.idle = Clock::default();
                } else if self.spend(&mut rollout.idle, patience) >= patience {
                    return self.turn_back(rollout, Reason::NoProgress(patience, Box::new(reason)));
                }
                Some(reason)
            }
        }
    }

    /// It goes back from here on, unless a person wants to be asked.
    fn turn_back(&mut self, rollout: &mut Rollout, why: Reason) -> Option<Reason> {
        if !self.way(rollout).auto_rollback {
            return Some(Reason::Disputed(why.to_string()));
        }
        rollout.back = Some(why);
        rollout.vigil = Vigil::default();
        None
    }

    /// Why nothing goes forward, where somebody has said so.
    fn held(&self, rollout: &Rollout) -> Option<Reason> {
        if let Some(blame) = &rollout.paused {
            return Some(Reason::Paused(blame.clone()));
        }
        // What a rehearsal has taken back it brings again, whatever the hour.
        if rollout.is_rollback || rollout.rehearses {
            return None;
        }
        if let Some(frozen) = self.frozen() {
            return Some(frozen);
        }
        // What has switched is watched whatever the hour.
        if rollout.switched {
            return None;
        }
        let way = self.way(rollout);
        let closed = way
            .window
            .as_ref()
            .filter(|window| !window.contains(self.now, way.zone.name()));
        closed.map(|window| Reason::OutsideWindow(window.to_string()))
    }

    /// Why nothing is deployed now, where a person or the manifest says so.
    fn frozen(&self) -> Option<Reason> {
        let frozen = self.next.frozen.as_ref();
        let said = frozen.map(|frozen| (frozen.until, frozen.why.clone()));
        let (until, why) = said.or_else(|| self.seen.closed.clone())?;
        Some(Reason::Frozen { until, why })
    }

    fn confirmed(&self) -> bool {
        self.seen.edge.is_some_and(|turn| turn >= self.next.turn)
    }

    /// It is over.
    fn end(&mut self, rollout: &Rollout, promoted: bool, because: Reason) {
        let took = self.now.duration_since(rollout.began).as_millis();
        let ended = Ended {
            number: rollout.number,
            from: rollout.from.clone(),
            to: rollout.to.clone(),
            promoted,
            because,
            at: self.now,
            took: Duration::from_millis(u64::try_from(took).unwrap_or(0)),
        };
        rehearse::ended(&mut self.next, rollout, &ended);
        self.next.ended = Some(ended);
    }

    /// What is known of a migration that is due.
    fn due(&self, moved: &Moved) -> Option<bool> {
        let ran = self.seen.moved.get(&moved.resource)?;
        Some(!ran.contains(&moved.migration))
    }

    fn tally(&self, name: &Name, digest: &str) -> Tally {
        let sight = self.seen.sights.get(name);
        sight
            .and_then(|sight| sight.sides.get(digest))
            .cloned()
            .unwrap_or_default()
    }

    /// What is wrong with the new release.
    fn trouble(&mut self, rollout: &mut Rollout) -> Option<(Name, Trouble)> {
        let mut unwell = None;
        let (mut restarts, mut count, mut fell) = (0, 0, None);
        for (name, new, growing) in self.expected(rollout) {
            let found = self.tally(&name, &new.digest);
            restarts += found.restarts;
            count += new.count;
            if found.restarts > 0 {
                fell.get_or_insert_with(|| name.clone());
            }
            match found.trouble {
                Some(trouble @ Trouble::Loops(_)) => return Some((name, trouble)),
                Some(trouble) if growing && !matches!(trouble, Trouble::Lost(_)) => {
                    return Some((name, trouble));
                }
                trouble if found.ready < new.count && !growing => {
                    let why = format!("{} of {} instances are ready", found.ready, new.count);
                    unwell.get_or_insert((name, trouble.unwrap_or(Trouble::Lost(why))));
                }
                _ => {}
            }
        }
        let more = restarts.saturating_sub(rollout.restarts.0);
        if more > 0 {
            rollout.calm = Clock::default();
        }
        rollout.restarts = (restarts, rollout.restarts.1 + more);
        self.spend(&mut rollout.calm, PATIENCE);
        // What has stood before this rollout may have a past of its own.
        let falls = rollout.restarts.1;
        if let Some(name) = fell.filter(|_| !rollout.is_rollback && falls > count.saturating_mul(FALLS)) {
            return Some((
                name,
                Trouble::Lost(format!("instances have been started again {falls} times")),
            ));
        }
        match unwell {
            None => rollout.unwell = Clock::default(),
            Some(found) if self.spend(&mut rollout.unwell, PATIENCE) >= PATIENCE => return Some(found),
            Some(_) => {}
        }
        None
    }
}
