//! What the gateway and a bot say to each other: those of Discord's words that a bot of this size needs.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

/// Something happened.
pub const DISPATCH: u8 = 0;
/// Said by both: are you there?
pub const HEARTBEAT: u8 = 1;
/// A bot begins a session.
pub const IDENTIFY: u8 = 2;
/// A bot goes on with a session, and wants to hear what it missed.
pub const RESUME: u8 = 6;
/// The gateway wants the bot to come again.
pub const RECONNECT: u8 = 7;
/// There is no such session, or no more.
pub const INVALID_SESSION: u8 = 9;
/// The gateway's first word.
pub const HELLO: u8 = 10;
/// The gateway heard a heartbeat.
pub const HEARD: u8 = 11;

/// A bot that leaves with this code may come back to its session; after 1000 it may not.
pub const AWAY: u16 = 4000;
/// The token is not right, and coming again does not help.
pub const NOT_LET_IN: u16 = 4004;

#[derive(Debug, Serialize, Deserialize)]
pub struct Frame {
    #[serde(rename = "op")]
    pub code: u8,
    #[serde(rename = "d", default)]
    pub body: Value,
    /// The number of what happened, in its session.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// What kind of thing happened.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

impl Frame {
    pub fn new(code: u8, body: Value) -> Frame {
        Frame {
            code,
            body,
            sequence: None,
            event: None,
        }
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn message(&self) -> Message {
        Message::text(self.text())
    }
}
