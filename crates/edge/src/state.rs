//! What all parts of a running edge share.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use towpath_model::sealed::Sealed;

use crate::cache::Cache;
use crate::ending::Ending;
use crate::error_page::ErrorPage;
use crate::files::Packed;
use crate::guard::{Counters, Keys};
use crate::seen::Seen;
use crate::table::{Aim, Table};
use crate::trust::Trust;
use crate::{Event, Patience};

/// How many connections of visitors are open at once; more wait until one is closed.
const VISITORS: usize = 10_000;

/// The same for components among themselves. It is a bound of its own: a visitor's request that makes its component ask
/// another one would otherwise wait for itself.
const COMPONENTS: usize = 10_000;

/// What all parts of a running edge share.
pub(crate) struct State {
    table: RwLock<Table>,
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) product: String,
    pub(crate) https: u16,
    pub(crate) http: u16,
    pub(crate) trust: Trust,
    pub(crate) patience: Patience,
    pub(crate) ending: Arc<Ending>,
    pub(crate) visitors: Arc<Semaphore>,
    pub(crate) components: Arc<Semaphore>,
    pub(crate) packed: Packed,
    pub(crate) cache: Cache,
    pub(crate) counters: Counters,
    /// What sign-ins are checked with.
    keys: RwLock<Arc<Keys>>,
    /// A page of the product's own for what cannot be answered.
    error_page: RwLock<Option<Arc<ErrorPage>>>,
    pub(crate) idle: crate::client::Idle,
    pub(crate) seen: Seen,
}

impl State {
    pub(crate) fn new(
        product: String,
        (https, http): (u16, u16),
        trust: Trust,
        patience: Patience,
        events: UnboundedSender<Event>,
    ) -> State {
        State {
            table: RwLock::default(),
            events,
            product,
            https,
            http,
            trust,
            patience,
            ending: Ending::new(),
            visitors: Arc::new(Semaphore::new(VISITORS)),
            components: Arc::new(Semaphore::new(COMPONENTS)),
            packed: Packed::default(),
            cache: Cache::default(),
            counters: Counters::default(),
            keys: RwLock::default(),
            error_page: RwLock::default(),
            idle: crate::client::Idle::default(),
            seen: Seen::default(),
        }
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

    pub(crate) fn tell(&self, event: Event) {
        // Nobody listens any more only when the steward ends; then there is nobody to tell.
        let _ = self.events.send(event);
    }
}
