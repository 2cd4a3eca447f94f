//! The answers: each looks something up, or writes down what is wanted and lets the workers do it.

use crate::{Core, Failed, Kept, refusal};
use axum::extract::{Extension, Json, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use redis::AsyncCommands;
use reflect_coach::coach::{Event, Question, rule_of_thumb};
use reflect_coach::sign::Claims;
use reflect_coach::{Fault, call, log, queue};
use serde::Deserialize;
use serde_json::{Value, json};

type Answer = Result<Response, Failed>;

/// How long answers are cached, in seconds.
const CACHED: u64 = 60;

#[derive(Deserialize)]
pub struct Entrance {
    email: String,
    password: String,
}

/// Opens a session. Who has no such address waits as long as who has another password.
pub async fn sign_in(State(core): State<Kept>, Json(who): Json<Entrance>) -> Answer {
    let found: Option<(String, String, bool)> = sqlx::query_as(
        "SELECT id, name, password = crypt($2, password) FROM people WHERE email = $1 AND password IS NOT NULL
         UNION ALL SELECT '', '', crypt($2, gen_salt('bf')) IS NULL LIMIT 1",
    )
    .bind(&who.email)
    .bind(&who.password)
    .fetch_optional(&core.db)
    .await?;
    let Some((id, name, true)) = found else {
        return Ok(refusal(StatusCode::UNAUTHORIZED, "no such address and password"));
    };
    let (token,): (String,) = sqlx::query_as(
        "WITH made AS MATERIALIZED (SELECT encode(gen_random_bytes(32), 'hex') AS token),
              kept AS (INSERT INTO sessions (token, person, until)
                       SELECT encode(digest(token, 'sha256'), 'hex'), $1, now() + interval '7 days' FROM made)
         SELECT token FROM made",
    )
    .bind(&id)
    .fetch_one(&core.db)
    .await?;
    log::say("signed in", json!({ "person": id }));
    Ok(Json(json!({ "person": id, "name": name, "token": token })).into_response())
}

fn session(headers: &HeaderMap) -> &str {
    let token = headers.get("x-session").and_then(|value| value.to_str().ok());
    token.unwrap_or_default()
}

/// Whose session it is.
pub async fn whose(State(core): State<Kept>, headers: HeaderMap) -> Answer {
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT person FROM sessions WHERE token = encode(digest($1, 'sha256'), 'hex') AND until > now()",
    )
    .bind(session(&headers))
    .fetch_optional(&core.db)
    .await?;
    Ok(match found {
        Some((person,)) => Json(json!({ "person": person })).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "there is no such session"),
    })
}

/// Ends a session.
pub async fn sign_out(State(core): State<Kept>, headers: HeaderMap) -> Answer {
    sqlx::query("DELETE FROM sessions WHERE token = encode(digest($1, 'sha256'), 'hex')")
        .bind(session(&headers))
        .execute(&core.db)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn me(State(core): State<Kept>, Extension(who): Extension<Claims>) -> Answer {
    let found: Option<(String, String)> = sqlx::query_as("SELECT name, email FROM people WHERE id = $1")
        .bind(&who.sub)
        .fetch_optional(&core.db)
        .await?;
    Ok(match found {
        Some((name, email)) => Json(json!({ "id": who.sub, "name": name, "email": email })).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "there is no such person"),
    })
}

#[derive(Deserialize)]
pub struct Entry {
    text: String,
    kind: String,
    minutes: i64,
}

/// Keeps an entry, encrypted, and has it looked at.
pub async fn write_diary(
    State(core): State<Kept>,
    Extension(who): Extension<Claims>,
    Json(entry): Json<Entry>,
) -> Answer {
    if entry.kind.is_empty() || entry.kind.len() > 40 || !(1..=1440).contains(&entry.minutes) {
        return Ok(refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "say what it was, and for how many minutes of a day",
        ));
    }
    let mut all = core.db.begin().await?;
    sqlx::query("INSERT INTO diaries (person, text) VALUES ($1, pgp_sym_encrypt($2, $3))")
        .bind(&who.sub)
        .bind(&entry.text)
        .bind(&core.data_key)
        .execute(&mut *all)
        .await?;
    sqlx::query("INSERT INTO events (person, kind, amount) VALUES ($1, $2, $3)")
        .bind(&who.sub)
        .bind(&entry.kind)
        .bind(entry.minutes)
        .execute(&mut *all)
        .await?;
    sqlx::query(
        "INSERT INTO scores (person) VALUES ($1)
         ON CONFLICT (person) DO UPDATE SET wanted = scores.wanted + 1, touched = now()",
    )
    .bind(&who.sub)
    .execute(&mut *all)
    .await?;
    all.commit().await?;
    enqueue(&core, "score", json!({ "person": who.sub })).await;
    Ok((StatusCode::ACCEPTED, Json(json!({ "kept": true }))).into_response())
}

