//! WebSockets: each hears what its own visitor is told.

use crate::{Kept, visitor};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use reflect_coach::log;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// A connection that says nothing for longer may be closed by what lies between.
const PING: Duration = Duration::from_secs(20);

/// The code for: come back, somebody else will take you.
const RESTART: u16 = 1012;

/// Opens one for who is signed in, on a page of ours: browsers let any page try.
pub async fn open(State(edge): State<Kept>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !visitor::is_own_page(&headers) {
        return visitor::refusal(StatusCode::FORBIDDEN, "this comes from another site's page");
    }
    match visitor::person(&edge, &headers).await {
        Ok(Some(person)) => upgrade.on_upgrade(move |socket| hold(edge, person, socket)),
        Ok(None) => visitor::refusal(StatusCode::UNAUTHORIZED, "sign in first"),
        Err(why) => {
            log::warn("core is silent", json!({ "why": why.to_string() }));
            visitor::refusal(StatusCode::BAD_GATEWAY, "core does not answer")
        }
    }
}

async fn hold(edge: Kept, person: String, mut socket: WebSocket) {
    edge.sockets.fetch_add(1, Ordering::Relaxed);
    // It listens before it says so: what is told from then on arrives.
    tell(&edge, &person, &mut socket).await;
    edge.sockets.fetch_sub(1, Ordering::Relaxed);
}

async fn tell(edge: &Kept, person: &str, socket: &mut WebSocket) {
    let mut told = edge.told.subscribe();
    let mut next = Some(json!({ "kind": "hello", "body": { "person": person } }));
    let mut ping = tokio::time::interval(PING);
    loop {
        if let Some(text) = next.take()
            && socket.send(Message::Text(text.to_string().into())).await.is_err()
        {
            return;
        }
        tokio::select! {
            event = told.recv() => match event {
                Ok(event) if event.user_id == person => {
                    next = Some(json!({ "id": event.id, "kind": event.kind, "body": event.body }));
                }
                Ok(_) => {}
                // It was too slow: it looks for itself.
                Err(RecvError::Lagged(_)) => next = Some(json!({ "kind": "refresh", "body": {} })),
                Err(RecvError::Closed) => return,
            },
            heard = socket.recv() => if !matches!(heard, Some(Ok(message)) if !matches!(message, Message::Close(_))) {
                return;
            },
            _ = ping.tick() => if socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                return;
            },
            () = edge.stop.wait() => {
                let close = CloseFrame { code: RESTART, reason: "restart".into() };
                let _ = socket.send(Message::Close(Some(close))).await;
                return;
            }
        }
    }
}
