//! Files that have been coded already, kept in memory.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::shelf::Shelf;
use crate::encode::Coding;

/// What is kept, in bytes: the texts of some ten sites.
const KEPT: usize = 8 * 1024 * 1024;

type Key = (PathBuf, String, Coding);

/// How many files are coded at once. Whoever comes meanwhile gets the file as it is: that is larger, and it is there.
const CODED_AT_ONCE: usize = 2;

/// How many are looked up at once. The threads for it are those that the whole process has for such work, and a disk that
/// does not answer must not take all of them.
const LOOKED_UP_AT_ONCE: usize = 64;

/// Files that have been coded already. The first that came goes first when there is no room.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    kept: Arc<Mutex<Kept>>,
    coding: Arc<Semaphore>,
    looking: Arc<Semaphore>,
    shelf: Arc<Shelf>,
}

impl Default for Packed {
    fn default() -> Packed {
        Packed {
            kept: Arc::default(),
            coding: Arc::new(Semaphore::new(CODED_AT_ONCE)),
            looking: Arc::new(Semaphore::new(LOOKED_UP_AT_ONCE)),
            shelf: Arc::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<Key, Bytes>,
    order: VecDeque<Key>,
    size: usize,
}

impl Packed {
    /// A seat for looking something up.
    pub(super) async fn seat(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes the semaphore.
        Arc::clone(&self.looking).acquire_owned().await.ok()
    }

    /// Files that are kept as they are.
    pub(super) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Whether a file is kept in a coding.
    pub(super) fn has(&self, path: &Path, tag: &str, coding: Coding) -> bool {
        let key = (path.to_owned(), tag.to_owned(), coding);
        self.lock().files.contains_key(&key)
    }

    /// A place among those that code, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.coding).try_acquire_owned().ok()
    }

    /// A file in a coding, as it is under this tag; `make` makes it where it is not kept.
    pub(super) fn get<E>(
        &self,
        path: &Path,
        tag: &str,
        coding: Coding,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Bytes, E> {
        let key = (path.to_owned(), tag.to_owned(), coding);
        if let Some(bytes) = self.lock().files.get(&key) {
            return Ok(bytes.clone());
        }
        let bytes = Bytes::from(make()?);
        let mut kept = self.lock();
        if bytes.len() <= KEPT / 4 && kept.files.insert(key.clone(), bytes.clone()).is_none() {
            kept.size += bytes.len();
            kept.order.push_back(key);
            while kept.size > KEPT
                && let Some(first) = kept.order.pop_front()
            {
                let gone = kept.files.remove(&first);
                kept.size -= gone.map_or(0, |bytes| bytes.len());
            }
        }
        Ok(bytes)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_made_once() {
        let packed = Packed::default();
        let get = |tag: usize, made: &mut u32| {
            let make = || {
                *made += 1;
                Ok::<_, ()>(vec![0; KEPT / 8])
            };
            packed.get(Path::new("a"), &tag.to_string(), Coding::Gzip, make)
        };
        let mut made = 0;
        assert!(get(0, &mut made).is_ok() && get(0, &mut made).is_ok());
        assert_eq!(made, 1);
        for tag in 1..20 {
            assert!(get(tag, &mut made).is_ok());
        }
        let kept = packed.lock();
        assert!(kept.size <= KEPT);
        assert_eq!(kept.files.len(), kept.order.len());
        drop(kept);
        assert!(get(0, &mut made).is_ok());
        assert_eq!(made, 21, "the first one had gone");
    }
}
