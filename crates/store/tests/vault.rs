//! Secrets at rest: sealed, in versions that only grow, and lost without their key, which is said.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "this test looks at what stands on the disk, and takes keys away"
)]

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use towpath_model::run::Variables;
use towpath_model::sealed::Sealed;
use towpath_store::{Batch, Keys, Store, StoreError, Vault};

const CANARY: &str = "canary-5f1d-of-the-canal";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn values<const N: usize>(of: [(&str, &str); N]) -> Variables {
    of.into_iter()
        .map(|(name, value)| (name.to_owned(), Sealed::new(value.to_owned())))
        .collect()
}

fn versions<const N: usize>(of: [(&str, u64); N]) -> BTreeMap<String, u64> {
    of.into_iter()
        .map(|(name, version)| (name.to_owned(), version))
        .collect()
}

/// A vault, and the store that it needs.
struct Opened {
    vault: Vault,
    _store: Arc<Store>,
}

impl std::ops::Deref for Opened {
    type Target = Vault;
    fn deref(&self) -> &Vault {
        &self.vault
    }
}

struct Bed {
    root: tempfile::TempDir,
}

impl Bed {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        Bed { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn keys(&self) -> Keys {
        Keys {
            machine: self.path("person/vault.key"),
            passphrase: None,
        }
    }

    fn with_passphrase(&self, text: &str) -> Keys {
        let file = self.path("passphrase");
        std::fs::write(&file, text).unwrap();
        Keys {
            passphrase: Some(file),
            ..self.keys()
        }
    }

    async fn store(&self) -> Arc<Store> {
        Arc::new(Store::open(&self.path("state"), at(0)).await.unwrap())
    }

    async fn vault_again(&self, vault: Opened) -> Opened {
        drop(vault);
        self.vault(self.keys()).await
    }

    async fn vault(&self, keys: Keys) -> Opened {
        let store = self.store().await;
        Opened {
            vault: Vault::new(&store, "prod", keys),
            _store: store,
        }
    }
}

/// All bytes of all files below a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(match path.is_dir() {
            true => bytes_below(&path),
            false => std::fs::read(&path).unwrap(),
        });
    }
    all
}

#[tokio::test]
async fn versions_only_grow_and_an_old_one_opens_as_long_as_it_is_kept() {
    let bed = Bed::new();
    let vault = bed.vault(bed.keys()).await;
    let set = async |value: &str| {
        vault
            .set(&values([("TOKEN", value)]), "ana", at(1))
            .await
            .unwrap()
    };
    assert_eq!(set("one").await, versions([("TOKEN", 1)]));
    assert_eq!(set("one").await, versions([]));
    assert_eq!(set("two").await, versions([("TOKEN", 2)]));
    assert_eq!(vault.unset("TOKEN", "ben", at(2)).await.unwrap(), Some(3));
    assert_eq!(vault.unset("TOKEN", "ben", at(2)).await.unwrap(), None);
    assert_eq!(vault.unset("OTHER", "ben", at(2)).await.unwrap(), None);
    assert_eq!(vault.versions().await.unwrap(), versions([]));
    assert_eq!(set("two").await, versions([("TOKEN", 4)]));
    assert_eq!(vault.versions().await.unwrap(), versions([("TOKEN", 4)]));

    let opened = vault.open(&versions([("TOKEN", 1)]), at(3)).await.unwrap();
    assert_eq!(opened, values([("TOKEN", "one")]));
    let none = vault.open(&versions([("TOKEN", 3), ("X", 1)]), at(3)).await;
    assert_eq!(
        none.unwrap_err().to_string(),
        "there is no value of TOKEN (version 3), X (version 1)"
    );

    let named = BTreeSet::from([("TOKEN".to_owned(), 2)]);
    vault.prune(&named, at(4)).await.unwrap();
    assert!(vault.open(&versions([("TOKEN", 1)]), at(5)).await.is_err());
    assert_eq!(
        vault.open(&versions([("TOKEN", 2)]), at(5)).await.unwrap(),
        values([("TOKEN", "two")])
    );
    // Also where the newest says that there is none: a number never comes again.
    vault.unset("TOKEN", "ben", at(6)).await.unwrap();
    vault.prune(&BTreeSet::new(), at(6)).await.unwrap();
    assert_eq!(set("three").await, versions([("TOKEN", 6)]));
    let listed = vault.listed().await.unwrap();
    assert_eq!(
        (
            listed.len(),
            listed[0].version,
            listed[0].is_set,
            listed[0].by.as_str()
        ),
        (1, 6, true, "ana")
    );
}

