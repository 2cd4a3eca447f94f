//! The door to commands of the product: run by a shell, told line by line, and over when nobody waits for them any more.
#![allow(clippy::disallowed_methods, reason = "this is the door to commands")]

use crate::ResourceError;
use crate::migrate::Tell;
use rustix::process::{Pid, Signal};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Split};
use towpath_model::Sealed;

/// How long the last words of a command are read after its end.
const REST: Duration = Duration::from_secs(1);

/// A command of the product.
#[derive(Debug, Clone)]
pub struct Command {
    /// As it is written in the manifest.
    pub line: String,
    /// Where it runs.
    pub folder: PathBuf,
    /// All of its environment.
    pub environment: Vec<(String, Sealed<String>)>,
}

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

/// Runs it to its end. What it leaves running is ended with it.
pub(crate) async fn run(command: &Command, tell: Tell<'_>) -> Result<(), ResourceError> {
    let failed = |ended: String| ResourceError::Command {
        command: command.line.clone(),
        ended,
    };
    let environment = command.environment.iter();
    let mut child = tokio::process::Command::new("/bin/sh")
        .args(["-c", &command.line])
        .env_clear()
        .envs(environment.map(|(name, value)| (name, value.open())))
        .current_dir(&command.folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|refusal| failed(format!("cannot be started: {refusal}")))?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let group = Group(id.and_then(Pid::from_raw));
    let mut output = lines(child.stdout.take());
    let mut complaints = lines(child.stderr.take());
    // What it complains of last is most often why it ends.
    let (mut last, mut complaint) = (String::new(), String::new());
    let ended = loop {
        tokio::select! {
            biased;
            Some(line) = next(&mut output) => heard(tell, &line, &mut last),
            Some(line) = next(&mut complaints) => heard(tell, &line, &mut complaint),
            ended = child.wait() => break ended,
        }
    };
    drop(group);
    // What is there is read. Somebody who has left the group may still have it open, and is not waited for.
    let rest = async {
        while let Some(line) = next(&mut output).await {
            heard(tell, &line, &mut last);
        }
        while let Some(line) = next(&mut complaints).await {
            heard(tell, &line, &mut complaint);
        }
    };
    let _ = tokio::time::timeout(REST, rest).await;
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let said = if complaint.is_empty() { last } else { complaint };
            let said = if said.is_empty() {
                said
            } else {
                format!(": {said}")
            };
            Err(failed(how(status) + &said))
        }
        Err(refusal) => Err(failed(format!("was lost: {refusal}"))),
    }
}

/// Tells a line, and keeps it where it says something.
fn heard(tell: &mut (dyn FnMut(&str) + Send), line: &str, last: &mut String) {
    tell(line);
    let line = line.trim();
    if !line.is_empty() {
        line.clone_into(last);
    }
}

type Lines<T> = Option<Split<BufReader<T>>>;

fn lines<T: AsyncRead + Unpin>(stream: Option<T>) -> Lines<T> {
    stream.map(|stream| BufReader::new(stream).split(b'\n'))
}

/// The next line; nothing when there is none any more. Whoever stops waiting for it loses nothing.
async fn next<T: AsyncRead + Unpin>(lines: &mut Lines<T>) -> Option<String> {
    match lines.as_mut()?.next_segment().await {
        Ok(Some(line)) => Some(String::from_utf8_lossy(&line).trim_end().to_owned()),
        Ok(None) | Err(_) => {
            *lines = None;
            None
        }
    }
}

fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended strangely".to_owned(),
    }
}
