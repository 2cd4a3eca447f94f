//! Rules about environment variables.

use super::super::listed::listed;
use super::super::{Scene, Whole, component_at};
use super::taken;
use crate::here::{delivered, prefix};
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::Desired;
use towpath_model::code;
use towpath_model::desired::component::{Component, ComponentKind, Use};
use towpath_model::desired::secret::Variable;
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::{Node, Path};
use towpath_model::unit::Name;

/// Every required variable has a value in each environment.
pub(in super::super) fn unprovided(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    let flags: BTreeSet<&str> = product
        .flag
        .values()
        .filter_map(|flag| Some(flag.as_env.as_ref()?.as_str()))
        .collect();
    for (kind, name, component) in product.components() {
        let uses: BTreeSet<String> = component.uses.iter().map(delivered).collect();
        let prefixes: Vec<String> = component
            .uses
            .iter()
            .map(|one| prefix(one.name.as_str()) + "_")
            .collect();
        for (variable, about) in &component.env {
            let word = variable.as_str();
            let provided = about.value.is_some()
                || about.generate.is_some()
                || !about.required
                || about.future
                || word == "PORT"
                || uses.contains(word)
                || flags.contains(word)
                || prefixes.iter().any(|prefix| word.starts_with(prefix.as_str()));
            if !provided {
                found.push(missing(scene, kind, name, word));
            }
        }
    }
}

fn missing(scene: &Scene<'_>, kind: ComponentKind, name: &Name, variable: &str) -> Finding {
    let place = match scene.environment {
        Some((environment, _)) => format!("[environment.{environment}.{kind}.{name}.env]"),
        None => format!("[{kind}.{name}.env]"),
    };
    let hint = if scene.product.secret.contains_key(variable) {
        format!("take it from the secret: value = \"secret:{variable}\"")
    } else {
        format!("give it a value, in {place} for example, or write required = false")
    };
    let message = format!("{kind} `{name}` does not start without `{variable}`, which has no value");
    Finding::key(
        &code::VARIABLE_UNPROVIDED,
        component_at(kind, name).key("env").key(variable),
        message,
    )
    .label("required, and empty")
    .hint(hint)
}

/// No variable is set twice.
pub(in super::super) fn clashes(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let at = component_at(kind, name);
        let mut arrives: BTreeMap<String, usize> = BTreeMap::new();
        for (index, one) in component.uses.iter().enumerate() {
            let variable = delivered(one);
            if let Some(first) = arrives
                .get(&variable)
                .and_then(|first| component.uses.get(*first))
            {
                if first.name == one.name {
                    continue;
                }
                let message = format!(
                    "the addresses of `{}` and `{}` both arrive in {kind} `{name}` as {variable}",
                    first.name, one.name
                );
                found.push(
                    Finding::value(&code::VARIABLE_CLASH, at.key("uses").nth(index), message)
                        .label(format!("also arrives as {variable}"))
                        .hint(format!(
                            "name one of them otherwise: {{ name = \"{}\", env = \"{}_ADDRESS\" }}",
                            one.name,
                            prefix(one.name.as_str())
                        )),
                );
                continue;
            }
            arrives.insert(variable, index);
        }
        for (variable, set) in &component.env {
            let used = arrives
                .get(variable.as_str())
                .and_then(|index| Some((*index, component.uses.get(*index)?)));
            if let Some((index, one)) = used {
                found.extend(set_again(
                    scene.product,
                    (kind, name),
                    variable.as_str(),
                    set,
                    (index, one),
                ));
            } else if variable.as_str() == "PORT" {
                found.extend(port(kind, name, component, set));
            }
        }
    }
}

