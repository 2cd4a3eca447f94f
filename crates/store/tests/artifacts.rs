//! Files by what stands in them, and folders that are made of those: whole or not there, and never anything else.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "this test looks at what was written, and kills a process of its own that writes"
)]

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use towpath_model::run::{Entry, Tree};
use towpath_store::{Artifacts, StoreError};

fn digest(text: &[u8]) -> String {
    blake3::hash(text).to_hex().to_string()
}

fn file(text: &[u8], runs: bool) -> Entry {
    Entry::File {
        digest: digest(text),
        bytes: text.len() as u64,
        runs,
    }
}

fn tree<const N: usize>(entries: [(&str, Entry); N]) -> Tree {
    let entries = entries.map(|(path, entry)| (path.to_owned(), entry));
    Tree {
        entries: BTreeMap::from(entries),
    }
}

async fn put(artifacts: &Artifacts, text: &[u8]) -> String {
    let named = digest(text);
    artifacts.put(&named, text).await.unwrap();
    named
}

/// Everything below a folder that is no folder.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if std::fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(everything(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_is_put_is_there_once_and_nothing_is_made_before() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("artifacts");
    let artifacts = Artifacts::open(&root);
    let (one, two) = (digest(b"one"), digest(b"two"));
    let asked = [one.clone(), two.clone(), one.clone()];
    assert_eq!(artifacts.missing(&asked).await, [one.clone(), two.clone()]);
    assert!(!root.exists());

    put(&artifacts, b"one").await;
    put(&artifacts, b"one").await;
    assert_eq!(artifacts.missing(&asked).await, std::slice::from_ref(&two));
    let name = root.join("files").join(&one[..2]).join(&one[2..]);
    assert_eq!(everything(&root), std::slice::from_ref(&name));
    assert_eq!(std::fs::read(&name).unwrap(), b"one");

    let large = vec![7_u8; 3_000_000];
    put(&artifacts, &large).await;
    put(&artifacts, b"").await;
    let again = Artifacts::open(&root);
    assert_eq!(
        again
            .missing(&[one, two.clone(), digest(&large), digest(b"")])
            .await,
        [two]
    );
}

#[tokio::test]
async fn what_is_not_what_its_name_says_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(folder.path()).with_largest(10);
    let refusal = artifacts.put(&digest(b"one"), &b"another"[..]).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unlike { .. }), "{refusal:?}");
    let refusal = artifacts
        .put(&digest(b"0123456789a"), &b"0123456789a"[..])
        .await
        .unwrap_err();
    assert!(matches!(refusal, StoreError::TooLarge { .. }), "{refusal:?}");
    for name in ["", "../../etc/passwd", "ABC"] {
        let refusal = artifacts.put(name, &b"one"[..]).await.unwrap_err();
        assert!(matches!(refusal, StoreError::NoDigest { .. }), "{refusal:?}");
    }
    put(&artifacts, b"0123456789").await;
    assert_eq!(everything(folder.path()).len(), 1);
}

#[tokio::test]
async fn a_file_that_nobody_ends_has_never_been_there() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(folder.path());
    let mut coming = artifacts.begin(&digest(b"onetwo")).await.unwrap();
    coming.more(*b"one").await.unwrap();
    assert_eq!(everything(folder.path()).len(), 1);
    drop(coming);
    assert_eq!(everything(folder.path()), Vec::<PathBuf>::new());

    // A process that dies takes nothing away.
    let mut coming = artifacts.begin(&digest(b"onetwo")).await.unwrap();
    coming.more(*b"one").await.unwrap();
    std::mem::forget(coming);
    let half = folder.path().join("coming/1-1");
    std::fs::create_dir_all(half.join("deep")).unwrap();
    std::fs::write(half.join("deep/file"), "half").unwrap();
    assert_eq!(everything(folder.path()).len(), 2);
    let again = Artifacts::open(folder.path());
    assert_eq!(everything(folder.path()), Vec::<PathBuf>::new());
    assert_eq!(again.missing(&[digest(b"onetwo")]).await, [digest(b"onetwo")]);
}

