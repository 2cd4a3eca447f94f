//! Postgres, Redis and the bucket, as they are reached.

use crate::{Fault, setting};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use rusty_s3::actions::{GetObject, PutObject};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;
use tokio::task::spawn_blocking;
use ureq::Agent;

/// How long a way to the bucket is good for; it is used at once.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// Connections to Postgres, made when they are needed.
pub fn postgres() -> Result<PgPool, Fault> {
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(5));
    Ok(pool.connect_lazy(&setting::needed("DATABASE_URL")?)?)
}

/// A connection to Redis that is made anew when it breaks. `wait` is for one that waits for work by itself.
pub async fn redis(wait: bool) -> Result<ConnectionManager, Fault> {
    let patience = (!wait).then_some(Duration::from_secs(3));
    let config = ConnectionManagerConfig::new().set_response_timeout(patience);
    let client = redis::Client::open(setting::needed("REDIS_URL")?)?;
    Ok(ConnectionManager::new_with_config(client, config).await?)
}

/// Writes what browsers are to be told, in the transaction that makes it true.
pub async fn tell(
    transaction: &mut sqlx::PgTransaction<'_>,
    person: &str,
    kind: &str,
    body: &serde_json::Value,
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO outbox (user_id, kind, body) VALUES ($1, $2, $3::jsonb)")
        .bind(person)
        .bind(kind)
        .bind(body.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// The bucket for digests.
#[derive(Debug, Clone)]
pub struct Files {
    bucket: Bucket,
    credentials: Credentials,
    agent: Agent,
}

impl Files {
    /// The bucket, from what `uses` has brought.
    pub fn given(agent: Agent) -> Result<Self, Fault> {
        let endpoint = setting::needed("FILES_ENDPOINT")?.parse()?;
        let (name, region) = (setting::needed("FILES_BUCKET")?, setting::needed("FILES_REGION")?);
        Ok(Files {
            bucket: Bucket::new(endpoint, UrlStyle::Path, name, region)?,
            credentials: Credentials::new(
                setting::needed("FILES_ACCESS_KEY_ID")?,
                setting::needed("FILES_SECRET_ACCESS_KEY")?,
            ),
            agent,
        })
    }

    /// Keeps an object: all of it, or an error.
    pub async fn put(&self, object: &str, body: String) -> Result<(), Fault> {
        let url = PutObject::new(&self.bucket, Some(&self.credentials), object).sign(SIGNED_FOR);
        let agent = self.agent.clone();
        spawn_blocking(move || {
            let answer = agent
                .put(url.as_str())
                .content_type("application/json")
                .send(body)?;
            is_good(answer.status().as_u16())
        })
        .await?
    }

    /// An object's text.
    pub async fn get(&self, object: &str) -> Result<String, Fault> {
        let url = GetObject::new(&self.bucket, Some(&self.credentials), object).sign(SIGNED_FOR);
        let agent = self.agent.clone();
        spawn_blocking(move || {
            let mut answer = agent.get(url.as_str()).call()?;
            is_good(answer.status().as_u16())?;
            Ok(answer.body_mut().read_to_string()?)
        })
        .await?
    }
}

fn is_good(status: u16) -> Result<(), Fault> {
    match status {
        200..300 => Ok(()),
        status => Err(format!("the bucket answered {status}").into()),
    }
}
