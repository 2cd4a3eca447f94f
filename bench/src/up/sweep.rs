//! The sweeper: a process that waits for ours to end, however it ends, and takes away what it has left.
//!
//! It reads from a pipe what there is, one line each. When the pipe ends without `done`, we were killed.

use crate::outside;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

/// Takes a folder and everything that runs out of it away when it goes out of use, or when this process dies.
pub(crate) struct Sweeper {
    child: Child,
    folder: PathBuf,
}

impl Sweeper {
    /// Begins to look after a folder.
    pub(crate) fn over(folder: &Path) -> Result<Sweeper, String> {
        let failed = |why: std::io::Error| format!("the sweeper cannot be started: {why}");
        let ourselves = std::env::current_exe().map_err(failed)?;
        // In a group of its own, so that Ctrl-C reaches us and not it.
        let mut child = Command::new(ourselves)
            .arg("--sweep")
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let line = format!("{}\n", folder.display());
        if let Some(pipe) = child.stdin.as_mut() {
            pipe.write_all(line.as_bytes()).map_err(failed)?;
        }
        Ok(Sweeper {
            child,
            folder: folder.to_owned(),
        })
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        sweep(&self.folder);
        if let Some(mut pipe) = self.child.stdin.take() {
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.child.wait();
    }
}

/// What the sweeper does: it waits for the end of its pipe.
pub(crate) fn wait_and_sweep() -> ExitCode {
    let mut folder = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.as_str() {
            "done" => return ExitCode::SUCCESS,
            line => folder = Some(PathBuf::from(line)),
        }
    }
    if let Some(folder) = folder {
        sweep(&folder);
    }
    ExitCode::SUCCESS
}

/// Kills all that runs out of a folder, and removes it.
fn sweep(folder: &Path) {
    // Whoever starts others dies first or is found in the next round, with what it has started meanwhile.
    for _ in 0..50 {
        let left: Vec<i32> = outside::processes_of(folder);
        if left.is_empty() {
            break;
        }
        left.into_iter().for_each(outside::kill);
        outside::pause(20);
    }
    outside::unmount_below(folder);
    let _ = std::fs::remove_dir_all(folder);
}