#[tokio::test]
async fn a_tree_is_laid_out_with_its_modes_and_its_links_as_copies() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(folder.path());
    let named = put(&artifacts, b"print('hello')").await;
    put(&artifacts, b"#!/bin/sh\n").await;
    let wanted = tree([
        ("bin/run", file(b"#!/bin/sh\n", true)),
        ("deep/er/again.py", file(b"print('hello')", false)),
        ("latest", Entry::Link("deep/er".to_owned())),
        ("main.py", file(b"print('hello')", false)),
    ]);
    let laid = artifacts.lay_out("abc", &wanted).await.unwrap();
    assert_eq!(laid, folder.path().join("trees/abc"));
    let mode = |path: &str| std::fs::metadata(laid.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("bin/run"), mode("main.py"), mode("bin")),
        (0o755, 0o644, 0o755)
    );
    assert_eq!(
        std::fs::read(laid.join("latest/again.py")).unwrap(),
        b"print('hello')"
    );
    assert_eq!(std::fs::metadata(laid.join("main.py")).unwrap().nlink(), 1);

    // Whoever runs in it may write into it; what is named by its digest stays what it is.
    std::fs::write(laid.join("main.py"), "spoiled").unwrap();
    artifacts.lay_out("abc", &wanted).await.unwrap();
    assert_eq!(std::fs::read(laid.join("main.py")).unwrap(), b"spoiled");
    let other = artifacts.lay_out("def", &wanted).await.unwrap();
    assert_eq!(std::fs::read(other.join("main.py")).unwrap(), b"print('hello')");
    let kept = folder.path().join("files").join(&named[..2]).join(&named[2..]);
    assert_eq!(std::fs::read(kept).unwrap(), b"print('hello')");
    assert_eq!(everything(&folder.path().join("coming")), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_tree_of_very_many_files_is_laid_out_by_several_at_once_and_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(folder.path());
    put(&artifacts, b"x").await;
    let entries = (0..300).map(|number| (format!("d{}/{number}", number % 7), file(b"x", false)));
    let wanted = Tree {
        entries: entries.collect(),
    };
    let (one, two, three) = tokio::join!(
        artifacts.lay_out("many", &wanted),
        artifacts.lay_out("many", &wanted),
        artifacts.lay_out("many", &wanted)
    );
    let laid = one.unwrap();
    assert_eq!((&two.unwrap(), &three.unwrap()), (&laid, &laid));
    assert_eq!(everything(&laid).len(), 300);
    assert_eq!(everything(&folder.path().join("coming")), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_tree_that_is_not_whole_or_leads_out_is_not_laid_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("artifacts");
    let artifacts = Artifacts::open(&root);
    put(&artifacts, b"one").await;
    let told = async |tree: Tree| artifacts.lay_out("t", &tree).await.unwrap_err().to_string();
    let absent = told(tree([("a", file(b"one", false)), ("b/c", file(b"two", false))])).await;
    assert!(absent.starts_with("the file `b/c` is not here"), "{absent}");
    let longer = Entry::File {
        digest: digest(b"one"),
        bytes: 4,
        runs: false,
    };
    let cut = told(tree([("a", longer)])).await;
    assert!(cut.starts_with("the file `a` is not here"), "{cut}");
    for (path, entry) in [
        ("../a", file(b"one", false)),
        ("/tmp/a", file(b"one", false)),
        ("", file(b"one", false)),
        ("a\0", file(b"one", false)),
        ("a", Entry::Link("/etc".to_owned())),
        ("a", Entry::Link("../..".to_owned())),
    ] {
        let refusal = artifacts.lay_out("t", &tree([(path, entry)])).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Misplaced { .. }), "{refusal:?}");
    }
    let refusal = artifacts.lay_out("../t", &tree([])).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Misplaced { .. }), "{refusal:?}");
    assert!(!root.join("trees").exists());
    assert_eq!(everything(&root).len(), 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_nobody_names_any_more_goes_but_what_somebody_is_about_to_name_stays() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(folder.path());
    let old = put(&artifacts, b"old").await;
    let kept = put(&artifacts, b"kept").await;
    artifacts
        .lay_out("old", &tree([("a", file(b"old", false))]))
        .await
        .unwrap();
    artifacts
        .lay_out("kept", &tree([("a", file(b"kept", false))]))
        .await
        .unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let age = |path: PathBuf| {
        let opened = std::fs::File::open(path).unwrap();
        opened.set_modified(long_ago).unwrap();
    };
    let of = |digest: &str| folder.path().join("files").join(&digest[..2]).join(&digest[2..]);
    age(of(&old));
    age(of(&kept));
    age(folder.path().join("trees/old"));
    age(folder.path().join("trees/kept"));
    let fresh = put(&artifacts, b"fresh").await;
    let asked = put(&artifacts, b"asked").await;
    age(of(&asked));
    assert!(artifacts.missing(std::slice::from_ref(&asked)).await.is_empty());

    let mut coming = artifacts.begin(&digest(b"late")).await.unwrap();
    coming.more(*b"la").await.unwrap();
    let since = Timestamp::from_second(2_000_000).unwrap();
    let sweep = async || {
        let (trees, files) = (
            BTreeSet::from(["kept".to_owned()]),
            BTreeSet::from([kept.clone()]),
        );
        artifacts.sweep(trees, files, since).await.unwrap();
    };
    sweep().await;
    let all = [old.clone(), kept.clone(), fresh.clone(), asked.clone()];
    coming.more(*b"te").await.unwrap();
    coming.end().await.unwrap();
    sweep().await;
    assert!(artifacts.missing(&[digest(b"late")]).await.is_empty());
    assert_eq!(artifacts.missing(&all).await, [old]);
    let trees = everything(&folder.path().join("trees"));
    assert_eq!(trees, [folder.path().join("trees/kept/a")]);
}

