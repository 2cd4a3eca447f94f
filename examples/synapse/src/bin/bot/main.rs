//! The bot: keeps one session at the gateway, and gives points for what happens in the club.
#![allow(clippy::print_stdout, reason = "a health command says what it found")]

mod record;
mod session;
mod zones;

use record::Record;
use serde_json::json;
use session::{End, Session};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use synapse::{Outcome, launch, log, setting};
use zones::Zones;

/// The pause before it connects again doubles from the first to the last.
const FIRST: Duration = Duration::from_millis(200);
const LAST: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    let asked = std::env::args().nth(1);
    launch::ended(match asked.as_deref() {
        Some("health") => health().await,
        _ => run().await,
    })
}

/// Ends well where the bot has heard of the gateway a moment ago.
async fn health() -> Outcome {
    let record = Record::new(setting::database(1)?);
    match record.is_connected().await {
        Ok(true) => Ok(()),
        Ok(false) => Err("not connected to the gateway".to_owned()),
        Err(why) => Err(format!("the database: {why}")),
    }
}

async fn run() -> Outcome {
    let record = Record::new(setting::database(4)?);
    let zones = Arc::new(Zones::default());
    let session = Session {
        discord: setting::needed("DISCORD_URL")?,
        token: setting::needed("DISCORD_TOKEN")?,
        zones: Arc::clone(&zones),
        record: record.clone(),
    };
    tokio::select! {
        () = zones::follow(&zones, &record) => Ok(()),
        outcome = keep(&session) => outcome,
    }
}

/// Keeps a session, whatever happens to its connection.
async fn keep(session: &Session) -> Outcome {
    let stop = launch::stop();
    tokio::pin!(stop);
    session.zones.known().await;
    let mut pause = FIRST;
    loop {
        match session.run(stop.as_mut()).await {
            End::Stopped => return Ok(()),
            End::Refused => return Err("the gateway does not let us in; is DISCORD_TOKEN right?".to_owned()),
            End::Lost { why, was_well } => {
                pause = if was_well { FIRST } else { (pause * 2).min(LAST) };
                log::trouble(
                    "the gateway is away",
                    json!({ "why": why, "again_ms": pause.as_millis() }),
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.as_mut() => return Ok(()),
        }
    }
}
