//! Plans that keep their promises, and plans that do not.

use super::*;
use crate::plan::plan;
use crate::plan::tests::{REFLECT, planned};
use proptest::prelude::*;
use std::fmt::Write as _;
use towpath_model::plan::{Action, Step};

/// The plan without a step, as a planner that forgot it would have made it: what needed it needs what it needed.
fn without(plan: &Plan, index: usize) -> Plan {
    let dropped = plan.steps[index].clone();
    let moved = |id: StepId| if id > dropped.id { StepId(id.0 - 1) } else { id };
    let mut plan = plan.clone();
    plan.steps.remove(index);
    for step in &mut plan.steps {
        if step.needs.contains(&dropped.id) {
            step.needs.retain(|need| *need != dropped.id);
            step.needs.extend(dropped.needs.iter().copied());
        }
        step.needs = step.needs.iter().map(|need| moved(*need)).collect();
        step.needs.sort_unstable();
        step.needs.dedup();
        step.id = moved(step.id);
    }
    plan
}

/// Steps whose loss another rule than that of the numbers has to find.
fn essential(step: &Step) -> bool {
    matches!(
        step.action,
        Action::Release
            | Action::Ask(_)
            | Action::Provision { .. }
            | Action::HandOver { .. }
            | Action::Start { .. }
            | Action::Publish { .. }
            | Action::AwaitHealthy { .. }
            | Action::Switch { .. }
            | Action::Pack { .. }
            | Action::Upload { .. }
            | Action::Review { .. }
            | Action::ScheduleJob { .. }
            | Action::Finish
    )
}

#[test]
fn a_plan_that_forgets_a_step_is_found() {
    let (plan, product) = planned(REFLECT, "prod");
    assert_eq!(lint(&plan, &product), Vec::new());
    for (index, step) in plan.steps.iter().enumerate() {
        // A gate of the build or of an environment on the way is asked in other places, too.
        let elsewhere = match &step.action {
            Action::Ask(gate) => plan.gates().filter(|(_, other)| other.name == gate.name).count() > 1,
            _ => false,
        };
        if essential(step) && !elsewhere {
            assert_ne!(
                lint(&without(&plan, index), &product),
                Vec::new(),
                "{}",
                step.action
            );
        }
    }
}

#[test]
fn a_plan_with_steps_torn_out_or_swapped_is_found() {
    let (plan, product) = planned(REFLECT, "prod");
    for index in 0..plan.steps.len() {
        let mut torn = plan.clone();
        torn.steps.remove(index);
        let last = index + 1 == plan.steps.len();
        assert!(last || !lint(&torn, &product).is_empty(), "without {index}");
        for other in index + 1..plan.steps.len() {
            let mut swapped = plan.clone();
            swapped.steps.swap(index, other);
            assert!(
                !lint(&swapped, &product).is_empty(),
                "{index} and {other} swapped"
            );
        }
    }
}

#[test]
fn needs_count_and_not_the_place_in_the_list() {
    let (mut plan, product) = planned(REFLECT, "prod");
    let switch = |step: &&mut Step| matches!(step.action, Action::Shift { .. });
    for step in plan.steps.iter_mut().filter(|step| switch(step)) {
        step.needs.clear();
    }
    let told = lint(&plan, &product);
    assert!(
        told.iter()
            .any(|defect| matches!(defect.fault, Fault::WorkBeforeWell(_))),
        "{told:?}"
    );
}

#[test]
fn a_schema_that_loses_something_early_is_found() {
    let (mut plan, product) = planned(REFLECT, "prod");
    let contract = plan.steps.last_mut().expect("a step");
    contract.needs.clear();
    let told = lint(&plan, &product);
    assert!(
        told.iter()
            .any(|defect| matches!(defect.fault, Fault::AfterContract(_))),
        "{told:?}"
    );
}

