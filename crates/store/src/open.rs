//! Opening: the folder, the lock, the file, the settings, the shape.

use crate::door::folder::{self as door, Attempt, Lock};
use crate::schema::{self, Migration, Unmigrated};
use crate::write::Writer;
use crate::{Store, StoreError};
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::path::Path;
use std::time::Duration;
use tokio::sync::Mutex;

/// How often a lock is looked at again whose holder has not said yet who it is, and how long in between: a fifth of a second
/// in all, for what takes a holder microseconds.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// What is set on each connection.
///
/// `locking_mode`: nobody else may write here, and our own lock says so already; SQLite then needs no shared memory for its
/// index, no file for it, and no lock around each transaction.
///
/// `synchronous`: in a write-ahead log, NORMAL writes without waiting for the disk. A process that is killed loses nothing
/// that it was told is kept, for what it wrote is the system's. A power cut may lose the last moments; it never damages
/// anything, because the log is on the disk before any of it is moved to its place, and a torn end of it is recognised by
/// its check sums. What runs on this machine is gone after a power cut anyway, so there is little to remember about it.
///
/// It is OFF at first. Turning an empty file into one with a write-ahead log waits for the disk several times, for nothing:
/// a file that does not survive the power cut of this moment is an empty store, which is what it was. The first write of a
/// process begins its log and would wait for the disk, too, while somebody waits for what is started by it. A log that is
/// begun has nothing in it that could be taken for its own, and nothing is moved out of it meanwhile (`wal_autocheckpoint`).
///
/// `cache_size` is in KiB: half a megabyte holds the upper pages of everything that is written, and the rest stands in the
/// system's own cache. `mmap_size`: what is mapped counts as ours. `journal_size_limit` cuts what one large batch has left.
const SETTINGS: &str = "
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA synchronous = OFF;
PRAGMA journal_mode = WAL;
PRAGMA cache_size = -512;
PRAGMA mmap_size = 0;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 1048576;
";

/// What holds from the second write on. `wal_autocheckpoint`: a megabyte, so that moving it is a short pause.
pub(crate) const FROM_THEN_ON: &str = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 256;";

/// Opens the store in a folder.
pub(crate) async fn open(
    folder: &Path,
    now: Timestamp,
    migrations: &'static [Migration],
) -> Result<Store, StoreError> {
    let named = folder.display().to_string();
    let files = |doing| {
        let named = &named;
        move |source| StoreError::of_files(doing, named, source)
    };
    door::make_folder(folder).map_err(files("making the folder of the store"))?;
    let lock = take_lock(folder, &named, now).await?;
    let file = folder.join("store.db");
    door::make_database(&file).map_err(files("making the store"))?;
    let options = SqliteConnectOptions::new().filename(&file);
    let writer = writer(options, migrations)
        .await
        .map_err(|why| unopened(&named, why))?;
    Ok(Store {
        folder: named,
        writer: Mutex::new(writer),
        lock: Some(lock),
    })
}

/// Opens a store in memory.
pub(crate) async fn in_memory(migrations: &'static [Migration]) -> Result<Store, StoreError> {
    let named = "memory".to_owned();
    let options = SqliteConnectOptions::new().in_memory(true);
    let writer = writer(options, migrations)
        .await
        .map_err(|why| unopened(&named, why))?;
    Ok(Store {
        folder: named,
        writer: Mutex::new(writer),
        lock: None,
    })
}

async fn writer(
    options: SqliteConnectOptions,
    migrations: &'static [Migration],
) -> Result<Writer, Unmigrated> {
    let options = options
        .statement_cache_capacity(16)
        .thread_name(|_| "store".to_owned())
        .disable_statement_logging();
    let mut connection: SqliteConnection = options.connect().await?;
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
    if let Err(why) = schema::migrate(&mut connection, migrations).await {
        // Waited for, so that the file is not held any more when the refusal is heard.
        let _ = connection.close().await;
        return Err(why);
    }
    Ok(Writer::new(connection))
}

fn unopened(folder: &str, why: Unmigrated) -> StoreError {
    match why {
        Unmigrated::Newer { found, known } => StoreError::Newer {
            folder: folder.to_owned(),
            found,
            known,
        },
        Unmigrated::Refused(source) => StoreError::of("opening", folder, source),
    }
}

/// Takes the lock, or says who has it.
async fn take_lock(folder: &Path, named: &str, now: Timestamp) -> Result<Lock, StoreError> {
    let path = folder.join("lock");
    for _ in 0..LOOKS {
        let attempt = door::take_lock(&path, now)
            .map_err(|source| StoreError::of_files("locking the store", named, source))?;
        match attempt {
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::Held(holder) => return Err(held(named, holder.pid, holder.since)),
            Attempt::Unclear => tokio::time::sleep(BETWEEN_LOOKS).await,
        }
    }
    // It says nothing, or names somebody of another namespace: we cannot see who it is, only that there is somebody.
    Err(held(named, 0, "a time that it does not say".to_owned()))
}

fn held(folder: &str, pid: u32, since: String) -> StoreError {
    StoreError::Held {
        folder: folder.to_owned(),
        pid,
        since,
    }
}
