//! Stands in for Perspective: a text is harsh when one of a few words is in it, and mild otherwise.

use axum::Router;
use axum::extract::Json;
use axum::routing::post;
use reflectpause::citizen::{self, Failure};
use serde_json::{Value, json};
use std::process::ExitCode;

/// The same words as in the extension (`extension/score.js`).
const HARSH: &[&str] = &["idiot", "stupid", "shut up", "hate you", "pathetic", "loser"];

fn main() -> ExitCode {
    citizen::run(serve())
}

async fn serve() -> Result<(), Failure> {
    citizen::serve(Router::new().route("/v1alpha1/comments:analyze", post(analyze))).await
}

async fn analyze(Json(asked): Json<Value>) -> Json<Value> {
    let text = asked["comment"]["text"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    let value = match HARSH.iter().any(|word| text.contains(word)) {
        true => 0.92,
        false => 0.04,
    };
    let summary = json!({ "summaryScore": { "value": value, "type": "PROBABILITY" } });
    Json(json!({ "attributeScores": { "TOXICITY": summary } }))
}
