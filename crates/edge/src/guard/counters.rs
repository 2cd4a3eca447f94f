//! The counters of a running edge: one for a rate of a target, whichever rules name it.
//!
//! A part of an address space that has inherited its rate is counted together with the rest, and so is a way to a target
//! under another name. A counter goes on while anybody has rules with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use towpath_model::unit::Rate;

use super::rate::Counter;

/// The counters of a running edge.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<HashMap<(String, Rate), Weak<Counter>>>);

impl Counters {
    /// The counter of a rate in front of a target.
    pub(crate) fn of(&self, target: &str, rate: &Rate) -> Arc<Counter> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (target.to_owned(), rate.clone());
        if let Some(known) = all.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, counter| counter.strong_count() > 0);
        let counter = Arc::new(Counter::new(rate));
        all.insert(key, Arc::downgrade(&counter));
        counter
    }
}
