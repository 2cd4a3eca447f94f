//! The key that the values of an environment are sealed with, and how it is kept itself.
//!
//! It stands in the store, sealed once more: by the key of this machine, which is a file of the person whose steward this is,
//! or by a passphrase, which is nowhere on the disk. Whoever has a copy of the state folder has neither. A passphrase that is
//! given later takes the place of the machine's key; that one is never made anew where something needs it, because a new one
//! would open nothing and look as if all were well.

use crate::door::key::{self as door, Found};
use crate::passphrase::{lock, unlock};
use crate::seal::Key;
use crate::{Batch, Entry, Store, StoreError};
use base64_simd::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;
use towpath_model::sealed::Sealed;

/// The kind of the record, and its name.
const KIND: &str = "vault";
const NAME: &str = "key";

/// What the file with the machine's key begins with.
const WORD: &str = "towpath-vault-key-1 ";

/// What seals the key of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The file with the key of this machine.
    pub machine: PathBuf,
    /// The file with a passphrase, where one is used instead.
    pub passphrase: Option<PathBuf>,
}

/// How the key of an environment is sealed, as it stands in the store.
enum Kept {
    Machine { mark: String, sealed: Vec<u8> },
    Passphrase { locked: String },
}

impl Kept {
    fn read(body: &Value) -> Option<Self> {
        let text = |field: &str| body.get(field)?.as_str().map(str::to_owned);
        match text("by")?.as_str() {
            "machine" => Some(Kept::Machine {
                mark: text("mark")?,
                sealed: STANDARD.decode_to_vec(text("sealed")?).ok()?,
            }),
            "passphrase" => Some(Kept::Passphrase {
                locked: text("locked")?,
            }),
            _ => None,
        }
    }

    fn written(&self) -> Value {
        match self {
            Kept::Machine { mark, sealed } => {
                json!({ "by": "machine", "mark": mark, "sealed": STANDARD.encode_to_string(sealed) })
            }
            Kept::Passphrase { locked } => json!({ "by": "passphrase", "locked": locked }),
        }
    }
}

/// The key of an environment. It is made where there is none yet.
pub(super) async fn of(
    store: &Store,
    environment: &str,
    keys: &Keys,
    now: Timestamp,
) -> Result<Key, StoreError> {
    let found = store.records(KIND).await?;
    let kept = match found.iter().find(|(name, _)| name == NAME) {
        Some((_, body)) => Some(Kept::read(body).ok_or(StoreError::Unsealable {
            what: "the key of the environment".to_owned(),
        })?),
        None => None,
    };
    let (key, anew) = look(kept, environment, keys).await?;
    if let Some(kept) = anew {
        store.write(told(&kept, environment), now).await?;
    }
    Ok(key)
}

/// A new key for an environment whose key is lost, and what has to be written for it to hold. What was sealed with the one
/// before is lost with that.
pub(super) async fn anew(environment: &str, keys: &Keys) -> Result<(Key, Batch), StoreError> {
    let (key, kept) = look(None, environment, keys).await?;
    let batch = kept.map(|kept| told(&kept, environment));
    Ok((key, batch.unwrap_or_default()))
}

async fn look(kept: Option<Kept>, environment: &str, keys: &Keys) -> Result<(Key, Option<Kept>), StoreError> {
    let (keys, place) = (keys.clone(), format!("towpath vault key of {environment}"));
    let opening = spawn_blocking(move || opened(kept, &keys, &place));
    opening
        .await
        .map_err(|ended| StoreError::of_files("opening the vault", environment, ended.into()))?
}

/// What is written when the key is kept in another way than before.
fn told(kept: &Kept, environment: &str) -> Batch {
    let by = match kept {
        Kept::Machine { .. } => "by the key of this machine",
        Kept::Passphrase { .. } => "by a passphrase",
    };
    let entry = Entry {
        what: "seal".to_owned(),
        subject: environment.to_owned(),
        body: json!({}),
        because: format!("what is secret here is sealed {by} from now on"),
        intent: false,
    };
    Batch {
        entries: vec![entry],
        records: vec![(KIND.to_owned(), NAME.to_owned(), Some(kept.written()))],
        ..Batch::default()
    }
}