/// Puts a job on its queue. What matters stands in Postgres already, and is asked for again when this fails.
async fn enqueue(core: &Core, name: &str, body: Value) {
    if let Err(why) = queue::put(&mut core.redis.clone(), name, body).await {
        log::warn("not enqueued", json!({ "queue": name, "why": why.to_string() }));
    }
}

pub async fn diary(State(core): State<Kept>, Extension(who): Extension<Claims>) -> Answer {
    let found: Vec<(String, i64)> = sqlx::query_as(
        "SELECT pgp_sym_decrypt(text, $2), extract(epoch FROM at)::bigint FROM diaries
         WHERE person = $1 AND text IS NOT NULL ORDER BY id DESC LIMIT 20",
    )
    .bind(&who.sub)
    .bind(&core.data_key)
    .fetch_all(&core.db)
    .await?;
    let entries = found
        .into_iter()
        .map(|(text, at)| json!({ "text": text, "at": at }));
    Ok(Json(entries.collect::<Value>()).into_response())
}

#[derive(Deserialize)]
pub struct Import {
    source: String,
    lines: i64,
}

pub async fn begin_import(
    State(core): State<Kept>,
    Extension(who): Extension<Claims>,
    Json(import): Json<Import>,
) -> Answer {
    if import.source != "sample" || !(1..=100_000).contains(&import.lines) {
        return Ok(refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the source is `sample`, with 1 to 100000 lines",
        ));
    }
    let (id,): (String,) = sqlx::query_as(
        "INSERT INTO imports (id, person, source, lines)
         VALUES (encode(gen_random_bytes(8), 'hex'), $1, $2, $3) RETURNING id",
    )
    .bind(&who.sub)
    .bind(&import.source)
    .bind(import.lines)
    .fetch_one(&core.db)
    .await?;
    enqueue(&core, "import", json!({ "import": id })).await;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "progress": "0%" }))).into_response())
}

pub async fn import(
    State(core): State<Kept>,
    Extension(who): Extension<Claims>,
    Path(id): Path<String>,
) -> Answer {
    let found: Option<(i64, i64)> =
        sqlx::query_as("SELECT done, lines FROM imports WHERE id = $1 AND person = $2")
            .bind(&id)
            .bind(&who.sub)
            .fetch_optional(&core.db)
            .await?;
    Ok(match found {
        Some((done, lines)) => {
            let progress = format!("{}%", done * 100 / lines);
            Json(json!({ "id": id, "done": done, "lines": lines, "progress": progress })).into_response()
        }
        None => refusal(StatusCode::NOT_FOUND, "there is no such import"),
    })
}

/// How far the import of the synthetic visitor has come. It is nobody's, so whoever is inside may look. One that has been asked
/// for and has not begun hides the one before: whoever waits for its end is not told that of another.
pub async fn probed_import(State(core): State<Kept>) -> Answer {
    let found: Option<(i64, i64)> =
        sqlx::query_as("SELECT done, lines FROM imports WHERE id = 'probe' AND person = 'probe'")
            .fetch_optional(&core.db)
            .await?;
    let is_under_way = queue::has_for(&mut core.redis.clone(), "import", "probe").await?;
    Ok(match found {
        Some((done, lines)) if done < lines || !is_under_way => {
            let progress = format!("{}%", done * 100 / lines);
            Json(json!({ "id": "probe", "done": done, "lines": lines, "progress": progress })).into_response()
        }
        Some(_) => Json(json!({ "id": "probe", "progress": "0%" })).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "there is no such import"),
    })
}

