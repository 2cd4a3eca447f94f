//! A bot's connection: lets it in, hears its heartbeats, and tells it what happens.

use crate::sessions::{Held, Sessions, Wake};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::{Value, json};
use std::time::Duration;
use synapse::frame::{self, Frame};
use tokio::time::{Instant, timeout};

/// How often a bot has to say that it is there. Discord wants it each 41 seconds; while developing nobody waits so long.
const BEAT: Duration = Duration::from_secs(5);

/// Ends with the reason, for the log.
type Ended = String;

pub(crate) async fn serve(mut socket: WebSocket, sessions: &Sessions) -> Ended {
    let hello = Frame::new(frame::HELLO, json!({ "heartbeat_interval": BEAT.as_millis() }));
    if let Err(why) = say(&mut socket, hello.text()).await {
        return why;
    }
    let (mut held, heard) = match let_in(&mut socket, sessions).await {
        Ok(begun) => begun,
        Err(why) => return why,
    };
    let end = talk(&mut socket, sessions, &mut held, heard).await;
    let (why, for_good) = match end {
        Ok(close) => {
            let for_good = close.is_none_or(|code| code == 1000 || code == 1001);
            (format!("the bot left with {close:?}"), for_good)
        }
        Err(why) => (why, false),
    };
    sessions.leave(&held, for_good);
    why
}

/// Waits until the bot says who it is. Its session, and up to where it has heard of it.
async fn let_in(socket: &mut WebSocket, sessions: &Sessions) -> Result<(Held, i64), Ended> {
    let first = timeout(BEAT, hear(socket)).await;
    let first = first.map_err(|_| "the bot does not say who it is")??;
    let Some(Heard::Frame(first)) = first else {
        return Err("the bot left before it came in".to_owned());
    };
    let token = first.body["token"].as_str().unwrap_or_default();
    if token.is_empty() {
        let reason = "Authentication failed.".into();
        let close = CloseFrame {
            code: frame::NOT_LET_IN,
            reason,
        };
        let _ = socket.send(Message::Close(Some(close))).await;
        return Err("a bot without a token".to_owned());
    }
    match first.code {
        frame::IDENTIFY => Ok((sessions.begin(token), 0)),
        frame::RESUME => {
            let session = first.body["session_id"].as_str().unwrap_or_default();
            let heard = first.body["seq"].as_i64().unwrap_or_default();
            match sessions.resume(token, session, heard) {
                Some(held) => Ok((held, heard)),
                None => {
                    say(socket, Frame::new(frame::INVALID_SESSION, json!(false)).text()).await?;
                    Err("a session that is no more".to_owned())
                }
            }
        }
        _ => Err("the bot begins with something else".to_owned()),
    }
}

/// Until the connection ends: with the code that the bot left with, or for another reason.
async fn talk(
    socket: &mut WebSocket,
    sessions: &Sessions,
    held: &mut Held,
    mut told: i64,
) -> Result<Option<u16>, Ended> {
    let mut last = Instant::now();
    loop {
        let (news, sequence) = sessions.after(held, told);
        for event in news {
            say(socket, event).await?;
        }
        told = sequence;
        tokio::select! {
            heard = hear(socket) => match heard? {
                Some(Heard::Frame(Frame { code: frame::HEARTBEAT, .. })) => {
                    last = Instant::now();
                    say(socket, Frame::new(frame::HEARD, Value::Null).text()).await?;
                }
                Some(Heard::Frame(_)) => {}
                Some(Heard::Close(code)) => return Ok(Some(code)),
                None => return Err("the bot has hung up".to_owned()),
            },
            changed = held.wake.changed() => {
                if changed.is_err() || *held.wake.borrow_and_update() == Wake::End {
                    return Err("the connection was taken away".to_owned());
                }
            }
            () = tokio::time::sleep_until(last + BEAT * 2) => return Err("no heartbeat".to_owned()),
        }
    }
}

enum Heard {
    Frame(Frame),
    Close(u16),
}

async fn hear(socket: &mut WebSocket) -> Result<Option<Heard>, Ended> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                let frame = serde_json::from_str(text.as_str()).map_err(|why| why.to_string())?;
                return Ok(Some(Heard::Frame(frame)));
            }
            Some(Ok(Message::Close(close))) => {
                return Ok(Some(Heard::Close(close.map_or(1000, |close| close.code))));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Ok(None),
        }
    }
}

async fn say(socket: &mut WebSocket, text: String) -> Result<(), Ended> {
    socket
        .send(Message::text(text))
        .await
        .map_err(|why| why.to_string())
}
