//! Where each gate stands on the way of a release.

use towpath_model::Desired;
use towpath_model::desired::component::ComponentKind;
use towpath_model::desired::gate::{Gate, OnFail, Stage, ToGate};
use towpath_model::desired::rollout::Rollout;
use towpath_model::plan::{GateStep, Question};
use towpath_model::spec::Path;
use towpath_model::unit::{Name, Unit as _};
use towpath_model::word::Ref;

/// A gate at its place.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) step: GateStep,
    /// Where it is named.
    pub(super) at: Path,
    /// The component, or `extension.store`, whose rollout names it; nothing where it is for the whole environment.
    pub(super) of: Option<String>,
}

impl Placed {
    /// Whether it stands there. Before a rollout there is only the environment as a whole.
    pub(super) fn is(&self, stage: Stage, of: Option<&str>) -> bool {
        let whole = matches!(stage, Stage::Build | Stage::Enter);
        self.step.stage == stage && (whole || self.of.as_deref() == of)
    }
}

/// Every gate of an environment at its place, once for each place.
pub(super) fn placed(product: &Desired, environment: &Name) -> Vec<Placed> {
    let mut places = Places {
        product,
        environment,
        found: Vec::new(),
    };
    if let Some(ci) = &product.ci {
        places.named(&ci.gates, Stage::Build, &Path::of(["ci", "gates"]), None);
    }
    let own = product.environment.get(environment.as_str());
    if let Some(own) = own {
        let at = Path::of(["environment", environment.as_str(), "gates"]);
        places.named(&own.gates, Stage::Enter, &at, None);
    }
    if let Some((at, rollout)) = product.usual_rollout(Some(environment.as_str())) {
        places.of_rollout(rollout, &at, None);
    }
    for (kind, name, component) in product.components() {
        if let Some((at, rollout)) = component.own_rollout(kind, name) {
            // A job has no share of anything to be given: its gates are the environment's.
            let of = (kind != ComponentKind::Job).then(|| name.to_string());
            places.of_rollout(rollout, &at, of);
        }
        for (store, listing) in &component.store {
            if let Some((at, rollout)) = listing.own_rollout(name, store) {
                places.of_rollout(rollout, &at, Some(format!("{name}.{store}")));
            }
        }
    }
    for (name, gate) in &product.gate {
        if let Some(stage) = gate.stage
            && !places.found.iter().any(|found| found.step.name == name.as_str())
        {
            let at = Path::of(["gate", name.as_str(), "stage"]);
            places.put(name.as_str(), Some(gate), stage, &at, None);
        }
    }
    places.found
}

/// The gates and probes that are asked on the way into an environment, and when: each once for each stage.
pub(crate) fn asked_when(product: &Desired, environment: &Name) -> Vec<(Name, Stage)> {
    let mut all: Vec<(Name, Stage)> = Vec::new();
    for one in placed(product, environment) {
        let Ok(name) = Name::parse(&one.step.name) else {
            continue;
        };
        let one = (name, one.step.stage);
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

struct Places<'a> {
    product: &'a Desired,
    environment: &'a Name,
    found: Vec<Placed>,
}

impl Places<'_> {
    fn of_rollout(&mut self, rollout: &Rollout, at: &Path, of: Option<String>) {
        let product = self.product;
        let lists = [
            (&rollout.gates, Stage::During, at.key("gates")),
            (&rollout.after, Stage::After, at.key("after")),
        ];
        for (names, usual, at) in lists {
            let asked = names
                .iter()
                .filter(|name| rollout.asks(product.gate.get(name.as_str())));
            self.named(asked, usual, &at, of.as_deref());
        }
    }

    /// Places the gates that a list names.
    fn named<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n Ref<ToGate>>,
        usual: Stage,
        at: &Path,
        of: Option<&str>,
    ) {
        for name in names {
            let gate = self.product.gate.get(name.as_str());
            let stage = gate.and_then(|gate| gate.stage).unwrap_or(usual);
            self.put(name.as_str(), gate, stage, at, of);
        }
    }

    fn put(&mut self, name: &str, gate: Option<&Gate>, stage: Stage, at: &Path, of: Option<&str>) {
        if gate.is_some_and(|gate| !concerns(self.product, gate)) {
            return;
        }
        let question = match gate {
            Some(gate) => Question::of(gate),
            None => Question::Probe(name.to_owned()),
        };
        let placed = Placed {
            step: GateStep {
                name: name.to_owned(),
                question,
                stage,
                environment: self.environment.clone(),
                // A probe in a rollout has no words of its own about that: nothing goes on.
                fails: gate.map_or(OnFail::Block, |gate| gate.fails),
                over: gate.map(|gate| gate.over.clone()).unwrap_or_default(),
                about: about(self.product, name, gate),
            },
            at: at.clone(),
            of: of.map(str::to_owned),
        };
        let known = |found: &Placed| found.step.name == name && found.is(stage, of);
        if !self.found.iter().any(known) {
            self.found.push(placed);
        }
    }
}

fn about(product: &Desired, name: &str, gate: Option<&Gate>) -> Option<String> {
    match gate {
        Some(gate) => gate.about.clone(),
        None => product.probe.get(name)?.about.clone(),
    }
}

/// Whether a gate is about anything that is here.
fn concerns(product: &Desired, gate: &Gate) -> bool {
    gate.on.is_empty() || gate.on.iter().any(|on| product.component(on.as_str()).is_some())
}