/// A variable that arrives with something that is used, and is set by hand as well.
fn set_again(
    product: &Desired,
    (kind, name): (ComponentKind, &Name),
    variable: &str,
    set: &Variable,
    (index, one): (usize, &Use),
) -> Option<Finding> {
    let value = set.value.as_deref().unwrap_or_default();
    if set.generate.is_none() && (value.is_empty() || value.starts_with("from:")) {
        return None;
    }
    // The address of something that exists already is that very secret.
    let bound = product
        .resource(one.name.as_str())
        .and_then(|(_, _, resource)| resource.bind.as_ref());
    if bound.is_some_and(|bound| taken(value) == Some(bound.as_str())) {
        return None;
    }
    let at = component_at(kind, name);
    let message = format!("`{variable}` of {kind} `{name}` is set by hand and by what it uses");
    Some(
        Finding::key(&code::VARIABLE_CLASH, at.key("env").key(variable), message)
            .label("set here")
            .also(
                Where::Value(at.key("uses").nth(index)),
                format!("arrives as {variable}"),
            )
            .hint(format!(
                "leave it out of `env`; for another name write {{ name = \"{}\", env = \"..\" }} in `uses`",
                one.name
            )),
    )
}

/// The port is given, not chosen by a variable.
fn port(kind: ComponentKind, name: &Name, component: &Component, set: &Variable) -> Option<Finding> {
    let value = set.value.as_deref()?;
    let listens = matches!(
        kind,
        ComponentKind::Service | ComponentKind::Function | ComponentKind::Bot | ComponentKind::Worker
    );
    if !listens || component.port.is_some_and(|port| port.to_string() == value) {
        return None;
    }
    let at = component_at(kind, name);
    let (message, hint) = match component.port {
        Some(port) => (
            format!(
                "{kind} `{name}` is told to listen on {}, and is asked on {port}",
                Shown(value)
            ),
            "leave PORT out: it is set to `port`".to_owned(),
        ),
        None => (
            format!("{kind} `{name}` gets a free port as PORT, and sets another one by hand"),
            format!("write port = {} instead, or leave PORT out", Shown(value)),
        ),
    };
    Some(
        Finding::value(
            &code::VARIABLE_CLASH,
            at.key("env").key("PORT").key("value"),
            message,
        )
        .label("nobody will ask there")
        .hint(hint),
    )
}

/// The variables that a command puts in: `$NAME` and `${NAME}`.
fn expanded(command: &str) -> impl Iterator<Item = &str> {
    command.match_indices('$').filter_map(|(at, _)| {
        let rest = &command[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .unwrap_or(rest.len());
        (end > 0).then_some(&rest[..end])
    })
}

/// No secret is put into a command line.
pub(in super::super) fn commands(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    let product = scene.product;
    for (kind, name, component) in product.components() {
        let at = component_at(kind, name);
        let secret = |variable: &str| {
            product.secret.contains_key(variable)
                || component
                    .env
                    .get(variable)
                    .and_then(|set| taken(set.value.as_deref()?))
                    .is_some()
        };
        let hooks = component.hooks.as_ref();
        let commands = [
            ("run", component.run.as_ref()),
            ("before", hooks.and_then(|hooks| hooks.before.as_ref())),
            ("after", hooks.and_then(|hooks| hooks.after.as_ref())),
            (
                "after_restart",
                hooks.and_then(|hooks| hooks.after_restart.as_ref()),
            ),
        ];
        for (field, command) in commands {
            let Some(variable) =
                command.and_then(|command| expanded(command.as_str()).find(|one| secret(one)))
            else {
                continue;
            };
            let at = if field == "run" {
                at.key("run")
            } else {
                at.key("hooks").key(field)
            };
            let message =
                format!("the command of {kind} `{name}` carries `{variable}`, for every program to read");
            found.push(
                Finding::value(&code::SECRET_IN_COMMAND, at, message)
                    .label(format!("shows {variable} in `ps`"))
                    .hint(format!(
                        "let the program read `{variable}` from its environment, or from a file, by itself"
                    )),
            );
        }
        let Some(build) = &component.build else { continue };
        for (argument, value) in &build.args {
            if taken(value).is_some() || expanded(value).any(secret) {
                let message = format!(
                    "build argument `{argument}` of {kind} `{name}` is a secret, and stays in the image"
                );
                found.push(
                    Finding::value(
                        &code::SECRET_IN_COMMAND,
                        at.key("build").key("args").key(argument.as_str()),
                        message,
                    )
                    .label("kept in a layer")
                    .hint("name it in the build's `secrets`: it is there while building, and in no layer"),
                );
            }
        }
    }
}

/// What is required does not rest on a secret that is only foreseen.
pub(in super::super) fn foreseen(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        for (variable, set) in &component.env {
            let secret = set.value.as_deref().and_then(taken);
            let future =
                secret.filter(|secret| scene.product.secret.get(*secret).is_some_and(|one| one.future));
            let Some(secret) = future.filter(|_| set.required && !set.future) else {
                continue;
            };
            let at = component_at(kind, name).key("env").key(variable.as_str());
            let message = format!(
                "{kind} `{name}` does not start without `{variable}`, and secret `{secret}` is only foreseen"
            );
            found.push(
                Finding::value(&code::FUTURE_NEEDED, at.key("value"), message)
                    .label("has no value yet")
                    .also(
                        Where::Value(Path::of(["secret", secret, "future"])),
                        "not used yet",
                    )
                    .hint(
                        "write required = false and future = true here, or leave `future` out of the secret",
                    ),
            );
        }
    }
}

