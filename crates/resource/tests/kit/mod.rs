//! Real servers for tests: started as a keeper would start them, and gone when a test is over.
#![allow(dead_code, reason = "each file of tests uses a part of it")]
#![allow(clippy::print_stdout, reason = "what is left out is told")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use towpath_model::Sealed;
use towpath_resource::Answer;
use towpath_resource::migrate::Bounds;

pub(crate) const PASSWORD: &str = "pass word/%?";
pub(crate) const BOUNDS: Bounds = Bounds {
    connect: Duration::from_secs(20),
    lock: Duration::from_secs(20),
};
/// Nothing here takes this long, unless it never happens.
const BOUND: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Redis,
}

/// A process that is a server, or becomes one.
pub(crate) struct Stand {
    pub(crate) child: Child,
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
}

pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < BOUND, "{what} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether there is a server at all; otherwise it is told what is left out.
pub(crate) fn is_here(kind: Kind) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mut stand = Stand::begin(kind, folder.path(), &[("VERSION", "1")]);
    let said = stand.refusal();
    let (name, package) = match kind {
        Kind::Postgres => ("Postgres", "postgresql"),
        Kind::Redis => ("Redis", "redis-server"),
    };
    let here = !said.contains(&format!("there is no {name} server"));
    if !here {
        println!("left out: there is no {name} on this machine (apt-get install {package})");
    }
    here
}

pub(crate) fn command(kind: Kind, program: &Path, folder: &Path, port: u16) -> Command {
    let mut command = Command::new(program);
    command
        .arg(if kind == Kind::Redis { "redis" } else { "postgres" })
        .env("FOLDER", folder)
        .env("PORT", port.to_string())
        .env("PASSWORD", PASSWORD)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_towpath-resource-stand"))
}

impl Stand {
    pub(crate) fn begin(kind: Kind, folder: &Path, settings: &[(&str, &str)]) -> Stand {
        let port = free_port();
        let mut command = command(kind, program(), folder, port);
        command.envs(settings.iter().copied());
        Stand::of(kind, command, folder, port)
    }

    pub(crate) fn of(kind: Kind, mut command: Command, folder: &Path, port: u16) -> Stand {
        Stand {
            child: command.spawn().unwrap(),
            kind,
            port,
            folder: folder.to_owned(),
        }
    }

    /// A server that takes requests.
    pub(crate) fn ready(kind: Kind, folder: &Path) -> Stand {
        let mut stand = Stand::begin(kind, folder, &[]);
        stand.wait();
        stand
    }

    pub(crate) fn wait(&mut self) {
        wait_for("an answer", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{status}: {}", self.said());
            }
            (self.ask() == Some(Answer::Ready)).then_some(())
        });
    }

    pub(crate) fn ask(&self) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let (question, judge): (_, fn(&[u8]) -> Answer) = match self.kind {
            Kind::Postgres => (
                towpath_resource::postgres::ask("keeper", "shop"),
                towpath_resource::postgres::judge,
            ),
            Kind::Redis => (
                towpath_resource::redis::ask(&Sealed::new(PASSWORD.to_owned()))
                    .open()
                    .clone(),
                towpath_resource::redis::judge,
            ),
        };
        stream.write_all(&question).ok()?;
        let mut answer = Vec::new();
        loop {
            let mut more = [0; 512];
            let read = stream.read(&mut more).ok()?;
            answer.extend_from_slice(&more[..read]);
            match settled(judge(&answer)) {
                None if read > 0 => {}
                judged => return judged,
            }
        }
    }

    pub(crate) fn address(&self) -> Sealed<String> {
        let password = "pass%20word%2F%25%3F";
        Sealed::new(match self.kind {
            Kind::Postgres => format!("postgres://keeper:{password}@127.0.0.1:{}/shop", self.port),
            Kind::Redis => format!("redis://:{password}@127.0.0.1:{}/0", self.port),
        })
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Stops it as a keeper would.
    pub(crate) fn stop(mut self) {
        let signal = match self.kind {
            Kind::Postgres => rustix::process::Signal::INT,
            Kind::Redis => rustix::process::Signal::TERM,
        };
        rustix::process::kill_process(self.pid(), signal).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Kills it, and nothing else.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Kills it, and waits until what it has started is done by itself.
    pub(crate) fn abandon(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        wait_until_free(&self.folder);
    }

    /// Kills it with those that it has started and that have not left its group.
    pub(crate) fn kill_all(mut self) {
        let _ = rustix::process::kill_process_group(self.pid(), rustix::process::Signal::KILL);
        self.child.wait().unwrap();
    }

    /// What it says when it does not start.
    pub(crate) fn refusal(&mut self) -> String {
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(3), "it started");
        self.said()
    }

    fn said(&mut self) -> String {
        let mut said = String::new();
        let stream = self.child.stderr.take();
        stream.map(|mut stream| stream.read_to_string(&mut said));
        said
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(self.pid(), rustix::process::Signal::KILL);
        let _ = self.child.wait();
        wait_until_free(&self.folder);
    }
}

/// Waits until the last process of a server has given back the lock. One that cannot be opened is nobody's.
fn wait_until_free(folder: &Path) {
    let Ok(lock) = std::fs::File::open(folder.join("lock")) else {
        return;
    };
    let begun = Instant::now();
    let free = || rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok();
    while !free() && begun.elapsed() < BOUND {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn settled(answer: Answer) -> Option<Answer> {
    (answer != Answer::Unfinished).then_some(answer)
}

/// A folder that others may enter.
pub(crate) fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A file system of its own on a folder, taken down when dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(folder: &Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "towpath-test"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        let mounted = mounted.is_ok_and(|status| status.success());
        if !mounted {
            println!("left out: a file system cannot be mounted here");
        }
        mounted.then(|| Mount(folder.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Writes a file until there is no room.
pub(crate) fn fill(file: &Path) {
    let mut file = std::fs::File::create(file).unwrap();
    let block = vec![b'x'; 64 * 1024];
    while file.write_all(&block).is_ok() {}
    while file.write_all(b"x").is_ok() {}
}