/// What the coach sees in what somebody did; what rules say where it cannot be asked.
pub async fn indicators(State(core): State<Kept>, Extension(who): Extension<Claims>) -> Answer {
    let found: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT extract(epoch FROM at)::bigint, kind, amount FROM events WHERE person = $1 ORDER BY at DESC LIMIT 500",
    )
    .bind(&who.sub)
    .fetch_all(&core.db)
    .await?;
    let history = found
        .into_iter()
        .map(|(at, kind, amount)| Event { at, kind, amount });
    let question = Question {
        history: history.collect(),
    };
    if core.rules_only {
        return Ok(Json(rule_of_thumb(&question)).into_response());
    }
    let asked = call::coach(&core.agent, &core.coach, &core.coach_key, &question).await;
    Ok(Json(asked.unwrap_or_else(|why| {
        log::warn("the coach is silent", json!({ "why": why.to_string() }));
        rule_of_thumb(&question)
    }))
    .into_response())
}

/// The last reflections: from the cache, else from Postgres. Whoever writes one empties the cache.
pub async fn reflections(State(core): State<Kept>, Extension(who): Extension<Claims>) -> Answer {
    let key = format!("cache:reflections:{}", who.sub);
    let mut redis = core.redis.clone();
    let cached: Option<String> = redis.get(&key).await.unwrap_or_default();
    let text = match cached {
        Some(text) => text,
        None => {
            let text = kept_reflections(&core, &who.sub).await?.to_string();
            let _: Result<(), _> = redis.set_ex(&key, &text, CACHED).await;
            text
        }
    };
    Ok(([("content-type", "application/json")], text).into_response())
}

async fn kept_reflections(core: &Core, person: &str) -> Result<Value, Fault> {
    let found: Vec<(String, bool, i64)> = sqlx::query_as(
        "SELECT advice, by_coach, extract(epoch FROM at)::bigint FROM reflections
         WHERE person = $1 ORDER BY id DESC LIMIT 10",
    )
    .bind(person)
    .fetch_all(&core.db)
    .await?;
    let one = |(advice, by_coach, at)| json!({ "advice": advice, "by_coach": by_coach, "at": at });
    Ok(found.into_iter().map(one).collect())
}

#[derive(Deserialize)]
pub struct WhatIf {
    kind: String,
    minutes: i64,
    times: u16,
}

/// Has it worked out what would be if. The same question within the hour has its answer already.
pub async fn simulate(
    State(core): State<Kept>,
    Extension(who): Extension<Claims>,
    Json(what): Json<WhatIf>,
) -> Answer {
    if what.kind.len() > 40 || !(1..=1440).contains(&what.minutes) || what.times > 365 {
        return Ok(refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "up to a year, and a day's minutes at most",
        ));
    }
    let key =
        reflect_coach::sign::digest(format!("{} {} {}", what.kind, what.minutes, what.times).as_bytes());
    let body = json!({ "person": who.sub, "key": key, "kind": what.kind, "minutes": what.minutes, "times": what.times });
    enqueue(&core, "sim", body).await;
    Ok((StatusCode::ACCEPTED, Json(json!({ "key": key }))).into_response())
}

pub async fn simulation(
    State(core): State<Kept>,
    Extension(who): Extension<Claims>,
    Path(key): Path<String>,
) -> Answer {
    let found: Option<String> = core.redis.clone().get(format!("sim:{}:{key}", who.sub)).await?;
    Ok(match found {
        Some(text) => ([("content-type", "application/json")], text).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "it is not worked out, or forgotten again"),
    })
}

/// Has the digest of this week made. Older ones than are wanted leave the database; the bucket has them all.
pub async fn make_digest(State(core): State<Kept>, Extension(who): Extension<Claims>) -> Answer {
    sqlx::query(
        "DELETE FROM digests WHERE person = $1 AND week NOT IN
         (SELECT week FROM digests WHERE person = $1 ORDER BY week DESC LIMIT $2)",
    )
    .bind(&who.sub)
    .bind(core.digests_kept)
    .execute(&core.db)
    .await?;
    enqueue(&core, "digest", json!({ "person": who.sub })).await;
    Ok((StatusCode::ACCEPTED, Json(json!({ "asked": true }))).into_response())
}

pub async fn digests(State(core): State<Kept>, Extension(who): Extension<Claims>) -> Answer {
    let found: Vec<(String, String)> =
        sqlx::query_as("SELECT week, object FROM digests WHERE person = $1 ORDER BY week DESC")
            .bind(&who.sub)
            .fetch_all(&core.db)
            .await?;
    let all = found
        .into_iter()
        .map(|(week, object)| json!({ "week": week, "object": object }));
    Ok(Json(all.collect::<Value>()).into_response())
}
