//! The gates: what each asks, where it stands, and what its failure does.

use crate::page::{Page, Table};
use crate::product::Product;
use crate::{questions, rollout, words};
use towpath_model::desired::gate::{Gate, OnFail, Stage};

pub(crate) fn write(product: &Product<'_>, page: &mut Page) {
    let mut table = Table::new(["Gate", "About", "Asks", "Stands", "On failure", "Notes"]);
    for (name, gate) in product.all(|product| &product.gate) {
        table.row([
            words::code(name),
            words::maybe(&gate.about),
            questions::question(gate),
            stands(product, name.as_str(), gate.stage),
            failing(gate.fails).to_owned(),
            notes(gate).join("; "),
        ]);
    }
    if table.is_empty() {
        return;
    }
    page.paragraph("Each gate has a recorded answer: pass, fail, inconclusive or waived, with the measured value, the bound and the evidence. Probes are gates, too; they have a section of their own.");
    page.table(&table);
}

fn failing(fails: OnFail) -> &'static str {
    match fails {
        OnFail::Block => "nothing goes on",
        OnFail::Rollback => "the release goes back",
        OnFail::Warn => "it is told, and goes on",
    }
}

/// Where a gate or probe is asked.
pub(crate) fn stands(product: &Product<'_>, name: &str, stage: Option<Stage>) -> String {
    let mut places = Vec::new();
    if product
        .root
        .ci
        .as_ref()
        .is_some_and(|ci| ci.gates.iter().any(|gate| gate.as_str() == name))
    {
        places.push("in the pipeline".to_owned());
    }
    let (mut before, mut during, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for (place, environment, here) in product.places() {
        let way = rollout::of_environment(environment, here);
        let named = |gates: &[towpath_model::word::Ref<towpath_model::desired::gate::ToGate>]| {
            gates.iter().any(|gate| gate.as_str() == name)
        };
        if named(&environment.gates) {
            before.push(place.as_str());
        }
        if named(&way.gates) {
            during.push(place.as_str());
        }
        if named(&way.after) {
            after.push(place.as_str());
        }
    }
    for (words, environments) in [
        ("before", before),
        ("during the rollout to", during),
        ("after the rollout to", after),
    ] {
        if !environments.is_empty() {
            places.push(format!("{words} {}", words::list(&environments)));
        }
    }
    if product
        .root
        .golive
        .values()
        .any(|item| item.gates.iter().any(|gate| gate.as_str() == name))
    {
        places.push("before going live".to_owned());
    }
    if places.is_empty() {
        places.extend(stage.map(|stage| {
            match stage {
                Stage::Build => "after the build",
                Stage::Enter => "before an environment is entered",
                Stage::During => "during a rollout",
                Stage::After => "after a rollout",
            }
            .to_owned()
        }));
    }
    places.join("; ")
}

fn notes(gate: &Gate) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(
        gate.tool
            .as_ref()
            .map(|tool| format!("with {}", words::text(tool))),
    );
    if !gate.on.is_empty() {
        notes.push(format!("only for {}", words::codes(&gate.on)));
    }
    if !gate.over.is_empty() {
        notes.push(format!("on {}", words::texts(&gate.over)));
    }
    if gate.retries > 0 {
        notes.push(format!("tried again {}", words::count(gate.retries, "time")));
    }
    if let Some(waive) = &gate.waive {
        let people: Vec<String> = waive
            .people
            .iter()
            .map(|person| words::text(person.as_str()))
            .collect();
        let who = if people.is_empty() {
            "whoever may".to_owned()
        } else {
            words::either(&people)
        };
        notes.push(format!(
            "{who} may waive it for at most {}",
            words::time(waive.most)
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use crate::tests::section;

    #[test]
    fn gates_tell_question_bound_and_place() {
        insta::assert_snapshot!(section(super::write, r#"
            product = "shop"
            [service.web]
            run = "web"
            [ci]
            gates = ["unit", "scan", "small"]
            [gate.unit]
            about = "Unit tests"
            junit = { report = "unit.xml", run = "make test | tee log" }
            over = ["chrome", "firefox"]
            [gate.scan]
            sarif = { report = "scan.sarif", older_than = "7d" }
            tool = "Trivy"
            [gate.small]
            size = { file = "dist/*.js", most = "500KB" }
            [gate.fewer]
            change = { metric = "incidents", by = "-30%" }
            waive = "ana@example.com"
            [gate.lead]
            approval = { people = ["ana@example.com", "ben@example.com"], count = 2 }
            fails = "warn"
            [gate.as-good]
            canary = { errors = "1%" }
            [metric.incidents]
            measured = "incidents"
            [environment.dev]
            [environment.prod]
            after = "dev"
            gates = ["fewer", "lead"]
            rollout = { strategy = "canary", steps = ["10% for 30m", "100%"], gates = "as-good" }
        "#), @r#"
        Each gate has a recorded answer: pass, fail, inconclusive or waived, with the measured value, the bound and the evidence. Probes are gates, too; they have a section of their own.

        | Gate      | About      | Asks                                             | Stands                     | On failure              | Notes                                           |
        | --------- | ---------- | ------------------------------------------------ | -------------------------- | ----------------------- | ----------------------------------------------- |
        | `unit`    | Unit tests | `make test \| tee log`: no failure in `unit.xml` | in the pipeline            | nothing goes on         | on chrome and firefox                           |
        | `scan`    |            | a high weakness stops the release, a critical one the build; one known for more than 7 days fails, however bad | in the pipeline            | nothing goes on         | with Trivy                                      |
        | `small`   |            | `dist/*.js` weighs at most 500 KB                | in the pipeline            | nothing goes on         |                                                 |
        | `fewer`   |            | `incidents` is at least 30% less over 14 days than over the 14 days before, with the whole 95% interval on that side; fewer than 50 events before is no verdict | before prod                | nothing goes on         | ana@example.com may waive it for at most 7 days |
        | `lead`    |            | 2 of ana@example.com and ben@example.com say yes, which holds for 1 day | before prod                | it is told, and goes on |                                                 |
        | `as-good` |            | errors stay at or below 1% and are no worse than before, and the 95% quantile of latency is not both 10% and 20 milliseconds slower | during the rollout to prod | nothing goes on         |                                                 |
        "#);
    }
}
