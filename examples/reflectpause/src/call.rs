//! Calls to Discord and to Perspective: JSON there and back, and never for long.

use crate::citizen::Failure;
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;
use ureq::Agent;

/// A pause that is offered later than this comes after the quarrel.
const PATIENCE: Duration = Duration::from_secs(5);

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    let config = Agent::config_builder().timeout_global(Some(PATIENCE));
    config.build().into()
});

/// Sends a body, and returns what is answered; a refusal is a failure.
pub async fn post(url: String, authorization: Option<String>, body: Value) -> Result<Value, Failure> {
    let called = tokio::task::spawn_blocking(move || {
        let mut request = AGENT.post(&url);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let mut answer = request.send_json(body)?;
        Ok::<_, ureq::Error>(answer.body_mut().read_json().unwrap_or(Value::Null))
    });
    Ok(called.await??)
}
