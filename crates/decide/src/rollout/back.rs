//! The way back: the old is whole again before anybody is sent to it, and the new is stopped last.

use super::{Turn, least};
use towpath_model::run::{ALL, Leg, Reason, Rollout, Stage};
use towpath_model::unit::Name;

fn legs(rollout: &mut Rollout) -> impl Iterator<Item = &mut Leg> {
    rollout.stages.iter_mut().filter_map(|stage| match stage {
        Stage::Leg(leg) => Some(leg),
        _ => None,
    })
}

impl Turn<'_> {
    pub(super) fn come_back(&mut self, rollout: &mut Rollout) -> Option<Reason> {
        let why = rollout.back.clone()?;
        let returns = |reason| Some(Reason::Returns(Box::new(reason)));
        // What stops its old ones first has to do so on the way back, too.
        let left = legs(rollout).filter(|leg| !leg.apart && (leg.left > 0 || leg.early));
        let mut stays = true;
        for leg in left {
            (leg.left, leg.early, stays) = (0, false, false);
        }
        if !stays {
            return None;
        }
        let has_moved = legs(rollout).any(|leg| leg.moved > 0 || leg.tenants.is_some());
        if has_moved || rollout.switched {
            if let Some((name, ready, of)) = self.not_whole(rollout) {
                return returns(Reason::Starts(name, ready, of));
            }
            for leg in legs(rollout) {
                (leg.moved, leg.tenants) = (0, None);
                if leg.apart {
                    (leg.grown, leg.left) = (0, 0);
                }
            }
            self.next.turn += 1;
            if rollout.switched {
                rollout.switched = false;
                self.next.current = rollout.from.clone();
                self.next.before = None;
            }
            return None;
        }
        if !self.confirmed() {
            return returns(Reason::EdgeFollows);
        }
        if legs(rollout).any(|leg| leg.grown > 0) {
            legs(rollout).for_each(|leg| leg.grown = 0);
            return None;
        }
        // What had stopped is up again before anything else begins. One that does not come up must not keep back what mends it.
        let lacks = rollout.stages.iter().find_map(|stage| match stage {
            Stage::Leg(leg) => self.lacking(rollout, leg, false, None),
            _ => None,
        });
        if let Some((name, ready, of)) = lacks {
            let patience = self.way(rollout).progress;
            if self.spend(&mut rollout.idle, patience) < patience {
                return returns(Reason::Starts(name, ready, of));
            }
        }
        self.end(rollout, false, why);
        None
    }

    /// A component whose visitors cannot be sent back yet: too few of the old ones are ready, and some of the new ones are. Where
    /// nothing of the new one answers, no old one could do worse.
    fn not_whole(&self, rollout: &Rollout) -> Option<(Name, u32, u32)> {
        rollout.stages.iter().find_map(|stage| match stage {
            Stage::Leg(leg) if leg.moved > 0 && !leg.apart => {
                let mut all = leg.components.iter();
                all.find_map(|name| self.not_whole_one(rollout, leg, name))
            }
            _ => None,
        })
    }

    fn not_whole_one(&self, rollout: &Rollout, leg: &Leg, name: &Name) -> Option<(Name, u32, u32)> {
        let old = self.portion(rollout.from.as_ref(), name)?;
        let new = self.portion(Some(&rollout.to), name)?;
        if !old.is_shared() || old.stands_alone() {
            return None;
        }
        let wanted = self.side(rollout, leg, name, false)?;
        let ready = self.tally(name, &wanted.digest).ready;
        let answers = self.tally(name, &new.digest).ready;
        let both = if leg.moved < ALL { ready + answers } else { answers };
        (ready < least(leg, wanted.count).min(both)).then(|| (name.clone(), ready, wanted.count))
    }
}
