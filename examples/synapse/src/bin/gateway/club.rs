//! The club: members who write, react and talk, as if they had nothing else to do.

use crate::sessions::Sessions;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Something happens about so often.
const PACE: Duration = Duration::from_millis(700);

pub(crate) struct Member<'a> {
    pub(crate) id: i64,
    pub(crate) name: &'a str,
}

/// The first keeps the club.
pub(crate) const MEMBERS: &[Member<'_>] = &[
    Member {
        id: 7001,
        name: "Ada",
    },
    Member {
        id: 7002,
        name: "Linus",
    },
    Member {
        id: 7003,
        name: "Grace",
    },
    Member {
        id: 7004,
        name: "Edsger",
    },
    Member {
        id: 7005,
        name: "Barbara",
    },
    Member {
        id: 7006,
        name: "Alan",
    },
    Member {
        id: 7007,
        name: "Margaret",
    },
    Member {
        id: 7008,
        name: "Donald",
    },
    Member {
        id: 7009,
        name: "Radia",
    },
    Member {
        id: 7010,
        name: "Ken",
    },
    Member {
        id: 7011,
        name: "Frances",
    },
    Member {
        id: 7012,
        name: "Niklaus",
    },
];

/// The lounge, help, showcase, the study hall, memes.
const CHANNELS: &[i64] = &[5001, 5002, 5003, 5004, 5005];

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Message,
    Reaction,
    Voice,
}

/// Lives until the process ends.
pub(crate) async fn live(sessions: Arc<Sessions>) {
    let mut dice = Dice(synapse::token::now().unsigned_abs() | 1);
    loop {
        let pause = PACE.mul_f64(0.3 + dice.below(140) as f64 / 100.0);
        tokio::time::sleep(pause).await;
        // The one of two throws that is less: some are more eager than others.
        let eager = dice.below(MEMBERS.len()).min(dice.below(MEMBERS.len()));
        let kind = match dice.below(10) {
            0..=5 => Kind::Message,
            6..=8 => Kind::Reaction,
            _ => Kind::Voice,
        };
        let channel = CHANNELS[dice.below(CHANNELS.len())];
        // Ada keeps the club, which leaves her little time to talk.
        let member = &MEMBERS[(eager + 1) % MEMBERS.len()];
        let (event, body) = happening(kind, member, channel);
        sessions.dispatch(event, &body);
    }
}

/// What the gateway says when a member does something in a channel.
pub(crate) fn happening(kind: Kind, member: &Member<'_>, channel: i64) -> (&'static str, Value) {
    let channel = channel.to_string();
    let user = json!({ "id": member.id.to_string(), "username": member.name });
    match kind {
        Kind::Message => (
            "MESSAGE_CREATE",
            json!({ "channel_id": channel, "author": user, "content": "" }),
        ),
        Kind::Reaction => (
            "MESSAGE_REACTION_ADD",
            json!({ "channel_id": channel, "member": { "user": user }, "emoji": { "name": "👏" } }),
        ),
        Kind::Voice => (
            "VOICE_STATE_UPDATE",
            json!({ "channel_id": channel, "member": { "user": user } }),
        ),
    }
}

/// Numbers that look thrown; they need not be more (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % most
    }
}
