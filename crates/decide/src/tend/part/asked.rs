//! How many of a component are wanted: by its schedule, or by a person until the schedule says something else.

use super::{Decided, Part};
use crate::converge::{Because, Will};
use crate::hours::hours;
use jiff::{SignedDuration, Timestamp};
use towpath_model::run::{Component, State};

/// The longest time for which a number that a person asked for is believed to hold. A schedule repeats each week, and a
/// window that the clocks have jumped over comes a week later; what is further away was asked for under a wrong clock.
const FAR: SignedDuration = SignedDuration::from_hours(24 * 32);

impl Part {
    /// Looks what the schedule says now, and whether what a person asked for still holds beside it.
    pub(super) fn look_at_hours(&mut self, now: Timestamp) {
        self.hours = self
            .component
            .as_deref()
            .and_then(|component| hours(component, now));
        let started = std::mem::take(&mut self.started);
        let Some(hours) = &self.hours else {
            return;
        };
        let scheduled = hours.instances;
        let turn = hours.turn.as_ref().map(|turn| turn.at);
        let is_over = |until: Timestamp| until <= now || until.duration_since(now) > FAR;
        // Who asks for what the schedule wants anyway asks for the schedule.
        if self.scale_until.is_some_and(is_over) || self.scale == Some(scheduled) {
            self.follow_schedule();
        }
        if started && !self.sleeps() {
            if self.scale == Some(0) {
                self.follow_schedule();
            }
            if scheduled == 0 && self.scale.is_none() {
                self.scale = Some(1);
            }
        }
        if self.scale.is_some() && self.scale_until.is_none() {
            self.scale_until = turn;
        }
        // What sleeps when nobody asks is kept awake for as long as the schedule wants some.
        if scheduled > 0 && self.will == Will::Asleep {
            self.will = Will::Up;
        }
    }

    /// Whether its schedule keeps it awake, though nobody may ask.
    pub fn is_kept_awake(&self) -> bool {
        self.hours.as_ref().is_some_and(|hours| hours.instances > 0)
    }

    /// What a person asked for holds no more.
    pub(super) fn follow_schedule(&mut self) {
        self.scale = None;
        self.scale_until = None;
    }

    /// It is another component now: what was asked for beside one schedule says nothing about another.
    pub(in crate::tend) fn reschedule(&mut self, old: Option<&Component>) {
        let shifts = |component: Option<&Component>| component.map(|component| component.shifts.clone());
        if self.scale_until.is_some() && shifts(old) != shifts(self.component.as_deref()) {
            self.follow_schedule();
        }
    }

    /// Until when that holds which was decided, and what follows.
    pub(super) fn tell_hours(&self, decided: &mut Decided) {
        let Some(hours) = self
            .hours
            .as_ref()
            .filter(|_| self.will == Will::Up || self.will == Will::Asleep)
        else {
            return;
        };
        let turn = hours.turn.as_ref().map(|turn| turn.at);
        let looks = [decided.again, turn, self.scale_until];
        decided.again = looks.into_iter().flatten().min();
        let is_told = matches!(decided.state, State::Ready | State::Stopped) && self.will == Will::Up;
        let because = || Box::new(decided.because.clone());
        decided.because = match (self.scale, self.scale_until, &hours.turn) {
            (Some(_), Some(until), _) if is_told => Because::ByHand(because(), until),
            (None, _, Some(turn)) if is_told && !self.sleeps() => {
                Because::InHours(because(), Box::new(turn.clone()))
            }
            _ => return,
        };
    }
}
