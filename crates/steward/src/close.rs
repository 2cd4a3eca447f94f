//! What is closed for visitors by hand: it is written down, and the edge is told.

use crate::core::Core;
use crate::door::clock;
use crate::keep::happened;
use crate::serve::{Refusal, problem, unknown, unwritten};
use http::StatusCode;
use serde_json::json;
use towpath_api::{Maintain, Maintained};
use towpath_engine::Engine;
use towpath_model::run::Maintenance;
use towpath_model::unit::{Cidr, Name, Unit};
use towpath_store::Entry;

impl<E: Engine> Core<E> {
    /// Closes components for visitors, or opens them. It holds when this has come back, even when we are killed.
    pub(crate) async fn maintain(&mut self, asked: Maintain) -> Result<Maintained, Refusal> {
        if !self.restore().await {
            let message = "what is there cannot be read yet";
            return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "not-yet", message, None));
        }
        let now = clock::today();
        let mut names: Vec<Name> = Vec::new();
        for name in &asked.components {
            names.push(self.named(name).ok_or_else(|| unknown(name))?);
        }
        let mut closed = self.closed.clone();
        let refused = |refusal: towpath_decide::maintenance::Refusal| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            problem(status, "not-closed", &refusal.message, Some(&refusal.hint))
        };
        let changed = if asked.on {
            let how = Maintenance {
                because: asked.because.clone(),
                since: now,
                until: asked.until,
                let_in: networks(&asked.let_in)?,
            };
            closed.begin(&names, &how).map_err(refused)?;
            true
        } else {
            closed.end(&names, now).map_err(refused)?
        };
        if changed {
            self.ledger
                .closed(&closed, self.told_of(&asked), now)
                .await
                .map_err(|error| unwritten(&error))?;
            self.closed = closed;
            let all: Vec<Name> = self.tended.parts().keys().cloned().collect();
            self.turn_faces(all).await;
        }
        Ok(Maintained {
            changed,
            holds: self.closed.notes(now),
        })
    }

    fn told_of(&self, asked: &Maintain) -> Entry {
        let what = if asked.on { "close" } else { "open" };
        let because = asked.because.as_deref().unwrap_or("somebody wants it so");
        let body = json!({ "components": asked.components, "until": asked.until, "let_in": asked.let_in });
        happened(what, self.subject(&asked.components), body, because)
    }

    /// What an entry about these components is about: the one, or the product.
    pub(crate) fn subject<'a>(&'a self, of: &'a [String]) -> &'a str {
        match of {
            [one] => one,
            _ => self
                .product
                .as_ref()
                .map_or("", |product| product.product.as_str()),
        }
    }
}

fn networks(texts: &[String]) -> Result<Vec<Cidr>, Refusal> {
    let read = |text: &String| {
        Cidr::parse(text).map_err(|misread| {
            let message = format!("`{text}` {misread}");
            let hint = "such as `--let-in 10.0.0.0/8`, or one address";
            problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-network",
                &message,
                Some(hint),
            )
        })
    };
    texts.iter().map(read).collect()
}
