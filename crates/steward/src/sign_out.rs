//! Signing everybody out: the sessions that the edge has given are bound to a moment, and another one is set.
//!
//! It is written down before the edge is told, and holds for every edge and steward to come.

use crate::core::Core;
use crate::door::clock;
use crate::keep::happened;
use crate::serve::{Refusal, problem, unknown, unwritten};
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_api::{SignOut, SignedOut};
use towpath_edge::{RouteTo, Target};
use towpath_engine::Engine;
use towpath_model::desired::edge::SignIn;
use towpath_model::run::{Component, Rules};
use towpath_model::unit::Name;

/// When everybody was signed out last, in milliseconds since 1970, by component.
pub(crate) type Moments = BTreeMap<Name, u64>;

/// Binds the sessions of a target to when everybody was signed out of it last; those of a part that another component
/// answers to that one's, too.
pub(crate) fn bind(moments: &Moments, name: &Name, target: &mut Target) {
    if moments.is_empty() {
        return;
    }
    let of = |name: &str| moments.get(name).copied().unwrap_or(0);
    let own = of(name.as_str());
    since(&mut target.rules, own);
    for route in &mut target.routes {
        let other = match &route.to {
            Some(RouteTo::Target(other)) => of(other),
            _ => 0,
        };
        since(&mut route.rules, own.max(other));
    }
}

fn since(rules: &mut Arc<Rules>, moment: u64) {
    if moment > 0 && rules.access.is_some() {
        let rules = Arc::make_mut(rules);
        if let Some(access) = &mut rules.access {
            access.since = moment;
        }
    }
}

/// Whether the edge gives sessions to those who sign in somewhere at a component.
fn has_sessions(component: &Component) -> bool {
    let listens = component.listens.iter();
    let mut rules = listens.flat_map(|listens| {
        let parts = listens.routes.iter().map(|route| &route.rules);
        parts.chain([&listens.rules])
    });
    rules.any(|rules| {
        let access = rules.access.as_ref();
        access.is_some_and(|access| matches!(access.sign_in, SignIn::Oidc | SignIn::Password))
    })
}

impl<E: Engine> Core<E> {
    /// Signs everybody out of these components, or of all. It holds when this has come back.
    pub(crate) async fn sign_out(&mut self, asked: SignOut) -> Result<SignedOut, Refusal> {
        if !self.restore().await {
            let message = "what is there cannot be read yet";
            return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "not-yet", message, None));
        }
        let mut names: Vec<Name> = Vec::new();
        for name in &asked.components {
            names.push(self.named(name).ok_or_else(|| unknown(name))?);
        }
        if names.is_empty() {
            names = self.tended.parts().keys().cloned().collect();
        }
        names.retain(|name| {
            let component = self
                .tended
                .parts()
                .get(name)
                .and_then(|part| part.component.as_ref());
            component.is_some_and(|component| has_sessions(component))
        });
        if names.is_empty() {
            return Err(problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-sessions",
                "nobody is signed in at the edge there",
                Some("sessions begin where `access` says sign_in = \"oidc\" or \"password\""),
            ));
        }
        let now = clock::today();
        let moment = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut moments = self.signed_out.clone();
        for name in &names {
            let last = moments.entry(name.clone()).or_default();
            // Another one even where the clock was turned back.
            *last = moment.max(*last + 1);
        }
        let components: Vec<String> = names.iter().map(ToString::to_string).collect();
        let happened = happened(
            "sign-out",
            self.subject(&components),
            json!({ "components": names }),
            "somebody wants it so",
        );
        self.ledger
            .signed_out(&moments, happened, now)
            .await
            .map_err(|error| unwritten(&error))?;
        self.signed_out = moments;
        let all: Vec<Name> = self.tended.parts().keys().cloned().collect();
        self.turn_faces(all).await;
        Ok(SignedOut { components })
    }
}
