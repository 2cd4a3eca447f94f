//! Listening where we are told to, and stopping when we are asked to.

use crate::{Fault, log, setting};
use axum::Router;
use serde_json::json;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long requests that are under way may take once we are asked to stop; the manifest allows more than that.
const PATIENCE: Duration = Duration::from_secs(8);

/// Becomes true when the program is asked to stop.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Learns of it from the signals that ask a program to end.
    pub fn asked() -> Result<Self, Fault> {
        let (tell, told) = watch::channel(false);
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            log::say("stopping", json!({}));
            let _ = tell.send(true);
            // Whoever waits goes on waiting for as long as somebody could tell.
            tell.closed().await;
        });
        Ok(Stop(told))
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub async fn wait(&self) {
        let mut told = self.0.clone();
        let _ = told.wait_for(|asked| *asked).await;
    }

    /// Waits a while, or less when it is asked.
    pub async fn pause(&self, time: Duration) {
        let _ = timeout(time, self.wait()).await;
    }
}

/// Serves until asked to stop: then nobody new is let in, and whoever is in is answered.
pub async fn serve(routes: Router, stop: Stop) -> Result<(), Fault> {
    let port: u16 = setting::needed("PORT")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    log::say("listening", json!({ "port": port }));
    let asked = stop.clone();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(async move { asked.wait().await });
    let overdue = async {
        stop.wait().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = async { serving.await } => ended?,
        () = overdue => log::warn("left unanswered", json!({ "after_s": PATIENCE.as_secs() })),
    }
    log::say("stopped", json!({}));
    Ok(())
}
