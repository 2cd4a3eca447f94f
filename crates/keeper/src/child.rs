//! The first process of an instance: how it is found, and how it is started so that nothing of the keeper clings to it.

use crate::command::{Started, split};
use crate::door::{self, disk};
use crate::groups::Cradle;
use crate::{process, secrecy};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, getpid, getppid, waitpid};
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// Where programs are looked for when the environment has no `PATH`.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
const SHELL: &str = "/bin/sh";
/// What a copy says first.
const ALIVE: u8 = 1;

/// A program that can be started.
#[derive(Debug)]
pub(crate) struct Program {
    path: CString,
    words: Vec<CString>,
    env: Vec<CString>,
    dir: CString,
}

/// What a new process is given.
pub(crate) struct Given<'a> {
    /// The group of version 2 that it begins in.
    pub(crate) cradle: Option<&'a Cradle>,
    /// Where it writes itself into to be in its other groups.
    pub(crate) groups: &'a [OwnedFd],
    pub(crate) out: &'a OwnedFd,
    pub(crate) err: &'a OwnedFd,
    /// What it holds as long as anything of it lives.
    pub(crate) lease: Option<&'a OwnedFd>,
}

/// Finds the program of a command, or says why there is none and what to do.
pub(crate) fn find(command: &str, dir: &str, env: &[(String, String)]) -> Result<Program, String> {
    if !disk::is_folder(Path::new(dir)) {
        return Err(format!(
            "its folder `{dir}` is not there; make it, or name another one as `dir`"
        ));
    }
    let (path, words) = match split(command, env) {
        Started::Words(words) => (found(&words[0], dir, env)?, words),
        Started::Shell => {
            let words = [SHELL, "-c", command].map(str::to_owned);
            (PathBuf::from(SHELL), words.to_vec())
        }
    };
    let text = |text: String| {
        CString::new(text).map_err(|_| "a NUL byte stands in its command or environment".to_owned())
    };
    Ok(Program {
        path: text(path.to_string_lossy().into_owned())?,
        words: words.into_iter().map(text).collect::<Result<_, _>>()?,
        env: env
            .iter()
            .map(|(key, value)| text(format!("{key}={value}")))
            .collect::<Result<_, _>>()?,
        dir: text(dir.to_owned())?,
    })
}

/// The file behind a program's name, as the shell would find it.
fn found(name: &str, dir: &str, env: &[(String, String)]) -> Result<PathBuf, String> {
    if name.contains('/') {
        let path = Path::new(dir).join(name);
        return match disk::standing(&path) {
            disk::Standing::Fine => Ok(path),
            disk::Standing::Missing => Err(format!(
                "`{name}` was not found: there is no `{}`; build it first, or name another path",
                path.display()
            )),
            disk::Standing::Folder => Err(format!("`{name}` is a folder; name a program in it")),
            disk::Standing::NotExecutable => Err(format!(
                "`{name}` may not be executed; run `chmod +x {}`",
                path.display()
            )),
        };
    }
    let searched = env
        .iter()
        .rev()
        .find(|(key, _)| key == "PATH")
        .map_or(USUAL_PATH, |(_, value)| value);
    let mut refused = None;
    for folder in searched.split(':') {
        let path = Path::new(dir).join(folder).join(name);
        match disk::standing(&path) {
            disk::Standing::Fine => return Ok(path),
            disk::Standing::NotExecutable => refused = refused.or(Some(path)),
            disk::Standing::Missing | disk::Standing::Folder => {}
        }
    }
    match refused {
        Some(path) => Err(format!(
            "`{}` may not be executed; run `chmod +x {0}`",
            path.display()
        )),
        None => Err(format!(
            "the command `{name}` was not found in PATH ({searched}); install it, or write its whole path"
        )),
    }
}

/// How far a new process came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    Prepare = 1,
    Group = 2,
    Folder = 3,
    Execute = 4,
}

/// Starts a program as a session of its own, and answers when it runs, or why it does not.
pub(crate) fn start(program: &Program, given: &Given<'_>) -> Result<Pid, String> {
    if let Some(cradle) = given.cradle
        && let Some(started) = begun(program, given, Some(cradle))?
    {
        return started;
    }
    let died = || Err("it was killed before it began".to_owned());
    begun(program, given, None)?.unwrap_or_else(died)
}

/// Copies this process, and has the copy become the program; nothing where the copy died before it did anything. A kernel
/// may refuse to begin a process in a group, and some kill one that begins where others were killed together before.
fn begun(
    program: &Program,
    given: &Given<'_>,
    cradle: Option<&Cradle>,
) -> Result<Option<Result<Pid, String>>, String> {
    let refused = |errno: Errno| format!("the system refuses another process: {errno}");
    let (told, tell) = pipe_with(PipeFlags::CLOEXEC).map_err(refused)?;
    let keeper = getpid();
    let copy = match cradle {
        Some(cradle) => match process::fork_into(&cradle.folder) {
            Ok(copy) => copy,
            Err(_) => return Ok(None),
        },
        None => process::fork().map_err(refused)?,
    };
    let Some(child) = copy else {
        let _ = rustix::io::write(&tell, &[ALIVE]);
        let late = given.cradle.filter(|_| cradle.is_none());
        let groups = late.map(|cradle| &cradle.entry).into_iter().chain(given.groups);
        let (step, errno) = become_it(program, given, groups, keeper);
        let mut report = [step as u8, 0, 0, 0, 0];
        report[1..].copy_from_slice(&errno.raw_os_error().to_le_bytes());
        let _ = rustix::io::write(&tell, &report);
        process::leave(127);
    };
    drop(tell);
    let mut report = [0; 6];
    match read_whole(&told, &mut report) {
        0 => {
            let _ = waitpid(Some(child), WaitOptions::empty());
            Ok(None)
        }
        // It closes when the program has taken over: what happens from now on is the program's.
        length if length < report.len() => Ok(Some(Ok(child))),
        _ => {
            let _ = waitpid(Some(child), WaitOptions::empty());
            let [_, step, errno @ ..] = report;
            let errno = Errno::from_raw_os_error(i32::from_le_bytes(errno));
            Ok(Some(Err(explained(program, step, errno))))
        }
    }
}

