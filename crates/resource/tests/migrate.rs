//! Migrations and seeds on a real database.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "these tests start a real server")]

mod kit;

use kit::{BOUNDS, Kind, Stand, is_here};
use sqlx::{Connection, PgConnection, Row};
use std::path::Path;
use std::time::Duration;
use towpath_model::Sealed;
use towpath_model::desired::resource::Phase;
use towpath_resource::migrate::{self, Bounds, Command, Report};
use towpath_resource::seed::{Seed, Seeded, seed};
use towpath_resource::{ResourceError, Stays};

const SHORT: Bounds = Bounds {
    connect: BOUNDS.connect,
    lock: Duration::from_millis(50),
};

struct Database {
    stand: Stand,
    folder: tempfile::TempDir,
    connection: PgConnection,
}

impl Database {
    async fn new() -> Option<Database> {
        if !is_here(Kind::Postgres) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        let stand = Stand::ready(Kind::Postgres, &folder.path().join("db"));
        let connection = PgConnection::connect(stand.address().open()).await.unwrap();
        Some(Database {
            stand,
            folder,
            connection,
        })
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join("migrations").join(name), text).unwrap();
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join("migrations").join(name)).unwrap();
    }

    fn files(&self) -> Vec<migrate::Migration> {
        migrate::read(&self.folder.path().join("migrations")).unwrap()
    }

    async fn migrate(&self, allowed: &[Phase], bounds: Bounds) -> Result<Report, ResourceError> {
        migrate::run(&self.stand.address(), &self.files(), allowed, bounds, &mut |_| {}).await
    }

    async fn text(&mut self, sql: &'static str) -> String {
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await.unwrap();
        let texts = rows.iter().map(|row| row.get::<String, _>(0));
        texts.collect::<Vec<_>>().join("\n")
    }

    async fn run(&mut self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.connection).await.unwrap();
    }
}

const EARLY: &[Phase] = &[Phase::Expand, Phase::Backfill];

#[tokio::test]
async fn files_run_once_in_their_order_and_are_written_down() {
    let Some(mut database) = Database::new().await else {
        return;
    };
    database.write(
        "001_boats.sql",
        "CREATE TABLE boats (id int);\nSET search_path = '';\n",
    );
    database.write(
        "002_names.backfill.sql",
        "-- Names.\nALTER TABLE boats ADD name text;\n",
    );
    database.write("010_drop.contract.sql", "ALTER TABLE boats DROP name");
    database.write("README.md", "no migration");
    let address = database.stand.address();
    let plan = migrate::dry(&address, &database.files(), EARLY, BOUNDS)
        .await
        .unwrap();
    assert_eq!((plan.run.len(), plan.waiting.len(), plan.done), (2, 1, 0));
    let untouched = "SELECT coalesce(to_regnamespace('towpath')::text, 'untouched')";
    assert_eq!(database.text(untouched).await, "untouched");

    let report = database.migrate(EARLY, BOUNDS).await.unwrap();
    assert_eq!(report.ran, ["001_boats.sql", "002_names.backfill.sql"]);
    assert_eq!(report.waiting[0].name, "010_drop.contract.sql");
    assert!(database.migrate(EARLY, BOUNDS).await.unwrap().ran.is_empty());
    let lines = "SELECT concat_ws(' ', name, phase, outcome, length(digest), took_ms >= 0, at <= now()) \
                 FROM towpath.history ORDER BY name";
    assert_eq!(
        database.text(lines).await,
        "001_boats.sql expand done 64 t t\n002_names.backfill.sql backfill done 64 t t"
    );

    database.write("001_boats.sql", "CREATE TABLE boats (id bigint)");
    let changed = database.migrate(EARLY, BOUNDS).await.unwrap_err();
    assert_eq!(
        changed.to_string(),
        "001_boats.sql ran here and has been changed since"
    );
    database.remove("001_boats.sql");
    database.write("0009_late.sql", "CREATE TABLE late ()");
    database.write("003_late.sql", "CREATE TABLE later ()");
    let report = database.migrate(Phase::ALL, BOUNDS).await.unwrap();
    assert_eq!(report.missing, ["001_boats.sql"]);
    assert_eq!(
        report.ran,
        ["003_late.sql", "0009_late.sql", "010_drop.contract.sql"]
    );
    let columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'boats'::regclass AND attnum > 0 AND NOT attisdropped";
    assert_eq!(database.text(columns).await, "id");
    database.stand.stop();
}

