//! Calls to other components: JSON there and back, and never longer than a page's visitor would wait.

use crate::citizen::Failure;
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;
use ureq::Agent;

/// Whoever asks for a score has ten seconds at the most; two of ours have to fit in.
const PATIENCE: Duration = Duration::from_secs(4);

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false);
    config.build().into()
});

/// Asks with these headers; the answer's status and body.
pub async fn get(url: String, headers: Vec<(&'static str, String)>) -> Result<(u16, Value), Failure> {
    blocking(move || {
        let mut request = AGENT.get(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.call()
    })
    .await
}

/// Sends a body; the answer's status and body.
pub async fn post(url: String, body: Value) -> Result<(u16, Value), Failure> {
    blocking(move || AGENT.post(&url).send_json(body)).await
}

async fn blocking(
    call: impl FnOnce() -> Result<ureq::http::Response<ureq::Body>, ureq::Error> + Send + 'static,
) -> Result<(u16, Value), Failure> {
    let called = tokio::task::spawn_blocking(move || {
        let mut answer = call()?;
        let body = answer.body_mut().read_json().unwrap_or(Value::Null);
        Ok::<_, ureq::Error>((answer.status().as_u16(), body))
    });
    Ok(called.await??)
}
