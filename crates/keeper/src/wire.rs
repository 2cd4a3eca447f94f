//! What is said between a keeper and those who talk to it: an order, questions, and how it is.
//!
//! Each message is its length in four bytes, least first, and JSON. The first message on the socket that a keeper is born
//! with is its order; everything else that it hears is an `Asked`, and everything that it says a `Told`. Nobody has to
//! answer: whoever connects is told how the instance is, and again each time that changes.

use crate::groups::Grounds;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use towpath_model::desired::component::Restart;
use towpath_model::run::{InstanceId, Limits, Seen, Stop};
use towpath_model::unit::{Duration, Name};

/// A longer message is no message: an environment may be as large as the system takes it, and that is 6 MiB at most.
const LONGEST: usize = 16 * 1024 * 1024;

/// Exactly what a keeper starts and keeps.
#[derive(Clone, Serialize, Deserialize)]
pub struct Order {
    /// The state folder, as a whole path.
    pub state: String,
    /// Which instance.
    pub id: InstanceId,
    /// The digest of what it is started from.
    pub digest: String,
    /// The command, as it is typed in a shell.
    pub command: String,
    /// The folder that it runs in.
    pub dir: String,
    /// All of its environment, in clear.
    pub env: Vec<(String, String)>,
    /// The variable that holds the path of a file, and what stands in the file.
    pub files: Vec<(String, String)>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// What it may use.
    pub limits: Limits,
    /// What happens when it ends by itself.
    pub restart: Restart,
    /// How it is stopped where nobody says otherwise.
    pub stop: Stop,
    /// How long it may run at all.
    pub timeout: Option<Duration>,
    /// The lease that it has to hold.
    pub lease: Option<Name>,
    /// Where cgroups can be made.
    pub grounds: Grounds,
}

/// Secrets stand in an order, so that it is never shown.
impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Something that is asked of a keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The asker's own number for it; it comes back when it is done.
    pub number: u64,
    /// What is asked.
    pub what: Request,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Stop it. Done when nothing of it is left.
    Stop(Stop),
    /// Stop it and start it again. Done when it runs again, or cannot.
    Restart(Stop),
    /// Leave, where it has ended. Done when the socket closes.
    Forget,
}

/// What a keeper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// How the instance is.
    Seen {
        /// How it is.
        seen: Seen,
        /// The questions of this asker that are done by now.
        done: Vec<u64>,
        /// The keeper's own process.
        keeper: u32,
    },
    /// Another keeper has this instance already.
    Taken,
    /// It could not become the keeper of this instance.
    Failed {
        /// What it was doing.
        doing: String,
        /// What it was done to.
        subject: String,
        /// The number of the system's error.
        errno: i32,
    },
}

/// A message as it goes over the socket.
pub fn frame<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message).expect("our own messages can be written as JSON");
    let length = u32::try_from(bytes.len() - 4).expect("our own messages are shorter than 4 GiB");
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// What has arrived and was not read yet.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
}

/// What arrived is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbled {
    /// The beginning of what arrived.
    pub said: String,
}

impl Inbox {
    /// Takes in what arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, if it has arrived.
    pub fn message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Garbled> {
        let Some(head) = self.bytes.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*head) as usize;
        if length > LONGEST {
            return Err(self.garbled());
        }
        let Some(text) = self.bytes.get(4..4 + length) else {
            return Ok(None);
        };
        let message = serde_json::from_slice(text).map_err(|_| self.garbled())?;
        self.bytes.drain(..4 + length);
        if self.bytes.is_empty() {
            // An order may have been large, and a keeper lives long.
            self.bytes = Vec::new();
        }
        Ok(Some(message))
    }

    fn garbled(&self) -> Garbled {
        let start = &self.bytes[..self.bytes.len().min(80)];
        Garbled {
            said: String::from_utf8_lossy(start).escape_debug().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_however_it_is_cut() {
        let asked = Asked {
            number: 7,
            what: Request::Forget,
        };
        let bytes = [frame(&asked), frame(&asked)].concat();
        let mut inbox = Inbox::default();
        let mut read = 0;
        for byte in bytes {
            inbox.feed(&[byte]);
            while let Some(message) = inbox.message::<Asked>().unwrap() {
                assert_eq!(message, asked);
                read += 1;
            }
        }
        assert_eq!(read, 2);
        assert_eq!(inbox.bytes.capacity(), 0);
    }

    #[test]
    fn what_is_no_message_is_told_as_it_came() {
        let mut inbox = Inbox::default();
        inbox.feed(b"GET / HTTP/1.1\r\n");
        assert_eq!(inbox.message::<Asked>().unwrap_err().said, "GET / HTTP/1.1\\r\\n");
        let mut inbox = Inbox::default();
        inbox.feed(&[2, 0, 0, 0, b'{', b'}']);
        assert!(inbox.message::<Asked>().is_err());
    }
}
