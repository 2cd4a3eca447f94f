//! Stands in for the feeds of others: it knows every host below `known.test`, and nothing else.

use axum::Router;
use axum::extract::{Json, Query};
use axum::routing::get;
use phishsentry::citizen::{self, Failure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Deserialize)]
struct Asked {
    host: String,
}

fn main() -> ExitCode {
    citizen::run(serve())
}

async fn serve() -> Result<(), Failure> {
    citizen::serve(Router::new().route("/known", get(known))).await
}

async fn known(Query(asked): Query<Asked>) -> Json<Value> {
    let known = asked.host == "known.test" || asked.host.ends_with(".known.test");
    Json(json!({ "known": known }))
}
