//! Stores: statements in a Postgres, jobs on a list in Redis, and ports that accept.

use crate::aim::Aim;
use crate::door::clock;
use crate::run::Session;
use crate::stream::{Peer, reach, timely};
use crate::{failed, unasked};
use std::time::Duration;
use towpath_decide::gate::probe::{Broken, Place, Seen, Value};
use towpath_model::Sealed;
use towpath_model::desired::resource::ResourceKind;
use towpath_resource::{ResourceError, push, query, reached};

impl Session<'_> {
    /// Runs statements.
    pub(crate) async fn query(&self, sql: &str, on: Option<&str>, bound: Duration) -> Result<Seen, Broken> {
        let address = chosen(self.aim, ResourceKind::Postgres, on)?;
        let begun = clock::now();
        let rows = query(address, sql, bound).await.map_err(told)?;
        Ok(Seen {
            took: begun.elapsed(),
            rows: rows.count,
            row: rows.first,
            ..Seen::default()
        })
    }

    /// Puts a job where it waits for a worker. A job that says nothing is an empty object.
    pub(crate) async fn put(
        &self,
        list: &str,
        body: Option<&Value>,
        on: Option<&str>,
        bound: Duration,
    ) -> Result<Seen, Broken> {
        let address = chosen(self.aim, ResourceKind::Redis, on)?;
        let body = body.map(|body| self.aim.value(body)).transpose()?;
        let body = body.as_ref().map_or("{}", |body| body.open().as_str());
        let begun = clock::now();
        push(address, list, body, bound).await.map_err(told)?;
        Ok(Seen {
            took: begun.elapsed(),
            ..Seen::default()
        })
    }

    /// Connects to a port, and hangs up.
    pub(crate) async fn connect(&self, place: &Place, bound: Duration) -> Result<Seen, Broken> {
        let peer = match &place.host {
            None => {
                let base = self
                    .base
                    .ok_or_else(|| unasked("nothing that it could ask runs there"))?;
                Peer::At((base.at.ip(), place.port).into())
            }
            Some(name) => match (self.aim.resources.get(name), self.aim.reached.get(name)) {
                (Some(address), _) => {
                    let place = reached(address).map_err(told)?;
                    Peer::Named(place.host, place.port)
                }
                (None, Some(at)) => Peer::At(*at),
                (None, None) => Peer::Named(name.clone(), place.port),
            },
        };
        let begun = clock::now();
        timely(begun, bound, reach(&peer)).await?;
        Ok(Seen {
            took: begun.elapsed(),
            ..Seen::default()
        })
    }
}

/// The store that is named, or the only one of its kind.
fn chosen<'a>(aim: &'a Aim, kind: ResourceKind, on: Option<&str>) -> Result<&'a Sealed<String>, Broken> {
    let what = match kind {
        ResourceKind::Postgres => "Postgres",
        ResourceKind::Redis => "Redis",
        ResourceKind::Bucket => "bucket",
    };
    if let Some(name) = on {
        let address = aim.resources.get(name);
        return address.ok_or_else(|| unasked(format!("it is not known where `{name}` is reached")));
    }
    let is_one = |address: &&Sealed<String>| reached(address).is_ok_and(|one| one.kind == kind);
    let mut fitting = aim.resources.values().filter(is_one);
    match (fitting.next(), fitting.next()) {
        (Some(address), None) => Ok(address),
        (None, _) => Err(unasked(format!("there is no {what} that it could use"))),
        (Some(_), Some(_)) => Err(unasked(format!(
            "there are several of kind {what}; say which one is meant: `on`"
        ))),
    }
}

/// What went wrong with a store. One whose address cannot be read was never asked.
fn told(error: ResourceError) -> Broken {
    match error {
        ResourceError::Address { .. } => unasked(error.to_string()),
        other => failed(other.to_string()),
    }
}
