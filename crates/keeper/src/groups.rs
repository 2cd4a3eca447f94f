//! Cgroups: where they can be made, and the group of one instance.
//!
//! There are two versions. In version 2 there is one tree, and a group of it has every control; in version 1 each control
//! has a tree of its own. Machines in between have controls of version 1 and a tree of version 2 without any, which still
//! kills a whole group at once: it is used for that. Groups of instances stand below one of ours, and that below the
//! group that we are in, so that whatever limits us limits them.

use crate::door::groups as door;
use rustix::fd::OwnedFd;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use towpath_model::run::{InstanceId, Limits, Usage};

/// Where groups can be made: the folder of our own group in each tree, where we may write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// In the tree of version 2.
    pub(crate) unified: Option<String>,
    /// Whether that one has the controls for memory, processor and processes.
    pub(crate) controls: bool,
    /// In the trees of version 1.
    pub(crate) memory: Option<String>,
    pub(crate) cpu: Option<String>,
    pub(crate) pids: Option<String>,
    pub(crate) freezer: Option<String>,
}

/// How often it is looked who is outside. Each round halves what a fork bomb has made, at least: moving a process is faster
/// than forking one.
const ROUNDS: usize = 64;

/// By what limits are kept there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// By cgroups of version 2.
    Second,
    /// By cgroups of version 1.
    First,
    /// By looking at the memory.
    Watched,
}

impl Grounds {
    /// Looks where groups can be made: below one of ours, `towpath-` and the name. That one does not stay: the first
    /// instance makes it again, and nobody who is killed before leaves anything behind.
    pub fn find(name: &str) -> Self {
        let found = door::find(name);
        found.remove();
        found
    }

    /// By what limits are kept.
    pub fn kept(&self) -> Kept {
        if self.controls {
            Kept::Second
        } else if self.memory.is_some() && self.pids.is_some() {
            Kept::First
        } else {
            Kept::Watched
        }
    }

    /// Removes our own groups, where no instance is left in them.
    pub fn remove(&self) {
        for parent in [&self.unified, &self.memory, &self.cpu, &self.pids, &self.freezer]
            .into_iter()
            .flatten()
        {
            door::remove(parent.as_ref());
        }
    }
}

/// A group of version 2 that a process begins in, or joins where the system cannot let it begin there.
pub(crate) struct Cradle {
    pub(crate) folder: OwnedFd,
    pub(crate) entry: OwnedFd,
}

/// The group of one instance: a folder in each tree that is used for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) unified: Option<PathBuf>,
    pub(crate) controls: bool,
    pub(crate) memory: Option<PathBuf>,
    pub(crate) cpu: Option<PathBuf>,
    pub(crate) pids: Option<PathBuf>,
    pub(crate) freezer: Option<PathBuf>,
}

impl Group {
    /// Where the group of an instance stands: only the trees that its limits need.
    pub(crate) fn plan(grounds: &Grounds, id: &InstanceId, limits: &Limits) -> Self {
        let leaf = |parent: &Option<String>| {
            parent
                .as_ref()
                .map(|parent| PathBuf::from(parent).join(id.to_string()))
        };
        let first = |parent: &Option<String>, wanted: bool| {
            if wanted && !grounds.controls {
                leaf(parent)
            } else {
                None
            }
        };
        Group {
            unified: leaf(&grounds.unified),
            controls: grounds.controls,
            memory: first(&grounds.memory, limits.memory.is_some()),
            cpu: first(&grounds.cpu, limits.cpu.is_some()),
            pids: first(&grounds.pids, true),
            freezer: first(&grounds.freezer, grounds.unified.is_none()),
        }
    }

    /// Makes it, with its limits. A part that cannot be made is left out from then on, and why is answered.
    pub(crate) fn make(&mut self, limits: &Limits) -> Vec<String> {
        door::make(self, limits)
    }

    /// The group of version 2 that a process may begin in.
    pub(crate) fn cradle(&self) -> Option<Cradle> {
        let folder = self.unified.as_deref()?;
        Some(Cradle {
            folder: door::folder(folder)?,
            entry: door::entry(folder)?,
        })
    }

    /// What a process writes itself into to join the others.
    pub(crate) fn entries(&self) -> Vec<OwnedFd> {
        let joined = [&self.memory, &self.cpu, &self.freezer];
        joined
            .into_iter()
            .flatten()
            .filter_map(|folder| door::entry(folder))
            .collect()
    }

    /// Takes the keeper into the group that counts processes, where that is one of version 1: whatever it starts from then on
    /// is in it from its first moment, and nobody has to join. That group limits nothing but their number. What has begun
    /// before is taken in process by process, until nobody is outside: those who are in begin others inside.
    pub(crate) fn enter(&self) -> std::io::Result<()> {
        let Some(counted) = self.pids.as_deref() else {
            return Ok(());
        };
        door::enter(counted)?;
        for _ in 0..ROUNDS {
            let begun = self.unified.as_deref().map(door::members).unwrap_or_default();
            let inside = door::members(counted);
            let outside: Vec<Pid> = begun.into_iter().filter(|pid| !inside.contains(pid)).collect();
            if outside.is_empty() {
                break;
            }
            outside.into_iter().for_each(|pid| door::take_in(counted, pid));
        }
        Ok(())
    }

    /// Takes the keeper out of it again, and out of the one above, which is ours: a group with somebody in it cannot be
    /// removed, and whoever leaves last removes both.
    pub(crate) fn leave(&self) {
        let above = self.pids.as_deref().and_then(Path::parent);
        let mut ways = [above.and_then(Path::parent), above].into_iter().flatten();
        // Where we may not go back to where we came from, our own is left behind by the steward.
        let _ = ways.find(|folder| door::enter(folder).is_ok());
    }

    /// Whether the kernel keeps its memory below the limit.
    pub(crate) fn limits_memory(&self) -> bool {
        self.controls || self.memory.is_some()
    }

    /// Whether all of it can be killed at once.
    pub(crate) fn can_kill(&self) -> bool {
        self.unified.is_some() || self.freezer.is_some()
    }

    /// How many processes of it were killed because it used more memory than it may.
    pub(crate) fn out_of_memory(&self) -> u64 {
        door::out_of_memory(self)
    }

    /// Something that becomes readable when it may have run out of memory, where only one of its processes is killed then.
    pub(crate) fn memory_alarm(&self) -> Option<OwnedFd> {
        self.memory.as_deref().and_then(door::memory_alarm)
    }

    /// Kills everything in it; whether that could be said.
    pub(crate) fn kill(&self) -> bool {
        door::kill(self)
    }

    /// Whether a process is left in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.folders().all(|folder| door::members(folder).is_empty())
    }

    /// Removes it.
    pub(crate) fn remove(&self) {
        for folder in self.folders() {
            door::remove(folder);
        }
    }

    /// What it uses, as far as the trees know.
    pub(crate) fn usage(&self) -> (Option<u64>, Option<u64>) {
        door::usage(self)
    }

    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        [&self.unified, &self.memory, &self.cpu, &self.pids, &self.freezer]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }
}

/// What an instance uses: what its group knows, and the rest from its processes.
pub(crate) fn used(group: &Group, keeper: rustix::process::Pid) -> Usage {
    let (memory, cpu) = group.usage();
    if let (Some(memory), Some(cpu)) = (memory, cpu) {
        return Usage { memory, cpu };
    }
    let looked = crate::door::used_below(keeper);
    Usage {
        memory: memory.unwrap_or(looked.memory),
        cpu: cpu.unwrap_or(looked.cpu),
    }
}
