//! The answers that are kept, bounded by their bytes.
//!
//! Requests for different addresses meet different locks. What goes when there is no room is the oldest that nobody has asked
//! for since it was last looked at: a robot that asks once for everything pushes nothing out that is asked for often.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

use super::flight::Flight;
use super::kept::Kept;
use super::key::Key;
use crate::door::clock;

const SHARDS: usize = 8;

/// The most answers that are kept of one address.
const VARIANTS: usize = 8;

/// How many addresses are known to have nothing to keep, in each shard, and for how many milliseconds: requests for those do
/// not wait for each other.
const PASSED: usize = 1_024;
const PASSED_FOR: u64 = 20_000;

/// How many are asked for at once, in each shard. More ask by themselves.
const FLIGHTS: usize = 4_096;

/// The answers that are kept.
#[derive(Debug)]
pub(super) struct Shelf {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// Bytes in each shard.
    most: usize,
}

#[derive(Debug, Default)]
struct Shard {
    lines: HashMap<Key, Vec<Arc<Kept>>>,
    order: VecDeque<Key>,
    weight: usize,
    flights: HashMap<Key, Arc<Flight>>,
    /// Until when an address has nothing to keep.
    passed: HashMap<Key, u64>,
}

impl Shelf {
    /// A shelf for so many bytes.
    pub(super) fn new(most: usize) -> Shelf {
        Shelf {
            shards: Default::default(),
            hasher: RandomState::new(),
            most: most / SHARDS,
        }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let at = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        let shards = self.shards.iter();
        shards.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The answer for a request with these headers; and whether there are others.
    pub(super) fn find(&self, key: &Key, asked: &HeaderMap) -> (Option<Arc<Kept>>, bool) {
        let shard = self.shard(key);
        let Some(line) = shard.lines.get(key) else {
            return (None, false);
        };
        let found = line.iter().rev().find(|kept| kept.head.suits(asked));
        if let Some(kept) = found {
            kept.used.store(true, Ordering::Relaxed);
        }
        (found.map(Arc::clone), true)
    }

    /// Keeps an answer, in the place of those that it replaces.
    pub(super) fn keep(&self, key: &Key, kept: Arc<Kept>) {
        let mut shard = self.shard(key);
        shard.passed.remove(key);
        let line = shard.lines.entry(key.clone()).or_default();
        let is_new = line.is_empty();
        let mut gone = 0;
        line.retain(|other| {
            let stays = !kept.head.replaces(&other.head);
            gone += if stays { 0 } else { other.weight() };
            stays
        });
        if line.len() >= VARIANTS {
            gone += line.remove(0).weight();
        }
        let weight = kept.weight();
        line.push(kept);
        if is_new {
            shard.order.push_back(key.clone());
            shard.weight += key.weight() * 2;
        }
        shard.weight = (shard.weight + weight).saturating_sub(gone);
        shard.make_room(self.most);
    }

    /// An answer has become heavier.
    pub(super) fn grew(&self, key: &Key, kept: &Arc<Kept>, by: usize) {
        let mut shard = self.shard(key);
        let line = shard.lines.get(key);
        if line.is_some_and(|line| line.iter().any(|one| Arc::ptr_eq(one, kept))) {
            kept.coded_weight.fetch_add(by, Ordering::Relaxed);
            shard.weight += by;
            shard.make_room(self.most);
        }
    }

    /// Forgets an address, whatever is kept of it and whoever asks for it now.
    pub(super) fn forget(&self, key: &Key) {
        let mut shard = self.shard(key);
        if let Some(flight) = shard.flights.remove(key) {
            flight.void();
        }
        shard.drop_line(key);
    }

    /// Forgets one answer.
    pub(super) fn drop_kept(&self, key: &Key, kept: &Arc<Kept>) {
        let mut shard = self.shard(key);
        let Some(line) = shard.lines.get_mut(key) else {
            return;
        };
        let before = line.len();
        line.retain(|one| !Arc::ptr_eq(one, kept));
        if line.len() < before {
            let is_empty = line.is_empty();
            shard.weight = shard.weight.saturating_sub(kept.weight());
            if is_empty {
                shard.drop_line(key);
            }
        }
    }

    /// Forgets all of a target that was made of something else.
    pub(super) fn forget_former(&self, target: &str, build: u64) {
        for mut shard in self.all() {
            let former = |key: &&Key| key.is_former(target, build);
            let gone: Vec<Key> = shard.lines.keys().filter(former).cloned().collect();
            gone.iter().for_each(|key| shard.drop_line(key));
            shard.order.retain(|key| !key.is_former(target, build));
            shard.passed.retain(|key, _| !key.is_former(target, build));
        }
    }

    /// An address has nothing to keep, for a while.
    pub(super) fn pass(&self, key: &Key) {
        let mut shard = self.shard(key);
        let now = clock::millis();
        if shard.passed.len() >= PASSED {
            shard.passed.retain(|_, until| *until > now);
        }
        if shard.passed.len() < PASSED {
            shard.passed.insert(key.clone(), now + PASSED_FOR);
        }
    }

    pub(super) fn passes(&self, key: &Key) -> bool {
        let until = self.shard(key).passed.get(key).copied();
        until.is_some_and(|until| until > clock::millis())
    }

    /// The one that asks for this now, or a new one; `None` where too many ask already.
    pub(super) fn flight(&self, key: &Key) -> Option<(Arc<Flight>, bool)> {
        let mut shard = self.shard(key);
        if let Some(flight) = shard.flights.get(key) {
            return Some((Arc::clone(flight), false));
        }
        if shard.flights.len() >= FLIGHTS {
            return None;
        }
        let flight = Arc::new(Flight::new());
        shard.flights.insert(key.clone(), Arc::clone(&flight));
        Some((flight, true))
    }

    /// Nobody waits for this one any more.
    pub(super) fn landed(&self, key: &Key, flight: &Arc<Flight>) {
        let mut shard = self.shard(key);
        if shard.flights.get(key).is_some_and(|one| Arc::ptr_eq(one, flight)) {
            shard.flights.remove(key);
        }
    }

    /// How many answers are kept, and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        let sizes = self.all().map(|shard| {
            let answers: usize = shard.lines.values().map(Vec::len).sum();
            (answers as u64, shard.weight as u64)
        });
        sizes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}

