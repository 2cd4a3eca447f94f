//! What browsers are to be told, as it happens: a line of JSON each, for as long as an edge listens.

use crate::admit::EDGE;
use crate::{Failed, Kept, refusal};
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use redis::streams::{StreamRangeReply, StreamReadOptions, StreamReadReply};
use reflect_coach::sign::Claims;
use reflect_coach::{Fault, serve::Stop, stores};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long nothing may be said before an empty line says that somebody is there, in milliseconds.
const QUIET: usize = 5000;

#[derive(Deserialize)]
pub struct From {
    after: Option<String>,
}

struct Listener {
    redis: ConnectionManager,
    after: String,
    first: bool,
    stop: Stop,
}

/// Everybody's events, so only for an edge; it gives each browser its own.
pub async fn events(
    State(core): State<Kept>,
    Extension(who): Extension<Claims>,
    Query(from): Query<From>,
) -> Result<Response, Failed> {
    if who.sub != EDGE {
        return Ok(refusal(StatusCode::FORBIDDEN, "only edge hears everything"));
    }
    // It waits, so it is nobody else's.
    let mut redis = stores::redis(true).await?;
    let after = match from.after {
        Some(after) => after,
        None => last(&mut redis).await?,
    };
    let stop = core.stop.clone();
    let listener = Listener {
        redis,
        after,
        first: true,
        stop,
    };
    let lines = stream::unfold(listener, |mut listener| async {
        let lines = listener.lines().await?;
        Some((lines, listener))
    });
    Ok((
        [("content-type", "application/x-ndjson")],
        Body::from_stream(lines),
    )
        .into_response())
}

/// The place at which whoever comes now begins.
async fn last(redis: &mut ConnectionManager) -> Result<String, Fault> {
    let last: StreamRangeReply = redis.xrevrange_count("events", "+", "-", 1).await?;
    Ok(last
        .ids
        .first()
        .map_or_else(|| "0-0".to_owned(), |one| one.id.clone()))
}

impl Listener {
    /// The next lines; none when we are asked to stop.
    async fn lines(&mut self) -> Option<Result<Bytes, Fault>> {
        if std::mem::take(&mut self.first) {
            return Some(Ok(Bytes::from(format!("{}\n", json!({ "id": self.after })))));
        }
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.wait() => None,
            read = self.read() => Some(read.map(Bytes::from)),
        }
    }

    async fn read(&mut self) -> Result<String, Fault> {
        let options = StreamReadOptions::default().block(QUIET).count(200);
        let read: Option<StreamReadReply> = self
            .redis
            .xread_options(&["events"], &[&self.after], &options)
            .await?;
        let mut text = String::new();
        for entry in read
            .into_iter()
            .flat_map(|read| read.keys)
            .flat_map(|stream| stream.ids)
        {
            let word = |name: &str| entry.get::<String>(name).unwrap_or_default();
            let body: Value = serde_json::from_str(&word("body")).unwrap_or_default();
            let line =
                json!({ "id": entry.id, "user_id": word("user_id"), "kind": word("kind"), "body": body });
            text += &format!("{line}\n");
            self.after.clone_from(&entry.id);
        }
        if text.is_empty() {
            text.push('\n');
        }
        Ok(text)
    }
}
