//! Control groups: a part of a processor for each proxy, what it used of it, and the end of everything in it.
//!
//! Version 1 has a tree of its own for each controller, version 2 one for all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ROOT: &str = "/sys/fs/cgroup";

/// In so many parts of a second a quota is given out: the one that systemd and Kubernetes take.
const PERIOD: Duration = Duration::from_millis(100);

/// The group of a whole run, and the groups in it.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Where it is in each tree: processor limits first, then counts. In version 2 it is one and the same.
    limits: PathBuf,
    counts: PathBuf,
    is_second: bool,
}

impl Group {
    /// The group of a whole run.
    pub(crate) fn top(name: &str) -> Result<Group, String> {
        let is_second = Path::new(ROOT).join("cgroup.controllers").exists();
        let (limits, counts) = if is_second {
            (PathBuf::from(ROOT), PathBuf::from(ROOT))
        } else {
            (Path::new(ROOT).join("cpu"), Path::new(ROOT).join("cpuacct"))
        };
        if is_second {
            write(&limits.join("cgroup.subtree_control"), "+cpu")?;
        }
        let top = Group {
            limits: limits.join(name),
            counts: counts.join(name),
            is_second,
        };
        top.make()?;
        if is_second {
            write(&top.limits.join("cgroup.subtree_control"), "+cpu")?;
        }
        Ok(top)
    }

    /// A group in it, with so much of a processor at the most.
    pub(crate) fn part(&self, name: &str, quota: Option<f64>) -> Result<Group, String> {
        let part = Group {
            limits: self.limits.join(name),
            counts: self.counts.join(name),
            is_second: self.is_second,
        };
        part.make()?;
        part.limit(quota)?;
        Ok(part)
    }

    fn make(&self) -> Result<(), String> {
        for folder in self.folders() {
            fs::create_dir_all(folder)
                .map_err(|why| format!("{}: {why}\n  groups are made by root", folder.display()))?;
        }
        Ok(())
    }

    /// Gives it so much of a processor from now on.
    pub(crate) fn limit(&self, quota: Option<f64>) -> Result<(), String> {
        let period = PERIOD.as_micros();
        let share = quota.map(|quota| PERIOD.mul_f64(quota).as_micros().to_string());
        if self.is_second {
            let most = share.unwrap_or_else(|| "max".to_owned());
            return write(&self.limits.join("cpu.max"), &format!("{most} {period}"));
        }
        write(&self.limits.join("cpu.cfs_period_us"), &period.to_string())?;
        let most = share.unwrap_or_else(|| "-1".to_owned());
        write(&self.limits.join("cpu.cfs_quota_us"), &most)
    }

    /// The folders that a process joins it by.
    pub(crate) fn folders(&self) -> Vec<&Path> {
        if self.limits == self.counts {
            vec![&self.limits]
        } else {
            vec![&self.limits, &self.counts]
        }
    }

    /// The processor time of all that has been in it, as the scheduler counts it.
    pub(crate) fn used(&self) -> Result<Duration, String> {
        if !self.is_second {
            let text = read(&self.counts.join("cpuacct.usage"))?;
            return Ok(Duration::from_nanos(text.trim().parse().unwrap_or_default()));
        }
        let text = read(&self.counts.join("cpu.stat"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
        let used = line.and_then(|count| count.trim().parse().ok());
        Ok(Duration::from_micros(used.unwrap_or_default()))
    }

    /// What is in it now.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.counts.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// The memory that nobody else shares with it, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let of = |pid: &i32| {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
            let lines = text.lines().filter(|line| line.starts_with("Private_"));
            let counts = lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            counts.sum::<u64>()
        };
        self.processes().iter().map(of).sum()
    }

    /// Kills everything in it and in the groups in it, and takes it away.
    pub(crate) fn end(&self) {
        for part in self.parts() {
            part.end();
        }
        for _ in 0..500 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            left.into_iter().for_each(crate::place::kill);
            crate::place::pause(Duration::from_millis(5));
        }
        for folder in self.folders() {
            // A process that has just been killed may hold it for a moment.
            for _ in 0..100 {
                if fs::remove_dir(folder).is_ok() || !folder.exists() {
                    break;
                }
                crate::place::pause(Duration::from_millis(5));
            }
        }
    }

    fn parts(&self) -> Vec<Group> {
        let inside = fs::read_dir(&self.limits).into_iter().flatten().flatten();
        let folders = inside.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let named = folders.map(|entry| entry.file_name());
        let part = |name| Group {
            limits: self.limits.join(&name),
            counts: self.counts.join(&name),
            is_second: self.is_second,
        };
        named.map(part).collect()
    }

    /// The group of a run that has left it behind.
    pub(crate) fn left(limits: &str, counts: &str) -> Group {
        Group {
            limits: limits.into(),
            counts: counts.into(),
            is_second: limits == counts,
        }
    }

    /// What `left` has to be told.
    pub(crate) fn written(&self) -> String {
        format!("{} {}", self.limits.display(), self.counts.display())
    }
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|why| format!("{}: {why}\n  groups are changed by root", file.display()))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))
}
