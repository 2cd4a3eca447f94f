//! A real Postgres and a real Redis: statements, jobs, and what is told when they refuse.
#![allow(clippy::print_stdout, reason = "what is left out is told")]

use crate::kit::{aim, nobody, sealed, told, tried};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use towpath_model::Sealed;
use towpath_model::desired::resource::Evict;
use towpath_probe::Aim;
use towpath_resource::postgres::{self, PostgresOrder};
use towpath_resource::redis::{self, RedisOrder};

const PASSWORD: &str = "pass word/%?";

/// Nothing here takes this long, unless it never happens.
const BOUND: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgres,
    Redis,
}

/// A process that is a store, and gone when a test is over.
struct Stand {
    child: Child,
    folder: PathBuf,
    address: Sealed<String>,
}

/// This very program becomes a store where its environment orders one. Nobody orders one in the run that looks at this test:
/// then it is seen that a store without a password is refused.
#[test]
fn a_store_is_ordered_by_the_environment_and_never_without_a_password() {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    let folder: PathBuf = value("STAND_FOLDER").into();
    let port = value("STAND_PORT").parse().unwrap_or(0);
    let password = Sealed::new(value("STAND_PASSWORD"));
    let prepared = match value("STAND").as_str() {
        "postgres" => postgres::prepare(&PostgresOrder {
            folder,
            port,
            database: "shop".to_owned(),
            user: "keeper".to_owned(),
            password,
            extensions: Vec::new(),
            version: None,
            memory: None,
            connections: 20,
        }),
        _ => redis::prepare(&RedisOrder {
            folder,
            port,
            password,
            version: None,
            memory: None,
            evict: Evict::None,
            persistent: false,
        }),
    };
    let refused = prepared.and_then(towpath_resource::Exec::exec).err();
    assert!(refused.is_some_and(|error| error.to_string().contains("the password")));
}