#[tokio::test]
async fn a_file_that_fails_leaves_nothing_and_says_where() {
    let Some(mut database) = Database::new().await else {
        return;
    };
    database.write(
        "1_a.sql",
        "CREATE TABLE a (id int PRIMARY KEY);\n\nINSERT INTO a\n  VALUES (1), (nothing);\n",
    );
    let told = database.migrate(EARLY, BOUNDS).await.unwrap_err();
    assert_eq!(told.to_string(), "1_a.sql:4: column \"nothing\" does not exist");
    database.write(
        "1_a.sql",
        "CREATE TABLE a (id int PRIMARY KEY);\n\nINSERT INTO a\n  VALUES (1), (1);\n",
    );
    let told = database.migrate(EARLY, BOUNDS).await.unwrap_err();
    assert!(
        told.to_string().starts_with("1_a.sql:3: duplicate key value"),
        "{told}"
    );
    assert!(matches!(
        told,
        ResourceError::Statement {
            stays: Stays::Nothing,
            ..
        }
    ));
    let there = "SELECT coalesce(to_regclass('a')::text, 'nothing')";
    assert_eq!(database.text(there).await, "nothing");
    database.write("1_a.sql", "CREATE TABLE a (id int)");
    database.migrate(EARLY, BOUNDS).await.unwrap();

    // Somebody reads the table in a transaction that is not over.
    database.write("2_b.sql", "-- Waits.\nALTER TABLE a ADD b int");
    database.run("BEGIN; SELECT * FROM a").await;
    let told = database.migrate(EARLY, SHORT).await.unwrap_err();
    assert_eq!(
        told.to_string(),
        "2_b.sql:2 waited 50ms for a lock that another session holds"
    );
    database.run("COMMIT").await;

    // Somebody else migrates.
    database
        .run("SET application_name = 'another towpath'; SELECT pg_advisory_lock(32773656075662440)")
        .await;
    let told = database.migrate(EARLY, SHORT).await.unwrap_err();
    assert!(
        told.may_pass() && told.to_string().contains("another towpath (server process "),
        "{told}"
    );
    database.run("SELECT pg_advisory_unlock_all()").await;
    assert_eq!(database.migrate(EARLY, SHORT).await.unwrap().ran, ["2_b.sql"]);
    database.stand.stop();
}

#[tokio::test]
async fn a_file_without_a_transaction_goes_on_where_it_was() {
    let Some(mut database) = Database::new().await else {
        return;
    };
    let top = "-- towpath: no transaction\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n";
    database.write(
        "1_a.sql",
        &format!("{top}CREATE INDEX CONCURRENTLY a_id ON a (idd);\n"),
    );
    let told = database.migrate(EARLY, BOUNDS).await.unwrap_err();
    assert_eq!(told.to_string(), "1_a.sql:4: column \"idd\" does not exist");
    assert!(matches!(
        told,
        ResourceError::Statement {
            stays: Stays::Statements(2),
            ..
        }
    ));
    let state = "SELECT concat_ws(' ', outcome, statements_done) FROM towpath.history";
    assert_eq!(database.text(state).await, "unfinished 2");
    let plan = migrate::dry(&database.stand.address(), &database.files(), EARLY, BOUNDS)
        .await
        .unwrap();
    assert_eq!(plan.run[0].done, 2);

    database.write(
        "1_a.sql",
        &format!("{top}CREATE INDEX CONCURRENTLY a_id ON a (id);\nANALYZE a"),
    );
    database.migrate(EARLY, BOUNDS).await.unwrap();
    assert_eq!(database.text(state).await, "done");
    assert_eq!(database.text("SELECT count(*)::text FROM a").await, "1");
    database.stand.stop();
}

