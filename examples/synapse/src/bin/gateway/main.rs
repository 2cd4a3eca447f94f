//! The stand-in for Discord: a gateway with sessions, a sign-in, and a club in which something is always going on.

mod club;
mod connection;
mod sessions;
mod sign_in;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use club::Member;
use serde::Deserialize;
use serde_json::{Value, json};
use sessions::Sessions;
use std::process::ExitCode;
use std::sync::Arc;
use synapse::{Outcome, launch, log};

#[tokio::main]
async fn main() -> ExitCode {
    launch::ended(run().await)
}

async fn run() -> Outcome {
    let sessions = Arc::new(Sessions::default());
    tokio::spawn(club::live(Arc::clone(&sessions)));
    let router = Router::new()
        .route("/gateway/bot", get(place))
        .route("/gateway/", get(gateway))
        .route("/oauth2/authorize", get(sign_in::choose))
        .route("/oauth2/token", post(sign_in::exchange))
        .route("/users/@me", get(sign_in::who))
        .route("/mock/sessions", get(told))
        .route("/mock/events", post(happen))
        .route("/mock/disconnect", post(disconnect))
        .with_state(sessions);
    launch::serve(router).await
}

async fn place(headers: HeaderMap) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let knows_us = header("authorization").is_some_and(|value| value.len() > "Bot ".len());
    let (true, Some(host)) = (knows_us, header("host")) else {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "message": "401: Unauthorized", "code": 0 })),
        )
            .into_response();
    };
    Json(json!({ "url": format!("ws://{host}/gateway"), "shards": 1 })).into_response()
}

async fn gateway(State(sessions): State<Arc<Sessions>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| async move {
        let why = connection::serve(socket, &sessions).await;
        log::well("a connection ended", json!({ "why": why }));
    })
}

/// Who is connected, and how often somebody came back.
async fn told(State(sessions): State<Arc<Sessions>>) -> Json<Value> {
    Json(sessions.told())
}

#[derive(Deserialize)]
struct Wanted {
    member: i64,
    name: String,
    channel: i64,
    kind: club::Kind,
}

/// Something happens because somebody wants it to.
async fn happen(State(sessions): State<Arc<Sessions>>, Json(wanted): Json<Wanted>) -> StatusCode {
    let member = Member {
        id: wanted.member,
        name: &wanted.name,
    };
    let (event, body) = club::happening(wanted.kind, &member, wanted.channel);
    sessions.dispatch(event, &body);
    StatusCode::ACCEPTED
}

/// All connections end, without a word and without the sessions.
async fn disconnect(State(sessions): State<Arc<Sessions>>) -> StatusCode {
    sessions.disconnect();
    StatusCode::ACCEPTED
}
