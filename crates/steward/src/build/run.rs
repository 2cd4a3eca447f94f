//! One run of a build's command: its processes, its lines, its end.

use super::log::Log;
use super::{Flight, Outcome, cancelled, folder};
use crate::door::memory::Handed;
use crate::door::{clock, files, processes};
use std::collections::VecDeque;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use towpath_ask::Lines;
use towpath_engine::Stream;
use towpath_model::run::{Build, Exit};
use towpath_model::sealed::Sealed;

/// The variable that every process of a build has, by which those are found that have left their group and their parent.
pub(super) const MARK: &str = "TOWPATH_BUILD";

/// So many lines are told with a failure: more than a compiler needs for one error, and still a screen.
const LAST: usize = 30;

/// What a process wrote before its end is in its pipe when it ends. A pipe that stays open longer is held by something that
/// was meant to stay, as the daemons of build tools are.
const AFTER_END: Duration = Duration::from_millis(50);

/// Killing what is marked is repeated until nothing is found: something may be started while we look. A thing that is faster
/// than so many looks cannot be caught this way.
const LOOKS: usize = 100;

/// What is run.
pub(super) struct Job<'a> {
    pub(super) build: &'a Build,
    pub(super) env: &'a [(String, Sealed<String>)],
    pub(super) files: &'a [(String, Sealed<String>)],
    pub(super) mark: String,
    pub(super) state: &'a Path,
    pub(super) flight: &'a Flight,
}

/// The processes of a run, which end with it where it did not end by itself.
struct Group {
    leader: Option<u32>,
    mark: String,
    running: PathBuf,
    /// What it is given as files.
    _handed: Handed,
}

impl Group {
    fn kill(&self) {
        if let Some(leader) = self.leader {
            processes::kill_group(leader);
            end_marked(&self.mark);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = files::remove(&self.running);
    }
}

/// Ends every process with this mark.
pub(super) fn end_marked(mark: &str) {
    (0..LOOKS).find(|_| processes::kill_marked(mark) == 0);
}

/// Runs the command until it ends or is cancelled.
pub(super) async fn run(job: Job<'_>) -> Outcome {
    let name = &job.build.name;
    let path = job.state.join("logs/build").join(format!("{name}.log"));
    let mut said = Said {
        log: Log::begin(path.clone()),
        last: VecDeque::new(),
        job: &job,
    };
    let since = clock::now();
    let exit = match start(&job) {
        Ok((child, group)) => follow(child, group, &mut said).await,
        Err(why) => Some(Exit::NotStarted { why }),
    };
    let last = said.last.into();
    match exit {
        None => Outcome::Cancelled,
        Some(exit) if exit.is_success() => Outcome::Done {
            took: clock::now().duration_since(since),
        },
        Some(exit) => Outcome::Failed {
            exit,
            last,
            log: path,
        },
    }
}

/// Starts the command, or says why that cannot be.
fn start(job: &Job<'_>) -> Result<(Child, Group), String> {
    let dir = Path::new(&job.build.dir);
    if files::stat_through(dir).is_none_or(|stat| stat.kind != files::Kind::Folder) {
        return Err(format!(
            "there is no folder {}\nlet `dir` of the build at {}:{} name one that is there",
            job.build.dir, job.build.at.file, job.build.at.line
        ));
    }
    let running = folder(job.state).join(format!("{}.running", job.build.name));
    let (name, value) = job.mark.split_once('=').unwrap_or((MARK, ""));
    let handed =
        Handed::new(job.files).map_err(|error| format!("its values cannot be held as files: {error}"))?;
    let mut env = handed.with(job.env);
    env.push((name.to_owned(), Sealed::new(value.to_owned())));
    // Without this file a steward that comes after a killed one would not look for what is left.
    files::write_whole(&running, job.mark.as_bytes())
        .map_err(|error| format!("{} cannot be written: {error}", running.display()))?;
    let mut group = Group {
        leader: None,
        mark: job.mark.clone(),
        running,
        _handed: handed,
    };
    let child = processes::shell(&job.build.command, dir, &env).map_err(|error| error.to_string())?;
    group.leader = child.id();
    Ok((child, group))
}

/// Reads what the command writes until it ends; nothing where it was cancelled.
async fn follow(mut child: Child, mut group: Group, said: &mut Said<'_>) -> Option<Exit> {
    let mut cancel = said.job.flight.cancel.subscribe();
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut out_lines, mut err_lines) = (Lines::default(), Lines::default());
    let (mut out_bytes, mut err_bytes) = ([0; 8192], [0; 8192]);
    let mut ended: Option<io::Result<ExitStatus>> = None;
    while ended.is_none() || out.is_some() || err.is_some() {
        tokio::select! {
            biased;
            () = cancelled(&mut cancel) => {
                group.kill();
                let _ = child.wait().await;
                group.leader = None;
                return None;
            }
            read = read(&mut out, &mut out_bytes) => match read {
                0 => out = None,
                read => out_lines.take(&out_bytes[..read], |line| said.line(Stream::Out, line)),
            },
            read = read(&mut err, &mut err_bytes) => match read {
                0 => err = None,
                read => err_lines.take(&err_bytes[..read], |line| said.line(Stream::Err, line)),
            },
            status = child.wait(), if ended.is_none() => ended = Some(status),
            () = tokio::time::sleep(AFTER_END), if ended.is_some() => break,
        }
    }
    out_lines.end(|line| said.line(Stream::Out, line));
    err_lines.end(|line| said.line(Stream::Err, line));
    // It has ended by itself: what it left running was meant to stay.
    group.leader = None;
    ended.map(exit)
}

/// Reads from a pipe; one that is closed has nothing to say ever again.
async fn read<P: AsyncRead + Unpin>(pipe: &mut Option<P>, bytes: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(bytes).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}

fn exit(status: io::Result<ExitStatus>) -> Exit {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code { code },
            (None, signal) => Exit::Signal {
                signal: signal.unwrap_or_default(),
            },
        },
        Err(error) => Exit::NotStarted {
            why: format!("its end was not told: {error}"),
        },
    }
}

/// Where the lines of a run go.
struct Said<'a> {
    log: Log,
    last: VecDeque<String>,
    job: &'a Job<'a>,
}

impl Said<'_> {
    fn line(&mut self, stream: Stream, text: &str) {
        let name = &self.job.build.name;
        if let Err(error) = self.log.write(text) {
            let said = format!(
                "its log {} cannot be written: {error}; the build goes on",
                self.log.path().display()
            );
            self.job.flight.say(name, Stream::Engine, &said);
        }
        self.job.flight.say(name, stream, text);
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(text.to_owned());
    }
}
