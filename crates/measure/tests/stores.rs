//! Stores as they really are: queries of every sort, queues, locks, and keys that are thrown away.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "these tests start real servers")]

mod kit;

use kit::{PASSWORD, Server, metric, read};
use serde_json::json;
use std::time::Duration;
use towpath_measure::{Component, Sources};
use towpath_model::run::Reading;
use towpath_resource::say;

fn level(value: f64) -> Result<Reading, String> {
    Ok(Reading::Level(value))
}

#[tokio::test]
async fn a_database_answers_queries_of_every_sort() {
    let Some(server) = Server::start("postgres", &[]) else {
        return;
    };
    let sources = Sources {
        postgres: [("db".to_owned(), server.store())].into(),
        bound: towpath_model::unit::Duration::from_secs(20),
        ..Sources::default()
    };
    let sql = |query: &str| json!({ "sql": query, "of": "db" });
    for (query, value) in [
        ("select 3", 3.0),
        ("select 2.50::numeric(10,2);", 2.5),
        ("select 1.5::float8 -- with a word behind", 1.5),
        (
            "with a as (select generate_series(1, 4) as n) select count(*) from a",
            4.0,
        ),
        ("select '7'", 7.0),
        ("values (9)", 9.0),
        ("select extract(epoch from interval '90 seconds')", 90.0),
    ] {
        assert_eq!(read(&sql(query), &sources).await, level(value), "{query}");
    }
    for (query, said) in [
        ("select null::int", "answers with NULL"),
        ("select 1 where false", "no row"),
        ("select generate_series(1, 3)", "several rows"),
        ("select 1, 2", "answers with 2 columns"),
        ("select 'fast'", "answers with `fast` (text)"),
        ("select true", "(boolean)"),
        ("select interval '1 minute'", "extract(epoch from ...)"),
        ("select 'NaN'::float8", "which is no number"),
        ("selec 1", "syntax error"),
        ("select count(*) from gone", "relation \"gone\" does not exist"),
        ("select 1) as a(v); drop table x; select (1", "syntax error"),
        (
            "select 1) as asked(value); drop table x; select 1 from (select 1",
            "multiple commands",
        ),
        (
            "with a as (delete from pg_description returning 1) select * from a",
            "at the top level",
        ),
        ("select 1 from pg_class for update", "read-only"),
    ] {
        let told = read(&sql(query), &sources).await;
        let told = told
            .map(|reading| format!("{reading:?}"))
            .unwrap_or_else(|why| why);
        assert!(told.contains(said), "{query}: {told}");
        assert!(!told.contains(PASSWORD), "{told}");
    }
}

#[tokio::test]
async fn a_query_about_a_time_is_bound_to_it() {
    let Some(server) = Server::start("postgres", &[]) else {
        return;
    };
    let sources = Sources {
        postgres: [("db".to_owned(), server.store())].into(),
        bound: towpath_model::unit::Duration::from_secs(20),
        ..Sources::default()
    };
    let query = "select count(*) from generate_series('2026-03-01 00:00+00'::timestamptz, '2026-03-02 00:00+00', '1 hour') \
                 as at where at >= :from and at < :to and ':from' <> ''";
    let asked = metric(&json!({ "sql": query }));
    let (from, to) = (
        "2026-03-01T10:00:00Z".parse().unwrap(),
        "2026-03-01T13:30:00Z".parse().unwrap(),
    );
    assert_eq!(
        towpath_measure::read(&asked, &sources, Some((from, to))).await,
        Ok(Reading::Span { from, to, value: 4.0 })
    );
    let told = towpath_measure::read(&asked, &sources, None).await.unwrap_err();
    assert!(told.contains("was asked about none"), "{told}");
    let only = metric(&json!({ "sql": "select extract(epoch from :to - :to)" }));
    assert_eq!(
        towpath_measure::read(&only, &sources, Some((from, to))).await,
        Ok(Reading::Span { from, to, value: 0.0 })
    );
}

