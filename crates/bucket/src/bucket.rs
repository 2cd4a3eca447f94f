//! The bucket itself: its folder, its rows, and what it was told to be.

use crate::backend::Ageing;
use crate::content::{Kept, Piece, Place, Readers};
use crate::door::{Clock, Folder, shards};
use crate::refusal::{Refusal, is_out_of_room};
use crate::rows::{Conditions, Database, New, Unopened, Versioning, open};
use crate::seal::Seal;
use crate::{BucketError, Facts, Settings};
use s3s::dto::{ServerSideEncryption, Timestamp};
use s3s::{S3ErrorCode, S3Result};
use std::sync::{Arc, Mutex as Simple, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// A bucket that is open.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) encrypted: bool,
    /// What the manifest says about ages.
    pub(crate) declared: Vec<Ageing>,
    pub(crate) rows: Mutex<Database>,
    pub(crate) place: Place,
    pub(crate) readers: Arc<Readers>,
    pub(crate) clock: Clock,
    versioning: Simple<Versioning>,
}

impl Bucket {
    /// Opens the bucket in its folder, makes it where there is none, and removes what a crash has left.
    pub(crate) async fn open(settings: &Settings, clock: Clock) -> Result<Bucket, BucketError> {
        let named = settings.folder.display().to_string();
        if settings.encrypted && settings.encryption_key.is_none() {
            return Err(BucketError::NoKey { folder: named });
        }
        let path = settings.folder.clone();
        let files = |source| BucketError::of_files("opening", &named, source);
        let folder = tokio::task::spawn_blocking(move || Folder::open(&path)).await;
        let folder = folder
            .map_err(|_| BucketError::of_files("opening", &named, broken()))?
            .map_err(files)?;
        let folder = Arc::new(folder.ok_or_else(|| BucketError::Held {
            folder: named.clone(),
        })?);
        let mut rows = open(&folder.database().map_err(files)?, settings.most)
            .await
            .map_err(|why| unopened(&named, why))?;
        let refused = |why: Refusal| BucketError::of("opening", &named, why);
        let versioning = declare(&mut rows, settings.versioning).await.map_err(refused)?;
        sweep(&folder, &mut rows).await.map_err(refused)?;
        Ok(Bucket {
            name: settings.name.clone(),
            region: settings.region.clone(),
            encrypted: settings.encrypted,
            declared: settings.lifecycle.iter().map(Ageing::declared).collect(),
            rows: Mutex::new(rows),
            place: Place {
                folder: Arc::clone(&folder),
                seal: settings.encryption_key.clone().map(Seal::new),
            },
            readers: Readers::new(folder),
            clock,
            versioning: Simple::new(versioning),
        })
    }

    /// There is one bucket here.
    pub(crate) fn check_name(&self, name: &str) -> S3Result<()> {
        if name == self.name {
            return Ok(());
        }
        let words = format!("there is no bucket `{name}` here: this is `{}`", self.name);
        Err(s3s::S3Error::with_message(S3ErrorCode::NoSuchBucket, words))
    }

