//! How a program starts, serves and stops.

use crate::{Outcome, log, setting};
use axum::Router;
use serde_json::json;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// After a signal, what is being answered has so long.
const GRACE: Duration = Duration::from_secs(1);

/// The end of a program: well, or with its reason as the last line of the log.
pub fn ended(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            log::fatal(&why);
            ExitCode::FAILURE
        }
    }
}

/// Waits until somebody asks us to stop.
pub async fn stop() {
    let (Ok(mut asked), Ok(mut interrupted)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return log::trouble("signals cannot be heard", json!({}));
    };
    tokio::select! {
        _ = asked.recv() => {}
        _ = interrupted.recv() => {}
    }
}

/// Serves until somebody asks us to stop.
pub async fn serve(router: Router) -> Outcome {
    let port = setting::port()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|why| format!("port {port}: {why}"))?;
    log::well("listening", json!({ "port": port }));
    let served = axum::serve(listener, router).with_graceful_shutdown(stop());
    tokio::select! {
        served = async { served.await } => served.map_err(|why| why.to_string())?,
        () = async { stop().await; tokio::time::sleep(GRACE).await } => {}
    }
    log::well("stopped", json!({}));
    Ok(())
}
