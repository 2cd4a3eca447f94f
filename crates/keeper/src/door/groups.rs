//! The trees of cgroups, as folders and files.
#![allow(clippy::disallowed_methods, reason = "this is the door to cgroups")]

use crate::groups::{Grounds, Group};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use towpath_model::run::Limits;

/// The time over which processor time is shared out; what every other tool takes as well.
const PERIOD_MICROS: u64 = 100_000;
/// Where we go ourselves when our own group has to be free of processes for its controls to be handed down.
const OURSELVES: &str = "towpath-self";
/// So many looks at a frozen group: what is frozen forks no more, so that the second finds nothing new.
const LOOKS: usize = 5;

pub(crate) fn find(name: &str) -> Grounds {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let parent = format!("towpath-{name}");
    let first = |control: &str| {
        let folder = place(&mounts, &own, Some(control))?.join(&parent);
        fs::create_dir_all(&folder).ok()?;
        can_write(&folder.join("cgroup.procs")).then(|| folder.to_string_lossy().into_owned())
    };
    let mut grounds = Grounds::default();
    if let Some(place) = place(&mounts, &own, None) {
        let found = find_second(&place, &mounts, &parent);
        grounds.controls = found.as_ref().is_some_and(|(_, controls)| *controls);
        grounds.unified = found.map(|(folder, _)| folder.to_string_lossy().into_owned());
    }
    if !grounds.controls {
        grounds.memory = first("memory");
        grounds.cpu = first("cpu");
        grounds.pids = first("pids");
    }
    if grounds.unified.is_none() {
        grounds.freezer = first("freezer");
    }
    grounds
}

/// Our parent in the tree of version 2, and whether it has controls.
fn find_second(place: &Path, mounts: &str, parent: &str) -> Option<(PathBuf, bool)> {
    let place = if place.ends_with(OURSELVES) {
        place.parent()?
    } else {
        place
    };
    let folder = place.join(parent);
    if fs::create_dir_all(&folder).is_ok() && can_write(&place.join("cgroup.procs")) {
        if hand_down(place) || (move_ourselves(place) && hand_down(place)) {
            hand_down(&folder);
            return Some((folder, true));
        }
        // The topmost group may have processes and hand controls down all the same; only the owner of all may use it.
        let top = mount(mounts, None)?.0;
        let there = top.join(parent);
        if top != place && fs::create_dir_all(&there).is_ok() && hand_down(&top) && hand_down(&there) {
            remove(&folder);
            return Some((there, true));
        }
        if folder.join("cgroup.kill").exists() {
            return Some((folder, false));
        }
    }
    remove(&folder);
    None
}

/// Hands the controls of a group down to those below it.
fn hand_down(group: &Path) -> bool {
    let controls = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    let has = |wanted: &str| controls.split_ascii_whitespace().any(|control| control == wanted);
    if !has("memory") || !has("pids") {
        return false;
    }
    let wanted = if has("cpu") {
        "+memory +pids +cpu"
    } else {
        "+memory +pids"
    };
    fs::write(group.join("cgroup.subtree_control"), wanted).is_ok()
}

/// Moves this process into a group of its own below ours, if nobody else is in ours.
fn move_ourselves(place: &Path) -> bool {
    let own = rustix::process::getpid();
    if members(place) != [own] {
        return false;
    }
    let folder = place.join(OURSELVES);
    fs::create_dir_all(&folder).is_ok()
        && fs::write(folder.join("cgroup.procs"), own.as_raw_nonzero().to_string()).is_ok()
}

/// The folder of our own group in the tree of a control, or in that of version 2.
fn place(mounts: &str, own: &str, control: Option<&str>) -> Option<PathBuf> {
    let (folder, root) = mount(mounts, control)?;
    let path = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, controls, path) = (parts.next()?, parts.next()?, parts.next()?);
        let fits = match control {
            None => number == "0" && controls.is_empty(),
            Some(control) => controls.split(',').any(|one| one == control),
        };
        fits.then_some(path)
    })?;
    let below = Path::new(path).strip_prefix(root).unwrap_or(Path::new(path));
    Some(folder.join(below.strip_prefix("/").unwrap_or(below)))
}

/// Where the tree of a control is mounted, and from which of its groups on.
fn mount<'a>(mounts: &'a str, control: Option<&str>) -> Option<(PathBuf, &'a str)> {
    mounts.lines().find_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ');
        let (root, folder) = (front.nth(3)?, front.next()?);
        let mut back = back.split(' ');
        let (kind, options) = (back.next()?, back.nth(1)?);
        let fits = match control {
            None => kind == "cgroup2",
            Some(control) => kind == "cgroup" && options.split(',').any(|option| option == control),
        };
        fits.then(|| (PathBuf::from(folder), root))
    })
}

