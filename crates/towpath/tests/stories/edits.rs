//! Files that are edited while everything runs, and secrets that must not be seen.

use crate::kit::{Product, eventually, words};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn a_watched_file_restarts_and_a_build_without_effect_does_not() {
    let product = Product::new(
        "watcher",
        r#"
[worker.plain]
run   = "exec sleep 600"
watch = [{ path = "plain.txt", action = "restart" }]

[worker.built]
build = "sh ./build"
run   = "out/made 600"
watch = [{ path = "source.txt", action = "rebuild" }]
"#,
    );
    product.write("plain.txt", "one");
    product.write("source.txt", "first\n");
    // What it makes is a program, with something behind it that differs.
    product.write(
        "build",
        "echo once >> builds.txt\nmkdir -p out\n{ cat \"$(command -v sleep)\"; head -1 source.txt; } > out/new\nchmod +x out/new\nmv out/new out/made\n",
    );
    product.up();
    let (plain, built) = (product.pid("plain"), product.pid("built"));
    product.write("plain.txt", "two");
    product.until("plain", |one| {
        one["state"] == "ready" && !crate::kit::pids(one).contains(&plain)
    });
    assert_eq!(product.pid("built"), built, "it watches something else");
    let builds = || product.read("builds.txt").lines().count();
    let before = builds();
    product.write("source.txt", "first\nand more that does not matter\n");
    eventually("it is built", || (builds() > before).then_some(()));
    product.until_state("built", "ready");
    assert_eq!(product.pid("built"), built, "what was made is the same");
    let before = builds();
    product.write("source.txt", "second\n");
    eventually("it is built again", || (builds() > before).then_some(()));
    product.until("built", |one| {
        one["state"] == "ready" && !crate::kit::pids(one).contains(&built)
    });
}

#[test]
fn an_edit_of_the_manifest_is_followed_and_a_broken_one_changes_nothing() {
    let product = Product::new("editor", "[worker.one]\nrun = \"exec sleep 600\"\n");
    let mut up = product.begin_command(&["up"]);
    up.says("Ctrl-C stops everything");
    let pid = product.pid("one");
    product.manifest("[worker.one]\nrun = \"exec sleep 600\"\n[worker.two]\nrun = \"exec sleep 601\"\n");
    product.until_state("two", "ready");
    up.says("the manifest has changed: two is new");
    assert_eq!(product.pid("one"), pid, "what was not edited runs on");
    product.manifest("[worker.one]\nrun = \"exec sleep 600\"\nreplicas = \"many\"\n");
    eventually("it is told", || {
        product.status()["notes"]
            .to_string()
            .contains("cannot be followed")
            .then_some(())
    });
    up.says("cannot be followed");
    assert_eq!((product.pid("one"), product.running("two").len()), (pid, 1));
    product.manifest("[worker.one]\nrun = \"exec sleep 602\"\n");
    product.until("two", serde_json::Value::is_null);
    product.until("one", |one| {
        one["state"] == "ready" && !crate::kit::pids(one).contains(&pid)
    });
    assert!(
        !product.status()["notes"]
            .to_string()
            .contains("cannot be followed"),
        "it is mended"
    );
    up.says("the manifest has changed: one is started anew; two is not in it any more");
    assert!(product.running("two").is_empty());
    up.signal(rustix::process::Signal::INT);
    assert_eq!(up.end().code, Some(0));
}

#[test]
fn a_changed_secret_restarts_whoever_has_it_and_is_seen_nowhere() {
    let product = Product::new(
        "discreet",
        r#"
[secret.TOKEN]
about = "Opens something"

[service.web]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }

[service.web.env]
TOKEN = { value = "secret:TOKEN", about = "Opens something" }

[worker.other]
run = "exec sleep 600"
"#,
    );
    product.write(".env", "TOKEN=hushhush-the-first\n");
    let mut up = product.begin_command(&["up"]);
    up.says("Ctrl-C stops everything");
    assert_eq!(
        product.get("web", "/env/TOKEN").as_deref(),
        Some("hushhush-the-first")
    );
    let (web, other) = (product.pid("web"), product.pid("other"));
    product.write(".env", "TOKEN=hushhush-the-second\n");
    product.until("web", |one| {
        one["state"] == "ready" && !crate::kit::pids(one).contains(&web)
    });
    assert_eq!(
        product.get("web", "/env/TOKEN").as_deref(),
        Some("hushhush-the-second")
    );
    assert_eq!(product.pid("other"), other, "it does not have it");
    for words_of in [
        &["status"][..],
        &["status", "--json"],
        &["explain", "web"],
        &["logs"],
    ] {
        let ran = product.run(words_of);
        assert!(!(ran.out + &ran.err).contains("hushhush"), "{words_of:?}");
    }
    assert!(!(up.out() + &up.err()).contains("hushhush"));
    let pids: BTreeSet<u32> = product
        .left()
        .iter()
        .filter_map(|one| one.split(' ').next()?.parse().ok())
        .collect();
    assert!(pids.len() >= 5, "steward, keepers and components");
    for pid in pids {
        assert!(!words(pid).concat().contains("hushhush"), "{:?}", words(pid));
    }
    holds_no_secret(&product.folder.join(".towpath"));
    up.signal(rustix::process::Signal::INT);
    assert_eq!(up.end().code, Some(0));
    holds_no_secret(&product.folder.join(".towpath"));
}

fn holds_no_secret(folder: &Path) {
    for entry in fs::read_dir(folder).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            holds_no_secret(&path);
        } else if let Ok(bytes) = fs::read(&path) {
            let found = bytes.windows(8).any(|window| window == b"hushhush");
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}
