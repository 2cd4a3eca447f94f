//! The backend for the browser: sessions, the page, WebSockets. It keeps nothing; core does.

mod feed;
mod pages;
mod sockets;
mod visitor;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use reflect_coach::metrics::gauge;
use reflect_coach::serve::{Stop, serve};
use reflect_coach::{Fault, call, setting, sign};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use ureq::Agent;

/// How many events may wait for a slow browser before it is told to look for itself.
const WAITING: usize = 256;

/// Everything that an answer needs.
struct Edge {
    agent: Agent,
    core: String,
    jwt_key: String,
    /// What every socket hears, each taking out its own.
    told: broadcast::Sender<Arc<feed::Told>>,
    hears: AtomicBool,
    sockets: AtomicU64,
    stop: Stop,
}

type Kept = Arc<Edge>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let stop = Stop::asked()?;
    let edge = Arc::new(Edge {
        agent: call::agent(),
        core: setting::needed("CORE_URL")?,
        jwt_key: setting::needed("JWT_SIGNING_KEY")?,
        told: broadcast::channel(WAITING).0,
        hears: AtomicBool::new(false),
        sockets: AtomicU64::new(0),
        stop: stop.clone(),
    });
    feed::listen(edge.clone())?;
    let routes = Router::new()
        .route("/", get(pages::page))
        .route("/page.js", get(pages::script))
        .route("/page.css", get(pages::style))
        .route("/auth/login", post(visitor::sign_in))
        .route("/auth/logout", post(visitor::sign_out))
        .route("/auth/me", get(visitor::me))
        .route("/api/{*rest}", get(visitor::ask).post(visitor::ask))
        .route("/ws", get(sockets::open))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .with_state(edge.clone());
    serve(routes, stop).await?;
    // Open sockets are told to come back, before they lose us.
    for _ in 0..100 {
        if edge.sockets.load(Ordering::Relaxed) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Says whether core is heard. It stays well without: a new edge would hear no more, and open sockets would be lost with it.
async fn health(State(edge): State<Kept>) -> (StatusCode, String) {
    (
        StatusCode::OK,
        json!({ "hears_core": edge.hears.load(Ordering::Relaxed) }).to_string(),
    )
}

async fn metrics(State(edge): State<Kept>) -> String {
    let hears = u64::from(edge.hears.load(Ordering::Relaxed));
    gauge("open_sockets", edge.sockets.load(Ordering::Relaxed)) + &gauge("hears_core", hears)
}

impl Edge {
    /// A token about a person, for one call of core.
    fn token(&self, person: &str) -> Result<String, Fault> {
        Ok(format!("Bearer {}", sign::token(&self.jwt_key, person)?))
    }
}
