//! Processes, requests and clocks, as the measurements need them.

use nix::sys::signal::{Signal, kill as signal};
use nix::unistd::Pid;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The most that anything here is waited for.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// Waits a few milliseconds.
pub(crate) fn pause(milliseconds: u64) {
    sleep(Duration::from_millis(milliseconds));
}

/// Asks again and again, without much of a pause, until it is so.
pub(crate) fn wait_for(what: &str, bound: Duration, mut so: impl FnMut() -> bool) -> Result<(), String> {
    let begin = Instant::now();
    while !so() {
        if begin.elapsed() > bound {
            return Err(format!("{what} did not happen within {bound:?}"));
        }
        sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// So many ports that nobody listens on.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>, String> {
    // All are held until the last is found, so that none is found twice.
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()
        .map_err(|why| format!("no free port: {why}"))?;
    Ok(held
        .iter()
        .filter_map(|one| one.local_addr().ok())
        .map(|address| address.port())
        .collect())
}

/// Whether a port of this machine answers 200.
pub(crate) fn answers(port: u16) -> bool {
    get(port, "127.0.0.1", Duration::from_secs(5)).is_some_and(|status| status == 200)
}

/// The status that a port answers with to a request for a host.
pub(crate) fn get(port: u16, host: &str, patience: Duration) -> Option<u16> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).ok()?.parse().ok()
}

/// Waits until all of these answer.
pub(crate) fn wait_for_answers(ports: &[u16]) -> Result<(), String> {
    ports
        .iter()
        .try_for_each(|port| wait_for(&format!("an answer on port {port}"), BOUND, || answers(*port)))
}

/// Waits until nobody listens on these any more.
pub(crate) fn wait_for_silence(ports: &[u16]) -> Result<(), String> {
    ports.iter().try_for_each(|port| {
        wait_for(&format!("silence on port {port}"), BOUND, || {
            TcpStream::connect(("127.0.0.1", *port)).is_err()
        })
    })
}

/// Runs a command to its end, and has what it printed. Where it fails, what it said is told.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let name = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("{name}: {why}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    Err(format!("{name}: {}\n  {}", output.status, last.join("\n  ")))
}

/// A command that goes on, with all that it starts, until this goes out of use.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it, in a group of its own, and silent: a pipe that is inherited would never end.
    pub(crate) fn start(command: &mut Command) -> Result<Running, String> {
        let name = format!("{command:?}");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        child.map(Running).map_err(|why| format!("{name}: {why}"))
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap_or_default()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let _ = signal(Pid::from_raw(self.pid()), Signal::SIGTERM);
        let ended = || matches!(self.0.try_wait(), Ok(Some(_)));
        wait_for("the end of a command", BOUND, ended)
    }

    /// Waits until it has ended by itself, and whether it ended well.
    pub(crate) fn wait(&mut self) -> Result<bool, String> {
        let mut well = false;
        wait_for("the end of a command", BOUND, || match self.0.try_wait() {
            Ok(Some(status)) => {
                well = status.success();
                true
            }
            _ => false,
        })?;
        Ok(well)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = nix::sys::signal::killpg(Pid::from_raw(self.pid()), Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

/// Kills a process.
pub(crate) fn kill(pid: i32) {
    let _ = signal(Pid::from_raw(pid), Signal::SIGKILL);
}

/// The processes whose program, words or folder lie in a folder, ourselves left out.
pub(crate) fn processes_of(folder: &Path) -> Vec<i32> {
    let name = folder.as_os_str().as_encoded_bytes();
    let ours = i32::try_from(std::process::id()).unwrap_or_default();
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != ours)
        .filter(|pid| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let named = words.windows(name.len()).any(|part| part == name);
            let lies_there = |link: &str| {
                fs::read_link(format!("/proc/{pid}/{link}")).is_ok_and(|to| to.starts_with(folder))
            };
            named || lies_there("cwd") || lies_there("exe")
        })
        .collect()
}

/// The processes that a process has started, by their parent.
pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let behind = text.rsplit_once(')')?.1;
    behind.split_whitespace().nth(1)?.parse().ok()
}

/// Ends what a container engine has mounted below a folder.
pub(crate) fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let name = folder.display().to_string();
    let below = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|at| at.starts_with(&name));
    for at in below.collect::<Vec<_>>().into_iter().rev() {
        let _ = Command::new("umount").arg("--lazy").arg(at).output();
    }
}

/// What a process keeps in memory, in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// Its share of what several processes keep together.
    pub(crate) share: u64,
    pub(crate) private: u64,
}

/// The memory of a process, as Linux counts it.
pub(crate) fn memory(pid: u32) -> Option<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let of = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or_default()
    };
    Some(Memory {
        resident: of("Rss:"),
        share: of("Pss:"),
        private: of("Private_Clean:") + of("Private_Dirty:"),
    })
}

/// The processor time of all threads of a process: far finer than the ticks that other counts are in.
pub(crate) fn used(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let nanoseconds = threads.into_iter().flatten().flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// The memory that is free for use on this machine, in MiB.
pub(crate) fn free_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes: Option<u64> = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kibibytes.unwrap_or_default() / 1024
}
