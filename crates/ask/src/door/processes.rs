//! Processes: a command in a group of its own, and the end of everything that it has started.
#![allow(clippy::disallowed_methods, reason = "this is the door to processes")]

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};
use towpath_model::sealed::Sealed;

/// Starts a command as it is typed in a shell, with exactly this environment, nothing to read, and a process group of its own.
pub(crate) fn shell(command: &str, folder: &Path, env: &[(String, Sealed<String>)]) -> io::Result<Child> {
    Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value.open())))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Kills every process of the group that this one leads.
pub(crate) fn kill_group(leader: u32) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // A group without processes is what we want.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Kills every process whose environment has a variable that begins with this text, as `NAME=value`, and says how many
/// there were. Those that left their group and their parent have it, too.
pub(crate) fn kill_marked(mark: &str) -> usize {
    let mut killed = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else {
            continue;
        };
        let env = fs::read(entry.path().join("environ")).unwrap_or_default();
        let is_marked = env
            .split(|byte| *byte == 0)
            .any(|variable| variable.starts_with(mark.as_bytes()));
        if is_marked {
            killed += usize::from(kill_process(pid, Signal::KILL).is_ok());
        }
    }
    killed
}
