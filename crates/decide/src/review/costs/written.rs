//! Rules about what is written for people: service levels, runbooks, decisions, links, workflows.

use super::super::{Scene, Whole};
use std::collections::BTreeMap;
use towpath_model::code;
use towpath_model::desired::operations::{DecisionRecord, Standing};
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// A service level can be kept by people.
pub(in super::super) fn service_levels(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, level) in &scene.product.service_level {
        if !level.within.is_zero() {
            continue;
        }
        let message = format!("service level `{name}` promises to be done in no time, and is broken at once");
        found.push(
            Finding::value(
                &code::AT_ONCE,
                Path::of(["service_level", name.as_str(), "within"]),
                message,
            )
            .label("leaves no time")
            .hint("write how long it may take: within = \"24h\""),
        );
    }
}

/// A runbook has steps, or adds whom to tell.
pub(in super::super) fn runbooks(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, runbook) in &scene.product.runbook {
        if !runbook.steps.is_empty() || !runbook.tell.is_empty() {
            continue;
        }
        let at = Path::of(["runbook", name.as_str()]);
        let message = format!("runbook `{name}` does not say what to do");
        found.push(
            Finding::key(&code::RUNBOOK_EMPTY, at, message)
                .label("has no steps")
                .hint("write what to do first: steps = [\"Look at `towpath status prod`\"]"),
        );
    }
}

/// Decisions that replace others name ones that are there, and those say so.
pub(in super::super) fn decisions(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let all = &whole.root.decision;
    let mut known: BTreeMap<&str, (&Name, &DecisionRecord)> = BTreeMap::new();
    for (name, decision) in all {
        known.insert(name.as_str(), (name, decision));
        if let Some(id) = &decision.id {
            known.entry(id.as_str()).or_insert((name, decision));
        }
    }
    let mut replaced: BTreeMap<&str, &Name> = BTreeMap::new();
    for (name, decision) in all {
        let Some(replaces) = decision.replaces.as_deref() else {
            continue;
        };
        let at = Path::of(["decision", name.as_str(), "replaces"]);
        let Some((old, record)) = known.get(replaces) else {
            let message = format!(
                "decision `{name}` replaces `{}`, and there is no such decision",
                Shown(replaces)
            );
            found.push(
                Finding::value(&code::DECISION_CHAIN, at, message)
                    .label("no such decision")
                    .hint("write its name or its `id`; keep old decisions, with status = \"superseded\""),
            );
            continue;
        };
        replaced.insert(old.as_str(), name);
        if record.status == Standing::Accepted && decision.status == Standing::Accepted && *old != name {
            let message = format!("decision `{old}` still holds, though `{name}` replaces it");
            found.push(
                Finding::value(&code::DECISION_CHAIN, at, message)
                    .label(format!("replaces `{old}`"))
                    .also(Where::Key(Path::of(["decision", old.as_str()])), "is accepted")
                    .hint(format!("write status = \"superseded\" in [decision.{old}]")),
            );
        }
    }
    for (name, decision) in all {
        if decision.status == Standing::Superseded && !replaced.contains_key(name.as_str()) {
            let message = format!("decision `{name}` has been replaced, and nothing says by which");
            found.push(
                Finding::value(
                    &code::DECISION_CHAIN,
                    Path::of(["decision", name.as_str(), "status"]),
                    message,
                )
                .label("by which one?")
                .hint(format!(
                    "write replaces = \"{name}\" in the decision that took its place"
                )),
            );
        }
    }
}

/// An address is listed once.
pub(in super::super) fn links(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let mut known: BTreeMap<&str, &Name> = BTreeMap::new();
    for (name, link) in &scene.product.link {
        let url = link.url.as_str().trim_end_matches('/');
        let Some(first) = known.get(url) else {
            known.insert(url, name);
            continue;
        };
        let message = format!("links `{first}` and `{name}` lead to the same address");
        found.push(
            Finding::value(
                &code::LINK_TWICE,
                Path::of(["link", name.as_str(), "url"]),
                message,
            )
            .label("listed already")
            .also(
                Where::Value(Path::of(["link", first.as_str(), "url"])),
                "the same address",
            )
            .hint("correct one of the two, or take it out"),
        );
    }
}

/// Workflows are written in the language of a CI service.
pub(in super::super) fn workflows(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let Some(ci) = &whole.root.ci else { return };
    if ci.workflows.is_empty() || ci.at.is_some() {
        return;
    }
    let message = "workflows are to be written, and nothing says for which CI service";
    found.push(
        Finding::value(
            &code::WORKFLOWS_FOR_NOBODY,
            Path::of(["ci", "workflows"]),
            message,
        )
        .label("in whose language?")
        .hint("write at = \"github\" in [ci], and declare [host.github] with kind = \"saas\""),
    );
}
