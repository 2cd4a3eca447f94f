//! What clients have set on the bucket: whether versions are kept, and how objects age.

use super::{Database, text};
use crate::refusal::Refusal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::Row;

/// Whether old versions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Versioning {
    /// They never were.
    #[default]
    Off,
    /// They are.
    Enabled,
    /// Those that there are stay, and no new ones come.
    Suspended,
}

impl Database {
    pub(crate) async fn setting<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Refusal> {
        let query = sqlx::query("SELECT body FROM setting WHERE name = $1").bind(name);
        let Some(row) = query.fetch_optional(&mut self.connection).await? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_str(row.try_get(0)?)?))
    }

    pub(crate) async fn set<T: Serialize>(&mut self, name: &str, value: Option<&T>) -> Result<(), Refusal> {
        let query = match value {
            Some(value) => {
                let words = "INSERT INTO setting (name, body) VALUES ($1, $2) \
                    ON CONFLICT (name) DO UPDATE SET body = excluded.body";
                sqlx::query(words).bind(name).bind(text(value)?)
            }
            None => sqlx::query("DELETE FROM setting WHERE name = $1").bind(name),
        };
        query.execute(&mut self.connection).await?;
        Ok(())
    }
}
