//! Becomes a store that its environment orders, as the binary of the product does: for tests, which cannot become one
//! themselves.
#![allow(clippy::disallowed_methods, reason = "a test orders by the environment")]

use std::io::Write;
use std::process::ExitCode;
use towpath_model::Sealed;
use towpath_model::desired::resource::Evict;
use towpath_resource::postgres::{self, PostgresOrder};
use towpath_resource::redis::{self, RedisOrder};

fn main() -> ExitCode {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    let folder = value("FOLDER").into();
    let port = value("PORT").parse().unwrap_or(0);
    let password = Sealed::new(value("PASSWORD"));
    let prepared = if std::env::args().nth(1).as_deref() == Some("redis") {
        redis::prepare(&RedisOrder {
            folder,
            port,
            password,
            version: None,
            memory: value("MEMORY").parse().ok(),
            evict: Evict::Lru,
            persistent: false,
        })
    } else {
        postgres::prepare(&PostgresOrder {
            folder,
            port,
            database: "shop".to_owned(),
            user: "keeper".to_owned(),
            password,
            extensions: Vec::new(),
            version: None,
            memory: None,
            connections: 20,
        })
    };
    let Err(error) = prepared.and_then(towpath_resource::Exec::exec);
    // Nobody listens: there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(3)
}