/// A product with uses that go in no circle, with every kind of component, and with rollouts of every strategy.
fn manifest() -> impl Strategy<Value = String> {
    let component = (
        0_usize..7,
        0_usize..5,
        prop::bool::ANY,
        prop::collection::vec(0_usize..12, 0..4),
    );
    let components = prop::collection::vec(component, 0..12);
    let environments = prop::collection::vec((0_usize..5, prop::bool::ANY, 0_usize..4), 1..4);
    (components, environments, 0_usize..4, 0_usize..8).prop_map(
        |(components, environments, gates, schema)| {
            let mut text = String::from("product = \"p\"\n[postgres.db]\n");
            let phases = ["expand", "backfill", "contract"];
            let phases: Vec<String> = phases
                .iter()
                .enumerate()
                .filter(|(bit, _)| schema & (1 << bit) != 0)
                .map(|(_, phase)| format!("\"{phase}\""))
                .collect();
            let _ = writeln!(
                text,
                "migrate = {{ folder = \"m\", phases = [{}] }}",
                phases.join(", ")
            );
            for (index, (kind, rollout, public, uses)) in components.iter().enumerate() {
                text += &written(index, *kind, *rollout, *public, uses);
            }
            for gate in 0..4 {
                let stage = [
                    "",
                    "stage = \"build\"\n",
                    "stage = \"after\"\n",
                    "stage = \"during\"\n",
                ][gate];
                let _ = write!(text, "[gate.g{gate}]\ncommand = \"true\"\n{stage}");
            }
            let named: Vec<String> = (0..gates).map(|gate| format!("\"g{gate}\"")).collect();
            let named = named.join(", ");
            let _ = writeln!(text, "[ci]\ngates = [{}]", if gates > 2 { "\"g1\"" } else { "" });
            for (index, (rollout, after, cap)) in environments.iter().enumerate() {
                let _ = writeln!(text, "[environment.e{index}]\ngates = [{named}]");
                if *after && index > 0 {
                    let _ = writeln!(text, "after = \"e{}\"", index - 1);
                }
                if *cap > 0 {
                    let _ = writeln!(text, "cap = {{ replicas = {cap} }}");
                }
                text += &rolled(*rollout, &named);
            }
            text
        },
    )
}

fn rolled(which: usize, gates: &str) -> String {
    match which {
        0 => String::new(),
        1 => format!("rollout = {{ strategy = \"rolling\", gates = [{gates}] }}\n"),
        2 => "rollout = { strategy = \"recreate\" }\n".to_owned(),
        3 => format!("rollout = {{ strategy = \"blue-green\", after = [{gates}] }}\n"),
        _ => format!(
            "rollout = {{ strategy = \"canary\", steps = [\"5% for 1h\", \"50%\"], gates = [{gates}] }}\n"
        ),
    }
}

fn written(index: usize, kind: usize, rollout: usize, public: bool, uses: &[usize]) -> String {
    let kind = ["service", "worker", "bot", "site", "function", "job", "extension"][kind];
    let mut text = format!("[{kind}.c{index}]\n");
    // Only earlier ones are used, so that there is no circle; the database stands for the rest.
    let mut used: Vec<String> = uses
        .iter()
        .map(|used| {
            if *used < index {
                format!("\"c{used}\"")
            } else {
                "\"db\"".to_owned()
            }
        })
        .collect();
    used.sort();
    used.dedup();
    let _ = writeln!(text, "uses = [{}]", used.join(", "));
    match kind {
        "site" => text += "files = \"dist\"\n",
        "extension" => text += "build = \"make\"\nstore.amo = { kind = \"amo\" }\n",
        _ => text += "run = \"x\"\n",
    }
    if public && ["service", "site", "function"].contains(&kind) {
        text += "public = true\n";
    }
    if kind == "bot" && public {
        text += "handover = \"lease\"\n";
    }
    text + &rolled(rollout, "\"g0\"")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_plan_keeps_its_promises_and_is_the_same_again(manifest in manifest()) {
        let sources = std::collections::BTreeMap::from([("towpath.toml".to_owned(), manifest.clone().into_bytes())]);
        let reading = towpath_manifest::read("towpath.toml", &sources);
        let others: Vec<_> = reading.environments.iter().map(|(name, layered)| (name, &layered.desired)).collect();
        let findings: Vec<&str> = reading.findings.iter().map(|finding| finding.message.as_str()).collect();
        prop_assert!(!reading.has_errors() && !others.is_empty(), "{findings:?}");
        for (name, product) in &others {
            let made = plan(product, name, &others);
            let told: Vec<String> = lint(&made, product).iter().map(ToString::to_string).collect();
            prop_assert!(told.is_empty(), "{}\n{}\n{}", told.join("\n"), crate::plan::text(&made), manifest);
            prop_assert_eq!(&made, &plan(product, name, &others));
        }
    }
}
