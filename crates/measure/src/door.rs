//! The door to commands: one of the product's own is run, and what it prints is read.
#![allow(clippy::disallowed_methods, reason = "this is the door to commands")]

use crate::sources::Sources;
use rustix::process::{Pid, Signal};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most that is read of what it prints. A number is shorter.
const PRINTED: u64 = 64 * 1024;

/// The processes of a command, which end with this.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // What has ended by itself is not there any more.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a command to its end, or to the end of its time, and says what it printed. What it leaves running ends with it.
pub(crate) async fn run(line: &str, sources: &Sources) -> Result<String, String> {
    let environment = sources.environment.iter();
    let mut child = tokio::process::Command::new("/bin/sh")
        .args(["-c", line])
        .env_clear()
        .envs(environment.map(|(name, value)| (name, value.open())))
        .current_dir(&sources.folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|refusal| format!("`{line}` cannot be started: {refusal}"))?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let group = Group(id.and_then(Pid::from_raw));
    let (mut printed, mut complaint) = (Vec::new(), Vec::new());
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let ran = async {
        let read = async { tokio::join!(drain(output, &mut printed), drain(errors, &mut complaint)) };
        // Somebody who has left the group may hold its output open: whoever waits for the end waits for the command.
        tokio::select! {
            biased;
            _ = read => child.wait().await,
            ended = child.wait() => ended,
        }
    };
    let ended = tokio::time::timeout(sources.bound.to_std(), ran).await;
    drop(group);
    let ended = ended.map_err(|_| {
        format!(
            "`{line}` did not end within {}; let something else do the work, and the command only tell",
            sources.bound
        )
    })?;
    let ended = ended.map_err(|refusal| format!("`{line}` was lost: {refusal}"))?;
    if ended.success() {
        return Ok(String::from_utf8_lossy(&printed).into_owned());
    }
    let said = String::from_utf8_lossy(&complaint).into_owned();
    let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let last = last.map_or_else(String::new, |last| format!(": {last}"));
    Err(format!("`{line}` {}{last}", how(ended)))
}

/// Reads to the end, and keeps the beginning.
async fn drain(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut whole = (&mut stream).take(PRINTED);
    // Who is killed while writing is read as far as it came.
    if whole.read_to_end(kept).await.is_ok() {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended strangely".to_owned(),
    }
}