#[tokio::test]
async fn a_slow_query_is_ended_and_waiting_for_a_lock_is_counted() {
    let Some(server) = Server::start("postgres", &[]) else {
        return;
    };
    let sources = |millis| Sources {
        postgres: [("db".to_owned(), server.store())].into(),
        bound: towpath_model::unit::Duration::from_millis(millis),
        ..Sources::default()
    };
    let told = read(&json!({ "sql": "select pg_sleep(1000)::text" }), &sources(1000))
        .await
        .unwrap_err();
    assert!(
        told.contains("statement timeout") || told.contains("no answer within"),
        "{told}"
    );
    let (locks, connections) = (
        json!({ "measured": "locks", "of": "db" }),
        json!({ "measured": "database-connections" }),
    );
    assert_eq!(read(&locks, &sources(20_000)).await, level(0.0));
    // One has a lock, and another waits for it.
    let hold = "select case when pg_advisory_xact_lock(7) is not null then pg_sleep(1000)::text end";
    let waiting = sources(60_000);
    let (one, two) = (json!({ "sql": hold }), json!({ "sql": hold }));
    let both = async { tokio::join!(read(&one, &waiting), read(&two, &waiting)) };
    let watch = async {
        loop {
            if read(&locks, &sources(20_000)).await == level(1.0) {
                return read(&connections, &sources(20_000)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let watch = tokio::time::timeout(Duration::from_secs(50), watch);
    tokio::select! {
        seen = watch => assert_eq!(seen.unwrap(), level(2.0)),
        ended = both => panic!("they ended first: {ended:?}"),
    }
}

#[tokio::test]
async fn redis_tells_lengths_and_jobs() {
    let Some(server) = Server::start("redis", &[]) else {
        return;
    };
    let component = Component {
        uses: vec!["queue".to_owned()],
        queues: vec!["import".to_owned(), "score".to_owned()],
        dead_letter: Some("dead".to_owned()),
        ..Component::default()
    };
    let sources = Sources {
        redis: [("queue".to_owned(), server.store())].into(),
        components: [("workers".to_owned(), component)].into(),
        bound: towpath_model::unit::Duration::from_secs(20),
        ..Sources::default()
    };
    let commands: &[&[&str]] = &[
        &["RPUSH", "bull:import:wait", "a", "b", "c"],
        &["ZADD", "bull:score:prioritized", "1", "x"],
        &["ZADD", "bull:score:delayed", "1", "later"],
        &["ZADD", "bull:import:failed", "1", "x", "2", "y"],
        &["LPUSH", "bull:dead:wait", "z"],
        &["XADD", "events", "*", "a", "1"],
        &["SET", "text", "1"],
    ];
    say(&server.store().address, commands, Duration::from_secs(20))
        .await
        .unwrap();
    let key = |key: &str| json!({ "redis": key });
    assert_eq!(read(&key("bull:import:wait"), &sources).await, level(3.0));
    assert_eq!(read(&key("bull:import:failed"), &sources).await, level(2.0));
    assert_eq!(read(&key("events"), &sources).await, level(1.0));
    assert_eq!(read(&key("not there"), &sources).await, level(0.0));
    let told = read(&key("text"), &sources).await.unwrap_err();
    assert!(told.contains("`text` is a string in Redis"), "{told}");
    let measured = |what: &str, of: &str| json!({ "measured": what, "of": of });
    assert_eq!(
        read(&measured("queue-depth", "workers"), &sources).await,
        level(4.0)
    );
    assert_eq!(
        read(&measured("queue-depth", "queue"), &sources).await,
        level(4.0)
    );
    assert_eq!(
        read(&measured("dead-letters", "workers"), &sources).await,
        level(3.0)
    );
    let told = read(&measured("evictions", "gone"), &sources).await.unwrap_err();
    assert_eq!(
        told,
        "there is no redis `gone` here; is it declared and provided?"
    );
}

#[tokio::test]
async fn keys_that_redis_throws_away_are_counted_for_each_of_its_lives() {
    let counted = async |server: &Server| {
        let sources = Sources {
            redis: [("queue".to_owned(), server.store())].into(),
            bound: towpath_model::unit::Duration::from_secs(20),
            ..Sources::default()
        };
        match read(&json!({ "measured": "evictions" }), &sources).await {
            Ok(Reading::Count(counts)) => counts.into_iter().next().unwrap(),
            other => panic!("{other:?}"),
        }
    };
    // As much as it needs for itself, and a little.
    let Some(server) = Server::start("redis", &[("MEMORY", "8000000")]) else {
        return;
    };
    let (life, none) = counted(&server).await;
    assert!(none == 0.0 && life.len() == 40, "{life} {none}");
    let value = "x".repeat(100_000);
    for number in 0..200 {
        let key = format!("key:{number}");
        let set: &[&[&str]] = &[&["SET", &key, &value]];
        say(&server.store().address, set, Duration::from_secs(20))
            .await
            .unwrap();
    }
    let (same, some) = counted(&server).await;
    assert!(same == life && some > 0.0, "{same} {some}");
    drop(server);
    let Some(server) = Server::start("redis", &[]) else {
        return;
    };
    assert_ne!(counted(&server).await.0, life);
}

#[tokio::test]
async fn a_store_that_is_not_there_is_told_without_its_password() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = |scheme: &str| towpath_measure::Store {
        address: towpath_model::Sealed::new(format!("{scheme}://keeper:{PASSWORD}@127.0.0.1:{gone}/0")),
    };
    let sources = Sources {
        postgres: [("db".to_owned(), address("postgres"))].into(),
        redis: [("queue".to_owned(), address("redis"))].into(),
        ..Sources::default()
    };
    for asked in [json!({ "sql": "select 1" }), json!({ "redis": "a" })] {
        let told = read(&asked, &sources).await.unwrap_err();
        assert!(
            told.contains(&format!("127.0.0.1:{gone}")) && !told.contains(PASSWORD),
            "{told}"
        );
    }
}
