//! What is kept in front of a target or a part of it, made ready for requests.
//!
//! Rules are compiled when a target is set, so that a request compares and never parses.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use towpath_model::run::Rules;

/// Rules that are ready for requests.
#[derive(Debug)]
pub(crate) struct Guard {
    /// What it was made of.
    rules: Arc<Rules>,
    /// Headers of every answer that has not said them itself.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Guard {
    /// Makes rules ready. Where they are those of an earlier guard that one goes on, with what it has counted.
    pub(crate) fn new<'g>(
        rules: Arc<Rules>,
        mut earlier: impl Iterator<Item = &'g Arc<Guard>>,
    ) -> Arc<Guard> {
        match earlier.find(|guard| guard.rules == rules) {
            Some(guard) => Arc::clone(guard),
            None => Arc::new(Guard::of(rules)),
        }
    }

    fn of(rules: Arc<Rules>) -> Guard {
        // A header that is none has been refused where the manifest was read.
        let headers = rules.headers.iter().filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name.as_str()).ok()?,
                HeaderValue::try_from(value.as_str()).ok()?,
            ))
        });
        Guard {
            headers: headers.collect(),
            rules,
        }
    }

    /// What it was made of.
    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Adds what every answer has to say.
    pub(crate) fn dress(&self, answer: &mut HeaderMap) {
        for (name, value) in &self.headers {
            if !answer.contains_key(name) {
                answer.insert(name.clone(), value.clone());
            }
        }
    }
}
