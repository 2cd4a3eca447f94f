//! What is kept of a certificate that is asked for elsewhere, and of the account that asks: a file each, written as a whole
//! before anything is done that it speaks of.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use towpath_decide::certificate::{Failed, Fault, Held, Known};

use super::pair::Pair;
use crate::door::disk;

/// What is kept of a domain.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// Whom it was asked of.
    pub(super) directory: String,
    /// The certificate that there is, with its key.
    pub(super) issued: Option<Issued>,
    /// An order that was begun.
    pub(super) order: Option<Begun>,
    /// The last failure since the last success.
    pub(super) failure: Option<Failure>,
}

/// A certificate that was handed out.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
    pub(super) at: Timestamp,
    /// When its authority wants to have it renewed.
    #[serde(default)]
    pub(super) suggested: Option<Timestamp>,
    /// When the authority may be asked for that again.
    #[serde(default)]
    pub(super) ask_again: Option<Timestamp>,
}

/// An order that was begun.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The key that the certificate will be for.
    pub(super) key: String,
    /// Where the order is; nothing where the authority may not have heard of it.
    #[serde(default)]
    pub(super) address: Option<String>,
    /// What is shown to the authority, while it looks.
    #[serde(default)]
    pub(super) proof: Option<Proof>,
}

/// What is shown to an authority.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Proof {
    /// At a path, with the token in its end.
    Http { token: String, answer: String },
    /// In a handshake.
    Tls { answer: String },
}

/// How it failed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) at: Timestamp,
    pub(super) times: u32,
    pub(super) how: How,
    #[serde(default)]
    pub(super) until: Option<Timestamp>,
    pub(super) why: String,
}

/// In which way it failed, as it is written.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum How {
    Unreached,
    Refused,
    Limited,
}

impl From<How> for Fault {
    fn from(how: How) -> Fault {
        match how {
            How::Unreached => Fault::Unreached,
            How::Refused => Fault::Refused,
            How::Limited => Fault::Limited,
        }
    }
}

impl Record {
    /// What is known of it, with the certificate that was read from it, for whoever asks `directory` from now on.
    pub(super) fn known(&self, pair: Option<&Pair>, directory: &str) -> Known {
        if self.directory != directory {
            return Known::default();
        }
        let issued = self.issued.as_ref().zip(pair);
        Known {
            held: issued.map(|(issued, pair)| Held {
                begins: pair.begins,
                ends: pair.ends,
                issued: issued.at,
                suggested: issued.suggested,
            }),
            is_ordered: self.order.is_some(),
            failed: self.failure.as_ref().map(|failure| Failed {
                at: failure.at,
                times: failure.times,
                how: failure.how.into(),
                until: failure.until,
            }),
        }
    }
}

/// The account at an authority. Its key is there before the authority hears of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) directory: String,
    pub(super) key: String,
    /// What the authority has said to it.
    #[serde(default)]
    pub(super) credentials: Option<Value>,
}

/// The file of a domain. Its letters are those of a host name.
pub(super) fn of_domain(folder: &Path, domain: &str) -> PathBuf {
    folder.join(format!("{domain}.json"))
}

/// The file of the account at a directory.
pub(super) fn of_account(folder: &Path, directory: &str) -> PathBuf {
    let mark = blake3::hash(directory.as_bytes()).to_hex();
    folder.join(format!("account {}.json", &mark[..16]))
}

/// What stands in a file; nothing where there is none, or one that was not written by us.
pub(super) fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> io::Result<Option<T>> {
    match disk::read_text(path) {
        Ok(text) => Ok(serde_json::from_str(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file, and comes back when it is on the disk.
pub(super) async fn write<T: Serialize>(path: &Path, what: &T) -> io::Result<()> {
    let path = path.to_owned();
    let text = serde_json::to_string(what).map_err(io::Error::other)?;
    let write = move || {
        path.parent().map_or(Ok(()), disk::make_private_folder)?;
        disk::replace_private(&path, &text)
    };
    tokio::task::spawn_blocking(write)
        .await
        .map_err(io::Error::other)?
}