fn can_write(path: &Path) -> bool {
    fs::OpenOptions::new().write(true).open(path).is_ok()
}

pub(crate) fn make(group: &mut Group, limits: &Limits) -> Vec<String> {
    let mut refused = Vec::new();
    let mut keep = |folder: &Path, made: io::Result<()>| {
        let why = made.map_err(|error| format!("{}: {error}", folder.display()));
        why.map_err(|why| refused.push(why)).is_ok()
    };
    if let Some(folder) = group.unified.take()
        && keep(&folder, make_second(&folder, group.controls, limits))
    {
        group.unified = Some(folder);
    } else {
        group.controls = false;
    }
    let memory = limits.memory.map(|memory| memory.count().to_string());
    make_first(&mut group.memory, &mut keep, |folder| {
        let memory = memory.as_deref().unwrap_or("-1");
        fs::write(folder.join("memory.limit_in_bytes"), memory)?;
        // Without swap, or what is too much would only be slow. Not every kernel counts swap.
        let _ = fs::write(folder.join("memory.memsw.limit_in_bytes"), memory);
        let _ = fs::write(folder.join("memory.swappiness"), "0");
        Ok(())
    });
    let quota = limits
        .cpu
        .map(|cpu| u64::from(cpu.millis()) * PERIOD_MICROS / 1000);
    make_first(&mut group.cpu, &mut keep, |folder| match quota {
        None => Ok(()),
        // The kernel takes no quota below a millisecond.
        Some(quota) => fs::write(folder.join("cpu.cfs_quota_us"), quota.max(1000).to_string()),
    });
    make_first(&mut group.pids, &mut keep, |folder| {
        // The keeper is in there, too.
        fs::write(
            folder.join("pids.max"),
            limits.pids.max(1).saturating_add(1).to_string(),
        )
    });
    make_first(&mut group.freezer, &mut keep, |_| Ok(()));
    refused
}

fn make_second(folder: &Path, controls: bool, limits: &Limits) -> io::Result<()> {
    make_folder(folder, controls)?;
    if !controls {
        return Ok(());
    }
    if let Some(memory) = limits.memory {
        fs::write(folder.join("memory.max"), memory.count().to_string())?;
        let _ = fs::write(folder.join("memory.swap.max"), "0");
        fs::write(folder.join("memory.oom.group"), "1")?;
    }
    if let Some(cpu) = limits.cpu {
        let quota = (u64::from(cpu.millis()) * PERIOD_MICROS / 1000).max(1000);
        let _ = fs::write(folder.join("cpu.max"), format!("{quota} {PERIOD_MICROS}"));
    }
    fs::write(folder.join("pids.max"), limits.pids.max(1).to_string())
}

fn make_first(
    place: &mut Option<PathBuf>,
    mut keep: impl FnMut(&Path, io::Result<()>) -> bool,
    limit: impl Fn(&Path) -> io::Result<()>,
) {
    let Some(folder) = place.take() else { return };
    if keep(&folder, make_folder(&folder, false).and_then(|()| limit(&folder))) {
        *place = Some(folder);
    } else {
        remove(&folder);
    }
}

