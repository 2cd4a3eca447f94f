//! A connection to the gateway: says who we are, answers that we are there, and counts what happens.
//!
//! A session outlives its connections. Whoever comes back within a minute, and says up to where it has heard, hears the
//! rest; so a lost connection loses no event, and neither does a restart of the bot.

use crate::record::{Deed, Place, Record};
use crate::zones::Zones;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use synapse::frame::{self, Frame};
use synapse::{call, log};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long the gateway may take to answer at the beginning.
const PATIENCE: Duration = Duration::from_secs(10);

/// Messages and reactions in channels, and voices.
const INTENTS: u32 = 1 << 9 | 1 << 10 | 1 << 7;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct Session {
    pub(crate) discord: String,
    pub(crate) token: String,
    pub(crate) zones: Arc<Zones>,
    pub(crate) record: Record,
}

/// How a connection ended.
pub(crate) enum End {
    /// We were asked to.
    Stopped,
    /// Trying again does not help.
    Refused,
    Lost {
        why: String,
        was_well: bool,
    },
}

/// A connection, and what is known on it.
struct Line {
    stream: Stream,
    place: Option<Place>,
    beat: Duration,
    /// The gateway has let us in.
    is_well: bool,
    /// It has answered the last heartbeat.
    is_heard: bool,
}

impl Line {
    async fn say(&mut self, code: u8, body: Value) -> Result<(), End> {
        let sent = self.stream.send(Frame::new(code, body).message()).await;
        sent.map_err(|why| self.lost(why))
    }

    fn lost(&self, why: impl ToString) -> End {
        End::Lost {
            why: why.to_string(),
            was_well: self.is_well,
        }
    }

    /// How long one word of the gateway is proof that it is there.
    fn holds(&self) -> Duration {
        self.beat * 5 / 2
    }
}

impl Session {
    /// Connects, and counts until the connection ends.
    pub(crate) async fn run(&self, mut stop: Pin<&mut impl Future<Output = ()>>) -> End {
        let began = tokio::select! {
            began = self.begin() => began,
            () = stop.as_mut() => return End::Stopped,
        };
        let mut line = match began {
            Ok(line) => line,
            Err(why) => return End::Lost { why, was_well: false },
        };
        let end = tokio::select! {
            end = self.listen(&mut line) => end,
            () = stop.as_mut() => End::Stopped,
        };
        if let Err(why) = self.record.away().await {
            log::trouble(
                "that we are away is not written",
                json!({ "why": why.to_string() }),
            );
        }
        if let End::Stopped = end {
            let close = CloseFrame {
                code: frame::AWAY.into(),
                reason: "back in a moment".into(),
            };
            // Where it cannot be said, the gateway finds out by itself.
            let _ = line.stream.close(Some(close)).await;
            log::well("left the gateway", json!({}));
        }
        end
    }

    async fn begin(&self) -> Result<Line, String> {
        let place = self
            .record
            .place()
            .await
            .map_err(|why| format!("the database: {why}"))?;
        let bot = format!("Bot {}", self.token);
        let asked = timeout(PATIENCE, call::get(&self.discord, "/gateway/bot", &bot)).await;
        let gateway = asked.map_err(|_| "Discord does not say where the gateway is")??;
        let url = gateway["url"].as_str().ok_or("Discord names no gateway")?;
        let url = format!("{url}/?v=10&encoding=json");
        let connected = timeout(PATIENCE, connect_async(&url)).await;
        let (stream, _) = connected
            .map_err(|_| "the gateway does not answer".to_owned())?
            .map_err(|why| why.to_string())?;
        Ok(Line {
            stream,
            place,
            beat: PATIENCE,
            is_well: false,
            is_heard: true,
        })
    }

    /// Waits for the gateway's first word, and says who we are.
    async fn greet(&self, line: &mut Line) -> Result<(), End> {
        let hello = timeout(PATIENCE, next(line)).await;
        let hello = hello.map_err(|_| line.lost("the gateway says nothing"))??;
        let beat = hello.body["heartbeat_interval"].as_u64();
        let (frame::HELLO, Some(beat)) = (hello.code, beat) else {
            return Err(line.lost("the gateway begins with something else"));
        };
        line.beat = Duration::from_millis(beat.max(100));
        match line.place.clone() {
            Some(place) => {
                let body = json!({ "token": self.token, "session_id": place.session, "seq": place.sequence });
                line.say(frame::RESUME, body).await
            }
            None => {
                let properties = json!({ "os": "linux", "browser": "synapse", "device": "synapse" });
                let body = json!({ "token": self.token, "intents": INTENTS, "properties": properties });
                line.say(frame::IDENTIFY, body).await
            }
        }
    }

