//! Commands: a process group of their own, which ends with whoever waits for it.
#![allow(clippy::disallowed_methods, reason = "this is the door to processes")]

use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use towpath_model::Sealed;

/// The most that is kept of what a command writes; the rest is read, so that it does not wait, and let go.
const LONGEST: usize = 1024 * 1024;

/// How long the last words of a command are read after its end. Somebody who has left its group may have them open still.
const REST: Duration = Duration::from_millis(500);

/// What a command has done.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// How it ended; nothing while it runs.
    pub(crate) status: Option<ExitStatus>,
    /// What it has written.
    pub(crate) output: String,
    /// What it has complained of.
    pub(crate) complaints: String,
}

/// A process group that is killed when nobody needs it any more.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // A group without processes is what we want.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a command for so long at most. What still runs then, or was left running, is killed.
pub(crate) async fn run(
    command: &str,
    folder: &Path,
    env: &[(String, Sealed<String>)],
    bound: Duration,
) -> io::Result<Ended> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value.open())))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let group = Group(id.and_then(Pid::from_raw));
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let status = {
        let mut both = std::pin::pin!(async {
            tokio::join!(keep(stdout, &mut output), keep(stderr, &mut complaints));
        });
        let ended = tokio::time::timeout(bound, async {
            tokio::select! {
                // Who has closed its output goes on all the same.
                () = &mut both => child.wait().await,
                status = child.wait() => {
                    let _ = tokio::time::timeout(REST, &mut both).await;
                    status
                }
            }
        });
        ended.await
    };
    drop(group);
    Ok(Ended {
        status: match status {
            Ok(status) => Some(status?),
            Err(_) => None,
        },
        output: String::from_utf8_lossy(&output).into_owned(),
        complaints: String::from_utf8_lossy(&complaints).into_owned(),
    })
}

async fn keep<S: AsyncRead + Unpin>(stream: Option<S>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut piece = [0; 8 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        let room = LONGEST.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(&piece[..room]);
    }
}

/// How a command ended that did not end well.
pub(crate) fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended strangely".to_owned(),
    }
}