#[tokio::test]
async fn a_command_migrates_under_the_same_lock_and_its_end_is_written_down() {
    let Some(mut database) = Database::new().await else {
        return;
    };
    let command = |line: &str, folder: &Path| Command {
        line: line.to_owned(),
        folder: folder.to_owned(),
        environment: vec![("WHAT".to_owned(), Sealed::new("it ran".to_owned()))],
    };
    let address = database.stand.address();
    let good = command(
        "printf \"$WHAT\\nas ordered\\n\"; sleep 1000 &",
        database.folder.path(),
    );
    let mut lines = Vec::new();
    let mut tell = |line: &str| lines.push(line.to_owned());
    migrate::command(&address, &good, BOUNDS, &mut tell)
        .await
        .unwrap();
    migrate::command(&address, &good, BOUNDS, &mut tell)
        .await
        .unwrap();
    assert_eq!(lines, ["it ran", "as ordered", "it ran", "as ordered"]);
    let bad = command("exit 7", database.folder.path());
    let told = migrate::command(&address, &bad, BOUNDS, &mut |_| {})
        .await
        .unwrap_err();
    assert_eq!(told.to_string(), "`exit 7` ended with exit code 7");
    let outcomes = "SELECT name || ': ' || outcome FROM towpath.history WHERE name LIKE '%exit%'";
    assert_eq!(
        database.text(outcomes).await,
        "command: exit 7: `exit 7` ended with exit code 7"
    );
    assert_eq!(
        database
            .text("SELECT outcome FROM towpath.history WHERE name LIKE '%WHAT%'")
            .await,
        "done"
    );

    // While it runs, nobody else migrates.
    database.write("1_a.sql", "SELECT 1");
    let slow = command("echo begun; read -r line < pipe", database.folder.path());
    rustix::fs::mknodat(
        rustix::fs::CWD,
        database.folder.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let theirs = address.clone();
    let running = tokio::spawn(async move {
        let mut tell = |_: &str| begun.send(()).unwrap();
        migrate::command(&theirs, &slow, BOUNDS, &mut tell).await
    });
    has_begun.recv().await.unwrap();
    let told = database.migrate(EARLY, SHORT).await.unwrap_err();
    assert!(matches!(told, ResourceError::Locked { .. }), "{told:?}");
    // Whoever stops waiting for it ends it, and the lock is free.
    running.abort();
    assert!(running.await.is_err());
    database.migrate(EARLY, BOUNDS).await.unwrap();
    database.stand.stop();
}

const DUMP: &str = "--
-- PostgreSQL database dump
--
\\restrict abc
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

COPY public.boats (id, name) FROM stdin;
1\tAda; 'the fast one'
2\t\\N
\\.

SELECT pg_catalog.setval('public.boats_id_seq', 2, true);
\\unrestrict abc
";

#[tokio::test]
async fn a_fresh_database_is_filled_once() {
    let Some(mut database) = Database::new().await else {
        return;
    };
    database.run("CREATE TABLE boats (id serial, name text)").await;
    let address = database.stand.address();
    let path = database.folder.path().join("seed.sql");
    std::fs::write(&path, DUMP.replace("setval", "setvalue")).unwrap();
    let told = seed(&address, &Seed::file(&path).unwrap(), BOUNDS, &mut |_| {})
        .await
        .unwrap_err();
    assert!(
        told.to_string()
            .starts_with("seed.sql:13: function pg_catalog.setvalue"),
        "{told}"
    );
    assert_eq!(database.text("SELECT count(*)::text FROM boats").await, "0");
    std::fs::write(&path, DUMP).unwrap();
    let file = Seed::file(&path).unwrap();
    assert_eq!(
        seed(&address, &file, BOUNDS, &mut |_| {}).await.unwrap(),
        Seeded::Now
    );
    assert_eq!(
        seed(&address, &file, BOUNDS, &mut |_| {}).await.unwrap(),
        Seeded::Before
    );
    let boats = "SELECT concat_ws(' ', id, coalesce(name, 'nobody')) FROM boats ORDER BY id";
    assert_eq!(database.text(boats).await, "1 Ada; 'the fast one'\n2 nobody");
    let missing = Seed::file(&database.folder.path().join("no.sql")).unwrap_err();
    assert!(missing.to_string().ends_with("no.sql is not there"), "{missing}");
    database.stand.stop();
}
