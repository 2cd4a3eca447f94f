//! What a program is told by its environment variables.

use crate::Outcome;

/// A variable that has to be there.
pub fn needed(name: &str) -> Outcome<String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(format!(
            "{name} is not set; `towpath up` sets it as towpath.toml says"
        )),
    }
}

/// The port to listen on.
pub fn port() -> Outcome<u16> {
    let text = needed("PORT")?;
    text.parse()
        .map_err(|_| format!("PORT is `{text}`, which is no port"))
}

/// A pool of connections to the database, each made when it is needed.
pub fn database(most: u32) -> Outcome<sqlx::PgPool> {
    let url = needed("DATABASE_URL")?;
    sqlx::postgres::PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(std::time::Duration::from_secs(5))
        .connect_lazy(&url)
        .map_err(|why| format!("DATABASE_URL: {why}"))
}
