//! Rehearsals: at its time a rollback is done that nobody needs, so that it is known that it can be, and how long it takes.
//!
//! A rehearsal is two rollouts of the ordinary kind: back to the release before, as a person would go back, and forward again
//! as a deploy would go. Where something would make that unsafe it is left out, and said why: a person's freeze, a window
//! that is closed, a rollout under way, a schema that has lost what the release before needs, a time at which nobody looked.
//! What the way back took is kept beside what `rollback_within` allows.
//!
//! **Once for each time.** The moment behind which the next time is looked for is part of the course, and moves in the same
//! batch in which a rehearsal begins or is left out.

use super::ask::{begin, stages};
use super::{Turn, plan};
use jiff::{SignedDuration, Timestamp};
use towpath_model::run::{
    Course, Ended, Frame, Next, Reason, Refusal, Rehearsal, Rehearsed, Rehearsing, ReleaseId, Rollout, Since,
};

/// Who wants it, as everybody is told.
const BY: &str = "the schedule of rehearsals";

/// A time that is so long gone was missed: whoever chose the hour did not choose this one.
const LATEST: SignedDuration = SignedDuration::from_hours(1);

/// It is looked at least so often: clocks are set, and machines sleep.
const EACH: SignedDuration = SignedDuration::from_hours(1);

impl Turn<'_> {
    /// Looks whether it is time for one. Whether something follows from that.
    pub(super) fn rehearse(&mut self) -> bool {
        let Some((rehearsal, zone)) = self.rehearsal() else {
            return self.next.rehearse.take().is_some();
        };
        let text = rehearsal.every.to_string();
        let since = match &self.next.rehearse {
            // Another schedule is not due for times that were before it.
            Some(since) if since.schedule == text => since.at,
            _ => {
                self.next.rehearse = Some(Since {
                    schedule: text,
                    at: self.now,
                });
                return true;
            }
        };
        let Some(due) = rehearsal.every.next(since, &zone) else {
            return false;
        };
        if due > self.now {
            let soon = self.now.saturating_add(EACH).unwrap_or(due);
            self.due = Some(due.min(soon));
            return false;
        }
        if let Some(since) = &mut self.next.rehearse {
            since.at = self.now;
        }
        if let Err(why) = self.begin_rehearsal(due, &rehearsal) {
            self.next.rehearsed = Some(Rehearsed {
                at: due,
                release: self.next.before.clone(),
                took: None,
                within: rehearsal.within,
                why: Some(why),
            });
        }
        true
    }

    /// What is written about rehearsals, and the zone of times that name none.
    fn rehearsal(&self) -> Option<(Rehearsal, String)> {
        let current = self.next.current.as_ref()?;
        let frame: &Frame = &self.known.get(current)?.content.frame;
        let rehearsal = frame.rehearse.clone()?;
        Some((rehearsal, frame.zone.name().to_owned()))
    }

    fn begin_rehearsal(&mut self, due: Timestamp, rehearsal: &Rehearsal) -> Result<(), Reason> {
        let back = self.may_rehearse(due)?;
        let current = self.next.current.clone().ok_or(Reason::Nothing)?;
        let next = |to: &ReleaseId, is_rollback| Next {
            to: to.clone(),
            is_rollback,
            by: BY.to_owned(),
            rehearses: true,
        };
        begin(&mut self.next, &next(&back, true), self.known, self.now).map_err(Reason::Refused)?;
        self.next.next = Some(next(&current, false));
        self.next.rehearsing = Some(Rehearsing {
            number: self.next.number,
            at: due,
            within: rehearsal.within,
        });
        Ok(())
    }

    /// The release that it goes back to; or why it must not.
    fn may_rehearse(&self, due: Timestamp) -> Result<ReleaseId, Reason> {
        if self.now.duration_since(due) > LATEST {
            return Err(Reason::Missed(due));
        }
        if let Some(rollout) = &self.next.rollout {
            return Err(Reason::Underway(rollout.number));
        }
        if let Some(frozen) = self.frozen() {
            return Err(frozen);
        }
        let refused = |refusal| Reason::Refused(refusal);
        let back = self.next.before.clone().ok_or(refused(Refusal::NoneBefore))?;
        let unknown = |id: &ReleaseId| refused(Refusal::Unknown(id.clone()));
        let current = self.next.current.as_ref().ok_or(Reason::Nothing)?;
        let here = &self.known.get(current).ok_or_else(|| unknown(current))?.content;
        let there = &self.known.get(&back).ok_or_else(|| unknown(&back))?.content;
        let mut ways = here.components.values().map(|portion| &portion.way);
        let closed = ways.find_map(|way| {
            let window = way.window.as_ref()?;
            (!window.contains(self.now, way.zone.name())).then(|| window.to_string())
        });
        if let Some(window) = closed {
            return Err(Reason::OutsideWindow(window));
        }
        let next = Next {
            to: back.clone(),
            is_rollback: true,
            by: BY.to_owned(),
            rehearses: true,
        };
        stages(&self.next, &next, self.known).map_err(refused)?;
        // What goes back has to be able to come forward again.
        plan::stages(Some(there), here, false).map_err(refused)?;
        Ok(back)
    }
}

/// A way back has ended: where it was a rehearsal, it is kept what it took.
pub(super) fn ended(course: &mut Course, rollout: &Rollout, ended: &Ended) {
    let Some(rehearsing) = course.rehearsing.take_if(|one| one.number == rollout.number) else {
        return;
    };
    // Where it did not get there, or a person wanted something else, nothing is brought forward again.
    if !ended.promoted && course.next.as_ref().is_some_and(|next| next.rehearses) {
        course.next = None;
    }
    course.rehearsed = Some(Rehearsed {
        at: rehearsing.at,
        release: Some(rollout.to.clone()),
        took: ended.promoted.then_some(ended.took),
        within: rehearsing.within,
        why: (!ended.promoted).then(|| ended.because.clone()),
    });
}

#[cfg(test)]
mod tests;
