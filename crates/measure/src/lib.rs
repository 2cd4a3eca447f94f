//! Reading one metric once: from a resource, a component's page, an address, a command.
//!
//! Whoever wants to know hands over where everything is ([`Sources`]) and gets a [`Reading`], which says nothing yet: what it
//! means, and whether it keeps a bound, is decided in `towpath-decide` from many of them. What the steward sees itself
//! (requests, latency, processors) is not read here.
//!
//! A reading takes a bounded time and a bounded number of bytes, and changes nothing where it is taken. A number that cannot
//! be read is no number: there is no zero for an empty answer, and no first of several. What went wrong names the place, the
//! rule and the next step; a secret is in none of it.

mod document;
mod door;
mod page;
mod prometheus;
mod sources;
mod sql;
mod stores;
mod web;

pub use sources::{Component, Host, Page, Sources, Store};
pub use sql::is_about_a_time;

use jiff::Timestamp;
use sources::Kind;
use std::collections::BTreeMap;
use towpath_model::desired::metric::{Measured, Metric};
use towpath_model::run::Reading;

/// The most that is told of something that went wrong.
const LONGEST: usize = 600;

/// Reads a metric. `span` is the time that is asked about, for a query with `:from` and `:to`; PromQL is asked at its end.
pub async fn read(
    metric: &Metric,
    sources: &Sources,
    span: Option<(Timestamp, Timestamp)>,
) -> Result<Reading, String> {
    // Each place has its own bound and says what was slow; this one is for what none of them has thought of.
    let whole = sources.bound.to_std() * 2 + std::time::Duration::from_secs(1);
    let read = tokio::time::timeout(whole, ask(metric, sources, span)).await;
    let read = read.unwrap_or_else(|_| Err(format!("no answer within {}", sources.bound)));
    read.map_err(|why| shown(&why, sources))
}

async fn ask(
    metric: &Metric,
    sources: &Sources,
    span: Option<(Timestamp, Timestamp)>,
) -> Result<Reading, String> {
    if let Some(measured) = metric.measured {
        return self::measured(metric, measured, sources).await;
    }
    if let Some(query) = &metric.sql {
        return sql::read(metric, query, sources, span).await;
    }
    if let Some(key) = &metric.redis {
        let store = sources.store(Kind::Redis, metric)?;
        let length = stores::lengths(store, &[key.as_str()], sources).await?;
        return Ok(Reading::Level(length));
    }
    if let Some(series) = &metric.series {
        return page::read(metric, series, sources).await;
    }
    if let Some(query) = &metric.prometheus {
        return prometheus::read(metric, query, sources, span).await;
    }
    if let Some(address) = &metric.http {
        return document::read(metric, address, sources).await;
    }
    if let Some(command) = &metric.command {
        let printed = door::run(command.as_str(), sources).await?;
        return number(&printed)
            .map(Reading::Level)
            .ok_or_else(|| unprinted(command.as_str(), &printed));
    }
    match &metric.store {
        Some(store) => Err(format!(
            "the extension's store is not asked for `{store}` by anybody yet; read it with a command or from an address instead"
        )),
        None => Err(
            "the metric has no source; write one of sql, redis, series, prometheus, http, command".to_owned(),
        ),
    }
}

/// What is measured of a resource.
async fn measured(metric: &Metric, measured: Measured, sources: &Sources) -> Result<Reading, String> {
    match measured {
        Measured::Locks => sql::of_database(metric, sources, sql::LOCKS).await,
        Measured::DatabaseConnections => sql::of_database(metric, sources, sql::CONNECTIONS).await,
        Measured::Evictions => stores::evictions(metric, sources).await,
        Measured::QueueDepth => stores::waiting(metric, sources).await,
        Measured::DeadLetters => stores::dead(metric, sources).await,
        here => Err(format!(
            "`{here}` is measured by the steward itself, and is nowhere to be read"
        )),
    }
}

/// A number as programs print it; nothing where it is none, or none that can be compared.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    let number: f64 = text.bytes().all(plain).then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

fn unprinted(command: &str, printed: &str) -> String {
    let printed = match printed.trim() {
        "" => "nothing".to_owned(),
        text => format!("`{}`", text.chars().take(80).collect::<String>()),
    };
    format!(
        "`{command}` printed {printed}; it has to print one number, and what is for people on its other output"
    )
}

/// A counter of one, by a name for its life.
pub(crate) fn count(by: &str, value: f64) -> Reading {
    Reading::Count(BTreeMap::from([(by.to_owned(), value)]))
}

/// What went wrong without any secret that somebody may have put into their answer, and not too long.
fn shown(why: &str, sources: &Sources) -> String {
    let mut why = why.to_owned();
    for secret in sources.secrets() {
        // What is so short is in every text, and is no secret.
        if secret.trim().len() >= 4 {
            why = why.replace(secret.trim(), "[sealed]");
        }
    }
    let plain = why.split_whitespace().collect::<Vec<_>>().join(" ");
    match plain.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::Sealed;

    /// A metric as it is kept in a release.
    pub(crate) fn metric(text: &str) -> Metric {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_number_is_read_as_programs_print_it() {
        for (text, value) in [
            ("3", 3.0),
            (" -2.50\n", -2.5),
            ("1e3", 1000.0),
            ("+7", 7.0),
            (".5", 0.5),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "NaN", "inf", "1e999", "3 s", "1,200", "0x10", "--3", "."] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn what_went_wrong_has_no_secret_in_it_and_an_end() {
        let sources = Sources {
            secrets: [("KEY".to_owned(), Sealed::new("hunter2".to_owned()))].into(),
            environment: vec![("PASS".to_owned(), Sealed::new("swordfish\n".to_owned()))],
            ..Sources::default()
        };
        assert_eq!(
            shown("it said hunter2,\n  and swordfish", &sources),
            "it said [sealed], and [sealed]"
        );
        assert_eq!(shown(&"é".repeat(2000), &sources).chars().count(), LONGEST + 1);
    }

    #[tokio::test]
    async fn what_nobody_can_read_says_what_to_do_instead() {
        let sources = Sources::default();
        let store = metric(r#"{"store": "rating"}"#);
        assert!(
            read(&store, &sources, None)
                .await
                .unwrap_err()
                .contains("with a command")
        );
        let here = metric(r#"{"measured": "latency"}"#);
        assert!(
            read(&here, &sources, None)
                .await
                .unwrap_err()
                .contains("the steward itself")
        );
    }
}
