//! Certificates from files, which somebody else exchanges when they please.
//!
//! Nothing watches them: whoever wants an encrypted connection, or asks how things are, has them looked at behind their back
//! when that was a while ago, and gets what there was. Two files are not exchanged at one instant, so a pair that does not
//! fit is told only when it has stayed so.
//!
//! One that has ended, or has not begun, does not take the place of one that holds. Where there is no such one it is shown: what is
//! wrong may be the clock of this machine and not the certificate, and whoever looks is told something that is true.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rustls::crypto::CryptoProvider;

use super::pair::Pair;
use crate::door::disk::{self, Seen, Stamp};

/// Milliseconds after which they are looked at again.
const LOOKED_AT: u64 = 1_000;

/// A key or a chain is some kilobytes.
const LARGEST: u64 = 1024 * 1024;

/// The two files of a certificate.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) chain: PathBuf,
    key: PathBuf,
    /// As they were when they were read last.
    read: Mutex<Option<(Stamp, Stamp)>>,
    looked_at: AtomicU64,
    /// Why what is there now was not taken.
    pub(super) wrong: Mutex<Option<String>>,
}

impl Files {
    pub(super) fn new(chain: &str, key: &str) -> Files {
        Files {
            chain: PathBuf::from(chain),
            key: PathBuf::from(key),
            read: Mutex::default(),
            looked_at: AtomicU64::new(0),
            wrong: Mutex::default(),
        }
    }

    /// Whether it is time to look at them. Only one of those who ask at once is told so.
    pub(super) fn is_time(&self, now: u64) -> bool {
        let last = self.looked_at.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) >= LOOKED_AT;
        let exchange = || {
            self.looked_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
        };
        is_due && exchange().is_ok()
    }

    /// Looks at them: what is new and does for the domain. What does not is told, and what there was stays.
    pub(super) fn look(
        &self,
        domain: &str,
        shown: Option<&Pair>,
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> Option<Pair> {
        let stamps = match (disk::glance(&self.chain), disk::glance(&self.key)) {
            (Seen::File(chain), Seen::File(key)) => Some((chain, key)),
            _ => None,
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps.is_some() && *read == stamps {
            return None;
        }
        let (pair, wrong, stays) = match self.read(domain, provider) {
            Err(why) => (None, Some(why), true),
            Ok(pair) => match pair.untimely(now) {
                Some(why) if shown.is_some_and(|shown| shown.untimely(now).is_none()) => {
                    // Its time may come.
                    (None, Some(format!("{}: {why}", self.chain.display())), false)
                }
                _ => (Some(pair), None, true),
            },
        };
        *self.wrong.lock().unwrap_or_else(PoisonError::into_inner) = wrong;
        *read = stamps.filter(|_| stays);
        pair
    }

    fn read(&self, domain: &str, provider: &CryptoProvider) -> Result<Pair, String> {
        let text = |path: &PathBuf| {
            disk::read_text_within(path, LARGEST)
                .map_err(|error| format!("{} cannot be read: {error}", path.display()))
        };
        let pair = Pair::read(&text(&self.chain)?, &text(&self.key)?, provider);
        let pair = pair.map_err(|why| format!("{}: {why}", self.chain.display()))?;
        match pair.foreign(domain) {
            Some(why) => Err(format!("{}: {why}", self.chain.display())),
            None => Ok(pair),
        }
    }
}
