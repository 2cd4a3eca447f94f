//! One run of a command: its lines, its end, and nothing that is left of it.

use crate::door::{clock, processes};
use crate::lines::{Last, Lines};
use crate::veil::Veil;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use towpath_decide::gate::report::Ended;
use towpath_model::run::Exit;
use towpath_model::sealed::Sealed;
use towpath_model::unit::Duration;

/// The variable that every process of a run has, by which those are found that have left their group and their parent.
const MARK: &str = "TOWPATH_GATE_RUN";

/// What a process wrote before its end is in its pipe when it ends. A pipe that stays open longer is held by something that
/// was left running, and that ends now.
const AFTER_END: std::time::Duration = std::time::Duration::from_millis(50);

/// Killing what is marked is repeated until nothing is found: something may be started while we look.
const LOOKS: usize = 100;

/// What is run.
pub(crate) struct Run<'a> {
    pub(crate) command: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) env: Vec<(String, Sealed<String>)>,
    pub(crate) within: Duration,
    pub(crate) say: &'a (dyn Fn(&str) + Send + Sync),
    pub(crate) veil: &'a Veil,
}

/// The processes of a run, which end with it. What has left the group lives on where the command ended by itself: it was
/// meant to, as the daemons of build tools are.
struct Group {
    leader: Option<u32>,
    mark: String,
    has_ended: bool,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            processes::kill_group(leader);
            if !self.has_ended {
                (0..LOOKS).find(|_| processes::kill_marked(&self.mark) == 0);
            }
        }
    }
}

/// Runs the command until it ends, or its time is up.
pub(crate) async fn run(mut asked: Run<'_>) -> Ended {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let value = format!("{}.{number}.", std::process::id());
    asked.env.push((MARK.to_owned(), Sealed::new(value.clone())));
    let since = clock::began();
    let mut last = Last::default();
    let exit = match processes::shell(asked.command, asked.folder, &asked.env) {
        Ok(child) => {
            let mut group = Group {
                leader: child.id(),
                mark: format!("{MARK}={value}"),
                has_ended: false,
            };
            let followed = follow(child, &asked, &mut last);
            match tokio::time::timeout(asked.within.to_std(), followed).await {
                Ok(exit) => {
                    group.has_ended = true;
                    exit
                }
                Err(_) => Exit::TimedOut { within: asked.within },
            }
        }
        Err(error) => Exit::NotStarted {
            why: error.to_string(),
        },
    };
    Ended {
        exit,
        took: clock::took(since),
        last: last.all(),
    }
}

/// Reads what the command writes until it ends.
async fn follow(mut child: Child, asked: &Run<'_>, last: &mut Last) -> Exit {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut out_lines, mut err_lines) = (Lines::default(), Lines::default());
    let (mut out_bytes, mut err_bytes) = ([0; 8192], [0; 8192]);
    let mut ended: Option<io::Result<ExitStatus>> = None;
    let mut say = |line: &str| {
        let line = asked.veil.text(line);
        (asked.say)(&line);
        last.keep(&line);
    };
    while ended.is_none() || out.is_some() || err.is_some() {
        tokio::select! {
            biased;
            read = read(&mut out, &mut out_bytes) => match read {
                0 => out = None,
                read => out_lines.take(&out_bytes[..read], &mut say),
            },
            read = read(&mut err, &mut err_bytes) => match read {
                0 => err = None,
                read => err_lines.take(&err_bytes[..read], &mut say),
            },
            status = child.wait(), if ended.is_none() => ended = Some(status),
            () = tokio::time::sleep(AFTER_END), if ended.is_some() => break,
        }
    }
    out_lines.end(&mut say);
    err_lines.end(&mut say);
    ended.map_or_else(
        || Exit::NotStarted {
            why: "its end was not told".to_owned(),
        },
        exit,
    )
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