#[tokio::test]
async fn no_value_stands_on_the_disk_or_in_the_journal_and_all_of_it_opens_again_later() {
    let bed = Bed::new();
    let vault = bed.vault(bed.keys()).await;
    let all = values([("A", CANARY), ("B", "lines\nof ä canal"), ("C", "")]);
    vault.set(&all, "ana", at(1)).await.unwrap();
    drop(vault);
    let store = bed.store().await;
    let journal = store.newest(None, 100).await.unwrap();
    let what: Vec<&str> = journal.iter().map(|one| one.entry.what.as_str()).collect();
    assert_eq!(what, ["seal", "set-secret", "set-secret", "set-secret"]);
    assert_eq!(journal[1].entry.because, "ana wants it so");
    let vault = Vault::new(&store, "prod", bed.keys());
    let wanted = versions([("A", 1), ("B", 1), ("C", 1)]);
    assert_eq!(vault.open(&wanted, at(2)).await.unwrap(), all);
    let bytes = bytes_below(bed.root.path());
    for part in [
        CANARY.as_bytes(),
        b"canal",
        &base64_simd::STANDARD.encode_to_string(CANARY).as_bytes()[..20],
    ] {
        assert!(!bytes.windows(part.len()).any(|window| window == part));
    }
    let mode = |path: &str| std::fs::metadata(bed.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("person/vault.key"), mode("person")), (0o600, 0o700));
}

