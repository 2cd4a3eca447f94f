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
    let value = |name: &str| std::env::var(name).ok();
    let folder = value("FOLDER").unwrap_or_default().into();
    let port = value("PORT").and_then(|port| port.parse().ok()).unwrap_or(0);
    let password = Sealed::new(value("PASSWORD").unwrap_or_default());
    let memory = value("MEMORY").and_then(|memory| memory.parse().ok());
    let prepared = if std::env::args().nth(1).as_deref() == Some("redis") {
        redis::prepare(&RedisOrder {
            folder,
            port,
            password,
            version: value("VERSION"),
            memory,
            evict: Evict::None,
            persistent: value("PASSING").is_none(),
        })
    } else {
        let extensions = value("EXTENSIONS").unwrap_or_default();
        postgres::prepare(&PostgresOrder {
            folder,
            port,
            database: "shop".to_owned(),
            user: "keeper".to_owned(),
            password,
            extensions: extensions.split_whitespace().map(str::to_owned).collect(),
            version: value("VERSION"),
            memory,
            connections: 20,
        })
    };
    let Err(error) = prepared.and_then(towpath_resource::Exec::exec);
    let hint = error.hint().unwrap_or_default();
    // Nobody listens: there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "error: {error}\nhint: {hint}");
    ExitCode::from(3)
}
