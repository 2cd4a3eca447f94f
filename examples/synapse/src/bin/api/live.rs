//! What happens, while it happens: what the database tells us, told on to whoever looks on.

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, stream};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::convert::Infallible;
use std::time::Duration;
use synapse::log;
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};

/// The channels of the database, which are the events of the stream.
const TOLD: &[&str] = &["scores", "earned", "zones", "seen", "bot"];

/// Something may have been missed: whoever looks on had better begin anew.
const AGAIN: &str = "again";

/// How much somebody may lag behind before they begin anew.
const MOST: usize = 512;

const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
struct News {
    event: String,
    body: String,
}

/// One connection to the database listens, for all who look on.
#[derive(Clone)]
pub(crate) struct Live(Sender<News>);

impl Default for Live {
    fn default() -> Live {
        Live(channel(MOST).0)
    }
}

/// Listens until the process ends.
pub(crate) async fn follow(live: Live, pool: PgPool) {
    loop {
        if let Err(why) = listen(&live, &pool).await {
            log::trouble("changes are not heard", json!({ "why": why.to_string() }));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(live: &Live, pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all(TOLD.iter().copied()).await?;
    // That nobody looks on is no fault.
    let tell = |event: &str, body: &str| {
        let (event, body) = (event.to_owned(), body.to_owned());
        let _ = live.0.send(News { event, body });
    };
    tell(AGAIN, "{}");
    while let Some(told) = listener.try_recv().await? {
        tell(told.channel(), told.payload());
    }
    Ok(())
}

pub(crate) async fn tell(State(live): State<Live>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let news = stream::unfold(live.0.subscribe(), |receiver| async move { next(receiver).await });
    Sse::new(news).keep_alive(KeepAlive::default())
}

async fn next(mut receiver: Receiver<News>) -> Option<(Result<Event, Infallible>, Receiver<News>)> {
    let event = match receiver.recv().await {
        Ok(news) => Event::default().event(news.event).data(news.body),
        Err(RecvError::Lagged(_)) => Event::default().event(AGAIN).data("{}"),
        Err(RecvError::Closed) => return None,
    };
    Some((Ok(event), receiver))
}
