//! Rules about flags.

use super::super::listed::listed;
use super::super::{Scene, Whole};
use towpath_model::code;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// A kill switch names what it turns off.
pub(in super::super) fn kill_switches(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, flag) in &scene.product.flag {
        if !flag.kill || !flag.guards.is_empty() {
            continue;
        }
        let message = format!("kill switch `{name}` does not say what it turns off");
        found.push(
            Finding::value(
                &code::KILL_GUARDS_NOTHING,
                Path::of(["flag", name.as_str(), "kill"]),
                message,
            )
            .label("turns off what?")
            .hint("write guards = [\"NAME\"], with the components that it turns off or changes"),
        );
    }
}

/// Flags name environments, and environments flags, that are there; and they agree.
pub(in super::super) fn environments(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    let product = whole.root;
    let names = || listed(product.environment.keys().map(Name::as_str).take(8), "and");
    for (name, flag) in &product.flag {
        let at = Path::of(["flag", name.as_str(), "env"]);
        for (environment, value) in &flag.env {
            let at = at.key(environment.as_str());
            let Some(own) = product.environment.get(environment.as_str()) else {
                let message =
                    format!("flag `{name}` is set in `{environment}`, and there is no such environment");
                let hint = if product.environment.is_empty() {
                    "this product has no environments: write `default`".to_owned()
                } else {
                    format!("there is {}", names())
                };
                found.push(
                    Finding::key(&code::FLAG_ELSEWHERE, at, message)
                        .label("no such environment")
                        .hint(hint),
                );
                continue;
            };
            let other = own.flags.get(name.as_str()).filter(|other| *other != value);
            if let Some(other) = other {
                let there = Path::of(["environment", environment.as_str(), "flags", name.as_str()]);
                let message = format!("flag `{name}` is {value} and {other} in `{environment}`");
                found.push(
                    Finding::value(&code::FLAG_ELSEWHERE, at, message)
                        .label(format!("{value} here"))
                        .also(Where::Value(there), format!("{other} here, which holds"))
                        .hint("write it in one of the two places"),
                );
            }
        }
    }
    for (environment, own) in &product.environment {
        for flag in own.flags.keys() {
            if product.flag.contains_key(flag.as_str()) {
                continue;
            }
            let at = Path::of(["environment", environment.as_str(), "flags", flag.as_str()]);
            let message = format!("`{environment}` sets flag `{flag}`, which is not declared");
            found.push(
                Finding::key(&code::FLAG_ELSEWHERE, at, message)
                    .label("no such flag")
                    .hint(format!(
                        "declare it with its safe side: [flag.{flag}] with default = false"
                    )),
            );
        }
    }
}