/// The key, and how it is kept from now on, where that is another way than before.
fn opened(kept: Option<Kept>, keys: &Keys, place: &str) -> Result<(Key, Option<Kept>), StoreError> {
    let passphrase = match &keys.passphrase {
        Some(file) => Some((read_passphrase(file)?, file)),
        None => None,
    };
    let locked = |key: &Key, passphrase: &Sealed<String>| Kept::Passphrase {
        locked: lock(&STANDARD.encode_to_string(key.bytes()), passphrase),
    };
    match (kept, passphrase) {
        (None, Some((passphrase, _))) => {
            let key = Key::new();
            let kept = locked(&key, &passphrase);
            Ok((key, Some(kept)))
        }
        (None, None) => {
            let (key, machine) = (Key::new(), machine_key(&keys.machine)?);
            let sealed = machine.seal(key.bytes(), place);
            let mark = machine.mark();
            Ok((key, Some(Kept::Machine { mark, sealed })))
        }
        (Some(Kept::Machine { mark, sealed }), passphrase) => {
            let key = by_machine(&keys.machine, &mark, &sealed, place)?;
            let kept = passphrase.map(|(passphrase, _)| locked(&key, &passphrase));
            Ok((key, kept))
        }
        (Some(Kept::Passphrase { .. }), None) => Err(StoreError::NoPassphrase),
        (Some(Kept::Passphrase { locked }), Some((passphrase, file))) => {
            let text = unlock(&locked, &passphrase).map_err(|source| StoreError::Locked {
                file: file.display().to_string(),
                source,
            })?;
            let bytes = STANDARD.decode_to_vec(text.open()).ok();
            let key = bytes.and_then(|bytes| Key::read(&bytes));
            let key = key.ok_or(StoreError::Unsealable {
                what: "the key of the environment".to_owned(),
            })?;
            Ok((key, None))
        }
    }
}

/// What the key of this machine opens.
fn by_machine(file: &Path, mark: &str, sealed: &[u8], place: &str) -> Result<Key, StoreError> {
    let named = || file.display().to_string();
    let machine = read_machine_key(file)?.ok_or_else(|| StoreError::KeyLost { file: named() })?;
    if machine.mark() != mark {
        return Err(StoreError::AnotherKey { file: named() });
    }
    let opened = machine.open(sealed, place);
    opened
        .and_then(|bytes| Key::read(&bytes))
        .ok_or(StoreError::Unsealable {
            what: "the key of the environment".to_owned(),
        })
}

/// The key of this machine, which is made where there is none.
fn machine_key(file: &Path) -> Result<Key, StoreError> {
    if let Some(key) = read_machine_key(file)? {
        return Ok(key);
    }
    let text = format!("{WORD}{}\n", STANDARD.encode_to_string(Key::new().bytes()));
    door::make_closed(file, &text).map_err(|why| {
        StoreError::of_files("making the key of this machine", &file.display().to_string(), why)
    })?;
    // Somebody else may have made it meanwhile, and then it is theirs.
    read_machine_key(file)?.ok_or_else(|| StoreError::KeyLost {
        file: file.display().to_string(),
    })
}

fn read_machine_key(file: &Path) -> Result<Option<Key>, StoreError> {
    let named = file.display().to_string();
    let found = door::read_closed(file)
        .map_err(|why| StoreError::of_files("reading the key of this machine", &named, why))?;
    match found {
        Found::Nothing => Ok(None),
        Found::Open => Err(StoreError::OpenKey { file: named }),
        Found::Text(text) => {
            let letters = text.trim_end().strip_prefix(WORD);
            let bytes = letters.and_then(|letters| STANDARD.decode_to_vec(letters).ok());
            let key = bytes.and_then(|bytes| Key::read(&bytes));
            key.map(Some).ok_or(StoreError::AnotherKey { file: named })
        }
    }
}

fn read_passphrase(file: &Path) -> Result<Sealed<String>, StoreError> {
    let named = file.display().to_string();
    let text = door::read(file).map_err(|why| StoreError::of_files("reading the passphrase", &named, why))?;
    let passphrase = text.strip_suffix('\n').unwrap_or(&text);
    let passphrase = passphrase.strip_suffix('\r').unwrap_or(passphrase);
    if passphrase.is_empty() {
        return Err(StoreError::EmptyPassphrase { file: named });
    }
    Ok(Sealed::new(passphrase.to_owned()))
}
