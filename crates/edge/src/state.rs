//! What all parts of a running edge share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use towpath_model::sealed::Sealed;

use crate::aside::Tellers;
use crate::cache::Cache;
use crate::crowd::Addresses;
use crate::door::{clock, sockets};
use crate::ending::Ending;
use crate::error_page::ErrorPage;
use crate::files::Packed;
use crate::guard::{Counters, Keys};
use crate::inner::Inner;
use crate::provider::Providers;
use crate::seen::Seen;
use crate::shown::Asking;
use crate::table::{Aim, Table};
use crate::trust::Trust;
use crate::{Event, Key, Patience};

/// How many connections of visitors are open at once; more wait until one is closed.
const VISITORS: usize = 10_000;

/// The same for components among themselves. It is a bound of its own: a visitor's request that makes its component ask
/// another one would otherwise wait for itself.
const COMPONENTS: usize = 10_000;

/// How often it is told that something lacks.
const MINUTE: u64 = 60_000;

/// Descriptors for everything that is no connection: sockets that are listened on, files, the log, the runtime's own.
const OTHERS: u64 = 64;

/// How many visitors and components there is room for. Half of the descriptors are left for connections to instances: visitors
/// that hold all of them could not be answered by anybody.
fn seats(files: u64) -> (usize, usize) {
    let rest = usize::try_from(files.saturating_sub(OTHERS)).unwrap_or(usize::MAX);
    (VISITORS.min(rest / 2).max(1), COMPONENTS.min(rest / 4).max(1))
}

/// What all parts of a running edge share.
pub(crate) struct State {
    table: RwLock<Table>,
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) product: String,
    /// The ports at which it listens now.
    pub(crate) https: AtomicU16,
    pub(crate) http: AtomicU16,
    /// Others than this machine reach it.
    pub(crate) is_open: AtomicBool,
    pub(crate) trust: Trust,
    pub(crate) patience: Patience,
    pub(crate) ending: Arc<Ending>,
    pub(crate) visitors: Arc<Semaphore>,
    pub(crate) components: Arc<Semaphore>,
    /// Whose connections are open, and how many one address may have.
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) most_of_one: usize,
    /// How many connections of visitors and of components may be open.
    seats: (usize, usize),
    /// When it was told last that no descriptor is left.
    exhausted: AtomicU64,
    pub(crate) packed: Packed,
    pub(crate) cache: Cache,
    pub(crate) counters: Counters,
    pub(crate) providers: Providers,
    /// What asks visitors for certificates.
    pub(crate) asking: Asking,
    /// What components show who they are to.
    pub(crate) inner: Inner,
    /// Who tells how often what browsers tell.
    pub(crate) tellers: Tellers,
    /// What sign-ins are checked with.
    keys: RwLock<Arc<Keys>>,
    /// A page of the product's own for what cannot be answered.
    error_page: RwLock<Option<Arc<ErrorPage>>>,
    pub(crate) idle: crate::client::Idle,
    pub(crate) seen: Seen,
    /// By which visitors keep their buckets.
    pub(crate) key: Key,
    shares: AtomicBool,
}

impl State {
    pub(crate) fn new(
        product: String,
        (https, http): (u16, u16),
        trust: Trust,
        (patience, key): (Patience, Key),
        events: UnboundedSender<Event>,
    ) -> State {
        let seats = seats(sockets::files());
        State {
            table: RwLock::default(),
            events,
            product,
            https: AtomicU16::new(https),
            http: AtomicU16::new(http),
            is_open: AtomicBool::new(false),
            asking: Asking::default(),
            inner: Inner::default(),
            providers: Providers::new(trust.certificate()),
            trust,
            patience,
            ending: Ending::new(),
            visitors: Arc::new(Semaphore::new(seats.0)),
            components: Arc::new(Semaphore::new(seats.1)),
            addresses: Arc::default(),
            most_of_one: seats.0 / 2,
            seats,
            exhausted: AtomicU64::new(0),
            packed: Packed::default(),
            cache: Cache::default(),
            counters: Counters::default(),
            tellers: Tellers::default(),
            keys: RwLock::default(),
            error_page: RwLock::default(),
            idle: crate::client::Idle::default(),
            seen: Seen::default(),
            key,
            shares: AtomicBool::new(false),
        }
    }

    /// The port at which it listens for HTTPS.
    pub(crate) fn https(&self) -> u16 {
        self.https.load(Ordering::Relaxed)
    }

    /// The ports at which it listens, for HTTPS and plain HTTP.
    pub(crate) fn ports(&self) -> (u16, u16) {
        (
            self.https.load(Ordering::Relaxed),
            self.http.load(Ordering::Relaxed),
        )
    }

    /// Whether any target divides its visitors among releases.
    pub(crate) fn has_shares(&self) -> bool {
        self.shares.load(Ordering::Relaxed)
    }

    /// Takes over what the table says of it.
    pub(crate) fn look_for_shares(&self, table: &Table) {
        self.shares.store(table.has_shares(), Ordering::Relaxed);
    }

    /// The table as it is now. Nothing waits while it is held.
    pub(crate) fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn table_to_change(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn know(&self, values: &BTreeMap<String, Sealed<String>>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys::new(values));
    }

    pub(crate) fn error_page(&self) -> Option<Arc<ErrorPage>> {
        let page = self.error_page.read().unwrap_or_else(PoisonError::into_inner);
        page.clone()
    }

    pub(crate) fn show(&self, page: Option<&str>) {
        let page = page.map(|text| Arc::new(ErrorPage::new(text)));
        *self.error_page.write().unwrap_or_else(PoisonError::into_inner) = page;
    }

    pub(crate) fn aim(&self, name: &str) -> Option<Arc<Aim>> {
        self.table().aim(name).map(Arc::clone)
    }

    /// Connections that are open.
    pub(crate) fn connections(&self) -> u64 {
        let open = |all: &Semaphore, most: usize| most.saturating_sub(all.available_permits()) as u64;
        open(&self.visitors, self.seats.0) + open(&self.components, self.seats.1)
    }

    /// No descriptor is left for a connection.
    pub(crate) fn is_exhausted(&self, why: &std::io::Error) {
        let (now, told) = (clock::millis(), self.exhausted.load(Ordering::Relaxed));
        if told == 0 || now.saturating_sub(told) >= MINUTE {
            self.exhausted.store(now, Ordering::Relaxed);
            self.tell(Event::Exhausted(why.to_string()));
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        // Nobody listens any more only when the steward ends; then there is nobody to tell.
        let _ = self.events.send(event);
    }
}
