//! Calling one another over HTTP.

use crate::{Fault, coach, sign};
use serde_json::Value;
use std::time::Duration;
use tokio::task::spawn_blocking;
use ureq::Agent;
use ureq::http::Request;

/// How long an answer may take. Whoever asked us waits as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A caller that keeps its connections. An answer is an answer, whatever its status.
pub fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .proxy(None)
        .build()
        .into()
}

/// An answer: its status and its text.
#[derive(Debug, Clone)]
pub struct Answered {
    pub status: u16,
    pub body: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Asks, with a body or without.
pub async fn ask(
    agent: &Agent,
    method: &str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
) -> Result<Answered, Fault> {
    let mut request = Request::builder().method(method).uri(url);
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let (agent, request) = (agent.clone(), request.body(body)?);
    spawn_blocking(move || {
        let mut answer = match request.body().is_empty() {
            true => agent.run(request.map(|_| ()))?,
            false => agent.run(request)?,
        };
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_string()?;
        Ok(Answered { status, body })
    })
    .await?
}

/// Asks the coach, with a signature.
pub async fn coach(
    agent: &Agent,
    url: &str,
    key: &str,
    question: &coach::Question,
) -> Result<coach::Answer, Fault> {
    let body = serde_json::to_string(question)?;
    let headers = vec![(sign::SIGNATURE, sign::body(key, body.as_bytes()))];
    let answer = ask(agent, "POST", format!("{url}/indicators"), headers, body).await?;
    match answer.status {
        200 => Ok(serde_json::from_str(&answer.body)?),
        status => Err(format!("the coach answered {status}").into()),
    }
}
