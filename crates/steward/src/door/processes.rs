//! Processes: a command in a group of its own, and the end of everything that it has started.
#![allow(clippy::disallowed_methods, reason = "this is the door to processes")]

use super::files::{self, Kind};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};
use towpath_model::sealed::Sealed;

/// The memory of a process: its own, and its part of what it shares with others. Nothing of one that is not there.
pub(crate) fn memory(process: u32) -> u64 {
    let told = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1_024
}

/// The environment that we were started in. What is no text in it is left out: no variable of ours could hold it.
pub(crate) fn environment() -> Vec<(String, String)> {
    let all = std::env::vars_os();
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Whether a program can be run from a folder: by its path, or found in one of these paths.
pub(crate) fn can_run(folder: &Path, program: &str, paths: &str) -> bool {
    let runs = |path: &Path| {
        let access = rustix::fs::access(path, rustix::fs::Access::EXEC_OK);
        access.is_ok() && files::stat_through(path).is_some_and(|stat| stat.kind == Kind::File)
    };
    if program.contains('/') {
        return runs(&folder.join(program));
    }
    paths.split(':').any(|path| runs(&Path::new(path).join(program)))
}

/// Starts a command as it is typed in a shell, with exactly this environment, nothing to read, and a process group of
/// its own.
pub(crate) fn shell(command: &str, folder: &Path, env: &[(String, Sealed<String>)]) -> io::Result<Child> {
    typed(command, folder, env)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// A command as it is typed in a shell, in a process group of its own.
fn typed(command: &str, folder: &Path, env: &[(String, Sealed<String>)]) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(command)
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value.open())))
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    shell
}

/// Runs a command to its end, and says how it ended. It is killed with all that it has started when nobody waits any more.
pub(crate) async fn ask(
    command: &str,
    folder: &Path,
    env: &[(String, Sealed<String>)],
) -> io::Result<std::process::ExitStatus> {
    let mut child = typed(command, folder, env)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let _group = child.id().map(Group);
    child.wait().await
}

/// Has our own program read the manifest again, in a process of its own: what reading takes is given back when it ends.
/// What it says, or why it cannot be read, in words for people.
pub(crate) async fn compile(program: &Path, folder: &Path, environment: &str) -> Result<Vec<u8>, String> {
    let read = Command::new(program)
        .arg("compile")
        .arg(folder)
        .args(["--env", environment])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("it could not be read: {error}"))?;
    if read.status.success() {
        Ok(read.stdout)
    } else {
        Err(String::from_utf8_lossy(&read.stderr).trim_end().to_owned())
    }
}

/// The first argument by which our own program knows that it is the edge.
pub const EDGE: &str = "edge";

/// Starts an edge for a state folder. It has the other end of the socket as its standard input, and outlives us.
pub(crate) fn edge(program: &Path, state: &Path) -> io::Result<OwnedFd> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    Command::new(program)
        .arg(EDGE)
        .arg("--state")
        .arg(state)
        .current_dir(state)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(files::edge_log(state)?)
        .spawn()
        // The runtime takes note of its end.
        .map(drop)?;
    Ok(OwnedFd::from(ours))
}

/// A process group that is killed when nobody needs it any more.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        kill_group(self.0);
    }
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
    for (name, kind) in files::list(Path::new("/proc")).unwrap_or_default() {
        let Some(pid) = name
            .to_str()
            .and_then(|name| name.parse().ok())
            .and_then(Pid::from_raw)
        else {
            continue;
        };
        let environ = Path::new("/proc").join(&name).join("environ");
        let is_marked = |env: Vec<u8>| {
            env.split(|byte| *byte == 0)
                .any(|variable| variable.starts_with(mark.as_bytes()))
        };
        if kind == Kind::Folder && files::read(&environ).is_ok_and(is_marked) {
            killed += usize::from(kill_process(pid, Signal::KILL).is_ok());
        }
    }
    killed
}

/// How many builds or other heavy things this machine can do at once: its processors.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