#[tokio::test]
async fn a_value_opens_in_its_own_place_alone() {
    let bed = Bed::new();
    let store = bed.store().await;
    let vault = Vault::new(&store, "prod", bed.keys());
    vault
        .set(&values([("A", "one"), ("B", "two")]), "ana", at(1))
        .await
        .unwrap();
    vault.set(&values([("A", "three")]), "ana", at(1)).await.unwrap();
    let records = store.records("secret").await.unwrap();
    let body = |name: &str| records.iter().find(|(other, _)| other == name).unwrap().1.clone();
    let swapped = Batch {
        records: vec![
            (
                "secret".to_owned(),
                "A/000000000001".to_owned(),
                Some(body("A/000000000002")),
            ),
            (
                "secret".to_owned(),
                "B/000000000001".to_owned(),
                Some(body("A/000000000001")),
            ),
        ],
        ..Batch::default()
    };
    store.write(swapped, at(2)).await.unwrap();
    for (name, version) in [("A", 1), ("B", 1)] {
        let refusal = vault.open(&versions([(name, version)]), at(3)).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Unsealable { .. }), "{refusal:?}");
    }
    let other = Vault::new(&store, "staging", bed.keys());
    let refusal = other.open(&versions([("A", 2)]), at(3)).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unsealable { .. }), "{refusal:?}");
    assert!(vault.open(&versions([("A", 2)]), at(3)).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_lost_is_named_and_never_made_anew() {
    let bed = Bed::new();
    let file = bed.keys().machine;
    let set = async |value: &str| {
        let vault = bed.vault(bed.keys()).await;
        vault.set(&values([("A", value)]), "ana", at(1)).await
    };
    set("one").await.unwrap();
    let key = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let refusal = set("two").await.unwrap_err();
    assert!(matches!(refusal, StoreError::KeyLost { .. }), "{refusal:?}");
    assert!(refusal.to_string().contains(file.to_str().unwrap()));
    assert!(!file.exists());

    let write = |text: &str, mode: u32| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for text in ["", "rubbish", &key.replace("key-1 ", "key-1 AAAA")] {
        write(text, 0o600);
        let refusal = set("two").await.unwrap_err();
        assert!(matches!(refusal, StoreError::AnotherKey { .. }), "{refusal:?}");
    }
    let mut letters: Vec<char> = key.chars().collect();
    letters[30] = if letters[30] == 'A' { 'B' } else { 'A' };
    write(&letters.into_iter().collect::<String>(), 0o600);
    let refusal = set("two").await.unwrap_err();
    assert!(matches!(refusal, StoreError::AnotherKey { .. }), "{refusal:?}");
    write(&key, 0o644);
    let refusal = set("two").await.unwrap_err();
    assert!(matches!(refusal, StoreError::OpenKey { .. }), "{refusal:?}");
    write(&key, 0o600);
    assert_eq!(set("two").await.unwrap(), versions([("A", 2)]));

    // Who only looks what there is needs none.
    std::fs::remove_file(&file).unwrap();
    let vault = bed.vault(bed.keys()).await;
    assert_eq!(vault.versions().await.unwrap(), versions([("A", 2)]));

    // Whoever says so begins anew; no number comes again.
    vault
        .begin_anew(&values([("B", "two")]), "ana", at(9))
        .await
        .unwrap();
    assert_eq!(vault.versions().await.unwrap(), versions([("B", 1)]));
    let vault = bed.vault_again(vault).await;
    let lost = vault.open(&versions([("A", 2)]), at(9)).await.unwrap_err();
    assert!(matches!(lost, StoreError::NoValues { .. }), "{lost:?}");
    assert_eq!(
        vault.open(&versions([("B", 1)]), at(9)).await.unwrap(),
        values([("B", "two")])
    );
    let set = vault.set(&values([("A", "three")]), "ana", at(9)).await.unwrap();
    assert_eq!(set, versions([("A", 3)]));
}

#[tokio::test]
async fn a_passphrase_takes_the_place_of_the_machines_key_and_is_needed_from_then_on() {
    let bed = Bed::new();
    let wanted = versions([("A", 1)]);
    let vault = bed.vault(bed.keys()).await;
    vault.set(&values([("A", "one")]), "ana", at(1)).await.unwrap();
    drop(vault);
    let keys = bed.with_passphrase("a boat on a canal\n");
    let vault = bed.vault(keys.clone()).await;
    assert_eq!(vault.open(&wanted, at(2)).await.unwrap(), values([("A", "one")]));
    drop(vault);
    std::fs::remove_file(&keys.machine).unwrap();
    let vault = bed.vault(bed.with_passphrase("a boat on a canal")).await;
    assert_eq!(vault.open(&wanted, at(3)).await.unwrap(), values([("A", "one")]));
    drop(vault);

    let refused = async |keys: Keys| bed.vault(keys).await.open(&wanted, at(3)).await.unwrap_err();
    let refusal = refused(bed.keys()).await;
    assert!(matches!(refusal, StoreError::NoPassphrase), "{refusal:?}");
    let refusal = refused(bed.with_passphrase("another")).await;
    assert!(matches!(refusal, StoreError::Locked { .. }), "{refusal:?}");
    let refusal = refused(bed.with_passphrase("\n")).await;
    assert!(
        matches!(refusal, StoreError::EmptyPassphrase { .. }),
        "{refusal:?}"
    );
    let nowhere = Keys {
        passphrase: Some(bed.path("nowhere")),
        ..bed.keys()
    };
    let refusal = refused(nowhere).await;
    assert!(matches!(refusal, StoreError::Files { .. }), "{refusal:?}");
    assert!(!bed.keys().machine.exists());
}
