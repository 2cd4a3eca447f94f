//! Releases: what is deployed comes whole, goes back whole, and nobody who visits notices.

use crate::kit::{Product, Ran, ask, eventually, kill, pids};
use crate::listening::two_free;
use crate::load::Load;
use rustix::process::Signal;
use std::net::TcpStream;
use std::time::Duration;

/// A service and a worker beside it.
fn shape(word: &str, rollout: &str) -> String {
    format!(
        r#"
[service.web]
run      = "sh ./program web"
replicas = 2
public   = true
health   = {{ path = "/healthz", interval = "50ms", timeout = "1s", deadline = "3s" }}
env      = {{ WORD = "{word}", KEY = "secret:KEY" }}
config   = ["settings"]
stop     = {{ within = "2s", drain = "1s" }}

[worker.aside]
run      = "sh ./program count"
dir      = "aside"

[secret.KEY]

[rollout]
{rollout}
"#
    )
}

/// Short, so that a story does not wait for what people want to wait for.
const SHORT: &str = "strategy = \"rolling\"\nbake = \"0s\"\nwarm = \"1m\"";

/// A product whose code is `code`, with a secret.
fn product(name: &str, rollout: &str) -> Product {
    let product = Product::new(name, &shape("one", rollout));
    std::fs::create_dir(product.folder.join("aside")).expect("a folder can be made");
    std::fs::copy(
        product.folder.join("program"),
        product.folder.join("aside/program"),
    )
    .expect("it can be copied");
    product.write("settings", "one");
    secret(&product, "one");
    product
}

fn secret(product: &Product, value: &str) {
    product.write("value", value);
    product.well(&["secrets", "set", "dev", "KEY", "--file", "value"]);
    std::fs::remove_file(product.folder.join("value")).expect("it can be removed");
}

fn deploy(product: &Product) -> Ran {
    product.well(&["deploy", "dev"])
}

/// What a visitor reads.
fn visit(product: &Product, path: &str) -> String {
    let port = product.plain_port("web");
    let host = format!("web.{}.localhost", product.name);
    eventually("it answers", || {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        ask(stream, &host, path)
    })
}

fn shown(product: &Product) -> [String; 3] {
    ["/env/WORD", "/env/KEY", "/file/settings"].map(|path| visit(product, path))
}

/// Everything about it is another one from now on.
fn change(product: &Product, word: &str, rollout: &str) {
    product.manifest(&shape(word, rollout));
    product.write("settings", word);
    secret(product, word);
}

