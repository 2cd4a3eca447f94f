//! What core has to tell: one stream of everything for this edge, heard by all of its sockets.

use crate::Edge;
use reflect_coach::{Fault, log};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use tokio::runtime::Handle;
use ureq::Agent;

/// Who speaks when edge asks for itself.
pub const EDGE: &str = "system:edge";

/// How long core may be silent; it says something every five seconds.
const SILENCE: Duration = Duration::from_secs(15);

/// The pause before core is asked again.
const PAUSE: Duration = Duration::from_millis(300);

/// Something that a person is told.
#[derive(Debug, Deserialize)]
pub struct Told {
    pub id: String,
    #[serde(default)]
    pub user_id: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub body: Value,
}

/// Listens for as long as this program lives, in a thread of its own because reading a stream blocks.
pub fn listen(edge: Arc<Edge>) -> Result<(), Fault> {
    let config = Agent::config_builder()
        .proxy(None)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE));
    let agent: Agent = config.build().into();
    let waiting = Handle::current();
    let listening = move || {
        let mut after = None;
        while !edge.stop.is_asked() {
            let ended = hear(&edge, &agent, &mut after);
            if edge.hears.swap(false, Ordering::Relaxed) || ended.is_err() {
                let why = ended.err().map(|why| why.to_string());
                log::warn("core is silent", json!({ "why": why }));
            }
            waiting.block_on(edge.stop.pause(PAUSE));
        }
    };
    thread::Builder::new().name("feed".to_owned()).spawn(listening)?;
    Ok(())
}

/// Hears one stream to its end. Where it ended is where the next one begins, so nothing in between is missed.
fn hear(edge: &Edge, agent: &Agent, after: &mut Option<String>) -> Result<(), Fault> {
    let mut url = format!("{}/events", edge.core);
    if let Some(after) = after {
        url += &format!("?after={after}");
    }
    let answer = agent
        .get(&url)
        .header("authorization", edge.token(EDGE)?)
        .call()?;
    for line in BufReader::new(answer.into_body().into_reader()).lines() {
        let line = line?;
        edge.hears.store(true, Ordering::Relaxed);
        if line.is_empty() {
            continue;
        }
        let told: Told = serde_json::from_str(&line)?;
        *after = Some(told.id.clone());
        if !told.user_id.is_empty() {
            // That nobody listens is no fault.
            let _ = edge.told.send(Arc::new(told));
        }
    }
    Ok(())
}
