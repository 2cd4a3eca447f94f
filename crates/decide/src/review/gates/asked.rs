//! Rules about what gates ask, and where.

use super::super::environments::written::{Written, written};
use super::super::setting::environment_at;
use super::super::{Scene, Whole};
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::gate::{Gate, ToGate};
use towpath_model::desired::rollout::Strategy;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Name;
use towpath_model::word::{Map, Ref};

/// Each gate has something to measure, and its bounds are in order.
pub(super) fn gates(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, gate) in &scene.product.gate {
        let at = Path::of(["gate", name.as_str()]);
        found.extend(empty(scene, name, gate, &at));
        let Some(sarif) = gate.sarif.as_ref().filter(|sarif| sarif.block > sarif.fail) else {
            continue;
        };
        let (block, fail) = (sarif.block, sarif.fail);
        let message = format!(
            "gate `{name}` fails the build from {fail} on, so holding a release from {block} on adds nothing"
        );
        found.push(
            Finding::value(&code::SARIF_ORDER, at.key("sarif").key("block"), message)
                .label(format!("never reached: {fail} fails first"))
                .also(
                    Where::Value(at.key("sarif").key("fail")),
                    "the build has failed by then",
                )
                .hint(format!("swap them: block = \"{fail}\", fail = \"{block}\"")),
        );
    }
}

/// A gate that passes whatever happens.
fn empty(scene: &Scene<'_>, name: &Name, gate: &Gate, at: &Path) -> Option<Finding> {
    let told = |at: Path, message: String, label: &str, hint: &str| {
        Some(
            Finding::value(&code::GATE_MEASURES_NOTHING, at, message)
                .label(label)
                .hint(hint),
        )
    };
    if let Some(size) = &gate.size {
        let at = at.key("size");
        return match (&size.file, &size.artifact) {
            (None, None) => told(
                at,
                format!("gate `{name}` bounds a weight, and does not say of what"),
                "of which file?",
                "write file = \"dist/assets/*.js\", or artifact = \"NAME\" for what a component is built to",
            ),
            (Some(_), Some(_)) => told(
                at.key("artifact"),
                format!("gate `{name}` has one bound for a file and for an artifact"),
                "one of the two",
                "leave one out, or make two gates",
            ),
            _ if size.most.is_zero() => told(
                at.key("most"),
                format!("gate `{name}` never passes: everything weighs more than nothing"),
                "nothing is so light",
                "write the most that it may weigh: most = \"500KB\"",
            ),
            _ => None,
        };
    }
    if gate.load.as_ref().is_some_and(|load| load.keep.is_empty()) {
        return told(
            at.key("load"),
            format!("gate `{name}` runs a load test, and passes whatever comes of it"),
            "has no bounds",
            "write what must hold: keep = [\"p95 < 250ms\", \"errors < 1%\"]",
        );
    }
    if gate.junit.as_ref().is_some_and(|junit| junit.at_least == 0) {
        return told(
            at.key("junit").key("at_least"),
            format!("gate `{name}` passes with an empty report"),
            "no test has to run",
            "write how many tests there are at the least, or leave `at_least` out: one",
        );
    }
    if gate.bake.is_some_and(|bake| bake.is_zero()) {
        return told(
            at.key("bake"),
            format!("gate `{name}` waits for no time at all"),
            "passes at once",
            "write how long it has to go well: bake = \"30m\"",
        );
    }
    if gate.budget_left.is_some() && scene.product.objective.is_empty() {
        return told(
            at.key("budget_left"),
            format!("gate `{name}` asks for what is left of an error budget, and no objective has one"),
            "of which budget?",
            "declare what users can count on: [objective.availability] with target = \"99.9%\"",
        );
    }
    None
}

/// The canary gates among those that are named at a place.
fn canaries_of<'a>(
    gates: &'a Map<Name, Gate>,
    named: &'a [Ref<ToGate>],
) -> impl Iterator<Item = (usize, &'a str)> {
    named.iter().enumerate().filter_map(|(index, name)| {
        let gate = gates.get(name.as_str())?;
        gate.canary.is_some().then_some((index, name.as_str()))
    })
}

fn idle(gate: &str, at: Path, why: &str) -> Finding {
    let message = format!("gate `{gate}` compares a canary with what runs beside it, and {why}");
    Finding::value(&code::CANARY_GATE_IDLE, at, message)
        .label("no canary to judge here")
        .hint(format!(
            "name `{gate}` in a rollout: rollout = {{ strategy = \"canary\", steps = [\"10% for 30m\", \"100%\"], gates = [\"{gate}\"] }}"
        ))
}

/// A canary gate is asked while a canary runs.
pub(super) fn canaries(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let gates = &scene.product.gate;
    if let Some((name, own)) = scene.environment {
        let at = environment_at(name).key("gates");
        for (index, gate) in canaries_of(gates, &own.gates) {
            found.push(idle(gate, at.nth(index), "before a release enters there is none"));
        }
    }
    for (at, rollout) in scene.rollouts() {
        for (index, gate) in canaries_of(gates, &rollout.after) {
            let at = at.key("after").nth(index);
            found.push(
                idle(gate, at, "after the last step nothing of the old release is left").hint(format!(
                    "name `{gate}` in the rollout's `gates` instead of its `after`"
                )),
            );
        }
    }
}

/// A rollout that names a canary gate is a canary. It is told where the gate is named: an environment that is like
/// another one, or a component that goes another way in one of them, takes the name over, where it is not asked.
pub(super) fn without_canary(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let judges = |name: &str| {
        let everywhere = whole.environments.iter().map(|(_, product)| *product);
        let gate = |product: &Desired| product.gate.get(name).is_some_and(|gate| gate.canary.is_some());
        std::iter::once(whole.root).chain(everywhere).any(gate)
    };
    for Written { at, node, strategies } in written(whole) {
        let Some(strategy) = strategies
            .first()
            .filter(|_| !strategies.contains(&Strategy::Canary))
        else {
            continue;
        };
        let Some(named) = node.get("gates") else { continue };
        // One name may stand alone.
        let named = named.list().unwrap_or(std::slice::from_ref(named));
        for (index, gate) in named.iter().enumerate() {
            let Some(gate) = gate.scalar().filter(|gate| judges(gate.as_str())) else {
                continue;
            };
            let why = format!("a {strategy} rollout has none");
            found.push(
                idle(&gate, at.key("gates").nth(index), &why)
                    .hint("write strategy = \"canary\" with its steps, or leave the gate out"),
            );
        }
    }
}

/// A build has no canary either.
pub(super) fn canaries_in_ci(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let Some(ci) = &whole.root.ci else { return };
    for (index, gate) in canaries_of(&whole.root.gate, &ci.gates) {
        let at = Path::of(["ci", "gates"]).nth(index);
        found.push(idle(gate, at, "while a change is built there is none"));
    }
}
