//! How something is reached, and how it is known to be well.

use super::Problem;
use super::draft::{Draft, Target, listens};
use super::mutual;
use super::rules::{self, lies_below};
use crate::here::domains;
use std::sync::Arc;
use towpath_model::desired::component::{Component, ComponentKind, External, Health, Protocol};
use towpath_model::run::{self, Ask, Listens, Route, Rules};
use towpath_model::spec::Path;
use towpath_model::unit::Name;

/// How a component is reached; none where nothing listens.
pub(super) fn reached(
    draft: &mut Draft<'_>,
    kind: ComponentKind,
    name: &Name,
    component: &Component,
) -> Option<Listens> {
    if !listens(kind, component) {
        return None;
    }
    let own = rules::of_component(draft, (kind, name, component), component.public);
    let further = match component.public {
        true => domains(draft.own, name, component),
        false => component.domains.clone(),
    };
    Some(Listens {
        port: component.port.map(|port| port.number()),
        speaks: component.speaks.clone(),
        public: component.public,
        private: kind != ComponentKind::Site,
        domains: further.iter().map(ToString::to_string).collect(),
        sticky: component.sticky,
        routes: routes(draft, (kind, name, component), &own),
        compress: component.compress,
        rules: Arc::new(own),
        mutual: mutual::mutual(draft.product, name),
    })
}

/// How what stands in for something outside is reached.
pub(super) fn stand_in(draft: &Draft<'_>, name: &Name, external: &External) -> Listens {
    Listens {
        mutual: mutual::mutual(draft.product, name),
        speaks: match external.speaks {
            Protocol::Http => Vec::new(),
            other => vec![other],
        },
        ..inside()
    }
}

/// How something is reached that only components reach.
pub(super) fn inside() -> Listens {
    Listens {
        port: None,
        speaks: Vec::new(),
        public: false,
        private: true,
        domains: Vec::new(),
        sticky: false,
        routes: Vec::new(),
        compress: false,
        rules: Arc::default(),
        mutual: None,
    }
}

/// Parts of an address space that somebody else answers or that have rules of their own, the longest path first.
fn routes(draft: &mut Draft<'_>, of: rules::Of<'_>, own: &Rules) -> Vec<Route> {
    let (kind, name, component) = of;
    let mut routes: Vec<Route> = Vec::new();
    let mut further: Vec<Route> = Vec::new();
    for (index, route) in component.route.iter().enumerate() {
        let at = Path::of([kind.word(), name.as_str(), "route"]).nth(index);
        let to = route.to.as_ref().map(|to| to.as_str());
        let there = to.and_then(|to| draft.target(to));
        let answering = match there {
            Some(Target::Runs {
                name, listens: true, ..
            }) => Some(name.clone()),
            _ => None,
        };
        if let (Some(to), None) = (to, &answering) {
            let why = match there {
                None => format!("is not present in {}", draft.environment),
                Some(_) => "does not listen".to_owned(),
            };
            let message = format!("`{name}` leaves {} to `{to}`, which {why}", route.path);
            let hint =
                "let both be present in the same environments, or give this environment a `route` of its own";
            draft.refuse(&at.key("to"), Problem::new(message, hint).of([name]));
            continue;
        }
        let below = match &answering {
            Some(other) => there_at(draft, other, &route.path, component.public),
            None => (own.clone(), Vec::new()),
        };
        let mut kept = |mut rules: Rules| {
            rules::under(&mut rules, own);
            Arc::new(rules::of_route(draft, rules, route, name, &at))
        };
        for (path, rules) in below.1 {
            further.push(Route {
                path,
                to: answering.clone(),
                redirect: None,
                rules: kept(rules),
            });
        }
        routes.push(Route {
            path: route.path.clone(),
            rules: kept(below.0),
            to: answering,
            redirect: route.redirect.clone(),
        });
    }
    // What is written down here is more exact than what comes along with another component.
    for one in further {
        if !routes.iter().any(|known| known.path == one.path) {
            routes.push(one);
        }
    }
    routes.sort_by_key(|route| std::cmp::Reverse(route.path.len()));
    routes
}

/// What holds for a component at a path, as that one says it itself; and for the parts of it that lie below.
fn there_at(
    draft: &mut Draft<'_>,
    other: &Name,
    path: &str,
    is_outside: bool,
) -> (Rules, Vec<(String, Rules)>) {
    let product = draft.product;
    let Some((kind, name, component)) = product.components().find(|(_, name, _)| *name == other) else {
        // A stand-in: nobody keeps anything in front of it.
        return (Rules::default(), Vec::new());
    };
    let of = (kind, name, component);
    let own = rules::of_component(draft, of, is_outside);
    let mut here = (own.clone(), 0);
    let mut below = Vec::new();
    for (index, part) in component.route.iter().enumerate() {
        if part.to.is_some() || part.redirect.is_some() {
            continue;
        }
        let at = Path::of([kind.word(), name.as_str(), "route"]).nth(index);
        if lies_below(path, &part.path) && part.path.len() > here.1 {
            let rules = rules::of_route(draft, own.clone(), part, name, &at);
            here = (rules, part.path.len());
        } else if lies_below(&part.path, path) {
            let rules = rules::of_route(draft, own.clone(), part, name, &at);
            below.push((part.path.clone(), rules));
        }
    }
    (here.0, below)
}

/// How an instance is known to be well: as it says; else what takes requests has to take connections.
pub(super) fn well(kind: run::Kind, health: Option<&Health>) -> run::Health {
    let usual = Health::usual();
    let health = health.unwrap_or(&usual);
    let path = health.path.clone().map(Ask::Path);
    let command = || {
        health
            .command
            .as_ref()
            .map(|command| Ask::Command(command.to_string()))
    };
    let otherwise = match kind {
        run::Kind::Service | run::Kind::Function | run::Kind::StandIn => Ask::Port,
        _ => Ask::Runs,
    };
    run::Health {
        ask: path.or_else(command).unwrap_or(otherwise),
        interval: health.interval,
        timeout: health.timeout,
        deadline: health.deadline,
    }
}
