//! Rules about limits, caches and routes.

use super::super::{Scene, component_at};
use std::collections::{BTreeMap, BTreeSet};
use towpath_model::code;
use towpath_model::desired::component::{Component, ComponentKind};
use towpath_model::finding::{Finding, Shown, Where};
use towpath_model::spec::Path;

/// Limits of connections can each be reached.
pub(in super::super) fn order(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some(limit) = &component.limit else { continue };
        let at = component_at(kind, name);
        let Some(hard) = limit.hard else { continue };
        let hard_at = at.key("limit").key("hard");
        if let Some(soft) = limit.soft.filter(|soft| *soft > hard) {
            let message = format!(
                "instances of {kind} `{name}` are spared from {soft} connections on, and never have more than {hard}"
            );
            found.push(
                Finding::value(&code::LIMIT_ORDER, at.key("limit").key("soft"), message)
                    .label("never reached")
                    .also(Where::Value(hard_at.clone()), "the most")
                    .hint(format!("write soft = {}, below `hard`", hard - hard / 5)),
            );
        }
        let wanted = component.scale.as_ref().and_then(|scale| scale.connections);
        if let Some(wanted) = wanted.filter(|wanted| *wanted > hard) {
            let message = format!(
                "{kind} `{name}` grows at {wanted} connections an instance, and an instance never has more than {hard}"
            );
            found.push(
                Finding::value(&code::LIMIT_ORDER, at.key("scale").key("connections"), message)
                    .label("never reached, so it never grows")
                    .also(Where::Value(hard_at), "the most")
                    .hint(format!("write connections = {}, below `hard`", hard - hard / 5)),
            );
        }
    }
}

/// A body that is allowed fits into memory.
pub(in super::super) fn bodies(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        let Some(memory) = component.memory else { continue };
        let at = component_at(kind, name);
        let own = component.limit.as_ref().and_then(|limit| limit.body);
        let own = own.map(|body| (at.key("limit").key("body"), body));
        let routes = component.route.iter().enumerate().filter_map(|(index, route)| {
            let at = at.key("route").nth(index);
            let limit = route.limit.as_ref().and_then(|limit| limit.body);
            let limit = limit.map(|body| (at.key("limit").key("body"), body));
            route.body.map(|body| (at.key("body"), body)).or(limit)
        });
        for (place, body) in own.into_iter().chain(routes) {
            if body < memory {
                continue;
            }
            let message =
                format!("one request to {kind} `{name}` may bring {body}, and an instance has {memory}");
            found.push(
                Finding::value(&code::BODY_OVER_MEMORY, place, message)
                    .label("as much as its memory, or more")
                    .also(Where::Value(at.key("memory")), "all that an instance has")
                    .hint("allow smaller bodies, give it more memory, or let visitors upload to a bucket"),
            );
        }
    }
}

/// Answers for one person are not kept for others. The files of a site are the same for everybody.
pub(in super::super) fn caches(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        if kind == ComponentKind::Site {
            continue;
        }
        let at = component_at(kind, name);
        let mut kept = Vec::new();
        let own = component.cache.as_ref().is_some_and(|cache| cache.edge.is_some());
        if own && component.access.is_some() {
            kept.push((at.key("cache").key("edge"), at.key("access")));
        }
        for (index, route) in component.route.iter().enumerate() {
            let here = at.key("route").nth(index);
            let cached = route.cache.as_ref().is_some_and(|cache| cache.edge.is_some());
            let access = if route.access.is_some() {
                Some(here.key("access"))
            } else {
                component.access.as_ref().map(|_| at.key("access"))
            };
            if let (true, Some(access)) = (cached, access) {
                kept.push((here.key("cache").key("edge"), access));
            }
        }
        for (cache, access) in kept {
            let message =
                format!("the edge keeps answers of {kind} `{name}`, which knows each visitor by a sign-in");
            found.push(
                Finding::value(&code::CACHE_BEHIND_ACCESS, cache, message)
                    .label("shown to the next one, too")
                    .also(Where::Key(access), "knows who asks")
                    .hint("leave `edge` out of `cache`: `pages` lets each browser keep its own"),
            );
        }
    }
}

/// Each route is a path, and the only one of its beginning.
pub(in super::super) fn routes(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (kind, name, component) in scene.product.components() {
        route_paths(&component_at(kind, name), component, found);
    }
}

/// Whether a more exact route takes a path that begins like this one, too.
fn elsewhere(all: &BTreeSet<&str>, path: &str, to: &str) -> bool {
    let to = to.split(['?', '#']).next().unwrap_or(to);
    let ends = to.char_indices().map(|(at, letter)| at + letter.len_utf8());
    ends.filter(|end| *end > path.len())
        .filter_map(|end| to.get(..end))
        .any(|start| all.contains(start))
}

fn route_paths(at: &Path, component: &Component, found: &mut Vec<Finding>) {
    let all: BTreeSet<&str> = component.route.iter().map(|route| route.path.as_str()).collect();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, route) in component.route.iter().enumerate() {
        let here = at.key("route").nth(index);
        let path = route.path.as_str();
        if !path.starts_with('/') || path.contains('*') {
            let bare = path.split("://").last().unwrap_or(path);
            let bare = bare.trim_end_matches('*').trim_matches('/');
            let start = if path.contains("://") {
                bare.split_once('/').map_or("", |(_, rest)| rest)
            } else {
                bare
            };
            let why = if path.contains('*') {
                "every path that begins so belongs to it"
            } else {
                "a path begins with /"
            };
            let message = format!("route `{}` is not the beginning of a path", Shown(path));
            found.push(
                Finding::value(&code::ROUTE_PATH, here.key("path"), message)
                    .label(why)
                    .hint(format!("write path = \"/{start}\"")),
            );
            continue;
        }
        if let Some(first) = known.get(path) {
            let message = format!(
                "two routes begin with `{}`, and only the first is ever taken",
                Shown(path)
            );
            found.push(
                Finding::value(&code::ROUTE_PATH, here.key("path"), message)
                    .label("never taken")
                    .also(
                        Where::Value(at.key("route").nth(*first).key("path")),
                        "taken for all of them",
                    )
                    .hint("join the two into one route"),
            );
            continue;
        }
        known.insert(path, index);
        let back = |to: &&str| to.starts_with(path) && !elsewhere(&all, path, to);
        if let Some(to) = route.redirect.as_deref().filter(back) {
            let message = format!(
                "`{}` leads to `{}`, which begins so again",
                Shown(path),
                Shown(to)
            );
            found.push(
                Finding::value(&code::ROUTE_PATH, here.key("redirect"), message)
                    .label("leads back to this route")
                    .hint("send visitors to a path outside of it"),
            );
        }
    }
}
