//! Rules about who does what.

use super::super::Scene;
use super::super::listed::listed;
use towpath_model::code;
use towpath_model::desired::operations::{Role, Verb};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;

/// What is done again and again is done by a command or by somebody. In a product without roles everybody is meant.
pub(in super::super) fn maintenance(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let roles = &scene.product.role;
    if roles.is_empty() {
        return;
    }
    for (name, task) in &scene.product.maintenance {
        if task.command.is_some() || task.who.is_some() {
            continue;
        }
        let message = format!("`{name}` is due {}, and nobody is to do it", task.every);
        found.push(
            Finding::key(
                &code::DONE_BY_NOBODY,
                Path::of(["maintenance", name.as_str()]),
                message,
            )
            .label("by whom?")
            .hint(format!(
                "write who = {}, or a `command` that does it",
                listed(roles.keys().map(|name| name.as_str()).take(4), "or").replace('`', "\"")
            )),
        );
    }
}

/// Why a role cannot deploy to an environment, if it cannot.
fn cannot(role: &Role, environment: &str) -> Option<(&'static str, &'static str)> {
    let may = role.may.is_empty()
        || role
            .may
            .iter()
            .any(|verb| matches!(verb, Verb::Deploy | Verb::All));
    let here = role.only.is_empty() || role.only.iter().any(|only| only.as_str() == environment);
    if !may {
        Some(("may", "may not deploy"))
    } else if !here {
        Some(("only", "not in this environment"))
    } else {
        None
    }
}

/// Those who may deploy to an environment are allowed to, and are somebody.
pub(in super::super) fn deployers(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let Some((environment, own)) = scene.environment else {
        return;
    };
    let roles = &scene.product.role;
    let at = Path::of(["environment", environment.as_str(), "deployers"]);
    let mut able: Vec<(&str, &Role)> = Vec::new();
    for (index, named) in own.deployers.iter().enumerate() {
        let Some(role) = roles.get(named.as_str()) else {
            return;
        };
        let Some((field, why)) = cannot(role, environment.as_str()) else {
            able.push((named.as_str(), role));
            continue;
        };
        let message = format!("role `{named}` deploys to `{environment}`, and is not allowed to");
        let hint = if field == "may" {
            format!("add \"deploy\" to `may` in [role.{named}], or name another role")
        } else {
            format!("add \"{environment}\" to `only` in [role.{named}], or name another role")
        };
        found.push(
            Finding::value(&code::DEPLOYED_BY_NOBODY, at.nth(index), message)
                .label(why)
                .also(
                    Where::Value(Path::of(["role", named.as_str(), field])),
                    "what it is allowed",
                )
                .hint(hint),
        );
    }
    // A product that names no people at all keeps them elsewhere.
    let named = roles.values().any(|role| !role.people.is_empty());
    let somebody = able.iter().any(|(_, role)| !role.people.is_empty());
    let Some((first, _)) = able.first().filter(|_| named && !somebody) else {
        return;
    };
    let names = listed(able.iter().map(|(name, _)| *name), "and");
    let message = format!("only {names} may deploy to `{environment}`, and nobody has that role");
    found.push(
        Finding::value(&code::DEPLOYED_BY_NOBODY, at, message)
            .label("nobody may deploy")
            .hint(format!(
                "name them in [role.{first}]: people = [\"ana@example.com\"]"
            )),
    );
}
