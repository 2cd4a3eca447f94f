//! How something is reached, and how it is known to be well.

use super::Problem;
use super::draft::{Draft, Target, listens};
use crate::here::domains;
use std::sync::Arc;
use towpath_model::desired::component::{Component, ComponentKind, External, Health, Protocol};
use towpath_model::run::{self, Ask, Listens, Route};
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
        routes: routes(draft, kind, name, component),
        compress: component.compress,
        rules: Arc::default(),
    })
}

/// How what stands in for something outside is reached.
pub(super) fn stand_in(external: &External) -> Listens {
    Listens {
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
    }
}

/// Parts of an address space that somebody else answers, the longest path first.
fn routes(draft: &mut Draft<'_>, kind: ComponentKind, name: &Name, component: &Component) -> Vec<Route> {
    let mut routes = Vec::new();
    for (index, route) in component.route.iter().enumerate() {
        let to = route.to.as_ref().map(|to| to.as_str());
        let there = to.and_then(|to| draft.target(to));
        let answering = match there {
            Some(Target::Runs {
                name, listens: true, ..
            }) => Some(name.clone()),
            _ => None,
        };
        if let (Some(to), None) = (to, &answering) {
            let at = Path::of([kind.word(), name.as_str(), "route"])
                .nth(index)
                .key("to");
            let why = match there {
                None => format!("is not present in {}", draft.environment),
                Some(_) => "does not listen".to_owned(),
            };
            let message = format!("`{name}` leaves {} to `{to}`, which {why}", route.path);
            let hint =
                "let both be present in the same environments, or give this environment a `route` of its own";
            draft.refuse(&at, Problem::new(message, hint).of([name]));
            continue;
        }
        // Without either it is a part with rules of its own, which the component answers itself.
        if answering.is_some() || route.redirect.is_some() {
            routes.push(Route {
                path: route.path.clone(),
                to: answering,
                redirect: route.redirect.clone(),
                rules: Arc::default(),
            });
        }
    }
    routes.sort_by_key(|route| std::cmp::Reverse(route.path.len()));
    routes
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
