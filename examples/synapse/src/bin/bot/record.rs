//! What the bot keeps in the database: points, where it is in its session, and that it is connected.

use crate::zones::Zone;
use serde::Deserialize;
use sqlx::postgres::PgListener;
use sqlx::{PgPool, Row};
use std::time::Duration;

/// Something that a member did.
#[derive(Debug)]
pub(crate) struct Deed {
    pub(crate) member: i64,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) points: i64,
}

/// A session of the gateway, and the last event of it that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) session: String,
    pub(crate) sequence: i64,
}

#[derive(Clone)]
pub(crate) struct Record(PgPool);

impl Record {
    pub(crate) fn new(pool: PgPool) -> Record {
        Record(pool)
    }

    pub(crate) async fn listener(&self, channel: &str) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.0).await?;
        listener.listen(channel).await?;
        Ok(listener)
    }

    pub(crate) async fn zones<T: for<'a> Deserialize<'a>>(&self) -> Result<Vec<T>, sqlx::Error> {
        let rows = sqlx::query("SELECT row_to_json(zones)::text FROM zones")
            .fetch_all(&self.0)
            .await?;
        let read = |row: &sqlx::postgres::PgRow| {
            let text: String = row.try_get(0)?;
            serde_json::from_str(&text).map_err(|why| sqlx::Error::Decode(Box::new(why)))
        };
        rows.iter().map(read).collect()
    }

    /// Tells that a version of a zone is in use from now on, and after how many milliseconds.
    pub(crate) async fn saw(&self, zone: &str, version: i32) -> Result<Option<f64>, sqlx::Error> {
        let row = sqlx::query(
            "INSERT INTO sightings (zone, version, after)
             SELECT name, version, clock_timestamp() - changed_at FROM zones WHERE name = $1 AND version = $2
             ON CONFLICT (zone) DO UPDATE SET version = excluded.version, after = excluded.after
             RETURNING (extract(epoch FROM after) * 1000)::double precision",
        )
        .bind(zone)
        .bind(version)
        .fetch_optional(&self.0)
        .await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    /// Where we were when we were there last.
    pub(crate) async fn place(&self) -> Result<Option<Place>, sqlx::Error> {
        let row = sqlx::query("SELECT session, sequence FROM bot")
            .fetch_one(&self.0)
            .await?;
        let (session, sequence): (Option<String>, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(session.map(|session| Place { session, sequence }))
    }

    /// A session begins, or goes on.
    pub(crate) async fn connected(&self, place: &Place, holds: Duration) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE bot SET session = $1, sequence = $2, connected_at = now(), heard_until = now() + $3 * interval '1 second'",
        )
        .bind(&place.session)
        .bind(place.sequence)
        .bind(holds.as_secs_f64())
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// The gateway was heard.
    pub(crate) async fn heard(&self, holds: Duration) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE bot SET heard_until = now() + $1 * interval '1 second'")
            .bind(holds.as_secs_f64())
            .execute(&self.0)
            .await?;
        Ok(())
    }

    pub(crate) async fn away(&self) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE bot SET connected_at = NULL, heard_until = now()")
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// The session is no more.
    pub(crate) async fn forget(&self) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE bot SET session = NULL, sequence = 0")
            .execute(&self.0)
            .await?;
        Ok(())
    }

    pub(crate) async fn is_connected(&self) -> Result<bool, sqlx::Error> {
        let row = sqlx::query("SELECT connected_at IS NOT NULL AND heard_until > now() FROM bot")
            .fetch_one(&self.0)
            .await?;
        row.try_get(0)
    }

    /// An event that gives nothing is behind us.
    pub(crate) async fn passed(&self, place: &Place) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE bot SET sequence = $2 WHERE session = $1")
            .bind(&place.session)
            .bind(place.sequence)
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Gives the points. They, and that the event is behind us, are written together: killed at any moment, the bot
    /// neither loses an event nor counts it twice.
    pub(crate) async fn count(&self, place: &Place, deed: &Deed, zone: &Zone) -> Result<(), sqlx::Error> {
        let mut work = self.0.begin().await?;
        sqlx::query("UPDATE bot SET sequence = $2 WHERE session = $1")
            .bind(&place.session)
            .bind(place.sequence)
            .execute(&mut *work)
            .await?;
        let total = sqlx::query(
            "INSERT INTO members AS known (id, name, points, events) VALUES ($1, $2, $3, 1)
             ON CONFLICT (id) DO UPDATE
             SET name = excluded.name, points = known.points + excluded.points, events = known.events + 1, seen = now()
             RETURNING points",
        )
        .bind(deed.member)
        .bind(&deed.name)
        .bind(deed.points)
        .fetch_one(&mut *work)
        .await?;
        let total: i64 = total.try_get(0)?;
        sqlx::query(
            "INSERT INTO events (session, sequence, member, zone, kind, multiplier, points)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&place.session)
        .bind(place.sequence)
        .bind(deed.member)
        .bind(&zone.name)
        .bind(deed.kind)
        .bind(zone.multiplier)
        .bind(deed.points)
        .execute(&mut *work)
        .await?;
        sqlx::query(
            "INSERT INTO earned (member, achievement) SELECT $1, name FROM achievements WHERE points <= $2
             ON CONFLICT DO NOTHING",
        )
        .bind(deed.member)
        .bind(total)
        .execute(&mut *work)
        .await?;
        work.commit().await
    }
}
