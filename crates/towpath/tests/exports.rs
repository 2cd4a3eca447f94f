//! `towpath export`, by the real binary.
#![allow(
    clippy::disallowed_methods,
    reason = "a story about files writes and reads files"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MANIFEST: &str = "product = \"shop\"\n[service.web]\nrun = \"bin/web\"\npublic = true\n\
                        [environment.prod]\non = \"push main\"\n[ci]\nworkflows = [\"deploy\", \"rollback\"]\n";

fn product() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder can be made");
    let product = root.path().join("products/shop");
    fs::create_dir_all(&product).expect("a folder can be made");
    fs::write(product.join("towpath.toml"), MANIFEST).expect("it can be written");
    (root, product)
}

fn export(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args(["export", "github"])
        .args(words)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("it runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn workflows_are_written_checked_and_written_anew() {
    let (_root, folder) = product();
    let missing = export(&folder, &["--check"]);
    assert_eq!(missing.status.code(), Some(1), "{}", err(&missing));
    assert!(
        out(&missing).contains("deploy.yml is missing"),
        "{}",
        out(&missing)
    );
    assert!(
        err(&missing).contains("write them: towpath export github"),
        "{}",
        err(&missing)
    );
    assert!(!folder.join(".github").exists(), "a check writes nothing");

    let written = export(&folder, &[]);
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    assert!(
        out(&written).contains(".github/workflows/rollback.yml is written"),
        "{}",
        out(&written)
    );
    assert_eq!(export(&folder, &["--check"]).status.code(), Some(0));

    let deploy = folder.join(".github/workflows/deploy.yml");
    let right = fs::read_to_string(&deploy).expect("it is there");
    fs::write(&deploy, right.replace("main", "trunk")).expect("it can be written");
    let stale = export(&folder, &["--check"]);
    assert_eq!(stale.status.code(), Some(1));
    assert!(out(&stale).contains("deploy.yml is stale"), "{}", out(&stale));
    assert_eq!(export(&folder, &[]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&deploy).expect("it is there"), right);
}

#[test]
fn a_file_that_somebody_has_written_stays_and_nothing_else_is_written() {
    let (_root, folder) = product();
    let rollback = folder.join(".github/workflows/rollback.yml");
    fs::create_dir_all(rollback.parent().expect("a folder")).expect("it can be made");
    fs::write(&rollback, "name: mine\n").expect("it can be written");
    for words in [&[][..], &["--check"]] {
        let refused = export(&folder, words);
        assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
        assert!(
            err(&refused).contains("rollback.yml was not written by towpath"),
            "{}",
            err(&refused)
        );
        assert!(err(&refused).contains("move it away"), "{}", err(&refused));
    }
    assert_eq!(
        fs::read_to_string(&rollback).expect("it is there"),
        "name: mine\n"
    );
    assert!(!folder.join(".github/workflows/deploy.yml").exists());
}

#[test]
fn a_product_in_a_larger_repository_is_exported_to_its_root() {
    let (root, folder) = product();
    fs::create_dir(root.path().join(".git")).expect("it can be made");
    let here = export(&folder, &[]);
    assert!(
        err(&here).contains("GitHub reads workflows at the root of a repository only"),
        "{}",
        err(&here)
    );
    let there = export(&folder, &["--out", "../.."]);
    assert_eq!(there.status.code(), Some(0), "{}", err(&there));
    let text = fs::read_to_string(root.path().join(".github/workflows/deploy.yml")).expect("it is there");
    assert!(text.contains("working-directory: products/shop"), "{text}");
}

#[test]
fn a_manifest_that_is_wrong_or_cannot_be_told_writes_nothing() {
    let (_root, folder) = product();
    for (bad, told) in [
        (MANIFEST.replace("run =", "runs ="), "nothing is written"),
        (
            MANIFEST.replace("push main", "schedule every 7m"),
            "cannot be told to GitHub",
        ),
    ] {
        fs::write(folder.join("towpath.toml"), bad).expect("it can be written");
        let refused = export(&folder, &[]);
        assert_eq!(refused.status.code(), Some(1), "{}", err(&refused));
        assert!(err(&refused).contains(told), "{}", err(&refused));
        assert!(!folder.join(".github").exists());
    }
}
