//! Releases of what cannot simply be there twice: open WebSockets, a bot, a schema.
#![allow(clippy::print_stdout, reason = "what is left out is said")]

use crate::handed::{GOES, TALK, TALKS, Talk};
use crate::kit::{Product, eventually};
use crate::load::Load;

const SHORT: &str = "[rollout]\nstrategy = \"blue-green\"\nbake = \"0s\"\nwarm = \"0s\"\n";

#[test]
fn websockets_stay_through_a_release_until_their_time_and_are_told_to_come_again() {
    let product = Product::new("talkson", &format!("{TALKS}\n{SHORT}"));
    product.write("talk.py", TALK);
    product.well(&["deploy", "dev"]);
    let port = product.plain_port("web");
    let mut before: Vec<Talk> = (0..20).map(|_| Talk::begin(&product, port)).collect();
    before.iter_mut().for_each(Talk::says_back);
    product.write("talk.py", &format!("{TALK}\n# another one\n"));
    product.well(&["deploy", "dev", "--no-wait"]);
    // Those that are open go on while the new release serves.
    let mut after = eventually("the new release is current", || {
        let told = product.well(&["releases", "dev", "--json"]).out;
        let told: serde_json::Value = serde_json::from_str(&told).ok()?;
        (told["told"]["course"]["number"] == 2).then(|| Talk::begin(&product, port))
    });
    after.says_back();
    for talk in before {
        let said = talk.last_words();
        assert!(said.starts_with(&GOES), "{said:?}");
    }
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_bot_is_handed_over_and_never_there_twice() {
    let shape = |word: &str, folder: &str| {
        format!(
            "[bot.single]\nrun = \"sh ./program bot\"\nenv = {{ WORD = \"{word}\", BOTS = \"{folder}\" }}\n\
             [rollout]\nbake = \"0s\"\nwarm = \"0s\"\n"
        )
    };
    let product = Product::new("handsover", "");
    let folder = product.folder.to_string_lossy().into_owned();
    let begun = || product.read("bots.txt").lines().count();
    for round in 0..5 {
        product.manifest(&shape(&format!("round-{round}"), &folder));
        product.well(&["deploy", "dev"]);
        eventually("it begins", || (begun() > round).then_some(()));
        assert_eq!(product.running("single").len(), 1);
    }
    product.well(&["rollback", "dev"]);
    eventually("it begins", || (begun() == 6).then_some(()));
    let told = product.read("bots.txt");
    assert!(!told.contains("NOT ALONE"), "{told}");
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_schema_is_moved_before_the_code_that_needs_it_and_a_migration_that_fails_brings_nothing() {
    if towpath_resource::postgres::installed().is_empty() {
        println!("left out: there is no Postgres here");
        return;
    }
    let shape = |word: &str| {
        format!(
            "[postgres.db]\nmigrate = \"migrations\"\n\
             [service.web]\nrun = \"sh ./program web\"\nreplicas = 2\npublic = true\nuses = [\"db\"]\n\
             health = {{ path = \"/healthz\", interval = \"50ms\" }}\nenv = {{ WORD = \"{word}\" }}\n\
             [rollout]\nbake = \"0s\"\nwarm = \"0s\"\n"
        )
    };
    let product = Product::new("schemas", &shape("one"));
    std::fs::create_dir(product.folder.join("migrations")).expect("a folder can be made");
    let migration = |name: &str, text: &str| {
        std::fs::write(product.folder.join("migrations").join(name), text).expect("it can be written");
    };
    migration("001_boats.sql", "create table boats (name text);\n");
    product.well(&["deploy", "dev"]);
    let database = product.pid("db");
    let load = Load::begin(&product, product.plain_port("web"));
    migration("002_locks.sql", "create table locks (name text);\n");
    product.manifest(&shape("two"));
    product.well(&["deploy", "dev"]);
    assert_eq!(product.get("web", "/env/WORD").as_deref(), Some("two"));
    assert_eq!(product.pid("db"), database, "a migration restarts nothing");
    migration("003_wrong.sql", "create table locks (name text);\n");
    product.manifest(&shape("three"));
    let ran = product.run(&["deploy", "dev"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        format!("{}{}", ran.out, ran.err).contains("003_wrong.sql"),
        "{ran:?}"
    );
    assert_eq!(product.get("web", "/env/WORD").as_deref(), Some("two"));
    load.goes_on();
    assert_eq!(load.end(), Vec::<String>::new());
    product.well(&["down"]);
    product.leaves_nothing();
}
