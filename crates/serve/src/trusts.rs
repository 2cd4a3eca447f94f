//! Trusting the jobs of a pipeline by their identity, and trusting them no more.

use crate::desk::{Answer, Desk, Refusal, Who, json, read, unwritten};
use crate::door::clock;
use crate::problem;
use crate::tokens::Unminted;
use http::StatusCode;
use hyper::body::Incoming;
use std::sync::Arc;
use towpath_api::{Trust, Trusts};

impl Desk {
    /// Who is trusted.
    pub(crate) fn trusts(&self) -> Trusts {
        Trusts {
            trusts: self.tokens.trusts(self.identity.pin()),
        }
    }

    /// Trusts somebody.
    pub(crate) async fn trust(self: &Arc<Self>, who: &Who, body: Incoming) -> Result<Answer, Refusal> {
        let asked: Trust = read(body).await?;
        let (desk, by) = (Arc::clone(self), who.told());
        let trusting = move || {
            let pin = desk.identity.pin();
            desk.tokens.trust(asked, by, pin, clock::today())
        };
        let trusted = tokio::task::spawn_blocking(trusting).await;
        match trusted.map_err(|error| unwritten(&error.to_string()))? {
            Ok(told) => Ok(json(&told)),
            Err(Unminted::Wrong(why)) => Err(problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-trust",
                &format!("nobody is trusted: {why}"),
                Some("such as `--claim repository=acme/shop --claim ref='refs/tags/v*'`"),
            )),
            Err(Unminted::System(error)) => Err(unwritten(&error.to_string())),
        }
    }

    /// Trusts somebody no more.
    pub(crate) async fn distrust(self: &Arc<Self>, id: String) -> Result<Answer, Refusal> {
        let (desk, named) = (Arc::clone(self), id.clone());
        let taken = tokio::task::spawn_blocking(move || desk.tokens.distrust(&named)).await;
        let taken = taken.map_err(|error| unwritten(&error.to_string()))?;
        if taken.map_err(|error| unwritten(&error.to_string()))? {
            return Ok(json(&self.trusts()));
        }
        let message = format!("there is no trust `{id}`");
        let hint = "`towpath token trusts` shows those that there are";
        Err(problem(
            StatusCode::NOT_FOUND,
            "unknown-trust",
            &message,
            Some(hint),
        ))
    }
}
