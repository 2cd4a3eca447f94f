//! The bot: offers a pause when a message is harsh, and deletes what it keeps about a person who asks for it.
//!
//! It holds one connection to Discord's gateway. What people write is scored and forgotten; what is kept of a harsh message
//! is when and where it was, how harsh, and a hash in place of the person.

use futures_util::{SinkExt, StreamExt};
use reflectpause::citizen::{self, Failure, asked_to_stop, log, setting};
use reflectpause::{beat, call, person};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// From here on a text is harsh.
const HARSH: f64 = 0.8;

/// Messages in servers, and what they say: no more than is needed.
const INTENTS: u64 = 1 << 9 | 1 << 15;

/// How long it waits before it connects again, at first and at most.
const SOON: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(30);

/// How long events that it has heard may take when it is asked to stop.
const FAREWELL: Duration = Duration::from_secs(5);

const PAUSE: &str = "That came across as harsh. Take a breath: do you want to say it another way?";

struct Guard {
    gateway: String,
    api: String,
    token: String,
    perspective: String,
    key: String,
    salt: String,
    heartbeat: String,
    db: PgPool,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn main() -> ExitCode {
    citizen::run(guard())
}

async fn guard() -> Result<(), Failure> {
    let guard = Arc::new(Guard {
        // A stand-in is told as http, and spoken to as the gateway is.
        gateway: setting("DISCORD_URL")?.replacen("http", "ws", 1),
        api: setting("DISCORD_API").unwrap_or_else(|_| "https://discord.com/api/v10".to_owned()),
        token: setting("DISCORD_TOKEN")?,
        perspective: setting("PERSPECTIVE_URL")?,
        key: setting("PERSPECTIVE_API_KEY")?,
        salt: setting("HASH_SALT")?,
        heartbeat: setting("HEARTBEAT")?,
        db: PgPoolOptions::new()
            .max_connections(3)
            .connect(&setting("DATABASE_URL")?)
            .await?,
    });
    beat::forget(&guard.heartbeat);
    let ended = tokio::select! {
        ended = guard.stay_connected() => ended,
        () = asked_to_stop() => Ok(()),
    };
    beat::forget(&guard.heartbeat);
    // Whoever has been heard is answered.
    let patience = tokio::time::Instant::now() + FAREWELL;
    while Arc::strong_count(&guard) > 1 && tokio::time::Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    guard.db.close().await;
    log("info", "stopped", json!({}));
    ended
}

impl Guard {
    /// Connects, and again whenever the connection breaks.
    async fn stay_connected(self: &Arc<Self>) -> Result<(), Failure> {
        let mut wait = SOON;
        loop {
            let began = tokio::time::Instant::now();
            let broken = self.session().await;
            beat::forget(&self.heartbeat);
            let because = broken
                .err()
                .map_or_else(|| "it was closed".to_owned(), |error| error.to_string());
            log("warn", "the connection is gone", json!({ "because": because }));
            // One that held for a while was good: the next attempt may come soon.
            if began.elapsed() > LATE {
                wait = SOON;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LATE);
        }
    }