/// Makes a group, and its parent where the last instance that left has removed it.
fn make_folder(folder: &Path, controls: bool) -> io::Result<()> {
    for _ in 0..LOOKS {
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = folder.parent().unwrap_or(folder);
                let _ = fs::create_dir(parent);
                if controls {
                    hand_down(parent);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            result => return result,
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

pub(crate) fn entry(folder: &Path) -> Option<OwnedFd> {
    let file = fs::OpenOptions::new()
        .write(true)
        .open(folder.join("cgroup.procs"));
    file.ok().map(OwnedFd::from)
}

/// Takes this process into a group.
pub(crate) fn enter(folder: &Path) -> io::Result<()> {
    join(folder, "0")
}

/// Takes a process into a group; one that has gone meanwhile needs none.
pub(crate) fn take_in(folder: &Path, process: Pid) {
    let _ = join(folder, &process.as_raw_nonzero().to_string());
}

fn join(folder: &Path, who: &str) -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .open(folder.join("cgroup.procs"))
        .and_then(|mut file| file.write_all(who.as_bytes()))
}

pub(crate) fn folder(folder: &Path) -> Option<OwnedFd> {
    fs::File::open(folder).ok().map(OwnedFd::from)
}

pub(crate) fn members(folder: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines()
        .filter_map(|line| Pid::from_raw(line.parse().ok()?))
        .collect()
}

pub(crate) fn out_of_memory(group: &Group) -> u64 {
    let file = match (&group.unified, &group.memory) {
        (Some(folder), _) if group.controls => folder.join("memory.events"),
        (_, Some(folder)) => folder.join("memory.oom_control"),
        _ => return 0,
    };
    counted(&fs::read_to_string(file).unwrap_or_default(), "oom_kill").unwrap_or(0)
}

/// The number behind a word in a file of words and numbers.
fn counted(text: &str, word: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(word)?.strip_prefix(' ')?.trim().parse().ok())
}

pub(crate) fn memory_alarm(folder: &Path) -> Option<OwnedFd> {
    let alarm = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?;
    let watched = fs::File::open(folder.join("memory.oom_control")).ok()?;
    let order = format!("{} {}", alarm.as_raw_fd(), watched.as_raw_fd());
    fs::write(folder.join("cgroup.event_control"), order).ok()?;
    Some(alarm)
}

pub(crate) fn kill(group: &Group) -> bool {
    if let Some(folder) = &group.unified
        && fs::write(folder.join("cgroup.kill"), "1").is_ok()
    {
        return true;
    }
    let Some(folder) = group.freezer.as_ref().or(group.pids.as_ref()) else {
        return false;
    };
    let freezes = group.freezer.is_some() && fs::write(folder.join("freezer.state"), "FROZEN").is_ok();
    let own = rustix::process::getpid();
    for _ in 0..LOOKS {
        for process in members(folder).into_iter().filter(|process| *process != own) {
            let _ = kill_process(process, Signal::KILL);
        }
    }
    if freezes {
        let _ = fs::write(folder.join("freezer.state"), "THAWED");
    }
    freezes
}

/// Removes a group with those below it that a component has made itself. One with a process in it stays.
pub(crate) fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir(folder)
        && error.kind() != io::ErrorKind::NotFound
        && !folder
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("towpath-"))
    {
        for below in fs::read_dir(folder).into_iter().flatten().flatten() {
            if below.file_type().is_ok_and(|kind| kind.is_dir()) {
                remove(&below.path());
            }
        }
        let _ = fs::remove_dir(folder);
    }
}

pub(crate) fn usage(group: &Group) -> (Option<u64>, Option<u64>) {
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let number = |path: PathBuf| read(path)?.trim().parse::<u64>().ok();
    let word = |path: PathBuf, word: &str| counted(&read(path)?, word);
    // Files that were read and can be forgotten at any time are not what an instance needs.
    let memory = match (&group.unified, &group.memory) {
        (Some(folder), _) if group.controls => number(folder.join("memory.current"))
            .map(|all| all.saturating_sub(word(folder.join("memory.stat"), "inactive_file").unwrap_or(0))),
        (_, Some(folder)) => number(folder.join("memory.usage_in_bytes")).map(|all| {
            all.saturating_sub(word(folder.join("memory.stat"), "total_inactive_file").unwrap_or(0))
        }),
        _ => None,
    };
    let cpu = group
        .unified
        .as_ref()
        .and_then(|folder| word(folder.join("cpu.stat"), "usage_usec"));
    (memory, cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
        33 31 0:30 /box /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory\n\
        34 31 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";
    const OWN: &str = "4:memory:/box/inner\n1:cpu,cpuacct:/\n0::/user.slice/one:two\n";

    #[test]
    fn our_own_group_is_found_in_each_tree() {
        let found = |control| place(MIXED, OWN, control).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(found(Some("cpu")).as_deref(), Some("/sys/fs/cgroup/cpu/"));
        assert_eq!(
            found(Some("memory")).as_deref(),
            Some("/sys/fs/cgroup/memory/inner")
        );
        assert_eq!(
            found(None).as_deref(),
            Some("/sys/fs/cgroup/unified/user.slice/one:two")
        );
        assert_eq!(found(Some("pids")), None);
    }

    #[test]
    fn a_word_is_not_taken_for_the_beginning_of_another() {
        let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        assert_eq!(counted(text, "oom_kill"), Some(3));
        assert_eq!(counted(text, "oom"), None);
    }

    /// A tree of version 2 as plain files: the kernel is not asked, only what we write is looked at.
    #[test]
    fn limits_of_the_second_version_are_written_as_its_files_want_them() {
        let folder = tempfile::tempdir().unwrap();
        let group = folder.path().join("web.1");
        let limits = Limits {
            memory: Some(towpath_model::unit::Bytes::from_mib(256)),
            cpu: Some(towpath_model::unit::Cpu::from_millis(500)),
            pids: 64,
        };
        make_second(&group, true, &limits).unwrap();
        let read = |file: &str| fs::read_to_string(group.join(file)).unwrap();
        assert_eq!(read("memory.max"), "268435456");
        assert_eq!(
            (
                read("memory.swap.max").as_str(),
                read("memory.oom.group").as_str()
            ),
            ("0", "1")
        );
        assert_eq!(
            (read("cpu.max").as_str(), read("pids.max").as_str()),
            ("50000 100000", "64")
        );
    }
}
