//! Stands in for Discord: a gateway for one session, the few calls that a bot makes, and a way to be people who write.
//!
//! `POST /say` with `user` and `text` is a message, `POST /privacy` with `user` is the command, and `GET /heard` is what the
//! bot has answered. As with Discord itself a second session on the same token ends the first.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Json, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use reflectpause::citizen::{self, Failure, log, problem};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often a bot has to give a sign of life.
const BEAT_MS: u64 = 1000;

#[derive(Default)]
struct Inner {
    /// Where events go while a bot is connected.
    session: Option<UnboundedSender<Value>>,
    sessions: u64,
    events: u64,
    heard: Vec<Value>,
}

#[derive(Clone, Default)]
struct Discord(Arc<Mutex<Inner>>);

impl Discord {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the bot what has happened.
    fn tell(&self, kind: &str, what: impl FnOnce(u64) -> Value) -> Response {
        let mut inner = self.inner();
        inner.events += 1;
        let number = inner.events;
        let event = json!({ "op": 0, "t": kind, "s": number, "d": what(number) });
        match inner.session.as_ref().map(|session| session.send(event)) {
            Some(Ok(())) => (StatusCode::ACCEPTED, Json(json!({ "event": number }))).into_response(),
            _ => problem(StatusCode::CONFLICT, "no bot is connected"),
        }
    }
}

fn main() -> ExitCode {
    citizen::run(serve())
}

async fn serve() -> Result<(), Failure> {
    let router = Router::new()
        .route("/", get(gateway))
        .route("/channels/{channel}/messages", post(posted))
        .route("/interactions/{id}/{token}/callback", post(answered))
        .route("/say", post(said))
        .route("/privacy", post(asked))
        .route("/heard", get(heard))
        .with_state(Discord::default());
    citizen::serve(router).await
}

async fn gateway(State(discord): State<Discord>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| async move {
        let ended = session(discord, socket).await;
        log(
            "info",
            "a session has ended",
            json!({ "because": ended.err().map(|error| error.to_string()) }),
        );
    })
}

async fn session(discord: Discord, mut socket: WebSocket) -> Result<(), Failure> {
    send(
        &mut socket,
        json!({ "op": 10, "d": { "heartbeat_interval": BEAT_MS } }),
    )
    .await?;
    let mut events: Option<UnboundedReceiver<Value>> = None;
    loop {
        tokio::select! {
            event = next(&mut events) => match event {
                Some(event) => send(&mut socket, event).await?,
                // Somebody else has identified with the same token.
                None => return send(&mut socket, json!({ "op": 9, "d": false })).await,
            },
            message = socket.recv() => {
                let Some(message) = message else { return Ok(()) };
                let Message::Text(text) = message? else { continue };
                let said: Value = serde_json::from_str(text.as_str())?;
                match said["op"].as_u64() {
                    Some(1) => send(&mut socket, json!({ "op": 11 })).await?,
                    Some(2) if said["d"]["token"].as_str().is_some_and(|token| !token.is_empty()) => {
                        let (sender, receiver) = unbounded_channel();
                        events = Some(receiver);
                        let mut inner = discord.inner();
                        inner.session = Some(sender);
                        inner.sessions += 1;
                        drop(inner);
                        discord.tell("READY", |number| json!({ "session_id": number.to_string() }));
                    }
                    Some(2) => return send(&mut socket, json!({ "op": 9, "d": false })).await,
                    _ => {}
                }
            }
        }
    }
}

/// The next event of a session; before it has identified there is none.
async fn next(events: &mut Option<UnboundedReceiver<Value>>) -> Option<Value> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

async fn send(socket: &mut WebSocket, what: Value) -> Result<(), Failure> {
    Ok(socket.send(Message::text(what.to_string())).await?)
}

#[derive(Deserialize)]
struct Said {
    user: String,
    text: String,
}

async fn said(State(discord): State<Discord>, Json(said): Json<Said>) -> Response {
    discord.tell("MESSAGE_CREATE", |number| {
        let author = json!({ "id": said.user, "bot": false });
        json!({ "id": number.to_string(), "guild_id": "1", "channel_id": "2", "content": said.text, "author": author })
    })
}

#[derive(Deserialize)]
struct Asked {
    user: String,
}

async fn asked(State(discord): State<Discord>, Json(asked): Json<Asked>) -> Response {
    discord.tell("INTERACTION_CREATE", |number| {
        let data = json!({ "name": "privacy", "options": [{ "name": "delete", "type": 1 }] });
        let member = json!({ "user": { "id": asked.user } });
        json!({ "id": number.to_string(), "token": "answer", "type": 2, "data": data, "member": member })
    })
}

/// A call of the bot, which has to say who it is.
fn note(discord: &Discord, headers: &HeaderMap, what: Value) -> Response {
    let known = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if !known.is_some_and(|value| value.starts_with("Bot ")) {
        return problem(StatusCode::UNAUTHORIZED, "a bot's token is needed");
    }
    discord.inner().heard.push(what);
    Json(json!({})).into_response()
}

async fn posted(
    State(discord): State<Discord>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    note(
        &discord,
        &headers,
        json!({ "channel": channel, "content": body["content"] }),
    )
}

async fn answered(
    State(discord): State<Discord>,
    Path((id, _)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    note(
        &discord,
        &headers,
        json!({ "interaction": id, "content": body["data"]["content"] }),
    )
}

async fn heard(State(discord): State<Discord>) -> Json<Value> {
    let inner = discord.inner();
    Json(
        json!({ "connected": inner.session.as_ref().is_some_and(|one| !one.is_closed()),
        "sessions": inner.sessions, "heard": inner.heard }),
    )
}