    pub(crate) fn versioning(&self) -> Versioning {
        *self.versioning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_versioning(&self, versioning: Versioning) {
        *self.versioning.lock().unwrap_or_else(PoisonError::into_inner) = versioning;
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// A version's name, as clients see it: none where nothing is versioned.
    pub(crate) fn shown(&self, id: &str) -> Option<String> {
        (self.versioning() != Versioning::Off).then(|| id.to_owned())
    }

    /// Whether what is written is encrypted.
    pub(crate) fn sealing(
        &self,
        asked: Option<&ServerSideEncryption>,
        own_key: bool,
    ) -> Result<bool, Refusal> {
        if own_key {
            let words = "keys that clients bring (SSE-C) are not kept here";
            return Err(Refusal::said(S3ErrorCode::NotImplemented, words));
        }
        match asked.map(ServerSideEncryption::as_str) {
            None => Ok(self.encrypted),
            Some(ServerSideEncryption::AES256) if self.place.seal.is_some() => Ok(true),
            Some(ServerSideEncryption::AES256) => {
                let words = format!(
                    "`{}` has no key to encrypt with: `encrypted = true` gives it one",
                    self.name
                );
                Err(Refusal::said(S3ErrorCode::InvalidRequest, words))
            }
            Some(other) => {
                let words = format!("encryption `{other}` is not known here: there is AES256");
                Err(Refusal::said(S3ErrorCode::NotImplemented, words))
            }
        }
    }

    /// Writes an object whose content is here, and removes the content again where that is refused.
    pub(crate) async fn put(
        &self,
        new: &New,
        conditions: &Conditions,
        kept: &Kept,
    ) -> Result<String, Refusal> {
        let mut rows = self.rows.lock().await;
        let put = rows.put(new, conditions, self.versioning(), self.now()).await;
        drop(rows);
        match put {
            Ok(put) => {
                self.remove(put.free).await;
                Ok(put.id)
            }
            Err(refusal) => {
                self.remove(vec![kept.piece.clone()]).await;
                Err(refusal)
            }
        }
    }

    /// Removes content that no row names.
    pub(crate) async fn remove(&self, free: Vec<Piece>) {
        if free.is_empty() {
            return;
        }
        let readers = Arc::clone(&self.readers);
        let names = free.into_iter().map(|piece| piece.file).collect();
        // A task that breaks off leaves files that the next start removes.
        let _ = tokio::task::spawn_blocking(move || readers.remove(names)).await;
    }

    /// How much there is.
    pub(crate) async fn look(&self) -> Result<Facts, Refusal> {
        let mut rows = self.rows.lock().await;
        let (objects, versions) = rows.count().await?;
        Ok(Facts {
            objects,
            versions,
            bytes: rows.held.bytes,
        })
    }
}

/// What versioning is at the start. The manifest switches it on, and off again what it switched on itself; what a client has
/// set since stands.
async fn declare(rows: &mut Database, declared: bool) -> Result<Versioning, Refusal> {
    let kept: Option<Versioning> = rows.setting("versioning").await?;
    let before: Option<bool> = rows.setting("versioning declared").await?;
    if before == Some(declared) {
        return Ok(kept.unwrap_or_default());
    }
    let versioning = match (declared, kept.unwrap_or_default()) {
        (true, _) => Versioning::Enabled,
        (false, Versioning::Enabled) if before == Some(true) => Versioning::Suspended,
        (false, kept) => kept,
    };
    rows.set("versioning", Some(&versioning)).await?;
    rows.set("versioning declared", Some(&declared)).await?;
    Ok(versioning)
}

/// Removes what was being written when the last one died, and content that no row names, a folder at a time.
async fn sweep(folder: &Arc<Folder>, rows: &mut Database) -> Result<(), Refusal> {
    folder.clear_making()?;
    for shard in shards() {
        let there = folder.names(&shard)?;
        if there.is_empty() {
            continue;
        }
        let named = rows.files(&shard).await?;
        for name in there {
            if named.binary_search(&name).is_err() {
                folder.remove(&name);
            }
        }
    }
    Ok(())
}

fn unopened(folder: &str, why: Unopened) -> BucketError {
    match why {
        Unopened::Newer(found) => BucketError::Newer {
            folder: folder.to_owned(),
            found,
        },
        Unopened::Refused(source) => BucketError::of("opening", folder, Refusal::Database(source)),
    }
}

fn broken() -> std::io::Error {
    std::io::Error::other("a task broke off")
}

impl BucketError {
    pub(crate) fn of(doing: &'static str, folder: &str, why: Refusal) -> BucketError {
        let folder = folder.to_owned();
        if why.is_full() {
            return BucketError::Full { folder };
        }
        let source = Box::new(why);
        BucketError::Failed {
            doing,
            folder,
            source,
        }
    }

    pub(crate) fn of_files(doing: &'static str, folder: &str, source: std::io::Error) -> BucketError {
        if is_out_of_room(&source) {
            return BucketError::Full {
                folder: folder.to_owned(),
            };
        }
        BucketError::of(doing, folder, Refusal::Files(source))
    }
}

/// A moment, as S3 writes it.
pub(crate) fn moment(milliseconds: i64) -> Timestamp {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .map_or_else(Timestamp::default, Timestamp::from)
}
