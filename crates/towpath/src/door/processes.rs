//! Processes: the steward, tools of this machine, and commands in the surroundings of a component.
#![allow(clippy::disallowed_methods, reason = "this is the door to processes")]

use super::state::State;
use crate::failure::{Failure, Kind};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use towpath_api::Surroundings;
use towpath_model::sealed::Sealed;
use towpath_steward::Handed;

/// The command that looks after an environment.
pub const STEWARD: &str = "steward";

/// What a steward says when it listens.
const READY: &str = "ready";

/// A steward that was just started.
#[derive(Debug)]
pub(crate) struct Hatchling {
    child: Child,
}

/// Starts a steward. It says on its standard output when it listens; everything else goes to its log.
pub(crate) fn hatch(folder: &Path, environment: &str, state: &State) -> Result<Hatchling, Failure> {
    let failed =
        |error: &io::Error| Failure::new(Kind::Remote, format!("the steward cannot be started: {error}"));
    let mut command = Command::new(ourselves()?);
    command
        .arg(STEWARD)
        .arg("--folder")
        .arg(folder)
        .arg("--env")
        .arg(environment);
    // Whoever has started us is told by us, and by nobody who comes after us.
    command.current_dir(folder).env_remove(super::server::NOTIFY);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(state.open_log()?);
    let child = command.spawn().map_err(|error| failed(&error))?;
    Ok(Hatchling { child })
}

/// Our own program.
pub(crate) fn ourselves() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::new(Kind::Remote, format!("our own program is not found: {error}")))
}

impl Hatchling {
    /// Waits until it listens. Otherwise the answer is what it said when it ended.
    pub(crate) fn listens(&mut self) -> Result<(), String> {
        let mut said = String::new();
        if let Some(mut out) = self.child.stdout.take() {
            // A steward that dies closes it, too.
            let _ = out.read_to_string(&mut said);
        }
        match said.trim() {
            READY => Ok(()),
            said => {
                let _ = self.child.wait();
                Err(said.to_owned())
            }
        }
    }

    /// Sends it away again: it was started for nothing. It stops nothing that runs.
    pub(crate) fn send_away(mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }

    /// Lets it go its own way. Somebody has to take note that it has ended, whenever that is.
    pub(crate) fn let_go(mut self) {
        std::thread::spawn(move || self.child.wait());
    }

    /// Takes note that it has ended, where it has.
    pub(crate) fn bury(&mut self) {
        let _ = self.child.try_wait();
    }
}

/// Leaves the session of whoever has started us: their terminal may close without us.
pub(crate) fn leave_session() {
    // It fails only where we lead a session already, and then there is nothing to leave.
    let _ = rustix::process::setsid();
}

/// Says to whoever has started us that we listen, and says nothing more to them: they wait for the end of it.
pub(crate) fn say_ready() {
    let mut out = io::stdout().lock();
    let _ = out.write_all(READY.as_bytes()).and_then(|()| out.flush());
    hush();
}

/// Says to whoever has started us why we do not listen.
pub(crate) fn say_why(why: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(why.as_bytes()).and_then(|()| out.flush());
}

/// From now on what is printed goes to the log.
fn hush() {
    let _ = rustix::stdio::dup2_stdout(io::stderr());
}

/// A question to a tool: the program and its argument.
pub(crate) type Question<'a> = (&'a str, &'a str);

/// What tools say when they are asked; nothing where there is no such tool, or no question. All of them are asked at once.
pub(crate) fn ask_all(questions: &[Option<Question<'_>>]) -> Vec<Option<String>> {
    let asked: Vec<Option<Child>> = questions
        .iter()
        .map(|question| {
            let (program, argument) = (*question)?;
            let mut command = Command::new(program);
            command.arg(argument).stdin(Stdio::null());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()
        })
        .collect();
    let answer = |child: Child| {
        let output = child.wait_with_output().ok()?;
        let said = [output.stdout, output.stderr].concat();
        Some(String::from_utf8_lossy(&said).into_owned())
    };
    asked.into_iter().map(|child| child.and_then(answer)).collect()
}

/// Runs a command of the shell that a person has agreed to, with its output before their eyes.
pub(crate) fn run_agreed(command: &str) -> Result<(), Failure> {
    let status = Command::new("/bin/sh").args(["-c", command]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(
            Kind::Remote,
            format!("`{command}` failed: {status}"),
        )),
        Err(error) => Err(Failure::new(
            Kind::Remote,
            format!("`{command}` cannot be run: {error}"),
        )),
    }
}

/// Becomes a command in the surroundings of a component: same terminal, same process, its exit code. It comes back only
/// where that fails.
pub(crate) fn become_command(around: &Surroundings, command: &[OsString]) -> Failure {
    let (program, arguments) = command
        .split_first()
        .map_or((OsString::new(), &[][..]), |(first, rest)| (first.clone(), rest));
    let spaced = program.to_string_lossy().contains(char::is_whitespace);
    let mut command = if spaced && arguments.is_empty() {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(&program);
        shell
    } else {
        let mut command = Command::new(&program);
        command.args(arguments);
        command
    };
    command.env_clear().envs(&around.env).current_dir(&around.dir);
    let program = program.to_string_lossy();
    let files: Vec<(String, Sealed<String>)> = around
        .files
        .iter()
        .map(|(name, value)| (name.clone(), Sealed::new(value.clone())))
        .collect();
    let handed = Handed::new(&files).and_then(|handed| {
        command.envs(handed.paths().iter().cloned());
        handed.stay()
    });
    if let Err(error) = handed {
        let message = format!("what `{program}` is given as files cannot be held: {error}");
        return Failure::new(Kind::Remote, message);
    }
    let error = command.exec();
    let failure = Failure::new(
        Kind::Remote,
        format!("`{program}` cannot be run in {}: {error}", around.dir),
    );
    if error.kind() == io::ErrorKind::NotFound {
        failure.hint("look whether it is on the PATH that the component has, and whether its folder is there")
    } else {
        failure
    }
}

/// What a person may have set that leads a client of Postgres elsewhere than it is told to go.
const ELSEWHERE: &[&str] = &[
    "PGHOSTADDR",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLMODE",
    "PGREQUIREAUTH",
    "PGREQUIREPEER",
    "PGCHANNELBINDING",
    "PGTARGETSESSIONATTRS",
];

/// Becomes a client of a resource, with what this person has set, and with what it is told besides. It comes back only where
/// that fails.
pub(crate) fn become_client(
    program: &str,
    arguments: &[OsString],
    told: &[(&str, Sealed<String>)],
    package: &str,
) -> Failure {
    let mut command = Command::new(program);
    command.args(arguments);
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    for (name, value) in told {
        command.env(name, value.open());
    }
    let error = command.exec();
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::new(
            Kind::Remote,
            format!("`{program}` is not installed on this machine"),
        )
        .hint(format!("install it: apt-get install {package}"));
    }
    Failure::new(Kind::Remote, format!("`{program}` cannot be run: {error}"))
}

/// Opens an address in the browser, where there is one; whether there is.
pub(crate) fn browse(address: &str) -> bool {
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if !screen {
        return false;
    }
    let mut command = Command::new("xdg-open");
    command
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().is_ok()
}

/// Whether we may do everything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether there is a program of that name.
pub(crate) fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
