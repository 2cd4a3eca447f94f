//! How a program of ours begins, logs and ends: settings that lack are named, a line is one JSON object, TERM is heard.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// What stops a program, in words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Writes one line of the log. Addresses of pages are never in it: what people had open is nobody's business.
pub fn log(level: &str, what: &str, more: Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut line = json!({ "at_ms": now.as_millis() as u64, "level": level, "what": what });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    // Nobody reads it any more: that is no reason to end.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A setting from the environment.
pub fn setting(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

/// Runs a program to its end, and tells how it ended.
pub fn run(program: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let ended = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(program),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log("error", "ended", json!({ "because": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}

/// Returns when somebody asks it to stop.
pub async fn asked_to_stop() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

/// Answers requests until it is asked to stop, and then those that have begun.
pub async fn serve(router: Router) -> Result<(), Failure> {
    let port: u16 = setting("PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    log("info", "listens", json!({ "port": port }));
    axum::serve(listener, router)
        .with_graceful_shutdown(asked_to_stop())
        .await?;
    log("info", "stopped", json!({}));
    Ok(())
}

/// An answer that says what is wrong.
pub fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// Something behind us failed: it is logged with its reason, and the caller is told that it may try again.
pub fn unavailable(what: &str, error: impl Display) -> Response {
    log("error", what, json!({ "because": error.to_string() }));
    problem(StatusCode::SERVICE_UNAVAILABLE, what)
}
