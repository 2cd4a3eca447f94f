//! The door to programs: those that prepare something, and the one that takes our place.
#![allow(clippy::disallowed_methods, reason = "this is the door to programs")]

use crate::ResourceError;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use towpath_model::Sealed;

/// A program that takes the place of this process: what runs, and all that it is given.
#[derive(Debug)]
pub struct Exec {
    /// The program.
    pub program: PathBuf,
    /// What it is called, where one file is several programs.
    pub name: OsString,
    /// What it is called with. There is never anything secret among it.
    pub arguments: Vec<OsString>,
    /// All of its environment.
    pub environment: Vec<(String, OsString)>,
    /// Where it starts.
    pub folder: PathBuf,
    /// The lock of its folder, which it holds from then on.
    pub(crate) lock: std::os::fd::OwnedFd,
}

impl Exec {
    /// Becomes the program. Only a refusal comes back.
    pub fn exec(self) -> Result<Infallible, ResourceError> {
        let refusal = Command::new(&self.program)
            .arg0(&self.name)
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment)
            .current_dir(&self.folder)
            .exec();
        drop(self.lock);
        Err(ResourceError::files("starting it", &self.program)(refusal))
    }
}

/// A variable of our own environment.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The folders in which programs are looked for.
pub(crate) fn path() -> Vec<PathBuf> {
    variable("PATH").map_or_else(Vec::new, |path| std::env::split_paths(&path).collect())
}

/// What every program of a server is given: the words of messages, which we read, and where programs are. Not what we were
/// given: there are secrets among it.
pub(crate) fn environment() -> Vec<(String, OsString)> {
    let mut environment = vec![
        ("LC_ALL".to_owned(), "C.UTF-8".into()),
        (
            "PATH".to_owned(),
            variable("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()),
        ),
    ];
    environment.extend(variable("TZ").map(|zone| ("TZ".to_owned(), zone)));
    environment
}

/// What came of a program.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether it says that it did what it was asked.
    pub(crate) done: bool,
    /// What it said.
    pub(crate) said: String,
    /// What it complained of.
    pub(crate) complained: String,
}

/// Runs a program to its end.
pub(crate) fn run(
    program: &Path,
    arguments: &[OsString],
    folder: &Path,
    typed: Option<&Sealed<String>>,
) -> io::Result<Outcome> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment())
        .current_dir(folder)
        .stdin(if typed.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let (Some(mut stdin), Some(typed)) = (child.stdin.take(), typed) {
        // A few hundred bytes, which fit into the pipe. Whoever ends before it has read them says why itself.
        let _ = stdin.write_all(typed.open().as_bytes());
    }
    let output = child.wait_with_output()?;
    Ok(Outcome {
        done: output.status.success(),
        said: String::from_utf8_lossy(&output.stdout).into_owned(),
        complained: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// What a program says of its version when it is called by a name; nothing where it cannot be started.
pub(crate) fn version_of(program: &Path, name: &str) -> Option<String> {
    let output = Command::new(program)
        .arg0(name)
        .arg("--version")
        .env_clear()
        .envs(environment())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(said)
}

/// Whether a process lives that works in a folder; nothing where that cannot be known.
pub(crate) fn works_in(pid: u32, folder: &Path) -> Option<bool> {
    match std::fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(place) => Some(place == super::files::real(folder)),
        Err(refusal) if refusal.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}