#[test]
fn code_configuration_and_secret_come_together_and_go_back_together() {
    let product = product("together", SHORT);
    deploy(&product);
    assert_eq!(shown(&product), ["one", "one", "one"]);
    let aside = product.pid("aside");
    change(&product, "two", SHORT);
    let ran = deploy(&product);
    assert_eq!(shown(&product), ["two", "two", "two"], "{ran:?}");
    let back = product.well(&["rollback", "dev"]);
    assert_eq!(shown(&product), ["one", "one", "one"], "{back:?}");
    assert_eq!(
        product.pid("aside"),
        aside,
        "what is the same is not started anew"
    );
    // The folder says something else than what runs, and that changes nothing.
    product.kill_steward();
    product.well(&["releases", "dev"]);
    assert_eq!(shown(&product), ["one", "one", "one"]);
    // The same once more is nothing to do.
    let again = product.well(&["deploy", "dev"]);
    assert_eq!(shown(&product), ["two", "two", "two"], "{again:?}");
    let again = product.well(&["deploy", "dev"]);
    assert!(
        again.out.contains("nothing") || again.err.contains("nothing"),
        "{again:?}"
    );
    product.well(&["down"]);
    product.leaves_nothing();
    // Who only looks, or changes something that is not there, starts nothing.
    let releases = product.well(&["releases", "dev"]);
    assert!(releases.out.contains("current"), "{releases:?}");
    secret(&product, "three");
    assert!(product.running("web").is_empty());
    // What is wanted again comes back as it was.
    product.well(&["rollback", "dev"]);
    assert_eq!(shown(&product), ["one", "one", "one"]);
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_release_that_does_not_do_well_goes_back_by_itself_and_says_why() {
    let product = product("itself", SHORT);
    deploy(&product);
    let load = Load::begin(&product, product.plain_port("web"));
    let bad = [
        ("sh ./program crash", "it ended"),
        ("sh ./program stuck", "has not become well in its time"),
        ("exit 7", "it ended with code 7"),
    ];
    for (command, why) in bad {
        product.manifest(&shape("two", SHORT).replace("sh ./program web", command));
        let ran = product.run(&["deploy", "dev"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(format!("{}{}", ran.out, ran.err).contains(why), "{ran:?}");
        assert_eq!(shown(&product), ["one", "one", "one"]);
        // The same words stand in the journal.
        let history = product.well(&["history", "dev"]);
        assert!(history.out.contains(why), "{history:?}");
    }
    load.goes_on();
    assert_eq!(load.end(), Vec::<String>::new());
    // Each is told as a whole: who wanted what, each step, and how it ended; also by a steward that was not there.
    product.kill_steward();
    let last = product.well(&["explain", "dev", "4"]);
    for part in [
        "rollout 4 of dev",
        "wanted by ",
        "rolling web",
        "returns",
        "not promoted after ",
        bad[2].1,
    ] {
        assert!(last.out.contains(part), "{part}: {last:?}");
    }
    let first = product.well(&["explain", "dev", "1", "--json"]);
    let first: serde_json::Value = serde_json::from_str(&first.out).expect("it is JSON");
    let what = |at: usize| first["lines"][at]["what"].as_str().map(str::to_owned);
    assert_eq!(what(0).as_deref(), Some("begins"), "{first}");
    let lines = first["lines"].as_array().expect("there are lines");
    let end = lines.last().and_then(|line| line["what"].as_str());
    assert_eq!(end, Some("promoted"), "{first}");
    let none = product.run(&["explain", "dev", "99"]);
    assert_ne!(none.code, Some(0), "{none:?}");
    assert!(none.err.contains("no rollout 99"), "{none:?}");
    product.well(&["down"]);
    product.leaves_nothing();
}

/// Deployed again and again by a strategy, while visitors come.
fn ten_times(name: &str, rollout: &str) {
    let product = product(name, rollout);
    deploy(&product);
    let load = Load::begin(&product, product.plain_port("web"));
    for round in 0..10 {
        let word = format!("round-{round}");
        product.manifest(&shape(&word, rollout));
        deploy(&product);
        assert_eq!(visit(&product, "/env/WORD"), word);
    }
    load.goes_on();
    assert_eq!(load.end(), Vec::<String>::new());
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn ten_rolling_releases_lose_nobody() {
    ten_times("rolls", "strategy = \"rolling\"\nbake = \"0s\"\nwarm = \"0s\"");
}

#[test]
fn ten_blue_green_releases_lose_nobody() {
    ten_times(
        "turns",
        "strategy = \"blue-green\"\nbake = \"200ms\"\nwarm = \"1s\"",
    );
}

#[test]
fn ten_canary_releases_lose_nobody() {
    ten_times(
        "sings",
        "strategy = \"canary\"\njudge_every = \"100ms\"\nsteps = [\"10% for 200ms\", \"50% for 100ms\", \"100%\"]\nbake = \"0s\"\nwarm = \"1s\"",
    );
}

#[test]
fn ten_recreated_releases_let_everybody_wait_and_lose_nobody() {
    ten_times("again", "strategy = \"recreate\"\nbake = \"0s\"");
}

#[test]
fn a_steward_that_is_killed_in_the_middle_is_followed_by_one_that_goes_on() {
    let rollout = "strategy = \"canary\"\njudge_every = \"100ms\"\nsteps = [\"25% for 300ms\", \"75% for 300ms\", \"100%\"]\nbake = \"300ms\"\nwarm = \"1s\"";
    let product = product("goeson", rollout);
    deploy(&product);
    let load = Load::begin(&product, product.plain_port("web"));
    for round in 0..6_u32 {
        let word = format!("round-{round}");
        product.manifest(&shape(&word, rollout));
        product.well(&["deploy", "dev", "--no-wait"]);
        // Each time at another point of it.
        crate::kit::pass(Duration::from_millis(u64::from(round) * 220));
        let steward = product.steward().expect("somebody looks after it");
        kill(steward, Signal::KILL);
        // Whoever asks has another one come, and that one knows what to do.
        let watched = product.run(&["rollout", "dev"]);
        assert_eq!(visit(&product, "/env/WORD"), word, "{watched:?}");
    }
    load.goes_on();
    assert_eq!(load.end(), Vec::<String>::new());
    // What was kept ready goes after its time.
    product.until("web", |one| pids(one).len() == 2);
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn what_is_brought_up_from_a_folder_and_what_is_deployed_do_not_mix() {
    let product = product("oneway", SHORT);
    product.write(".env", "KEY=folder\n");
    product.up();
    let refused = product.run(&["deploy", "dev"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("towpath down"), "{refused:?}");
    assert_eq!(visit(&product, "/env/KEY"), "folder");
    product.well(&["down"]);
    product.leaves_nothing();
    deploy(&product);
    assert_eq!(visit(&product, "/env/KEY"), "one");
    let refused = product.run(&["up", "--detach"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(refused.err.contains("towpath deploy dev"), "{refused:?}");
    assert_eq!(visit(&product, "/env/KEY"), "one");
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn the_very_same_files_go_onward_with_the_configuration_of_where_they_come_to() {
    let (https, http) = two_free("127.0.0.1");
    let next = format!(
        "\n[environment.next]\nafter = \"dev\"\n[environment.next.edge]\nlisten = [\"127.0.0.1\"]\nhttps = {https}\nhttp = {http}\n\
         [environment.next.service.web]\nenv = {{ WORD = \"next\" }}\n"
    );
    let product = product("onward", SHORT);
    product.manifest(&(shape("one", SHORT) + &next));
    product.write("value", "other");
    product.well(&["secrets", "set", "next", "KEY", "--file", "value"]);
    std::fs::remove_file(product.folder.join("value")).expect("it can be removed");
    deploy(&product);
    // What is here now is not what goes onward.
    product.write("settings", "two");
    product.well(&["promote", "dev", "next"]);
    let there = |path: &str| {
        let stream = TcpStream::connect(("127.0.0.1", http)).expect("it is listened on");
        ask(stream, "web.onward.localhost", path).expect("it answers")
    };
    assert_eq!(there("/env/WORD"), "next");
    assert_eq!(there("/env/KEY"), "other");
    assert_eq!(there("/file/settings"), "one");
    product.well(&["down", "next"]);
    product.well(&["down", "dev"]);
    product.leaves_nothing();
}

#[test]
fn a_rollback_is_rehearsed_at_its_time_and_what_it_took_is_kept() {
    let rollout = format!("{SHORT}\nrehearse = \"every 4s\"");
    let product = product("rehearsed", &rollout);
    deploy(&product);
    product.manifest(&shape("two", &rollout));
    product.write("settings", "two");
    deploy(&product);
    let load = Load::begin(&product, product.plain_port("web"));
    let told = eventually("it is rehearsed", || {
        let history = product.well(&["history", "dev"]);
        let is_told = history.out.contains("a rollback was rehearsed, and took ");
        is_told.then_some(history.out)
    });
    assert!(told.contains(" of the 2m that it may"), "{told}");
    // Whoever comes after a steward that was killed does not begin the same one again, and brings it forward.
    product.kill_steward();
    eventually("it has come forward again", || {
        let releases = product.well(&["releases", "dev"]);
        assert!(releases.out.contains("a rollback was rehearsed"), "{releases:?}");
        (visit(&product, "/env/WORD") == "two").then_some(())
    });
    // A person's freeze is a reason to leave it out.
    product.well(&["freeze", "dev", "--until", "1h", "--reason", "holidays"]);
    eventually("it is left out", || {
        let history = product.well(&["history", "dev"]);
        history
            .out
            .contains("no rollback was rehearsed: nothing goes forward until")
            .then_some(())
    });
    load.goes_on();
    assert_eq!(load.end(), Vec::<String>::new());
    product.well(&["down"]);
    product.leaves_nothing();
}
