//! Finding what descends from a process, and ending it.
//!
//! A process that forks all the time cannot be killed one by one: while one is killed, another forks. So what is found is
//! stopped first, again and again until nothing new is found, and only then killed: what is stopped forks no more. With a
//! cgroup the kernel does all of that at once, and this is not needed.

use crate::door;
use rustix::process::{Pid, Signal, getpid, kill_process};
use std::collections::HashSet;

/// So many rounds of looking for what has been forked meanwhile. Each one stops most of what there is.
const ROUNDS: usize = 200;

/// The children of a process.
pub(crate) fn children_of(parent: Pid) -> Vec<Pid> {
    door::children(parent)
}

/// Everything that descends from a process.
pub(crate) fn descendants(root: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        let children = children_of(parent);
        open.extend(&children);
        found.extend(children);
    }
    found
}

/// Kills everything that descends from this process.
pub(crate) fn kill_descendants() {
    kill_below(getpid());
}

/// Kills a process and everything that descends from it.
pub(crate) fn kill_tree(root: Pid) {
    let _ = kill_process(root, Signal::STOP);
    kill_below(root);
    let _ = kill_process(root, Signal::KILL);
}

fn kill_below(root: Pid) {
    let mut stopped = HashSet::new();
    for _ in 0..ROUNDS {
        let before = stopped.len();
        for found in descendants(root) {
            if stopped.insert(found) {
                let _ = kill_process(found, Signal::STOP);
            }
        }
        if stopped.len() == before {
            break;
        }
    }
    for found in stopped {
        let _ = kill_process(found, Signal::KILL);
    }
}