impl Stand {
    /// A store that takes requests; nothing where there is none on this machine.
    async fn ready(kind: Kind, folder: &Path) -> Option<Stand> {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        if kind == Kind::Redis && redis::installed().is_empty() {
            println!("left out: there is no Redis on this machine (apt-get install redis-server)");
            return None;
        }
        if kind == Kind::Postgres && postgres::installed().is_empty() {
            println!("left out: there is no Postgres on this machine (apt-get install postgresql)");
            return None;
        }
        let word = if kind == Kind::Redis { "redis" } else { "postgres" };
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("stores::a_store_is_ordered_by_the_environment_and_never_without_a_password")
            .env("STAND", word)
            .env("STAND_FOLDER", folder)
            .env("STAND_PORT", port.to_string())
            .env("STAND_PASSWORD", PASSWORD)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let written = "pass%20word%2F%25%3F";
        let mut stand = Stand {
            child,
            folder: folder.to_owned(),
            address: Sealed::new(match kind {
                Kind::Postgres => format!("postgres://keeper:{written}@127.0.0.1:{port}/shop"),
                Kind::Redis => format!("redis://:{written}@127.0.0.1:{port}/0"),
            }),
        };
        let begun = Instant::now();
        while towpath_resource::look(&stand.address, Duration::from_secs(5))
            .await
            .is_err()
        {
            assert!(stand.child.try_wait().unwrap().is_none(), "it has ended");
            assert!(begun.elapsed() < BOUND, "it does not answer");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Some(stand)
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        let _ = self.child.wait();
        // The last process of it gives back the lock.
        let Ok(lock) = std::fs::File::open(self.folder.join("lock")) else {
            return;
        };
        let begun = Instant::now();
        let free = || rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok();
        while !free() && begun.elapsed() < BOUND {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A folder that others may enter.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn aimed(stores: &[(&str, &Sealed<String>)]) -> Aim {
    let stores = stores
        .iter()
        .map(|(name, address)| ((*name).to_owned(), (*address).clone()));
    Aim {
        resources: stores.collect(),
        ..aim(&[])
    }
}

#[tokio::test]
async fn rows_are_written_counted_and_compared() {
    let folder = open_folder();
    let Some(stand) = Stand::ready(Kind::Postgres, &folder.path().join("db")).await else {
        return;
    };
    let aim = aimed(&[("db", &stand.address)]);
    let made = tried("sql = \"create table outbox (id serial, kind text)\"", &aim).await;
    assert_eq!(told(&made), "pass", "{made:?}");
    let steps = r#"
steps = [
  { sql = "insert into outbox (kind) values ('a'), ('b')", on = "db", expect = "rows = 2" },
  { sql = "select count(*) as jobs, max(kind) as kind, null as nothing from outbox", expect = ["jobs >= 2", "kind = b", "rows = 1", "nothing = null"] },
  { sql = "delete from outbox; select 1 where false", expect = "rows = 0" },
  { sql = "show statement_timeout", expect = "statement_timeout = 4s", within = "4s" },
]
"#;
    assert_eq!(told(&tried(steps, &aim).await), "pass");
    let many = tried(
        "sql = \"select repeat('x', 100) from generate_series(1, 50000)\"\nexpect = \"rows = 50000\"",
        &aim,
    );
    assert_eq!(told(&many.await), "pass");
    let all = [
        told(&tried("sql = \"select * from nowhere\"", &aim).await),
        told(&tried("sql = \"select count(*) from outbox\"\nexpect = \"> 0\"", &aim).await),
        told(&tried("sql = \"select 1\"\non = \"db\"", &aimed(&[])).await),
        told(&tried("sql = \"select 1\"", &aimed(&[])).await),
        told(
            &tried(
                "sql = \"select 1\"",
                &aimed(&[("a", &stand.address), ("b", &stand.address)]),
            )
            .await,
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    FAIL probe `it`: `select * from nowhere`: the query failed at Postgres at 127.0.0.1:PORT: relation "nowhere" does not exist
    FAIL probe `it`: `select count(*) from outbox`: `> 0` is expected, and `0` came
    open probe `it`: `select 1`: it is not known where `db` is reached
    open probe `it`: `select 1`: there is no Postgres that it could use
    open probe `it`: `select 1`: there are several of kind Postgres; say which one is meant: `on`
    "#);
    let slow = told(&tried("sql = \"select pg_sleep(100)\"\nwithin = \"300ms\"", &aim).await);
    assert!(
        slow.contains("canceling statement due to statement timeout")
            || slow.contains("no answer within 300ms"),
        "{slow}"
    );
}

#[tokio::test]
async fn a_job_lies_where_workers_take_from() {
    let folder = open_folder();
    let Some(stand) = Stand::ready(Kind::Redis, &folder.path().join("cache")).await else {
        return;
    };
    let aim = aimed(&[("cache", &stand.address)]);
    let put = "queue = \"import\"\non = \"cache\"\nwith = { body = \"{}\" }";
    assert_eq!(told(&tried(put, &aim).await), "pass");
    assert_eq!(told(&tried(put, &aim).await), "pass");
    let bound = Duration::from_secs(5);
    let lies = |list: &'static str| towpath_resource::push(&stand.address, list, "one more", bound);
    assert_eq!(lies("bull:import:wait").await.unwrap(), 3);
    assert_eq!(told(&tried("queue = \"jobs:mail\"", &aim).await), "pass");
    assert_eq!(lies("jobs:mail").await.unwrap(), 2);
    let wrong = stand.address.open().replace("pass%20word", "hunter2hunter2");
    let refused = told(&tried(put, &aimed(&[("cache", &sealed(&wrong))])).await);
    assert!(
        refused.starts_with("FAIL probe `it`: a job on bull:import:wait: Redis at 127.0.0.1:PORT refuses: "),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_told_by_its_place() {
    let at = nobody().await;
    let redis = sealed(&format!("redis://:hunter2@{at}/0"));
    let postgres = sealed(&format!("postgres://u:hunter2@{at}/d"));
    let aim = aimed(&[("cache", &redis), ("db", &postgres)]);
    let all = [
        told(&tried("queue = \"import\"\non = \"cache\"", &aim).await),
        told(&tried("sql = \"select 1\"\non = \"db\"", &aim).await),
        told(&tried("queue = \"import\"\non = \"db\"", &aim).await),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    FAIL probe `it`: a job on bull:import:wait: Redis at 127.0.0.1:PORT cannot be reached: Connection refused (os error 111)
    FAIL probe `it`: `select 1`: Postgres at 127.0.0.1:PORT cannot be reached: Connection refused (os error 111)
    open probe `it`: a job on bull:import:wait: the address of a Redis cannot be read: it is that of another kind of store
    "#);
}
