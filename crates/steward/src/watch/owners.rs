//! Who is told of a change, when, and when not: what a build writes while it runs is no reason to build again.
//!
//! While an owner is paused, what changes for it is kept. When it goes on, all of that is told as one change: it may be an
//! edit that the build has not seen, and an edit must not be lost. What a build itself writes among the files that it is
//! made of looks just like that. Mostly the second build writes the same bytes, which is no change, and there is an end to
//! it. A file that changes in three builds in a row is taken for an output: its changes while the owner is paused do not
//! count any more, which is told once, with what to write into the manifest. It counts again as soon as one build passes
//! without a change of it; what changes outside of builds always counts.

use super::{Change, Event};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use towpath_model::desired::component::WatchAction;
use towpath_model::unit::Name;

/// After so many builds in a row that changed it, a file is one of their outputs. A person would have to save the same
/// file during each of them.
const IN_A_ROW: u32 = 3;

/// So many paths are named in an event.
const NAMED: usize = 3;

type Changes = BTreeMap<PathBuf, WatchAction>;

/// The owners, and what is kept for them.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    paused: BTreeMap<Name, Changes>,
    rows: BTreeMap<Name, BTreeMap<PathBuf, u32>>,
    burst: BTreeMap<Name, Changes>,
}

impl Owners {
    /// Keeps what changes for this owner until it goes on.
    pub(crate) fn pause(&mut self, owner: Name) {
        self.paused.entry(owner).or_default();
    }

    /// A file has changed for an owner.
    pub(crate) fn change(&mut self, owner: &Name, action: WatchAction, path: &Path) {
        let to = match self.paused.get_mut(owner) {
            Some(kept) => kept,
            None => self.burst.entry(owner.clone()).or_default(),
        };
        let strongest = to.entry(path.to_owned()).or_insert(action);
        *strongest = action.max(*strongest);
    }

    /// What is to be told of everything that has changed since the last time, one event an owner.
    pub(crate) fn tell(&mut self) -> Vec<Event> {
        let burst = std::mem::take(&mut self.burst);
        burst
            .into_iter()
            .filter_map(|(owner, changes)| changed(owner, &changes))
            .collect()
    }

    /// Goes on with an owner, and says what is to be told of the time in between.
    pub(crate) fn resume(&mut self, owner: &Name) -> Vec<Event> {
        let Some(mut kept) = self.paused.remove(owner) else {
            return Vec::new();
        };
        let before = self.rows.remove(owner).unwrap_or_default();
        let rows: BTreeMap<PathBuf, u32> = kept
            .keys()
            .map(|path| (path.clone(), before.get(path).map_or(1, |times| times + 1)))
            .collect();
        kept.retain(|path, _| rows[path] < IN_A_ROW);
        let new = |(path, times): (&PathBuf, &u32)| (*times == IN_A_ROW).then(|| path.clone());
        let outputs: BTreeSet<PathBuf> = rows.iter().filter_map(new).collect();
        if !rows.is_empty() {
            self.rows.insert(owner.clone(), rows);
        }
        let told = outputs.into_iter().map(|path| Event::Output {
            owner: owner.clone(),
            path,
        });
        told.chain(changed(owner.clone(), &kept)).collect()
    }
}

/// The event of these changes: the strongest action, and a few of the paths.
fn changed(owner: Name, changes: &Changes) -> Option<Event> {
    let action = changes.values().max().copied()?;
    let paths = changes
        .iter()
        .filter(|(_, each)| **each == action)
        .map(|(path, _)| path);
    Some(Event::Changed(Change {
        owner,
        action,
        paths: paths.take(NAMED).cloned().collect(),
        count: changes.len(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::unit::known;

    fn build_that_writes(owners: &mut Owners, path: &str) -> Vec<Event> {
        let owner: Name = known("web");
        owners.pause(owner.clone());
        owners.change(&owner, WatchAction::Rebuild, Path::new(path));
        assert_eq!(owners.tell(), []);
        owners.resume(&owner)
    }

    #[test]
    fn the_strongest_action_of_a_burst_is_told_once() {
        let mut owners = Owners::default();
        let owner: Name = known("web");
        for (action, path) in [
            (WatchAction::Sync, "/p/a"),
            (WatchAction::Rebuild, "/p/b"),
            (WatchAction::Restart, "/p/b"),
            (WatchAction::Restart, "/p/c"),
        ] {
            owners.change(&owner, action, Path::new(path));
        }
        let change = Change {
            owner,
            action: WatchAction::Rebuild,
            paths: vec!["/p/b".into()],
            count: 3,
        };
        assert_eq!(owners.tell(), [Event::Changed(change)]);
        assert_eq!(owners.tell(), []);
    }

    #[test]
    fn a_file_that_changes_in_each_build_ends_the_loop_and_is_told() {
        let mut owners = Owners::default();
        for _ in 0..2 {
            assert!(matches!(
                &build_that_writes(&mut owners, "/p/stamp")[..],
                [Event::Changed(_)]
            ));
        }
        assert!(matches!(
            &build_that_writes(&mut owners, "/p/stamp")[..],
            [Event::Output { .. }]
        ));
        assert_eq!(build_that_writes(&mut owners, "/p/stamp"), []);
        // An edit of another file counts, and ends the row of the first.
        assert!(matches!(
            &build_that_writes(&mut owners, "/p/main")[..],
            [Event::Changed(_)]
        ));
        assert!(matches!(
            &build_that_writes(&mut owners, "/p/stamp")[..],
            [Event::Changed(_)]
        ));
    }

    #[test]
    fn an_output_counts_when_it_changes_outside_of_builds() {
        let mut owners = Owners::default();
        for _ in 0..4 {
            build_that_writes(&mut owners, "/p/stamp");
        }
        owners.change(&known("web"), WatchAction::Rebuild, Path::new("/p/stamp"));
        assert!(matches!(&owners.tell()[..], [Event::Changed(_)]));
    }
}
