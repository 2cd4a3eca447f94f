//! Queues in Redis, under the names that BullMQ has for them.
//!
//! A job waits in `bull:NAME:wait`. Whoever takes it moves it, in one step, into a list of its own, so that no job is ever
//! nowhere; what lies in the list of somebody who has stopped breathing goes back. A job that fails waits in `bull:delayed`,
//! longer each time, and in the end lies in `bull:dead:wait`. What Redis itself forgets, Postgres asks for again.

use crate::{Fault, clock, log};
use redis::aio::ConnectionManager;
use redis::{AsyncCommands, Direction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// The queues, as the manifest names them.
pub const QUEUES: [&str; 4] = ["import", "score", "sim", "digest"];

/// How often a job is tried anew, and the first pause; it doubles each time. The manifest says the same.
const TIMES: u32 = 5;
const BACKOFF: Duration = Duration::from_secs(10);

/// Somebody who has not breathed for so many seconds is dead.
const BREATH: u64 = 15;

/// A job as it lies in a queue. One that somebody else has put there may be no more than its body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub queue: String,
    pub body: Value,
    /// How often it has failed.
    pub failed: u32,
    /// As it lies in the queue.
    #[serde(skip)]
    text: String,
}

impl Job {
    fn read(queue: &str, text: String) -> Self {
        let ours = serde_json::from_str::<Job>(&text);
        let job = ours.unwrap_or_else(|_| Job {
            queue: queue.to_owned(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            failed: 0,
            text: String::new(),
        });
        Job { text, ..job }
    }
}

/// The list of jobs that wait.
pub fn waiting(queue: &str) -> String {
    format!("bull:{queue}:wait")
}

fn taken(queue: &str, worker: &str) -> String {
    format!("bull:{queue}:active:{worker}")
}

fn alive(worker: &str) -> String {
    format!("bull:alive:{worker}")
}

/// Puts a job into a queue.
pub async fn put(redis: &mut ConnectionManager, queue: &str, body: Value) -> Result<(), Fault> {
    let job = json!({ "queue": queue, "body": body, "failed": 0 });
    let _: () = redis.lpush(waiting(queue), job.to_string()).await?;
    Ok(())
}

/// Takes a job, if one comes within a second. The connection waits, and is nobody else's.
pub async fn take(redis: &mut ConnectionManager, queue: &str, worker: &str) -> Result<Option<Job>, Fault> {
    let (from, to) = (waiting(queue), taken(queue, worker));
    let text: Option<String> = redis
        .blmove(from, to, Direction::Right, Direction::Left, 1.0)
        .await?;
    Ok(text.map(|text| Job::read(queue, text)))
}

/// A job is done.
pub async fn done(redis: &mut ConnectionManager, job: &Job, queue: &str, worker: &str) -> Result<(), Fault> {
    let _: () = redis.lrem(taken(queue, worker), 1, &job.text).await?;
    Ok(())
}

/// A job has failed: it is tried again later, or lies where the dead ones do.
pub async fn failed(
    redis: &mut ConnectionManager,
    job: &Job,
    queue: &str,
    worker: &str,
) -> Result<(), Fault> {
    let again = json!({ "queue": queue, "body": job.body, "failed": job.failed + 1 }).to_string();
    let mut both = redis::pipe();
    both.atomic();
    if job.failed >= TIMES {
        log::warn("given up", json!({ "queue": queue }));
        both.lpush(waiting("dead"), again).ignore();
    } else {
        let pause = BACKOFF * 2_u32.pow(job.failed);
        let due = clock::now().as_second() + i64::try_from(pause.as_secs())?;
        both.zadd("bull:delayed", again, due).ignore();
    }
    both.lrem(taken(queue, worker), 1, &job.text).ignore();
    let _: () = both.query_async(redis).await?;
    Ok(())
}

/// Whether a job for somebody waits or is worked on; of very many that wait, the last thousand count.
pub async fn has_for(redis: &mut ConnectionManager, queue: &str, user: &str) -> Result<bool, Fault> {
    if lies(redis, &waiting(queue), queue, user).await? {
        return Ok(true);
    }
    // What was taken since then lies with whoever has taken it.
    let lists: Vec<String> = redis.keys(taken(queue, "*")).await?;
    for list in lists {
        if lies(redis, &list, queue, user).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn lies(redis: &mut ConnectionManager, list: &str, queue: &str, user: &str) -> Result<bool, Fault> {
    let jobs: Vec<String> = redis.lrange(list, 0, 999).await?;
    Ok(jobs.into_iter().any(|text| Job::read(queue, text).body["user"] == user))
}

/// Says that a worker lives.
pub async fn breathe(redis: &mut ConnectionManager, worker: &str) -> Result<(), Fault> {
    let _: () = redis.set_ex(alive(worker), 1, BREATH).await?;
    Ok(())
}

/// Says that a worker has gone, so that nobody waits for its breath.
pub async fn gone(redis: &mut ConnectionManager, worker: &str) -> Result<(), Fault> {
    let _: () = redis.del(alive(worker)).await?;
    Ok(())
}

/// Whether anybody works.
pub async fn anybody(redis: &mut ConnectionManager) -> Result<bool, Fault> {
    let names: Vec<String> = redis.keys("bull:alive:*").await?;
    Ok(!names.is_empty())
}

/// Puts back what the dead have left, and what was to be tried again about now.
pub async fn tidy(redis: &mut ConnectionManager) -> Result<(), Fault> {
    for queue in QUEUES {
        let lists: Vec<String> = redis.keys(taken(queue, "*")).await?;
        for list in lists {
            let worker = list.rsplit(':').next().unwrap_or_default();
            if redis.exists::<_, bool>(alive(worker)).await? {
                continue;
            }
            while redis
                .lmove::<_, _, Option<String>>(&list, waiting(queue), Direction::Right, Direction::Right)
                .await?
                .is_some()
            {
                log::say("taken over", json!({ "queue": queue }));
            }
        }
    }
    let now = clock::now().as_second();
    let due: Vec<String> = redis.zrangebyscore("bull:delayed", "-inf", now).await?;
    for text in due {
        let job = Job::read("dead", text);
        // Into its queue first: a job that is there twice is harmless, one that is nowhere is not.
        let mut both = redis::pipe();
        both.atomic();
        both.lpush(waiting(&job.queue), &job.text).ignore();
        both.zrem("bull:delayed", &job.text).ignore();
        let _: () = both.query_async(redis).await?;
    }
    Ok(())
}
