//! What is asked of a release: the gates on its way into an environment, with everything that they ask by.
//!
//! A gate stands where it is named, unless it says itself at which stage it is asked. A probe that is named among gates is a
//! gate. What nobody names and what asks for nothing here is no part of a release, so that another environment's gate does
//! not make another release of the same.

use crate::gate::cost;
use crate::plan::asked_when;
use std::collections::BTreeMap;
use towpath_model::Desired;
use towpath_model::desired::gate::Stage;
use towpath_model::run::Questions;
use towpath_model::unit::{Name, Unit as _};
use towpath_model::word::Map;

/// All questions on the way into an environment.
pub(super) fn questions(desired: &Desired, environment: &Name) -> Questions {
    let own = desired.environment.get(environment.as_str());
    let after = own.and_then(|own| own.after.as_ref());
    let mut all = Questions {
        after: after.and_then(|after| Name::parse(after.as_str()).ok()),
        ..Questions::default()
    };
    for (name, stage) in asked_when(desired, environment) {
        match stage {
            Stage::Build => all.build.push(name.clone()),
            Stage::Enter => all.enter.push(name.clone()),
            Stage::During | Stage::After => {}
        }
        if let Some(gate) = desired.gate.get(name.as_str()) {
            all.gates.insert(name.clone(), gate.clone());
        } else {
            insert(&mut all.probes, &desired.probe, name.as_str());
        }
    }
    let ever = desired.probe.iter().filter(|(_, probe)| probe.every.is_some());
    for (name, probe) in ever {
        all.probes.insert(name.clone(), probe.clone());
    }
    let costs = all.gates.iter();
    let costs = costs.filter_map(|(name, gate)| Some((name.clone(), cost(desired, gate.cost?))));
    all.known = costs.collect();
    for gate in all.gates.values() {
        if let Some(probe) = &gate.probe {
            insert(&mut all.probes, &desired.probe, probe.as_str());
        }
        let asked = gate.metric.as_ref().map(|one| &one.metric);
        let change = gate.change.as_ref();
        let changed = change
            .into_iter()
            .flat_map(|one| [Some(&one.metric), one.per.as_ref()]);
        for metric in asked.into_iter().chain(changed.flatten()) {
            insert(&mut all.metrics, &desired.metric, metric.as_str());
        }
        if let Some(role) = gate.approval.as_ref().and_then(|approval| approval.role.as_ref())
            && let Some((name, role)) = desired.role.get_key_value(role.as_str())
        {
            all.roles.insert(name.clone(), role.people.clone());
        }
        if let Some(objective) = &gate.objective {
            insert(&mut all.objectives, &desired.objective, objective.as_str());
        }
        if gate.budget_left.is_some() {
            all.objectives.extend(
                desired
                    .objective
                    .iter()
                    .map(|(name, one)| (name.clone(), one.clone())),
            );
        }
    }
    sources(&mut all, desired);
    for objective in all.objectives.values() {
        if let Some(probe) = &objective.probe {
            insert(&mut all.probes, &desired.probe, probe.as_str());
        }
        if let Some(metric) = &objective.metric {
            insert(&mut all.metrics, &desired.metric, metric.as_str());
        }
    }
    all
}

/// What metrics are read of, beside what runs.
fn sources(all: &mut Questions, desired: &Desired) {
    for metric in all.metrics.values() {
        if let Some(host) = &metric.from {
            insert(&mut all.hosts, &desired.host, host.as_str());
        }
    }
    if let Some(host) = &desired.telemetry.metrics
        && all.metrics.values().any(|metric| metric.prometheus.is_some())
    {
        insert(&mut all.hosts, &desired.host, host.as_str());
        all.telemetry = Name::parse(host.as_str()).ok();
    }
    if all.metrics.values().any(|metric| metric.series.is_some()) {
        let pages = desired.components();
        let pages = pages.filter_map(|(_, name, one)| Some((name.clone(), one.metrics.clone()?.to_string())));
        all.pages.extend(pages);
    }
}

fn insert<T: Clone>(into: &mut BTreeMap<Name, T>, all: &Map<Name, T>, name: &str) {
    if let Some((name, one)) = all.get_key_value(name) {
        into.insert(name.clone(), one.clone());
    }
}
