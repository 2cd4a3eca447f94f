//! How the course is told: to whoever looks on, to whoever asks, and to whoever waits for its end.

use crate::core::Core;
use std::collections::BTreeMap;
use towpath_api::{CourseTold, Event};
use towpath_engine::Engine;
use towpath_model::run::{Reason, ReleaseId};
use towpath_model::unit::Name;

impl<E: Engine> Core<E> {
    /// Where the environment stands between its releases; nothing where it has none.
    pub(crate) fn course_told(&self) -> Option<CourseTold> {
        if let Some(unread) = self.notes.get("course") {
            return Some(CourseTold {
                words: unread.clone(),
                ..CourseTold::default()
            });
        }
        let helm = self.helm.as_ref()?;
        let because = helm.because.clone().unwrap_or(Reason::Looks);
        let words = match &helm.course.current {
            Some(current) if helm.rests => format!(
                "everything is stopped; `towpath deploy {} --release {current}` starts it again",
                self.config.environment
            ),
            _ => because.to_string(),
        };
        Some(CourseTold {
            course: helm.course.clone(),
            words,
            because: Some(because),
            awaits: helm.gates.awaits.iter().cloned().collect(),
            shares: self.shares(),
        })
    }

    /// The components of which two releases have visitors.
    fn shares(&self) -> BTreeMap<Name, Vec<(ReleaseId, u16)>> {
        let rows = self.helm.iter().filter_map(|helm| helm.lined.as_ref()).flatten();
        let shared = rows.filter(|(_, row)| row.sides.iter().filter(|side| side.parts > 0).count() > 1);
        let of = |(name, row): (&Name, &towpath_decide::rollout::Row)| {
            let sides = row.sides.iter();
            let shares = sides.map(|side| (side.release.clone(), side.parts)).collect();
            (name.clone(), shares)
        };
        shared.map(of).collect()
    }

    /// Tells those who look on, where something is another way than it was told last.
    pub(super) fn tell_course(&mut self) {
        let Some(told) = self.course_told() else { return };
        let Some(helm) = &mut self.helm else { return };
        if helm.told.as_ref().is_some_and(|before| is_same(before, &told)) {
            return;
        }
        helm.told = Some(told.clone());
        self.onlookers.tell(&Event::Course(Box::new(told)));
    }

    /// Lets those go who wait for the end of what is under way, where it has ended or holds.
    pub(crate) fn let_followers_go(&mut self) {
        if !self.onlookers.is_followed() || self.helm.as_ref().is_some_and(|helm| helm.write_again.is_some())
        {
            return;
        }
        let Some(told) = self.course_told() else { return };
        let course = &told.course;
        let rests = course.rollout.is_none() && course.next.is_none() && course.number > 0;
        let stopped = self.helm.as_ref().is_some_and(|helm| helm.rests);
        // Whoever waits asks what has to be asked in the product's folder, and then it goes on.
        let holds = told.holds() && told.awaits.is_empty();
        let ended = holds || stopped || rests && told.because.as_ref() != Some(&Reason::Looks);
        self.onlookers
            .end_following(&Event::Course(Box::new(told)), ended);
    }
}

/// Whether nobody would see a difference: time that passes is none.
fn is_same(before: &CourseTold, now: &CourseTold) -> bool {
    let (one, other) = (&before.course, &now.course);
    let at = |course: &towpath_model::run::Course| {
        let rollout = course.rollout.as_ref()?;
        Some((
            rollout.number,
            rollout.at,
            rollout.back.is_some(),
            rollout.paused.clone(),
        ))
    };
    before.words == now.words
        && before.shares == now.shares
        && before.awaits == now.awaits
        && at(one) == at(other)
        && (&one.current, &one.ended, &one.next, &one.frozen)
            == (&other.current, &other.ended, &other.next, &other.frozen)
}
