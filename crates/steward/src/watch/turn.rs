//! The thread that watches: it sleeps until the kernel tells something, waits until it is quiet, looks, and tells.

use super::owners::Owners;
use super::root::{Look, Portion, Root};
use super::rule::Rule;
use super::seats::{Seats, Told};
use super::{Event, Options, Order, ignores, seen};
use crate::door::{clock, files};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// What has changed is written down this long after the last change, so that a burst of bursts is written once. A steward
/// that is killed before tells a change once more, which is better than never.
const SAVED_AFTER: Duration = Duration::from_secs(2);

/// So much is read in one go while the tree becomes known, so that a change is not told late for it.
const READ_AT_ONCE: Portion = Portion {
    bytes: 4 * 1024 * 1024,
    files: 32,
};

/// So many bytes are read in all to know what stands in the files at first. A larger tree is known by size and time alone.
const READ_AT_FIRST: u64 = 1024 * 1024 * 1024;

/// Everything that the thread has.
pub(super) struct Turn {
    options: Options,
    seats: Seats,
    roots: Vec<Root>,
    owners: Owners,
    orders: mpsc::Receiver<Order>,
    events: UnboundedSender<Event>,
    touched: BTreeSet<(usize, PathBuf)>,
    is_overflown: bool,
    first: Option<Instant>,
    last: Option<Instant>,
    unread: VecDeque<(usize, PathBuf, Option<OsString>)>,
    read: u64,
    unsaved: Option<Instant>,
}

impl Turn {
    pub(super) fn new(
        options: Options,
        seats: Seats,
        rules: Vec<Rule>,
        orders: mpsc::Receiver<Order>,
        events: UnboundedSender<Event>,
    ) -> Self {
        let mut named: BTreeMap<PathBuf, Vec<Rule>> = BTreeMap::new();
        for rule in rules {
            named.entry(rule.named().to_owned()).or_default().push(rule);
        }
        let root = |(place, (named, rules))| Root::new(place, named, &options.base, rules);
        Turn {
            roots: named.into_iter().enumerate().map(root).collect(),
            options,
            seats,
            owners: Owners::default(),
            orders,
            events,
            touched: BTreeSet::new(),
            is_overflown: false,
            first: None,
            last: None,
            unread: VecDeque::new(),
            read: 0,
            unsaved: None,
        }
    }

    /// Watches until it is told to end.
    pub(super) fn run(mut self) {
        self.begin();
        loop {
            let wait = if self.is_busy() {
                Some(Duration::ZERO)
            } else {
                self.until_next()
            };
            self.seats.notices().wait(wait);
            if self.obey() {
                break;
            }
            self.listen();
            if self.until_settled().is_some_and(|left| left.is_zero()) {
                self.settle();
            }
            if self.is_busy() {
                self.read_some();
            }
            if self
                .unsaved
                .is_some_and(|since| clock::now().duration_since(since) >= SAVED_AFTER)
            {
                self.save();
            }
        }
        // What was told by the kernel and not yet by us is found by the next one that watches.
        self.save();
    }

    /// Looks at everything for the first time, and tells what has changed while nobody watched.
    fn begin(&mut self) {
        let since = clock::now();
        let kept = files::read(&self.options.record)
            .ok()
            .and_then(|bytes| seen::decode(&bytes));
        let mut kept = kept.unwrap_or_default();
        for place in 0..self.roots.len() {
            let root = &mut self.roots[place];
            let before = kept.remove(&root.key());
            let mut look = Look {
                is_first: before.is_none(),
                ..Look::default()
            };
            root.remember(before.unwrap_or_default());
            root.look_at_all(&mut self.seats, &mut look);
            self.take_in(place, look);
        }
        let ready = Event::Watching {
            folders: self.seats.len(),
            files: self.roots.iter().map(Root::len).sum(),
            took: clock::now().duration_since(since),
        };
        self.tell(ready);
        self.tell_all();
        self.unsaved = Some(clock::now());
    }

