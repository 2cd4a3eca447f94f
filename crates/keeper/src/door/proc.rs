//! What the system tells about other processes, in `/proc`.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to what is told of processes"
)]

use rustix::process::Pid;
use std::fs;
use towpath_model::run::Usage;

/// The system counts processor time for us in hundredths of a second, whatever its own clock does.
const MICROS_A_TICK: u64 = 10_000;

/// The children of a process.
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let tasks = format!("/proc/{}/task", parent.as_raw_nonzero());
    let Ok(threads) = fs::read_dir(tasks) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for thread in threads.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(text) => found.extend(text.split_ascii_whitespace().filter_map(pid)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // The thread has gone, or this kernel does not tell.
                if fs::metadata("/proc/thread-self/children").is_err() {
                    return children_by_looking_at_all(parent);
                }
            }
            Err(_) => {}
        }
    }
    found
}

fn children_by_looking_at_all(parent: Pid) -> Vec<Pid> {
    all()
        .filter(|process| stat(*process).is_some_and(|stat| stat.parent == parent.as_raw_nonzero().get()))
        .collect()
}

/// The living processes of a session.
pub(crate) fn session_members(session: Pid) -> Vec<Pid> {
    all()
        .filter(|process| {
            stat(*process).is_some_and(|stat| !stat.is_dead && stat.session == session.as_raw_nonzero().get())
        })
        .collect()
}

/// When a process was started, on the clock of the system: with its number it names one process for ever.
pub(crate) fn started_at(process: Pid) -> Option<u64> {
    Some(stat(process)?.started)
}

/// Which start of this machine this is.
pub(crate) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// What the processes below a keeper use, by looking at each.
pub(crate) fn used_below(keeper: Pid) -> Usage {
    let mut used = Usage {
        memory: 0,
        // What has ended has left its time to the keeper.
        cpu: stat(keeper).map_or(0, |stat| stat.reaped_ticks * MICROS_A_TICK),
    };
    for process in crate::sweep::descendants(keeper) {
        used.memory += resident(process);
        used.cpu += stat(process).map_or(0, |stat| (stat.own_ticks + stat.reaped_ticks) * MICROS_A_TICK);
    }
    used
}

fn resident(process: Pid) -> u64 {
    let Ok(text) = fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero())) else {
        return 0;
    };
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn all() -> impl Iterator<Item = Pid> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| pid(entry.file_name().to_str()?))
}

fn pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

struct Stat {
    /// It has ended, and only its parent has not asked how.
    is_dead: bool,
    parent: i32,
    session: i32,
    own_ticks: u64,
    reaped_ticks: u64,
    started: u64,
}

fn stat(process: Pid) -> Option<Stat> {
    read_stat(&fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?)
}

/// Reads a line of `/proc/<pid>/stat`. The name in it may hold anything, spaces and brackets too; it ends at the last one.
fn read_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        is_dead: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        own_ticks: number(11)? + number(12)?,
        reaped_ticks: number(13)? + number(14)?,
        started: number(19)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let text = "12 (a) R (b c) S 7 12 9 0 -1 4194560 1 2 3 4 50 60 70 80 20 0 1 0 4711 1 2 3";
        let stat = read_stat(text).unwrap();
        assert_eq!((stat.parent, stat.session, stat.started), (7, 9, 4711));
        assert_eq!((stat.own_ticks, stat.reaped_ticks), (110, 150));
    }

    #[test]
    fn both_ways_of_finding_children_agree() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        let own = rustix::process::getpid();
        assert!(children(own).contains(&pid));
        assert!(children_by_looking_at_all(own).contains(&pid));
        assert!(resident(pid) > 0);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