impl Shard {
    fn drop_line(&mut self, key: &Key) {
        if let Some(line) = self.lines.remove(key) {
            let gone: usize = line.iter().map(|kept| kept.weight()).sum();
            self.weight = self.weight.saturating_sub(gone + key.weight() * 2);
        }
    }

    fn make_room(&mut self, most: usize) {
        // What was forgotten stands in the order still, and what came again stands there twice.
        if self.order.len() > 2 * self.lines.len() + 64 {
            let mut seen = HashSet::new();
            let lines = &self.lines;
            self.order
                .retain(|key| lines.contains_key(key) && seen.insert(key.clone()));
        }
        // Each key is put back once at most before everything has been asked.
        let mut second_chances = self.order.len();
        while self.weight > most {
            let Some(key) = self.order.pop_front() else { break };
            let Some(line) = self.lines.get(&key) else {
                continue;
            };
            let was_used = line.iter().any(|kept| kept.used.swap(false, Ordering::Relaxed));
            if was_used && second_chances > 0 {
                second_chances -= 1;
                self.order.push_back(key);
            } else {
                self.drop_line(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::kept::Head;
    use crate::cache::key::Of;
    use crate::cache::rule::Terms;
    use http::Response;
    use http::header::{HeaderName, HeaderValue};

    fn key(target: &str, build: u64, path: &str) -> Key {
        let of = Of {
            release: "",
            target,
            build,
            secure: false,
            inside: false,
            host: "a",
            path,
        };
        of.key()
    }

    fn asked(language: &'static str) -> HeaderMap {
        let mut asked = HeaderMap::new();
        asked.insert("accept-language", HeaderValue::from_static(language));
        asked
    }

    fn kept(language: &'static str, size: usize) -> Arc<Kept> {
        let mut response = Response::new(());
        let vary = HeaderName::from_static("vary");
        response
            .headers_mut()
            .insert(vary, HeaderValue::from_static("Accept-Language"));
        let head = Head::new(&asked(language), &response, Terms::default(), 0);
        Arc::new(Kept::new(head, vec![0; size].into()))
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_asked_for_stays() {
        let shelf = Shelf::new(SHARDS * 100_000);
        let often = key("web", 1, "/often");
        shelf.keep(&often, kept("en", 1_000));
        for number in 0..2_000 {
            shelf.keep(&key("web", 1, &format!("/{number}")), kept("en", 1_000));
            assert!(shelf.find(&often, &asked("en")).0.is_some(), "after {number}");
        }
        let (answers, bytes) = shelf.size();
        assert!(
            bytes <= (SHARDS * 100_000) as u64 && answers > 100,
            "{answers} of {bytes}"
        );
        for number in 0..2_000 {
            shelf.forget(&key("web", 1, &format!("/{number}")));
        }
        shelf.forget(&often);
        assert_eq!(shelf.size(), (0, 0), "nothing is forgotten in the count either");
    }

    #[test]
    fn an_address_has_a_few_answers_and_each_is_found_by_its_headers() {
        let shelf = Shelf::new(1 << 20);
        let web = key("web", 1, "/");
        for language in ["en", "de", "en"] {
            shelf.keep(&web, kept(language, 10));
        }
        assert_eq!(shelf.size().0, 2, "one takes the place of the one before");
        assert!(shelf.find(&web, &asked("de")).0.is_some());
        let (found, others) = shelf.find(&web, &asked("fr"));
        assert!(found.is_none() && others);
        for language in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
            shelf.keep(&web, kept(language, 10));
        }
        assert_eq!(shelf.size().0, VARIANTS as u64);
    }

    #[test]
    fn nothing_of_an_earlier_build_stays() {
        let shelf = Shelf::new(1 << 20);
        let (old, new, other) = (key("web", 1, "/"), key("web", 2, "/"), key("api", 1, "/"));
        for key in [&old, &new, &other] {
            shelf.keep(key, kept("en", 10));
            shelf.pass(key);
        }
        shelf.forget_former("web", 2);
        let is_there = |key: &Key| shelf.find(key, &asked("en")).0.is_some();
        assert!(!is_there(&old) && is_there(&new) && is_there(&other));
        assert!(!shelf.passes(&old) && shelf.passes(&new));
    }

    #[test]
    fn one_asks_and_others_wait() {
        let shelf = Shelf::new(1 << 20);
        let web = key("web", 1, "/");
        let (first, is_first) = shelf.flight(&web).expect("there is room");
        let (second, is_second_first) = shelf.flight(&web).expect("there is room");
        assert!(is_first && !is_second_first && Arc::ptr_eq(&first, &second));
        shelf.forget(&web);
        assert!(first.is_void(), "it has been changed meanwhile");
        let (third, is_third_first) = shelf.flight(&web).expect("there is room");
        shelf.landed(&web, &first);
        assert!(is_third_first);
        assert!(
            !shelf.flight(&web).expect("there is room").1,
            "another one's flight goes on"
        );
        shelf.landed(&web, &third);
        assert!(shelf.flight(&web).expect("there is room").1);
    }
}
