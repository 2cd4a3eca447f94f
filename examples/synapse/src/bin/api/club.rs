//! Scores and zones. The database writes the JSON, so there is nothing in between that could disagree with it.

use crate::sign_in::Admin;
use crate::{Answer, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use synapse::log;

const SCORES: &str = "
SELECT coalesce(json_agg(one ORDER BY one.points DESC, one.name), '[]')::text FROM (
    SELECT members.id::text AS member, members.name, members.points, members.events,
           (SELECT title FROM earned JOIN achievements ON achievements.name = earned.achievement
            WHERE earned.member = members.id ORDER BY achievements.points DESC LIMIT 1) AS title
    FROM members ORDER BY points DESC, members.name LIMIT 50) AS one";

const ZONES: &str = "
SELECT coalesce(json_agg(one ORDER BY one.title), '[]')::text FROM (
    SELECT zones.name, title, multiplier, zones.version, changed_at, changed_by,
           extract(epoch FROM sightings.after) * 1000 AS after_ms
    FROM zones LEFT JOIN sightings ON sightings.zone = zones.name AND sightings.version = zones.version) AS one";

const BOT: &str = "
SELECT json_build_object('connected_at', connected_at, 'heard_until', heard_until, 'sequence', sequence,
    'connected', connected_at IS NOT NULL AND heard_until > now(), 'now', now())::text FROM bot";

const FEED: &str = "
SELECT coalesce(json_agg(one ORDER BY one.at DESC), '[]')::text FROM (
    SELECT at, events.member::text AS member, members.name, zone, kind, multiplier, events.points
    FROM events JOIN members ON members.id = events.member ORDER BY at DESC LIMIT 20) AS one";

/// Events by intervals of five seconds, counted back from now.
const PULSE: &str = "
SELECT coalesce(json_object_agg(ago, events), '{}')::text FROM (
    SELECT floor(extract(epoch FROM now() - at) / 5)::int AS ago, count(*) AS events
    FROM events WHERE at > now() - interval '5 minutes' GROUP BY 1) AS one";

async fn read(pool: &PgPool, query: &'static str) -> Result<Value, Problem> {
    let row = sqlx::query(query).fetch_one(pool).await?;
    let text: String = row.try_get(0)?;
    serde_json::from_str(&text).map_err(|why| sqlx::Error::Decode(Box::new(why)).into())
}

pub(crate) async fn scores(State(pool): State<PgPool>) -> Answer {
    read(&pool, SCORES).await.map(Json)
}

pub(crate) async fn zones(State(pool): State<PgPool>) -> Answer {
    read(&pool, ZONES).await.map(Json)
}

/// Everything that the dashboard begins with.
pub(crate) async fn whole(State(pool): State<PgPool>) -> Answer {
    Ok(Json(json!({
        "scores": read(&pool, SCORES).await?,
        "zones": read(&pool, ZONES).await?,
        "bot": read(&pool, BOT).await?,
        "feed": read(&pool, FEED).await?,
        "pulse": read(&pool, PULSE).await?,
    })))
}

#[derive(Deserialize)]
pub(crate) struct Change {
    multiplier: f64,
}

/// Changes what a zone is worth. That it has changed, the database tells.
pub(crate) async fn change_zone(
    State(pool): State<PgPool>,
    Path(name): Path<String>,
    admin: Admin,
    Json(change): Json<Change>,
) -> Answer {
    if !(0.0..=10.0).contains(&change.multiplier) {
        let why = format!("the multiplier is {}; it goes from 0 to 10", change.multiplier);
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let row = sqlx::query(
        "UPDATE zones SET multiplier = $2, changed_by = $3 WHERE name = $1 RETURNING row_to_json(zones)::text",
    )
    .bind(&name)
    .bind(change.multiplier)
    .bind(&admin.0.name)
    .fetch_optional(&pool)
    .await?;
    let Some(row) = row else {
        return Err(Problem(
            StatusCode::NOT_FOUND,
            format!("there is no zone `{name}`"),
        ));
    };
    log::well(
        "a zone was changed",
        json!({ "zone": name, "multiplier": change.multiplier, "by": admin.0.name }),
    );
    let text: String = row.try_get(0)?;
    let zone = serde_json::from_str(&text).map_err(|why| sqlx::Error::Decode(Box::new(why)))?;
    Ok(Json(zone))
}
