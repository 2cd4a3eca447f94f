//! Resources of ours: real servers come up with the product, keep what they were given, and lose nothing that was acknowledged.
#![allow(clippy::print_stdout, reason = "a story that is left out says why")]

use crate::kit::{Product, eventually, is_over, kill, pass, words};
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use towpath_bucket::{Access, authorization};
use towpath_model::sealed::Sealed;

const WEB: &str = r#"
[service.web]
run    = "sh ./program web"
uses   = ["db", "cache", "files"]
public = true
health = { path = "/healthz", interval = "100ms" }

[redis.cache]

[bucket.files]
"#;

const DB: &str = r#"
[postgres.db]
migrate = "migrations"
seed    = "seed.sql"
"#;

const ONLY_DB: &str = r#"
[worker.quiet]
run  = "sleep 600"
uses = ["db"]
stop = "1s"
"#;

const BOATS: &str = "create table boats (id serial primary key, name text not null unique);\n";

/// Whether the servers are here; who cannot have them is told so.
fn is_here(redis: bool) -> bool {
    let there = |program: &str| {
        let asked = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    let servers = !towpath_resource::postgres::installed().is_empty()
        && (!redis || !towpath_resource::redis::installed().is_empty());
    let here = servers && there("psql") && (!redis || there("redis-cli"));
    if !here {
        println!("left out: Postgres or Redis is not installed here");
    }
    here
}

/// What stands beside the manifest: a migration and a seed.
fn furnish(product: &Product) {
    fs::create_dir_all(product.folder.join("migrations")).expect("a folder can be made");
    migration(product, "001_boats.sql", BOATS);
    product.write("seed.sql", "insert into boats (name) values ('Kathleen');\n");
}

fn migration(product: &Product, name: &str, text: &str) {
    fs::write(product.folder.join("migrations").join(name), text).expect("it can be written");
}

fn shop(name: &str) -> Product {
    let product = Product::new(name, &format!("{WEB}{DB}"));
    furnish(&product);
    product
}

fn only_db(name: &str) -> Product {
    let product = Product::new(name, &format!("{ONLY_DB}{DB}"));
    furnish(&product);
    product
}

/// A variable as a component has it when it is started.
#[track_caller]
fn variable(product: &Product, component: &str, name: &str) -> String {
    let ran = product.well(&["run", component, "--", "printenv", name]);
    ran.out.trim_end().to_owned()
}

/// What the database answers, or what it says instead.
fn try_sql(url: &str, text: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args(["-X", "-At", "-v", "ON_ERROR_STOP=1", url, "-c", text])
        .output()
        .expect("psql runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output.status.success() {
        true => Ok(said(&output.stdout)),
        false => Err(said(&output.stderr)),
    }
}

#[track_caller]
fn sql(url: &str, text: &str) -> String {
    try_sql(url, text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn redis(url: &str, words: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args(["--no-auth-warning", "-u", url])
        .args(words)
        .output()
        .expect("redis-cli runs");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// The bucket as its user is told of it.
struct Files {
    address: SocketAddr,
    bucket: String,
    access: Access,
}

impl Files {
    fn of(product: &Product) -> Self {
        let told = |name: &str| variable(product, "web", name);
        let endpoint = told("FILES_ENDPOINT");
        let address = endpoint.strip_prefix("http://").expect("it is an address");
        Files {
            address: address.parse().expect("it has a port"),
            bucket: told("FILES_BUCKET"),
            access: Access {
                key: told("FILES_ACCESS_KEY_ID"),
                secret: Sealed::new(told("FILES_SECRET_ACCESS_KEY")),
                region: told("FILES_REGION"),
            },
        }
    }

    fn ask(&self, method: &str, key: &str, body: &str) -> String {
        let (host, path) = (self.address.to_string(), format!("/{}/{key}", self.bucket));
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in authorization(&self.access, method, &path, "", &host) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it takes it");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {key}: {answer}");
        answer.split_once("\r\n\r\n").expect("an answer").1.to_owned()
    }
}

#[test]
fn all_of_it_comes_up_with_one_command_keeps_what_it_has_and_goes_without_a_trace() {
    if !is_here(true) {
        return;
    }
    let product = shop("storestory");
    product.up();
    arrives_under_its_documented_names(&product);
    let (db, cache) = (
        variable(&product, "web", "DB_URL"),
        variable(&product, "web", "CACHE_URL"),
    );
    assert_eq!(sql(&db, "select name from boats"), "Kathleen");
    sql(&db, "insert into boats (name) values ('Ewer')");
    assert_eq!(redis(&cache, &["set", "boat", "Ewer"]), "OK");
    Files::of(&product).ask("PUT", "boats/ewer.txt", "a flat boat");
    is_told(&product);
    // Being asked how it is leaves no trace in its log.
    let log = product.logs("db");
    assert!(log.contains("ready to accept connections"), "{log}");
    assert!(
        !log.contains("password") && !log.contains("could not receive"),
        "{log}"
    );
    product.well(&["down"]);
    product.leaves_nothing();
    product.up();
    assert_eq!(variable(&product, "web", "DB_URL"), db, "it is where it was");
    assert_eq!(
        sql(&db, "select string_agg(name, ' ' order by id) from boats"),
        "Kathleen Ewer"
    );
    assert_eq!(redis(&cache, &["get", "boat"]), "Ewer");
    assert_eq!(
        Files::of(&product).ask("GET", "boats/ewer.txt", ""),
        "a flat boat"
    );
    product.well(&["stop", "db", "cache", "files"]);
    product.well(&["start", "db", "cache", "files"]);
    assert_eq!(sql(&db, "select count(*) from boats"), "2");
    assert_eq!(redis(&cache, &["get", "boat"]), "Ewer");
    assert_eq!(
        Files::of(&product).ask("GET", "boats/ewer.txt", ""),
        "a flat boat"
    );
    product.well(&["down", "--delete-data", "--yes"]);
    product.leaves_nothing();
    assert!(!product.folder.join(".towpath").exists(), "nothing is left of it");
}

/// What the running service itself finds in its environment.
#[track_caller]
fn arrives_under_its_documented_names(product: &Product) {
    let told = |name: &str| product.get("web", &format!("/env/{name}")).expect("it answers");
    let begins = [
        ("DB_URL", "postgres://storestory:"),
        ("CACHE_URL", "redis://default:"),
        ("FILES_URL", "http://127.0.0.1:"),
        ("FILES_ENDPOINT", "http://127.0.0.1:"),
        ("FILES_BUCKET", "files"),
        ("FILES_REGION", "us-east-1"),
        ("FILES_ACCESS_KEY_ID", "storestory"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "storestory"),
    ];
    for (name, begin) in begins {
        assert!(told(name).starts_with(begin), "{name} is {}", told(name));
    }
    assert_eq!(told("FILES_SECRET_ACCESS_KEY"), told("AWS_SECRET_ACCESS_KEY"));
    assert!(told("FILES_SECRET_ACCESS_KEY").len() >= 32);
    assert!(told("DB_URL").ends_with("/storestory"), "{}", told("DB_URL"));
}

/// What is kept is told with how everything is.
#[track_caller]
fn is_told(product: &Product) {
    let keeps = |name: &str| product.until(name, |one| one["keeps"].is_object())["keeps"].clone();
    let db = keeps("db");
    assert!(
        db["version"].is_string() && db["bytes"].as_u64() > Some(0),
        "{db:#}"
    );
    assert!(keeps("cache")["version"].is_string());
    assert_eq!(keeps("files")["objects"], 1);
}

#[test]
fn a_database_that_is_killed_under_writes_loses_no_row_that_it_had_acknowledged() {
    if !is_here(false) {
        return;
    }
    let product = only_db("killedstore");
    product.up();
    let url = variable(&product, "quiet", "DB_URL");
    sql(&url, "create table rows (n bigint primary key)");
    let mut writer = Command::new("psql")
        .args(["-X", "-At", "-q", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("psql runs");
    let mut typed = writer.stdin.take().expect("it reads");
    let typing = std::thread::spawn(move || {
        let mut lines = (1_u64..).map(|n| format!("insert into rows values ({n}) returning n;\n"));
        while lines
            .next()
            .is_some_and(|line| typed.write_all(line.as_bytes()).is_ok())
        {}
    });
    let mut acknowledged = 0_u64;
    let mut said = BufReader::new(writer.stdout.take().expect("it writes")).lines();
    let server = product.pid("db");
    while let Some(Ok(line)) = said.next() {
        acknowledged = line.parse().expect("a number");
        if acknowledged == 200 {
            kill(server, Signal::KILL);
        }
    }
    assert!(acknowledged >= 200);
    let _ = writer.wait();
    typing.join().expect("it ends with its reader");
    product.until("db", |one| {
        one["state"] == "ready" && one["instances"][0]["pid"] != server
    });
    let kept: u64 = sql(&url, "select count(*) from rows").parse().expect("a number");
    let last: u64 = sql(&url, "select max(n) from rows").parse().expect("a number");
    // One more may have been written whose answer never came.
    assert!(
        (acknowledged..=acknowledged + 1).contains(&last),
        "{acknowledged} acknowledged, {last} there"
    );
    assert_eq!(kept, last, "none before it is missing");
    assert_eq!(
        sql(&url, "select count(*) from boats"),
        "1",
        "it was not filled a second time"
    );
}

#[test]
fn resources_go_on_without_a_steward_and_the_next_one_takes_them_over() {
    if !is_here(true) {
        return;
    }
    let product = shop("orphanstores");
    product.up();
    let names = ["db", "cache", "files"];
    let before = names.map(|name| product.pid(name));
    let (db, cache) = (
        variable(&product, "web", "DB_URL"),
        variable(&product, "web", "CACHE_URL"),
    );
    let files = Files::of(&product);
    assert!(product.kill_steward());
    eventually("the steward has gone", || {
        product.steward().is_none().then_some(())
    });
    sql(&db, "insert into boats (name) values ('Ewer')");
    assert_eq!(redis(&cache, &["set", "boat", "Ewer"]), "OK");
    files.ask("PUT", "ewer.txt", "a flat boat");
    product.up();
    assert_eq!(names.map(|name| product.pid(name)), before, "they are the same");
    assert_eq!(sql(&db, "select count(*) from boats"), "2");
    assert_eq!(redis(&cache, &["get", "boat"]), "Ewer");
    assert_eq!(files.ask("GET", "ewer.txt", ""), "a flat boat");
    is_told(&product);
}

#[test]
fn a_migration_that_ran_and_was_changed_is_refused_by_name_and_nothing_else_is_damaged() {
    if !is_here(false) {
        return;
    }
    let product = only_db("changedpast");
    product.up();
    let url = variable(&product, "quiet", "DB_URL");
    product.well(&["down"]);
    migration(&product, "001_boats.sql", "create table boats (id text);\n");
    migration(&product, "002_more.sql", "create table more (id int);\n");
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let told = "001_boats.sql ran here and has been changed since";
    assert!(ran.err.contains(told), "{}", ran.err);
    assert!(product.explain("db").contains(told), "{}", product.explain("db"));
    assert!(product.running("quiet").is_empty(), "nobody starts who needs it");
    assert_eq!(sql(&url, "select name from boats"), "Kathleen");
    assert_eq!(
        sql(&url, "select to_regclass('more') is null"),
        "t",
        "nothing of it has run"
    );
    // Brought back, it goes on, and runs what is new.
    migration(&product, "001_boats.sql", BOATS);
    product.well(&["restart", "db"]);
    product.until_state("quiet", "ready");
    assert_eq!(sql(&url, "select count(*) from more"), "0");
}

#[test]
fn a_migration_or_a_seed_that_fails_is_told_at_once_in_its_own_words_and_runs_when_it_is_mended() {
    if !is_here(false) {
        return;
    }
    let product = only_db("brokenschema");
    let broken = "alter table boats add length int;\n\nupdate boats\n   set lenght = 1;\n";
    migration(&product, "002_length.sql", broken);
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let why = product.explain("db");
    for told in [
        "its migrations fail: migrations/002_length.sql:4: column \"lenght\" of relation \"boats\" does not exist",
        "nothing of this file was kept: correct it, and it is tried again",
    ] {
        assert!(ran.err.contains(told), "{}", ran.err);
        assert!(why.contains(told), "{why}");
    }
    assert!(!why.contains("in the time that it has"), "{why}");
    // Mended, it goes on to the seed, which fails.
    product.write(
        "seed.sql",
        "insert into boats (name) values ('Kathleen');\nselect 1 / 0;\n",
    );
    migration(&product, "002_length.sql", "alter table boats add length int;\n");
    let said = |words: &str| {
        product.until("db", |one| {
            one["because"].as_str().is_some_and(|why| why.contains(words))
        })
    };
    said("its seed fails: seed.sql:2: division by zero");
    product.write("seed.sql", "insert into boats (name) values ('Kathleen');\n");
    product.until_state("quiet", "ready");
    let url = variable(&product, "quiet", "DB_URL");
    assert_eq!(
        sql(&url, "select name from boats where length is null"),
        "Kathleen"
    );
}

#[test]
fn a_command_that_migrates_and_fails_is_told_with_its_last_words() {
    if !is_here(false) {
        return;
    }
    let db =
        "[postgres.db]\nmigrate = { command = \"echo begins; echo 'no such table: boats' >&2; exit 3\" }\n";
    let product = Product::new("brokencommand", &format!("{ONLY_DB}{db}"));
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let told = "ended with exit code 3: no such table: boats; `towpath restart db` tries it again at once";
    assert!(ran.err.contains(told), "{}", ran.err);
}

#[test]
fn data_that_is_fresh_is_empty_each_time_the_environment_is_made_and_no_other_time() {
    if !is_here(false) {
        return;
    }
    let product = only_db("freshstore");
    let manifest = fs::read_to_string(product.folder.join("towpath.toml")).expect("it is there");
    product.write("rows.sql", "insert into boats (name) values ('Loaded');\n");
    product.up();
    let url = variable(&product, "quiet", "DB_URL");
    let boats = || sql(&url, "select string_agg(name, ' ' order by id) from boats");
    let add = |name: &str| drop(sql(&url, &format!("insert into boats (name) values ('{name}')")));
    add("Kept");
    // The word comes while it runs: nothing is lost by it, also when the server starts again.
    let data = "data = { fresh = true, load = \"rows.sql\" }\n";
    product.write(
        "towpath.toml",
        &manifest.replace("[environment.dev]\n", &format!("[environment.dev]\n{data}")),
    );
    product.up();
    product.well(&["restart", "db"]);
    product.until_state("quiet", "ready");
    assert_eq!(boats(), "Kathleen Kept Loaded");
    // A steward that dies is no end of the environment.
    assert!(product.kill_steward());
    eventually("the steward has gone", || {
        product.steward().is_none().then_some(())
    });
    product.up();
    assert_eq!(boats(), "Kathleen Kept Loaded");
    // Brought up anew, it is empty, and is filled again.
    product.well(&["down"]);
    product.up();
    assert_eq!(boats(), "Kathleen Loaded");
    add("Later");
    let server = product.pid("db");
    kill(server, Signal::KILL);
    product.until("db", |one| {
        one["state"] == "ready" && one["instances"][0]["pid"] != server
    });
    assert!(product.kill_steward());
    eventually("the steward has gone", || {
        product.steward().is_none().then_some(())
    });
    product.up();
    product.well(&["stop", "db"]);
    product.well(&["start", "db"]);
    assert_eq!(boats(), "Kathleen Loaded Later");
    // Without the word nothing is emptied.
    product.well(&["down"]);
    product.write("towpath.toml", &manifest);
    product.up();
    assert_eq!(boats(), "Kathleen Loaded Later");
}

#[test]
fn many_clients_share_the_few_connections_of_a_pool_that_comes_back_when_it_is_killed() {
    if !is_here(false) {
        return;
    }
    if !towpath_resource::postgres::is_pooler_here() {
        println!("left out: pgbouncer is not installed here");
        return;
    }
    let product = Product::new("pooledstore", &format!("{ONLY_DB}{DB}pool = 5\n"));
    furnish(&product);
    product.up();
    let pooled = variable(&product, "quiet", "DB_URL");
    let direct = variable(&product, "quiet", "DB_DIRECT_URL");
    assert_ne!(pooled, direct);
    assert_eq!(sql(&direct, "select name from boats"), "Kathleen");
    let clients: Vec<_> = (0..200)
        .map(|number| {
            let insert = format!("insert into boats (name) values ('{number}')");
            Command::new("psql")
                .args([
                    "-X",
                    "-q",
                    "-v",
                    "ON_ERROR_STOP=1",
                    &pooled,
                    "-c",
                    &insert,
                    "-c",
                    "select pg_sleep(0.05)",
                ])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("psql runs")
        })
        .collect();
    let mut most = 0_u32;
    for client in clients {
        let used = "select count(*) from pg_stat_activity where backend_type = 'client backend' \
                    and pid <> pg_backend_pid() and application_name = 'psql'";
        most = most.max(sql(&direct, used).parse().expect("a number"));
        let ended = client.wait_with_output().expect("it ends");
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
    assert!((1..=5).contains(&most), "{most} connections at a time");
    assert_eq!(sql(&pooled, "select count(*) from boats"), "201");
    // Killed, it is back, and the row is there.
    let pooler = product.pid("db-pool");
    kill(pooler, Signal::KILL);
    product.until("db-pool", |one| {
        one["state"] == "ready" && one["instances"][0]["pid"] != pooler
    });
    assert_eq!(sql(&pooled, "select count(*) from boats"), "201");
    assert!(product.explain("db-pool").contains("it is well"));
    for file in ["pgbouncer.ini", "users.txt"] {
        let path = product.folder.join(".towpath/dev/resources/db-pool").join(file);
        let mode = fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    product.well(&["restart", "db-pool"]);
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_bucket_is_filled_with_a_folder_once() {
    const BUCKET: &str = r#"
[service.web]
run    = "sh ./program web"
uses   = ["files"]
public = true
health = { path = "/healthz", interval = "100ms" }

[bucket.files]
seed = "demo"
"#;
    let product = Product::new("seededfiles", BUCKET);
    fs::create_dir_all(product.folder.join("demo/boats")).expect("a folder can be made");
    let demo = |name: &str, text: &str| {
        fs::write(product.folder.join("demo").join(name), text).expect("it can be written");
    };
    demo("index.html", "<p>boats</p>");
    demo("boats/two words.txt", "a flat boat");
    product.up();
    let files = Files::of(&product);
    assert_eq!(files.ask("GET", "index.html", ""), "<p>boats</p>");
    assert_eq!(files.ask("GET", "boats/two%20words.txt", ""), "a flat boat");
    files.ask("PUT", "index.html", "changed");
    product.well(&["down"]);
    product.up();
    assert_eq!(
        Files::of(&product).ask("GET", "index.html", ""),
        "changed",
        "it is filled once"
    );
}

#[test]
fn a_resource_whose_port_a_stranger_took_gets_another_one_and_its_users_are_told() {
    if !is_here(false) {
        return;
    }
    let product = only_db("lostport");
    product.up();
    let port = |url: &str| -> u16 {
        let (_, place) = url.rsplit_once('@').expect("an address");
        let (place, _) = place.split_once('/').expect("a database");
        place
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
            .expect("a port")
    };
    let (old, user) = (variable(&product, "quiet", "DB_URL"), product.pid("quiet"));
    product.well(&["stop", "db"]);
    let stranger = TcpListener::bind(("127.0.0.1", port(&old))).expect("it is free now");
    product.well(&["start", "db"]);
    let new = variable(&product, "quiet", "DB_URL");
    assert_ne!(port(&new), port(&old));
    assert_eq!(sql(&new, "select name from boats"), "Kathleen");
    // Whoever uses it is another process, which was told.
    product.until("quiet", |one| {
        one["state"] == "ready" && one["instances"][0]["pid"] != user
    });
    let environment = fs::read(format!("/proc/{}/environ", product.pid("quiet"))).expect("it lives");
    let told = format!("DB_URL={new}");
    assert!(
        environment
            .split(|byte| *byte == 0)
            .any(|one| one == told.as_bytes())
    );
    eventually("the one before has gone", || is_over(user).then_some(()));
    drop(stranger);
}

#[test]
fn a_full_disk_is_a_clear_error_of_a_database_and_nothing_is_lost_once_there_is_room() {
    if !is_here(false) {
        return;
    }
    let Some(product) = Product::on_small_disk("fullstore", "160m", &format!("{ONLY_DB}{DB}")) else {
        println!("left out: no small disk can be mounted here");
        return;
    };
    furnish(&product);
    product.up();
    let url = variable(&product, "quiet", "DB_URL");
    sql(&url, "create table rows (n bigint primary key, weight text)");
    product.well(&["stop", "db"]);
    fill(&product);
    // Nothing is started on a disk without room, it is said why, and it is done once there is some.
    let mut start = product.begin_command(&["start", "db"]);
    start.says("the disk is full");
    empty(&product);
    let ran = start.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    product.until_state("db", "ready");
    // It is full while somebody writes.
    let mut acknowledged = 0;
    fill(&product);
    let why = loop {
        let next = acknowledged + 1;
        let heavy = format!(
            "insert into rows select {next}, string_agg(md5(random()::text), '') from generate_series(1, 30000)"
        );
        match try_sql(&url, &heavy) {
            Ok(_) => acknowledged = next,
            Err(why) => break why,
        }
        assert!(acknowledged < 1000, "the disk has an end");
    };
    assert!(
        why.contains("No space left on device")
            || why.contains("closed the connection")
            || why.contains("recovery")
            || why.contains("refused"),
        "{why}"
    );
    empty(&product);
    let kept = eventually("it is back", || try_sql(&url, "select count(*) from rows").ok());
    assert_eq!(kept, acknowledged.to_string(), "{why}");
    assert_eq!(sql(&url, "select name from boats"), "Kathleen");
    product.until_state("db", "ready");
}

fn fill(product: &Product) {
    let path = product.folder.join("ballast");
    let mut file = fs::File::create(path).expect("it can be made");
    for size in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

fn empty(product: &Product) {
    fs::remove_file(product.folder.join("ballast")).expect("it was there");
}

#[test]
fn clients_are_told_where_to_go_and_resets_leave_a_fresh_store_whenever_they_are_killed() {
    if !is_here(true) {
        return;
    }
    let product = shop("clientstory");
    product.up();
    let asked = |words: &[&str]| product.well(words).out.trim_end().to_owned();
    let names = [
        "psql",
        "--",
        "-Atc",
        "select string_agg(name, ' ' order by id) from boats",
    ];
    assert_eq!(asked(&names), "Kathleen");
    assert_eq!(asked(&["redis", "cache", "--", "set", "boat", "Ewer"]), "OK");
    Files::of(&product).ask("PUT", "a%20boat%3C.txt", "flat");
    let listed: serde_json::Value = serde_json::from_str(&asked(&["bucket", "--json"])).expect("it is JSON");
    assert_eq!(
        (&listed[0]["key"], &listed[0]["bytes"]),
        (&"a boat<.txt".into(), &4.into())
    );
    assert!(asked(&["bucket", "files"]).ends_with("  a boat<.txt"));
    hides_its_password(&product);
    asked(&[
        "psql",
        "db",
        "--",
        "-c",
        "insert into boats (name) values ('Ewer')",
    ]);
    // Nobody is asked here, so nothing goes.
    assert_eq!(product.run(&["data", "reset", "db"]).code, Some(2));
    assert_eq!(asked(&names), "Kathleen Ewer");
    for delay in [0, 40, 160, 640, 1500] {
        let reset = product.begin_command(&["data", "reset", "db", "--yes"]);
        pass(std::time::Duration::from_millis(delay));
        reset.signal(Signal::KILL);
        reset.end();
        product.up();
        product.until_state("db", "ready");
        let found = asked(&names);
        assert!(
            found == "Kathleen Ewer" || found == "Kathleen",
            "old or fresh after {delay} ms: {found}"
        );
    }
    asked(&["data", "reset", "db", "--yes"]);
    assert_eq!(asked(&names), "Kathleen", "migrated and filled again");
    asked(&["data", "reset", "files", "--yes"]);
    assert_eq!(asked(&["bucket", "--json"]), "[]");
    assert_eq!(
        asked(&["redis", "--", "get", "boat"]),
        "Ewer",
        "the others keep what they have"
    );
    product.until_state("web", "ready");
    let kept = fs::read_dir(product.state().join("resources")).expect("it is there");
    assert_eq!(kept.count(), 3, "nothing stands aside");
    says_why_there_is_no_client(&product);
}

/// A client that runs shows its password in no command line.
#[track_caller]
fn hides_its_password(product: &Product) {
    let password = variable(product, "web", "FILES_SECRET_ACCESS_KEY");
    let url = variable(product, "web", "DB_URL");
    let (_, rest) = url.split_once("://").expect("an address");
    let (opens, _) = rest.split_once('@').expect("a password");
    let (_, own) = opens.split_once(':').expect("a password");
    assert_ne!(own, password);
    let mut client = product.begin_command(&["psql", "--", "-c", "select pg_sleep(600)"]);
    let pid = client.child.id();
    let line = eventually("it is psql", || {
        let words = words(pid);
        words
            .iter()
            .any(|word| word.contains("pg_sleep") && !word.contains("--"))
            .then_some(words)
    });
    assert!(line.iter().all(|word| !word.contains(own)), "{line:?}");
    client.signal(Signal::KILL);
    let _ = client.child.wait();
}

#[track_caller]
fn says_why_there_is_no_client(product: &Product) {
    let told = |words: &[&str]| {
        let ran = product.run(words);
        assert_ne!(ran.code, Some(0), "{words:?}");
        ran.err
    };
    assert!(told(&["psql", "web"]).contains("`web` is a service, and no Postgres"));
    product.well(&["stop", "cache"]);
    assert!(told(&["redis"]).contains("cache does not run"));
    product.well(&["down"]);
    assert!(told(&["psql"]).contains("towpath up"));
    // What does not run can be emptied, too.
    product.well(&["data", "reset", "db", "--yes"]);
    assert!(!product.state().join("resources/db").exists());
    assert!(told(&["data", "reset", "web", "--yes"]).contains("keeps nothing that could be deleted"));
    product.manifest("[worker.quiet]\nrun = \"sleep 600\"\n");
    assert!(told(&["psql"]).contains("this product has no Postgres"));
    product.manifest(
        "[postgres.one]\n[postgres.two]\n[worker.quiet]\nrun = \"sleep 600\"\nuses = [\"one\", \"two\"]\n",
    );
    assert!(told(&["psql"]).contains("there is more than one Postgres: one, two"));
}
