//! When something that may sleep is looked at: the edge knows how long nobody has asked for it.

use crate::core::Core;
use crate::door::clock;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use towpath_decide::converge::Will;
use towpath_decide::tend::{Fact, Part};
use towpath_engine::Engine;
use towpath_model::unit::Name;

/// Those that are awake and may sleep, with the time at which each is looked at.
#[derive(Debug, Default)]
pub(crate) struct Naps {
    at: BTreeMap<Name, Awake>,
    due: BTreeSet<(Instant, Name)>,
}

#[derive(Debug, Clone, Copy)]
struct Awake {
    since: Instant,
    due: Instant,
    idle: Duration,
}

impl Naps {
    /// When somebody has to be looked at.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Something about a component has changed.
    pub(crate) fn see(&mut self, name: &Name, part: &Part) {
        let idle = part.component.as_ref().and_then(|component| component.idle);
        let awake = part.sleeps() && part.will == Will::Up && part.lives() && !part.is_kept_awake();
        match (awake, idle, self.at.contains_key(name)) {
            (true, Some(idle), false) => {
                let now = clock::now();
                self.put(name.clone(), now, now + idle.to_std(), idle.to_std());
            }
            (false, _, true) => self.remove(name),
            _ => {}
        }
    }

    fn put(&mut self, name: Name, since: Instant, due: Instant, idle: Duration) {
        self.due.insert((due, name.clone()));
        self.at.insert(name, Awake { since, due, idle });
    }

    fn remove(&mut self, name: &Name) {
        if let Some(awake) = self.at.remove(name) {
            self.due.remove(&(awake.due, name.clone()));
        }
    }
}

impl<E: Engine> Core<E> {
    /// Looks at those whose time has come: what nobody has asked for long enough goes to sleep.
    pub(crate) async fn look_after_naps(&mut self) {
        let now = clock::now();
        while let Some((_, name)) = self.naps.due.first().filter(|(at, _)| *at <= now).cloned() {
            let Some(awake) = self.naps.at.get(&name).copied() else {
                self.naps.due.pop_first();
                continue;
            };
            self.naps.remove(&name);
            let traffic = self.traffic(vec![name.to_string()]).await;
            let traffic = traffic.get(name.as_str()).copied().unwrap_or_default();
            let quiet = match traffic.quiet_for {
                _ if traffic.active > 0 => Duration::ZERO,
                Some(quiet) => Duration::from_millis(quiet),
                None => now.saturating_duration_since(awake.since),
            };
            // Somebody may have asked long ago, before it was woken by hand.
            let quiet = quiet.min(now.saturating_duration_since(awake.since));
            if quiet >= awake.idle {
                self.learn(Fact::Quiet(name));
            } else {
                self.naps
                    .put(name, awake.since, now + (awake.idle - quiet), awake.idle);
            }
        }
    }
}
