//! What a keeper leaves behind: the facts by which others find and end what it kept.

use crate::door::{self, clock, disk};
use crate::groups::{self, Group};
use crate::layout::Layout;
use crate::sweep;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use towpath_model::run::{InstanceId, Seen, Usage};

/// How long what was killed may take to be gone. Only a process that waits for a broken disk takes longer.
const PATIENCE: u64 = 5000;

/// What a keeper writes down about its instance. Nothing secret is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// The instance, as it was when it was first started.
    pub seen: Seen,
    /// The keeper's process.
    pub keeper: u32,
    /// Which start of the machine it was.
    pub(crate) boot: String,
    pub(crate) group: Group,
    /// The folder with values that were delivered as files.
    pub(crate) values: Option<PathBuf>,
    /// The first process and when it was started, where no group can be killed.
    pub(crate) session: Option<(i32, u64)>,
}

/// What stands in the folder of an instance.
#[derive(Debug)]
pub enum Found {
    /// Its keeper lives.
    Kept,
    /// Its keeper has died.
    Lost(Box<Facts>),
    /// It was never begun.
    Nothing,
}

impl Facts {
    /// Looks who keeps an instance. Only a living keeper holds the lock of its folder.
    pub fn look(layout: &Layout, id: &InstanceId) -> Found {
        let folder = layout.instance(id);
        if !disk::is_folder(&folder) {
            return Found::Nothing;
        }
        let lock = disk::open_lock(&folder.join(Layout::LOCK));
        // It is held until the end of this look.
        let Ok(lock) = lock else {
            return Found::Nothing;
        };
        match disk::lock(&lock) {
            Ok(true) => {}
            Ok(false) => return Found::Kept,
            Err(_) => return Found::Nothing,
        }
        match Facts::read(layout, id) {
            Some(facts) => Found::Lost(Box::new(facts)),
            None => {
                // A keeper that was killed before it could write anything down has started nothing. While we hold the lock
                // nobody else begins in its folder.
                if !disk::is_there(&folder.join(Layout::FACTS)) {
                    disk::remove_folder(&folder);
                }
                Found::Nothing
            }
        }
    }

    /// Reads what a keeper has written down.
    pub fn read(layout: &Layout, id: &InstanceId) -> Option<Facts> {
        let text = disk::read(&layout.instance(id).join(Layout::FACTS)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(crate) fn write(&self, layout: &Layout) -> std::io::Result<()> {
        let text = serde_json::to_vec(self).expect("our own facts can be written as JSON");
        disk::write_whole(&layout.instance(&self.seen.id).join(Layout::FACTS), &text)
    }

    /// Ends everything that a killed keeper has left, and answers when it is gone.
    pub fn end(&self) {
        if self.boot == door::boot() {
            self.kill();
        }
        self.group.remove();
        if let Some(values) = &self.values {
            disk::remove_folder(values);
        }
    }

    /// Kills the keeper itself and everything that descends from it: it lives, and does not answer. What it keeps goes first,
    /// because what loses its parent falls to somebody else.
    pub fn kill_keeper(&self) {
        if let Some(keeper) = Pid::from_raw(self.keeper.cast_signed()) {
            sweep::kill_tree(keeper);
        }
    }

    /// Whether what is left can only be found by the nursery that forked the keeper: there is no group to be killed.
    pub fn needs_nursery(&self) -> bool {
        !self.group.can_kill()
    }

    fn kill(&self) {
        let until = clock::moment() + PATIENCE;
        loop {
            self.group.kill();
            let session = self.session_members();
            for process in &session {
                sweep::kill_tree(*process);
            }
            if (self.group.is_empty() && session.is_empty()) || clock::moment() >= until {
                return;
            }
            clock::pause(1);
        }
    }

    /// What is left of the session of the first process; nothing where its number was given to another one since.
    fn session_members(&self) -> Vec<Pid> {
        let Some((session, started)) = self.session else {
            return Vec::new();
        };
        let Some(leader) = Pid::from_raw(session) else {
            return Vec::new();
        };
        match door::started_at(leader) {
            Some(other) if other != started => Vec::new(),
            _ => door::session_members(leader),
        }
    }

    /// What the instance uses.
    pub fn used(&self) -> Usage {
        match Pid::from_raw(self.keeper.cast_signed()) {
            Some(keeper) => groups::used(&self.group, keeper),
            None => Usage::default(),
        }
    }

    /// Removes the folder of an instance.
    pub fn remove(layout: &Layout, id: &InstanceId) {
        disk::remove_folder(&layout.instance(id));
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the folders of instances are looked at")]
mod tests {
    use super::*;
    use std::fs;
    use towpath_model::unit::known;

    #[test]
    fn what_a_keeper_left_before_it_had_begun_is_removed_and_a_living_one_keeps_its_folder() {
        let state = tempfile::tempdir().expect("a folder can be made");
        let layout = Layout::new(state.path());
        let id = InstanceId::new(&known("web"), 1);
        let folder = layout.instance(&id);
        fs::create_dir_all(&folder).expect("a folder can be made");
        let lock = disk::open_lock(&folder.join(Layout::LOCK)).expect("it can be opened");
        assert_eq!(disk::lock(&lock), Ok(true));
        assert!(matches!(Facts::look(&layout, &id), Found::Kept));
        assert!(folder.exists());
        // It is killed.
        drop(lock);
        assert!(matches!(Facts::look(&layout, &id), Found::Nothing));
        assert!(!folder.exists());
        assert!(matches!(Facts::look(&layout, &id), Found::Nothing));
        assert!(!folder.exists(), "looking makes nothing");
    }
}