    /// Does what was ordered, and says whether that was to end.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Pause(owner)) => {
                    self.owners.pause(owner);
                }
                Ok(Order::Resume(owner)) => {
                    // What the build wrote last has been told by the kernel already: it belongs to the build.
                    self.listen();
                    self.settle();
                    let told = self.owners.resume(&owner);
                    told.into_iter().for_each(|event| self.tell(event));
                }
                Ok(Order::End) | Err(mpsc::TryRecvError::Disconnected) => return true,
                Err(mpsc::TryRecvError::Empty) => return false,
            }
        }
    }

    /// Takes in what the kernel has told.
    fn listen(&mut self) {
        let before = self.touched.len();
        for told in self.seats.told() {
            match told {
                Told::Overflow => self.is_overflown = true,
                Told::Itself(seat) => {
                    self.touched.insert((seat.root, seat.folder));
                }
                Told::Name(seat, path, is_folder) => self.hear(seat, path, is_folder),
            }
        }
        if self.touched.len() > before || self.is_overflown {
            let now = clock::now();
            self.first.get_or_insert(now);
            self.last = Some(now);
        }
    }

    fn hear(&mut self, seat: super::seats::Seat, path: PathBuf, is_folder: bool) {
        let Some(root) = self.roots.get_mut(seat.root) else {
            return;
        };
        if seat.is_way {
            if root.named().starts_with(&path) {
                self.touched.insert((seat.root, root.named().to_owned()));
            } else if ignores::is_ignore_file(&path) {
                self.touched.insert((seat.root, path));
            }
        } else if root.concerns(&path, is_folder) {
            // What is made in a new folder is part of the same burst, so it is watched at once.
            if is_folder {
                root.watch_below(&path, &mut self.seats);
            }
            self.last = Some(clock::now());
            self.touched.insert((seat.root, path));
        }
    }

    /// The time until what was told has settled: it was quiet for a while, or it has not been for too long.
    fn until_settled(&self) -> Option<Duration> {
        let (first, last) = (self.first?, self.last?);
        let due = (last + self.options.quiet).min(first + self.options.longest);
        Some(due.saturating_duration_since(clock::now()))
    }

    fn until_next(&self) -> Option<Duration> {
        let save = self
            .unsaved
            .map(|since| (since + SAVED_AFTER).saturating_duration_since(clock::now()));
        [self.until_settled(), save].into_iter().flatten().min()
    }

    /// Looks at what was told, and tells what has changed.
    fn settle(&mut self) {
        (self.first, self.last) = (None, None);
        let touched = std::mem::take(&mut self.touched);
        if std::mem::take(&mut self.is_overflown) {
            for place in 0..self.roots.len() {
                let mut look = Look::default();
                self.roots[place].look_at_all(&mut self.seats, &mut look);
                self.take_in(place, look);
            }
            self.tell(Event::Overflow);
        }
        let mut reread = BTreeSet::new();
        for (place, path) in touched {
            if ignores::is_ignore_file(&path) {
                reread.insert(place);
            }
            if !path.starts_with(self.roots[place].named()) {
                continue;
            }
            let mut look = Look {
                is_told: true,
                ..Look::default()
            };
            self.roots[place].look_at(&path, &mut self.seats, &mut look);
            self.take_in(place, look);
        }
        for place in reread {
            let mut look = Look {
                adopts: true,
                ..Look::default()
            };
            self.roots[place].look_at_all(&mut self.seats, &mut look);
            self.take_in(place, look);
        }
        self.tell_all();
    }

    /// Hands what a look has found to the owners.
    fn take_in(&mut self, place: usize, look: Look) {
        if !look.changed.is_empty() {
            self.unsaved = Some(clock::now());
        }
        for path in &look.changed {
            for rule in self.roots[place].rules.iter().filter(|rule| rule.holds(path)) {
                self.owners.change(&rule.owner, rule.action, path);
            }
        }
        self.unread
            .extend(look.unread.into_iter().map(|folder| (place, folder, None)));
    }

    fn tell_all(&mut self) {
        if let Some(message) = self.seats.refused() {
            self.tell(Event::Limited(message));
        }
        let told = self.owners.tell();
        told.into_iter().for_each(|event| self.tell(event));
    }

    fn tell(&self, event: Event) {
        // Whoever does not listen any more is about to end this thread, too.
        let _ = self.events.send(event);
    }

    /// Whether there are folders with files to read, and nothing better to do.
    fn is_busy(&self) -> bool {
        !self.unread.is_empty() && self.first.is_none()
    }

    /// Reads some of the files that were only looked at so far.
    fn read_some(&mut self) {
        let mut left = READ_AT_ONCE;
        while left.files > 0 && left.bytes > 0 {
            let Some((place, folder, behind)) = self.unread.pop_front() else {
                break;
            };
            let (bytes, more) = self.roots[place].read(&folder, behind, left);
            self.read += bytes;
            left.bytes = left.bytes.saturating_sub(bytes);
            // A folder counts as a file: looking for what is not known in it takes time, too.
            left.files -= 1;
            if more.is_some() {
                self.unread.push_front((place, folder, more));
            }
        }
        if self.read >= READ_AT_FIRST {
            self.unread.clear();
        }
        if self.unread.is_empty() {
            self.unread.shrink_to_fit();
            self.unsaved = Some(clock::now());
        }
    }

    /// Writes down what was seen.
    fn save(&mut self) {
        if self.unsaved.take().is_none() {
            return;
        }
        let bytes = seen::encode(self.roots.iter().map(|root| (root.key(), root.seen())));
        if let Err(error) = files::write_whole(&self.options.record, &bytes) {
            let path = self.options.record.display();
            self.tell(Event::Limited(format!(
                "what was seen cannot be kept in {path}: {error}\nchanges while nothing watches will not be seen"
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "what is watched are real files")]

    use super::super::Change;
    use super::*;
    use towpath_model::desired::component::WatchAction;
    use towpath_model::run::WatchRule;
    use towpath_model::unit::known;

    #[test]
    fn what_the_kernel_did_not_tell_is_found_when_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let src = folder.path().join("src");
        std::fs::create_dir(&src).unwrap();
        std::fs::write(src.join("a"), "1").unwrap();
        let options = Options {
            base: folder.path().to_owned(),
            record: folder.path().join("seen"),
            quiet: Duration::ZERO,
            longest: Duration::ZERO,
            most_folders: usize::MAX,
        };
        let seats = Seats::open(usize::MAX).unwrap();
        let rule = WatchRule {
            path: known("src"),
            action: WatchAction::Sync,
            ignore: vec![],
        };
        let rules = vec![Rule::new(known("web"), &rule, folder.path())];
        let (_orders, received) = mpsc::channel();
        let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
        let mut turn = Turn::new(options, seats, rules, received, sender);
        turn.begin();
        assert!(matches!(events.try_recv(), Ok(Event::Watching { files: 1, .. })));
        std::fs::create_dir(src.join("new")).unwrap();
        std::fs::write(src.join("new/b"), "1").unwrap();
        turn.seats.told();
        turn.is_overflown = true;
        turn.settle();
        assert_eq!(events.try_recv(), Ok(Event::Overflow));
        let change = Change {
            owner: known("web"),
            action: WatchAction::Sync,
            paths: vec![src.join("new/b")],
            count: 1,
        };
        assert_eq!(events.try_recv(), Ok(Event::Changed(change)));
        std::fs::write(src.join("new/b"), "2").unwrap();
        turn.listen();
        assert_eq!(turn.touched.len(), 1, "the new folder is watched");
    }
}