/// Whether a value stands for one that somebody meant to fill in.
fn is_placeholder(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    let words = [
        "changeme",
        "change-me",
        "replaceme",
        "replace-me",
        "todo",
        "fixme",
        "tbd",
        "???",
        "...",
    ];
    words.contains(&lower.as_str())
        || (lower.starts_with('<') && lower.ends_with('>') && lower.len() > 2)
        || (lower.starts_with("${") && lower.ends_with('}') && lower.matches(['{', '}']).count() == 2)
        || (lower.starts_with("your-") && !lower.contains('.'))
        || (lower.len() > 3 && lower.bytes().all(|byte| byte == b'x'))
}

/// No value is left to be filled in.
pub(in super::super) fn placeholders(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        for (variable, set) in &component.env {
            let Some(value) = set.value.as_deref().filter(|value| is_placeholder(value)) else {
                continue;
            };
            let at = component_at(kind, name)
                .key("env")
                .key(variable.as_str())
                .key("value");
            let message = format!("`{variable}` of {kind} `{name}` is still `{}`", Shown(value));
            if value.starts_with("${") {
                found.push(
                    Finding::value(&code::PLACEHOLDER, at, message)
                        .label("nothing is put in here")
                        .hint(format!(
                            "write \"from:NAME.url\" for the address of what is used, or \"secret:{variable}\" for a secret"
                        )),
                );
                continue;
            }
            found.push(
                Finding::value(&code::PLACEHOLDER, at, message)
                    .label("to be filled in")
                    .hint(format!(
                        "write the value; \"secret:{variable}\" if it is secret; or leave it out, so that its absence is told"
                    )),
            );
        }
    }
}

/// A variable has a value or is made up, not both in one table. An environment may give a value to one that is made
/// up elsewhere.
pub(in super::super) fn two_sources(whole: &Whole<'_>, found: &mut Vec<Finding>) {
    walk(whole.tree, &mut Vec::new(), found);
}

fn walk<'n>(node: &'n Node, way: &mut Vec<&'n str>, found: &mut Vec<Finding>) {
    let Some(entries) = node.table() else { return };
    let variable = matches!(way.as_slice(), [.., "env", _]);
    if let (true, Some(value), Some(generate)) = (variable, entries.get("value"), entries.get("generate")) {
        let name = way.last().copied().unwrap_or_default();
        let place = |node: &Node| Where::Span(node.at.map(|place| place.value).unwrap_or_default());
        let message = format!("`{name}` has a value and is made up, and only one of them can hold");
        found.push(
            Finding::new(&code::VALUE_AND_GENERATE, place(generate), message)
                .label("never used")
                .also(place(value), "holds")
                .hint(format!("leave out {}", listed(["value", "generate"], "or"))),
        );
    }
    for (name, entry) in entries {
        way.push(name);
        walk(entry, way, found);
        way.pop();
    }
}
