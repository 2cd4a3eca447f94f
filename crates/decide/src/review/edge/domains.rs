//! Rules about domains.

use super::super::{Scene, component_at};
use std::collections::BTreeMap;
use towpath_model::code;
use towpath_model::desired::component::Component;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// Ends of names that no visitor can look up.
const INSIDE: &[&str] = &["internal", "cluster.local", "svc", "lan", "intranet"];

/// Ends of names that stay on one machine.
const HERE: &[&str] = &["localhost", "local", "test", "invalid"];

fn ends(name: &str, with: &[&str]) -> bool {
    with.iter().any(|end| {
        name.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether a name can only be looked up inside.
fn is_inside(name: &str) -> bool {
    ends(name, INSIDE)
}

/// Whether a name can be looked up by visitors.
pub(super) fn is_outside(name: &str) -> bool {
    !ends(name, HERE) && !ends(name, INSIDE) && !name.starts_with("127.") && name.contains('.')
}

/// The first name under which visitors reach a component, and where it was written.
pub(super) fn outside_name(scene: &Scene<'_>, at: &Path, component: &Component) -> Option<(String, Path)> {
    if let Some((index, domain)) = component
        .domains
        .iter()
        .enumerate()
        .find(|(_, domain)| is_outside(domain.as_str()))
    {
        return Some((domain.to_string(), at.key("domains").nth(index)));
    }
    if !component.domains.is_empty() {
        return None;
    }
    let (name, own) = scene.environment?;
    let domain = own.domain.as_ref().filter(|domain| is_outside(domain.as_str()))?;
    let at = Path::of(["environment", name.as_str(), "domain"]);
    Some((domain.to_string(), at))
}

/// A domain leads to one component.
pub(in super::super) fn twice(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let mut owners: BTreeMap<String, (Path, &Name)> = BTreeMap::new();
    for (kind, name, component) in scene.product.components() {
        let at = component_at(kind, name);
        let written = component.domains.iter().enumerate().map(|(index, domain)| {
            (
                domain.to_string().to_ascii_lowercase(),
                at.key("domains").nth(index),
            )
        });
        let own = scene
            .environment
            .and_then(|(_, own)| own.domain.as_ref())
            .filter(|_| component.public && component.domains.is_empty())
            .map(|domain| (format!("{name}.{domain}").to_ascii_lowercase(), at.clone()));
        for (domain, at) in written.chain(own) {
            match owners.get(&domain) {
                Some((_, owner)) if *owner == name => {}
                Some((first, owner)) => {
                    let message = format!("`{domain}` leads to `{owner}` and to `{name}`");
                    found.push(
                        Finding::value(&code::DOMAIN_TWICE, at, message)
                            .label("taken")
                            .also(Where::Value(first.clone()), format!("leads to `{owner}`"))
                            .hint("give one of them a name of its own, or let one pass requests on to the other"),
                    );
                }
                None => {
                    owners.insert(domain, (at, name));
                }
            }
        }
    }
}

/// Visitors can look up what is public, and only that.
pub(in super::super) fn misplaced(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        for (index, domain) in component.domains.iter().enumerate() {
            let word = domain.as_str();
            let (message, label, hint) = if component.public && is_inside(word) {
                (
                    format!("{kind} `{name}` is public as `{domain}`, which no visitor can look up"),
                    "a name for inside",
                    "give it a name that visitors know, or leave `public` out".to_owned(),
                )
            } else if !component.public && is_outside(word) {
                (
                    format!("{kind} `{name}` has the name `{domain}`, and is not public"),
                    "nobody outside gets there",
                    format!(
                        "write public = true in [{kind}.{name}], or give it a name for inside: \"{name}.internal\""
                    ),
                )
            } else {
                continue;
            };
            let at = component_at(kind, name).key("domains").nth(index);
            found.push(
                Finding::value(&code::DOMAIN_MISPLACED, at, message)
                    .label(label)
                    .hint(hint),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_their_ends() {
        assert!(is_outside("app.example.com") && !is_inside("app.example.com"));
        assert!(is_inside("core.reflect.internal") && !is_outside("core.reflect.internal"));
        assert!(!is_outside("app.localhost") && !is_inside("app.localhost"));
        assert!(!is_outside("localhost"));
        assert!(is_outside("notlocal.dev"));
    }
}
