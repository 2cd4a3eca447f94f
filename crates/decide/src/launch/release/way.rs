//! How components of a release go from one to the next: the rollout that is written, made exact.
//!
//! **Whose it is.** A component's own holds for it alone, and for those that it names as `together`. All others go by the
//! environment's, or else the product's, or else the defaults, as one. What the usual rollout names as `together` goes with
//! the others though it has one of its own: that they switch in one instant is said of them all, and a way of its own
//! would part them.
//!
//! **Steps.** A share is so many visitors of ten thousand. So many instances are the share that they are of all; rounded up,
//! so that no step is nothing. Of tenants there is a list, and a step is how many of it; a share of them is reckoned of
//! the list. Without a list nobody can be named, and nothing moves until the step that is all of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_model::Desired;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::gate::Stage;
use towpath_model::desired::rollout::{CanaryUnit, Rollout};
use towpath_model::run::{ALL, Product, Step, Way};
use towpath_model::unit::{Amount, Hold, Name, Ramp, Share};

/// The way of each component.
pub(super) struct Ways {
    usual: Arc<Way>,
    own: BTreeMap<Name, Arc<Way>>,
}

impl Ways {
    /// The way of a component.
    pub(super) fn of(&self, name: &Name) -> Arc<Way> {
        Arc::clone(self.own.get(name).unwrap_or(&self.usual))
    }
}

/// The ways of all components of a product.
pub(super) fn ways(desired: &Desired, environment: &Name, product: &Product) -> Ways {
    let nothing = Rollout::usual();
    let usual = desired.usual_rollout(Some(environment.as_str()));
    let usual = usual.map_or(&nothing, |(_, rollout)| rollout);
    let instances = |name: &Name| product.components.get(name).map_or(1, |one| one.instances);
    let most = product.components.values().map(|one| one.instances).max();
    let is_usual = |name: &Name| usual.together.iter().any(|one| one.as_str() == name.as_str());
    let mut own = BTreeMap::new();
    for (kind, name, component) in desired.components() {
        let Some((_, rollout)) = component.own_rollout(kind, name).filter(|_| !is_usual(name)) else {
            continue;
        };
        let by_tenants = rollout.unit.map_or(kind == ComponentKind::Bot, is_tenants);
        let way = exact(desired, rollout, Some(name), instances(name), by_tenants);
        own.insert(name.clone(), Arc::new(way));
    }
    for (kind, name, component) in desired.components() {
        let Some((_, rollout)) = component.own_rollout(kind, name) else {
            continue;
        };
        let Some(way) = own.get(name).filter(|way| way.of.as_ref() == Some(name)).cloned() else {
            continue;
        };
        for other in &rollout.together {
            if let Some((other, _)) = product.components.get_key_value(other.as_str()) {
                own.insert(other.clone(), Arc::clone(&way));
            }
        }
    }
    let by_tenants = usual.unit.is_some_and(is_tenants);
    let usual = exact(desired, usual, None, most.unwrap_or(1), by_tenants);
    Ways {
        usual: Arc::new(usual),
        own,
    }
}

fn is_tenants(unit: CanaryUnit) -> bool {
    unit == CanaryUnit::Tenants
}

fn exact(desired: &Desired, rollout: &Rollout, of: Option<&Name>, instances: u32, by_tenants: bool) -> Way {
    // A gate that says itself when it is asked is asked then, wherever it is named.
    let named = || {
        let during = rollout.gates.iter().map(|gate| (gate, Stage::During));
        let all = during.chain(rollout.after.iter().map(|gate| (gate, Stage::After)));
        all.map(|(gate, usual)| (gate.as_str(), desired.gate.get(gate.as_str()), usual))
    };
    let asked = |stage: Stage| {
        let here = named().filter(|(_, gate, usual)| {
            rollout.asks(*gate) && gate.and_then(|gate| gate.stage).unwrap_or(*usual) == stage
        });
        here.map(|(name, ..)| name.to_owned()).collect()
    };
    let tenants = (by_tenants && !rollout.first.is_empty()).then(|| rollout.first.clone());
    Way {
        of: of.cloned(),
        strategy: rollout.strategy,
        steps: steps(&rollout.steps, instances, by_tenants, tenants.as_deref()),
        tenants,
        gates: asked(Stage::During),
        after: asked(Stage::After),
        bake: rollout.bake,
        warm: rollout.warm,
        judge_every: rollout.judge_every,
        min_sample: rollout.min_sample,
        inconclusive: rollout.inconclusive,
        extend: rollout.extend,
        surge: parts(rollout.surge),
        missing: parts(rollout.missing),
        progress: rollout.progress,
        auto_rollback: rollout.auto_rollback,
        window: rollout.window.clone(),
        zone: desired.time_zone.clone(),
    }
}

fn steps(ramps: &[Ramp], instances: u32, by_tenants: bool, tenants: Option<&[String]>) -> Vec<Step> {
    let mut before = Step {
        parts: 0,
        ..Step::all()
    };
    let step = |ramp: &Ramp| {
        let (parts, named) = match (ramp.amount(), tenants) {
            (Amount::Same, _) => (before.parts, before.tenants),
            (Amount::Share(Share::ALL), _) => (ALL, None),
            (Amount::Share(share), Some(all)) => (0, Some(share.of_rounded_up(all.len() as u64))),
            (Amount::Share(share), None) => (parts(*share), None),
            (Amount::Count { n, .. }, Some(_)) => (0, Some(*n)),
            (Amount::Count { .. }, None) if by_tenants => (0, None),
            (Amount::Count { n, .. }, None) => (part_of(*n, instances), None),
        };
        before = Step {
            parts,
            tenants: named,
            hold: match ramp.hold() {
                Hold::For(time) => Some(time),
                Hold::None | Hold::Person => None,
            },
            person: ramp.hold() == Hold::Person,
        };
        before.clone()
    };
    ramps.iter().map(step).collect()
}

/// A share in parts of ten thousand. What is more than nothing stays more than nothing.
fn parts(share: Share) -> u16 {
    let parts = share.of_rounded_up(u64::from(ALL));
    u16::try_from(parts).unwrap_or(ALL).min(ALL)
}

/// What so many instances are of all.
fn part_of(n: u64, instances: u32) -> u16 {
    let all = u64::from(instances.max(1));
    let parts = n.saturating_mul(u64::from(ALL)).div_ceil(all);
    u16::try_from(parts).unwrap_or(ALL).min(ALL)
}