/// Reads until it is full, or until the other end closes.
fn read_whole(told: &OwnedFd, report: &mut [u8]) -> usize {
    let mut length = 0;
    while length < report.len() {
        match rustix::io::read(told, &mut report[length..]) {
            Err(Errno::INTR) => {}
            Ok(0) | Err(_) => break,
            Ok(more) => length += more,
        }
    }
    length
}

fn explained(program: &Program, step: u8, errno: Errno) -> String {
    let path = program.path.to_string_lossy();
    match (step, errno) {
        (step, _) if step == Step::Group as u8 => format!("it could not join its cgroup: {errno}"),
        (step, _) if step == Step::Folder as u8 => {
            let dir = program.dir.to_string_lossy();
            format!("its folder `{dir}` cannot be entered: {errno}")
        }
        (_, Errno::NOENT) => format!("`{path}` names an interpreter in its first line that is not there"),
        (_, Errno::NOEXEC) => format!("`{path}` is no program of this kind of machine"),
        (_, Errno::TOOBIG) => "its environment and arguments are longer than the system takes".to_owned(),
        (_, Errno::ACCESS | Errno::PERM) => format!("`{path}` may not be executed: {errno}"),
        _ => format!("`{path}` cannot be executed: {errno}"),
    }
}

/// In the new process: becomes the program. It returns only if it cannot.
fn become_it<'a>(
    program: &Program,
    given: &Given<'_>,
    groups: impl Iterator<Item = &'a OwnedFd>,
    keeper: Pid,
) -> (Step, Errno) {
    if let Err(errno) = prepare(given, keeper) {
        return (Step::Prepare, errno);
    }
    for group in groups {
        if let Err(errno) = rustix::io::write(group, b"0") {
            return (Step::Group, errno);
        }
    }
    if let Err(errno) = rustix::process::chdir(&*program.dir) {
        return (Step::Folder, errno);
    }
    let Err(errno) = nix::unistd::execve(&program.path, &program.words, &program.env);
    if errno != nix::errno::Errno::ENOEXEC {
        return (Step::Execute, Errno::from_raw_os_error(errno as i32));
    }
    // A script that does not say what it is for is the shell's, as ever.
    let mut words = vec![c"/bin/sh".to_owned(), program.path.clone()];
    words.extend(program.words.iter().skip(1).cloned());
    let Err(errno) = nix::unistd::execve(c"/bin/sh", &words, &program.env);
    (Step::Execute, Errno::from_raw_os_error(errno as i32))
}

fn prepare(given: &Given<'_>, keeper: Pid) -> Result<(), Errno> {
    secrecy::leave_as_programs_do();
    rustix::process::setsid()?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The keeper may have died before the line above: then nobody would ever send that signal.
    if getppid() != Some(keeper) {
        process::leave(0);
    }
    rustix::stdio::dup2_stdin(door::open_null()?)?;
    rustix::stdio::dup2_stdout(given.out)?;
    rustix::stdio::dup2_stderr(given.err)?;
    if let Some(lease) = given.lease {
        rustix::io::fcntl_setfd(lease, rustix::io::FdFlags::empty())?;
    }
    process::default_signals();
    nix::sys::signal::SigSet::empty()
        .thread_set_mask()
        .map_err(|errno| Errno::from_raw_os_error(errno as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(command: &str, dir: &str, path: &str) -> String {
        find(command, dir, &[("PATH".into(), path.into())]).unwrap_err()
    }

    #[test]
    fn what_cannot_be_started_is_explained_with_the_next_step() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_str().unwrap();
        assert_eq!(
            why("towpath-missing --flag", dir, "/usr/bin:/bin"),
            "the command `towpath-missing` was not found in PATH (/usr/bin:/bin); install it, or write its whole path"
        );
        assert_eq!(
            why("./missing", dir, "/bin"),
            format!(
                "`./missing` was not found: there is no `{dir}/./missing`; build it first, or name another path"
            )
        );
        assert_eq!(
            why("true", "/nowhere/at/all", "/bin"),
            "its folder `/nowhere/at/all` is not there; make it, or name another one as `dir`"
        );
        disk::write_whole(&folder.path().join("plain"), b"#!/bin/sh\n").unwrap();
        assert_eq!(
            why("./plain", dir, "/bin"),
            format!("`./plain` may not be executed; run `chmod +x {dir}/./plain`")
        );
    }
}
