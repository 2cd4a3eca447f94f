//! Rules about people who say yes, and people who let pass.

use super::super::Scene;
use std::collections::BTreeSet;
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::gate::Approval;
use towpath_model::desired::operations::{Role, Verb};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Duration, Email, Name};

/// Whether a role may do something. A role that says nothing about what it may do is one for the document.
fn may(role: &Role, verb: Verb) -> bool {
    role.may.iter().any(|one| *one == verb || *one == Verb::All)
}

/// There are as many people as have to say yes.
pub(super) fn approvals(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, gate) in &scene.product.gate {
        if let Some(approval) = &gate.approval {
            found.extend(short(scene.product, name, approval));
        }
    }
}

fn short(product: &Desired, name: &Name, approval: &Approval) -> Option<Finding> {
    let at = Path::of(["gate", name.as_str(), "approval"]);
    if approval.count == 0 {
        let message = format!("gate `{name}` asks for nobody's yes, and always passes");
        return Some(
            Finding::value(&code::APPROVAL_SHORT, at.key("count"), message)
                .label("nobody has to say yes")
                .hint("write count = 1, or leave the gate out"),
        );
    }
    let named = approval.role.as_ref();
    let role = named.and_then(|role| product.role.get(role.as_str()));
    if named.is_some() && role.is_none() {
        return None;
    }
    if let (Some(named), Some(role)) = (named, role)
        && !role.may.is_empty()
        && !may(role, Verb::Approve)
    {
        let message = format!("gate `{name}` asks role `{named}`, which may not approve");
        return Some(
            Finding::value(&code::APPROVAL_SHORT, at.key("role"), message)
                .label("may not say yes")
                .also(
                    Where::Value(Path::of(["role", named.as_str(), "may"])),
                    "what it may do",
                )
                .hint(format!("add \"approve\" to `may` in [role.{named}]")),
        );
    }
    let people: BTreeSet<&str> = approval
        .people
        .iter()
        .chain(role.into_iter().flat_map(|role| &role.people))
        .map(Email::as_str)
        .collect();
    if people.len() >= usize::try_from(approval.count).unwrap_or(usize::MAX) {
        return None;
    }
    if people.is_empty() {
        let (message, hint) = match named {
            Some(role) => (
                format!("gate `{name}` waits for a yes of role `{role}`, which nobody has"),
                format!("name them in [role.{role}]: people = [\"ana@example.com\"]"),
            ),
            None => (
                format!("gate `{name}` waits for a yes, and nobody may give it"),
                "name them: approval = [\"ana@example.com\"]".to_owned(),
            ),
        };
        return Some(
            Finding::value(&code::APPROVAL_SHORT, at, message)
                .label("never passes")
                .hint(hint),
        );
    }
    let message = format!(
        "gate `{name}` waits for {} people, and only {} may say yes",
        approval.count,
        people.len()
    );
    Some(
        Finding::value(&code::APPROVAL_SHORT, at.key("count"), message)
            .label("more than there are")
            .hint(format!("write count = {}, or name more people", people.len())),
    )
}

/// The longest that a waiver may hold: after a quarter it is a decision, not an exception.
const LONGEST: Duration = Duration::from_days(90);

/// A waiver has somebody to give it and ends soon.
pub(super) fn waivers(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let somebody = scene.product.role.values().any(|role| may(role, Verb::Waive));
    for (name, gate) in &scene.product.gate {
        let Some(waive) = &gate.waive else { continue };
        let at = Path::of(["gate", name.as_str(), "waive"]);
        if waive.most > LONGEST {
            let message = format!(
                "a waiver of gate `{name}` may hold for {}, which is no exception any more",
                waive.most.spoken()
            );
            found.push(
                Finding::value(&code::WAIVER_LOOSE, at.key("most"), message)
                    .label("longer than 90 days")
                    .hint("write most = \"7d\": it can be given again, with a reason"),
            );
        }
        if waive.people.is_empty() && !somebody {
            let message = format!("gate `{name}` may be waived, and nobody may do it");
            found.push(
                Finding::value(&code::WAIVER_LOOSE, at, message)
                    .label("by whom?")
                    .hint("name them: waive = { people = [\"ana@example.com\"], most = \"7d\" }"),
            );
        }
    }
}