    async fn listen(&self, line: &mut Line) -> End {
        if let Err(end) = self.greet(line).await {
            return end;
        }
        let mut beats = interval_at(Instant::now() + line.beat, line.beat);
        loop {
            let step = tokio::select! {
                frame = next(line) => match frame {
                    Ok(frame) => self.hear(line, frame).await,
                    Err(end) => Err(end),
                },
                _ = beats.tick() => beat(line).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn hear(&self, line: &mut Line, frame: Frame) -> Result<(), End> {
        match frame.code {
            frame::DISPATCH => self.happened(line, &frame).await,
            frame::HEARTBEAT => {
                let body = json!(line.place.as_ref().map(|place| place.sequence));
                line.say(frame::HEARTBEAT, body).await
            }
            frame::HEARD => {
                line.is_heard = true;
                let written = self.record.heard(line.holds()).await;
                written.map_err(|why| line.lost(why))
            }
            frame::RECONNECT => Err(line.lost("the gateway wants us to come again")),
            frame::INVALID_SESSION => {
                let forgotten = self.record.forget().await;
                forgotten.map_err(|why| line.lost(why))?;
                Err(line.lost("the session is no more"))
            }
            _ => Ok(()),
        }
    }

    async fn happened(&self, line: &mut Line, frame: &Frame) -> Result<(), End> {
        let event = frame.event.as_deref().unwrap_or_default();
        let sequence = frame.sequence.unwrap_or_default();
        if event == "READY" {
            let session = frame.body["session_id"].as_str().unwrap_or_default().to_owned();
            line.place = Some(Place { session, sequence });
        }
        let Some(mut place) = line.place.clone() else {
            return Err(line.lost("something happened before the session began"));
        };
        place.sequence = sequence;
        let written = match event {
            "READY" | "RESUMED" => {
                line.is_well = true;
                log::well(
                    "connected",
                    json!({ "session": place.session, "as": event, "sequence": sequence }),
                );
                self.record.connected(&place, line.holds()).await
            }
            _ => self.count(&place, event, &frame.body).await,
        };
        // What is not written is not behind us: with the next connection the gateway says it again.
        written.map_err(|why| line.lost(why))?;
        line.place = Some(place);
        Ok(())
    }

    async fn count(&self, place: &Place, event: &str, body: &Value) -> Result<(), sqlx::Error> {
        let zone = number(&body["channel_id"]).and_then(|channel| self.zones.of_channel(channel));
        let (Some(zone), Some(mut deed)) = (zone, deed(event, body)) else {
            return self.record.passed(place).await;
        };
        deed.points = points(deed.points, zone.multiplier);
        self.record.count(place, &deed, &zone).await?;
        let fields = json!({
            "member": deed.name, "kind": deed.kind, "zone": zone.name,
            "multiplier": zone.multiplier, "points": deed.points,
        });
        log::well("counted", fields);
        Ok(())
    }
}

/// Says that we are there; a gateway that did not answer the last time has gone.
async fn beat(line: &mut Line) -> Result<(), End> {
    if !line.is_heard {
        return Err(line.lost("the gateway does not answer any more"));
    }
    line.is_heard = false;
    let body = json!(line.place.as_ref().map(|place| place.sequence));
    line.say(frame::HEARTBEAT, body).await
}

async fn next(line: &mut Line) -> Result<Frame, End> {
    loop {
        match line.stream.next().await {
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|why| line.lost(why));
            }
            Some(Ok(Message::Close(Some(close)))) if u16::from(close.code) == frame::NOT_LET_IN => {
                return Err(End::Refused);
            }
            Some(Ok(Message::Close(_))) | None => return Err(line.lost("the gateway has hung up")),
            Some(Ok(_)) => {}
            Some(Err(why)) => return Err(line.lost(why)),
        }
    }
}

/// Who did what, and what it is worth where points count once.
fn deed(event: &str, body: &Value) -> Option<Deed> {
    let (kind, points, user) = match event {
        "MESSAGE_CREATE" => ("message", 10, &body["author"]),
        "MESSAGE_REACTION_ADD" => ("reaction", 3, &body["member"]["user"]),
        "VOICE_STATE_UPDATE" => ("voice", 5, &body["member"]["user"]),
        _ => return None,
    };
    Some(Deed {
        member: number(&user["id"])?,
        name: user["username"].as_str()?.to_owned(),
        kind,
        points,
    })
}

/// Discord writes its numbers as text, since some readers of JSON take them for fractions.
fn number(id: &Value) -> Option<i64> {
    id.as_str()?.parse().ok()
}

fn points(usual: i64, multiplier: f64) -> i64 {
    // Both are small: a few points, at most ten times as many.
    (usual as f64 * multiplier).round() as i64
}

#[cfg(test)]
mod tests {
    use super::{deed, points};
    use serde_json::json;

    #[test]
    fn half_points_are_rounded_up() {
        assert_eq!(points(10, 1.5), 15);
        assert_eq!(points(3, 0.5), 2);
        assert_eq!(points(10, 0.0), 0);
    }

    #[test]
    fn a_message_counts_for_its_author_and_typing_for_nobody() {
        let body = json!({ "channel_id": "1", "author": { "id": "7", "username": "Ada" } });
        let found = deed("MESSAGE_CREATE", &body).expect("it counts");
        assert_eq!((found.member, found.kind, found.points), (7, "message", 10));
        assert!(deed("TYPING_START", &body).is_none());
    }
}
