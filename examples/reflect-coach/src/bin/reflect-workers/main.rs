//! The workers: they take jobs from their queues, and hand on what browsers are to be told.

mod jobs;
mod relay;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use redis::aio::ConnectionManager;
use reflect_coach::metrics::{Count, Times, counter, gauge};
use reflect_coach::queue::{self, QUEUES};
use reflect_coach::serve::{Stop, serve};
use reflect_coach::stores::{self, Files};
use reflect_coach::{Fault, call, clock, log, setting};
use serde_json::json;
use sqlx::PgPool;
use std::process;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;

/// Everything that a job needs.
struct Workers {
    /// By which the others know this one.
    name: String,
    db: PgPool,
    redis: ConnectionManager,
    files: Files,
    agent: Agent,
    coach: String,
    coach_key: String,
    /// The coach is not asked.
    rules_only: bool,
    simulations_kept: u64,
    stop: Stop,
    done: Count,
    failed: Count,
    lag: Times,
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (stop, agent) = (Stop::asked()?, call::agent());
    let workers = Arc::new(Workers {
        name: format!("{}-{}", process::id(), clock::now().as_millisecond()),
        db: stores::postgres()?,
        redis: stores::redis(false).await?,
        files: Files::given(agent.clone())?,
        agent,
        coach: setting::needed("AI_URL")?,
        coach_key: setting::needed("AI_HMAC_SECRET")?,
        rules_only: setting::flag("HEURISTICS_ONLY", true),
        simulations_kept: setting::seconds("SIMULATION_TTL", 3600)?,
        stop: stop.clone(),
        done: Count::default(),
        failed: Count::default(),
        lag: Times::default(),
    });
    queue::breathe(&mut workers.redis.clone(), &workers.name).await?;
    let mut all = vec![
        tokio::spawn(relay::relay(workers.clone())),
        tokio::spawn(keep(workers.clone())),
    ];
    // A loop for each queue: a long import keeps no score waiting.
    for name in QUEUES {
        let redis = stores::redis(true).await?;
        all.push(tokio::spawn(work(workers.clone(), name, redis)));
    }
    let routes = Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .with_state(workers.clone());
    serve(routes, stop).await?;
    for one in all {
        one.await?;
    }
    queue::gone(&mut workers.redis.clone(), &workers.name).await
}

/// Takes one job after the other.
async fn work(workers: Arc<Workers>, name: &'static str, mut waiting: ConnectionManager) {
    let mut redis = workers.redis.clone();
    while !workers.stop.is_asked() {
        let job = match queue::take(&mut waiting, name, &workers.name).await {
            Ok(Some(job)) => job,
            Ok(None) => continue,
            Err(why) => {
                log::warn("no queue", json!({ "queue": name, "why": why.to_string() }));
                workers.stop.pause(Duration::from_secs(1)).await;
                continue;
            }
        };
        let ended = jobs::run(&workers, name, &job.body).await;
        let noted = match &ended {
            Ok(true) => {
                workers.done.add(1);
                log::say("done", json!({ "queue": name }));
                queue::done(&mut redis, &job, name, &workers.name).await
            }
            // It was left in the middle, because we stop: the next one goes on with it.
            Ok(false) => Ok(()),
            Err(why) => {
                workers.failed.add(1);
                log::warn(
                    "failed",
                    json!({ "queue": name, "times": job.failed + 1, "why": why.to_string() }),
                );
                queue::failed(&mut redis, &job, name, &workers.name).await
            }
        };
        if let Err(why) = noted {
            log::warn("not noted", json!({ "queue": name, "why": why.to_string() }));
        }
    }
}

/// Breathes, takes over what the dead have left, and asks again for what Redis has forgotten.
async fn keep(workers: Arc<Workers>) {
    let mut redis = workers.redis.clone();
    while !workers.stop.is_asked() {
        let kept = async {
            queue::breathe(&mut redis, &workers.name).await?;
            queue::tidy(&mut redis).await?;
            jobs::ask_again(&workers).await
        };
        if let Err(why) = kept.await {
            log::warn("not kept", json!({ "why": why.to_string() }));
        }
        workers.stop.pause(Duration::from_secs(2)).await;
    }
}

/// Well is who reaches what it cannot work without.
async fn health(State(workers): State<Arc<Workers>>) -> (StatusCode, String) {
    let db = sqlx::query("SELECT 1").execute(&workers.db).await.is_ok();
    let redis = redis::cmd("PING")
        .exec_async(&mut workers.redis.clone())
        .await
        .is_ok();
    let status = if db && redis {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, json!({ "postgres": db, "redis": redis }).to_string())
}

async fn metrics(State(workers): State<Arc<Workers>>) -> String {
    let mut text = workers.lag.text("event_delivery_lag_ms");
    text += &counter("jobs_done_total", workers.done.now());
    text += &counter("jobs_failed_total", workers.failed.now());
    text + &gauge("up", 1)
}