    /// One connection, from the greeting to its end.
    async fn session(self: &Arc<Self>) -> Result<(), Failure> {
        let (mut socket, _) = connect_async(format!("{}/?v=10&encoding=json", self.gateway)).await?;
        let hello = next(&mut socket).await?.ok_or("it was closed before it began")?;
        let every = hello["d"]["heartbeat_interval"]
            .as_u64()
            .ok_or("it did not say hello")?;
        let every = Duration::from_millis(every.max(100));
        let properties = json!({ "os": "linux", "browser": "reflectpause", "device": "reflectpause" });
        let identify = json!({ "token": self.token, "intents": INTENTS, "properties": properties });
        say(&mut socket, json!({ "op": 2, "d": identify })).await?;
        let mut beats = tokio::time::interval(every);
        let (mut seen, mut answered) = (Value::Null, true);
        loop {
            tokio::select! {
                _ = beats.tick() => {
                    if !std::mem::take(&mut answered) {
                        return Err("the gateway does not answer any more".into());
                    }
                    say(&mut socket, json!({ "op": 1, "d": seen })).await?;
                }
                heard = next(&mut socket) => {
                    let Some(heard) = heard? else { return Ok(()) };
                    match heard["op"].as_u64() {
                        Some(0) => {
                            seen = heard["s"].clone();
                            self.dispatch(heard);
                        }
                        Some(7) => return Err("the gateway asks for a new connection".into()),
                        Some(9) => return Err("the session is not valid".into()),
                        Some(11) => {
                            answered = true;
                            beat::note(&self.heartbeat, every)?;
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// Works on what has happened beside the connection: whoever scores a text misses no heartbeat.
    fn dispatch(self: &Arc<Self>, event: Value) {
        let guard = Arc::clone(self);
        tokio::spawn(async move {
            let done = match event["t"].as_str() {
                Some("READY") => {
                    log("info", "connected", json!({}));
                    Ok(())
                }
                Some("MESSAGE_CREATE") => guard.message(&event["d"]).await,
                Some("INTERACTION_CREATE") => guard.command(&event["d"]).await,
                _ => Ok(()),
            };
            if let Err(error) = done {
                log(
                    "error",
                    "an event was not handled",
                    json!({ "because": error.to_string() }),
                );
            }
        });
    }

    async fn message(&self, message: &Value) -> Result<(), Failure> {
        if message["author"]["bot"] == true {
            return Ok(());
        }
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let (server, channel) = (text(&message["guild_id"]), text(&message["channel_id"]));
        let count =
            "insert into activity as known (at, server, messages) values (date_trunc('hour', now()), $1, 1)
            on conflict (server, at) do update set messages = known.messages + 1";
        sqlx::query(count).bind(&server).execute(&self.db).await?;
        let score = self.score(text(&message["content"])).await?;
        if score < HARSH {
            return Ok(());
        }
        let keep = "insert into incidents (server, person, score) values ($1, $2, $3)";
        let person = person::hashed(&self.salt, &text(&message["author"]["id"]));
        sqlx::query(keep)
            .bind(&server)
            .bind(person)
            .bind(score)
            .execute(&self.db)
            .await?;
        let reply = json!({ "content": PAUSE, "message_reference": { "message_id": message["id"] } });
        self.tell(&format!("/channels/{channel}/messages"), reply).await?;
        log("info", "offered a pause", json!({ "score": score }));
        Ok(())
    }

    async fn score(&self, text: String) -> Result<f64, Failure> {
        let url = format!("{}/v1alpha1/comments:analyze?key={}", self.perspective, self.key);
        let asked = json!({
            "comment": { "text": text },
            "requestedAttributes": { "TOXICITY": {} },
            "doNotStore": true,
        });
        let scored = call::post(url, None, asked).await?;
        let value = &scored["attributeScores"]["TOXICITY"]["summaryScore"]["value"];
        value.as_f64().ok_or_else(|| "Perspective gave no score".into())
    }

    /// `/privacy delete`: what is kept about whoever asks is gone when they are told so.
    async fn command(&self, command: &Value) -> Result<(), Failure> {
        let (data, asker) = (&command["data"], &command["member"]["user"]["id"]);
        let asker = asker.as_str().or(command["user"]["id"].as_str());
        if data["name"] != "privacy" || data["options"][0]["name"] != "delete" {
            return Ok(());
        }
        let asker = asker.ok_or("nobody has asked for it")?;
        let person = person::hashed(&self.salt, asker);
        let deleted = sqlx::query("delete from incidents where person = $1")
            .bind(person)
            .execute(&self.db)
            .await?;
        let count = deleted.rows_affected();
        log(
            "info",
            "deleted what was kept about a person",
            json!({ "rows": count }),
        );
        let (id, token) = (command["id"].as_str(), command["token"].as_str());
        let path = format!(
            "/interactions/{}/{}/callback",
            id.unwrap_or_default(),
            token.unwrap_or_default()
        );
        let content = format!("Deleted what was kept about you: {count} entries");
        // Only whoever asked sees the answer.
        self.tell(
            &path,
            json!({ "type": 4, "data": { "content": content, "flags": 64 } }),
        )
        .await
    }

    async fn tell(&self, path: &str, body: Value) -> Result<(), Failure> {
        let authorization = Some(format!("Bot {}", self.token));
        call::post(format!("{}{path}", self.api), authorization, body)
            .await
            .map(drop)
    }
}

async fn say(socket: &mut Socket, what: Value) -> Result<(), Failure> {
    Ok(socket.send(Message::text(what.to_string())).await?)
}

/// What the gateway says next; nothing when it has closed.
async fn next(socket: &mut Socket) -> Result<Option<Value>, Failure> {
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(text) => return Ok(Some(serde_json::from_str(text.as_str())?)),
            Message::Close(_) => return Ok(None),
            _ => {}
        }
    }
    Ok(None)
}