const CHILD: &str = "TOWPATH_ARTIFACTS_TEST_WRITES";

/// Files and trees of this round.
fn round(number: u64) -> (Vec<Vec<u8>>, Tree) {
    let texts: Vec<Vec<u8>> = (0..5)
        .map(|of| format!("{number}-{of} ").repeat(20_000).into_bytes())
        .collect();
    let entries = texts
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("d{at}/f"), file(text, false)));
    let tree = Tree {
        entries: entries.collect(),
    };
    (texts, tree)
}

async fn write_for_ever(folder: &Path) {
    let artifacts = Artifacts::open(folder);
    for number in 0.. {
        let (texts, tree) = round(number);
        for text in &texts {
            put(&artifacts, text).await;
        }
        artifacts.lay_out(&number.to_string(), &tree).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "laid {number}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn whatever_has_a_name_is_whole_after_a_kill_at_any_moment() {
    if let Some(folder) = std::env::var_os(CHILD) {
        write_for_ever(Path::new(&folder)).await;
    }
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "whatever_has_a_name_is_whole_after_a_kill_at_any_moment",
            ])
            .arg("--nocapture")
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let laid = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("laid ")?.parse::<u64>().ok());
        assert!(laid.is_some(), "it ended by itself: {:?}", child.wait());
        for _ in 0..(seed >> 16) % 2_000_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        check(folder.path(), laid.unwrap()).await;
    }
}

async fn check(folder: &Path, laid: u64) {
    let artifacts = Artifacts::open(folder);
    assert_eq!(everything(&folder.join("coming")), Vec::<PathBuf>::new());
    for path in everything(&folder.join("files")) {
        let named: Vec<_> = path
            .iter()
            .rev()
            .take(2)
            .map(|part| part.to_str().unwrap())
            .collect();
        let found = digest(&std::fs::read(&path).unwrap());
        assert_eq!(found, format!("{}{}", named[1], named[0]));
    }
    let there = |number: u64| folder.join("trees").join(number.to_string()).exists();
    assert!(there(laid));
    for number in (0..).take_while(|number| there(*number)) {
        let (texts, tree) = round(number);
        for text in &texts {
            assert!(artifacts.missing(&[digest(text)]).await.is_empty());
        }
        for (text, path) in texts.iter().zip(tree.entries.keys()) {
            let path = folder.join("trees").join(number.to_string()).join(path);
            assert_eq!(&std::fs::read(path).unwrap(), text);
        }
    }
}
