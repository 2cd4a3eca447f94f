//! What a refusal of the database or of the file system means to whoever called.

use crate::StoreError;
use std::io;

/// SQLite's code for a disk without room.
const FULL: i32 = 13;

impl StoreError {
    /// The error that a refusal of the database is.
    pub(crate) fn of(doing: &'static str, folder: &str, source: sqlx::Error) -> StoreError {
        let folder = folder.to_owned();
        if is_full(&source) {
            StoreError::Full { folder }
        } else {
            StoreError::Database {
                doing,
                folder,
                source,
            }
        }
    }

    /// The error that a refusal of the file system is.
    pub(crate) fn of_files(doing: &'static str, folder: &str, source: io::Error) -> StoreError {
        let folder = folder.to_owned();
        if is_out_of_room(&source) {
            StoreError::Full { folder }
        } else {
            StoreError::Files {
                doing,
                folder,
                source,
            }
        }
    }

    /// Whether the same call may work later, without anybody changing anything in the store.
    pub fn may_pass(&self) -> bool {
        matches!(self, StoreError::Full { .. } | StoreError::Held { .. })
    }
}

fn is_full(refusal: &sqlx::Error) -> bool {
    match refusal {
        sqlx::Error::Database(refusal) => {
            // The lower byte is the kind, what is above it the special case.
            let code = refusal.code().and_then(|code| code.parse::<i32>().ok());
            code.is_some_and(|code| code & 0xff == FULL)
        }
        sqlx::Error::Io(source) => is_out_of_room(source),
        _ => false,
    }
}

fn is_out_of_room(refusal: &io::Error) -> bool {
    matches!(
        refusal.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
