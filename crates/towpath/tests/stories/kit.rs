//! A product of its own for each story: a folder, the real binary, and an end that is looked at.
#![allow(clippy::print_stderr, reason = "a story that ends badly says what it saw")]

use crate::programs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes so long unless it hangs.
pub(crate) const BOUND: Duration = Duration::from_secs(40);

const MOMENT: Duration = Duration::from_millis(15);

/// A product in a folder of its own, run by a person with a home of their own.
pub(crate) struct Product {
    root: tempfile::TempDir,
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    mounted: bool,
}

/// What a command has said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Waits for something, and fails when it does not come.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < BOUND, "it never came to be that {what}");
        thread::sleep(MOMENT);
    }
}

/// Lets so much time pass before the next blow.
pub(crate) fn pass(time: Duration) {
    thread::sleep(time);
}

pub(crate) fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process");
    // That it has gone is what is wanted.
    let _ = kill_process(pid, signal);
}

impl Product {
    /// A product with this manifest, but for its name and its environment.
    pub(crate) fn new(name: &str, manifest: &str) -> Self {
        let root = tempfile::tempdir().expect("a folder can be made");
        let folder = root.path().join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        Self::begin(root, folder, name, manifest, false)
    }

    /// The same on a disk of its own with so much room; nothing where that cannot be had.
    pub(crate) fn on_small_disk(name: &str, size: &str, manifest: &str) -> Option<Self> {
        let root = tempfile::tempdir().expect("a folder can be made");
        let folder = root.path().join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&folder)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self::begin(root, folder, name, manifest, true))
    }

    fn begin(root: tempfile::TempDir, folder: PathBuf, name: &str, manifest: &str, mounted: bool) -> Self {
        let product = Product {
            folder,
            root,
            name: name.to_owned(),
            mounted,
        };
        fs::create_dir(product.root.path().join("home")).expect("a folder can be made");
        product.write("program", &programs::script());
        product.manifest(manifest);
        product
    }

    /// Writes the manifest.
    pub(crate) fn manifest(&self, manifest: &str) {
        let text = format!(
            "product = \"{}\"\n{manifest}\n[environment.dev]\nsecrets = \"dotenv\"\n",
            self.name
        );
        self.write("towpath.toml", &text);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        // As editors do it: the whole of it appears at once.
        let beside = self.folder.join(format!(".{name}.swp"));
        fs::write(&beside, text).expect("it can be written");
        fs::rename(&beside, self.folder.join(name)).expect("it can be renamed");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join(".towpath/dev")
    }

    fn command(&self, words: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_towpath")), words)
    }

    fn command_of(&self, program: &Path, words: &[&str]) -> Command {
        let home = self.root.path().join("home");
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("XDG_DATA_HOME", home.join("data"))
            .stdin(Stdio::null());
        command
    }

    /// Starts a command whose output goes to files, since what it leaves running must not hold our pipes.
    pub(crate) fn begin_command(&self, words: &[&str]) -> Attached {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (out, err) = (
            self.root.path().join(format!("{number}.out")),
            self.root.path().join(format!("{number}.err")),
        );
        let child = self
            .command(words)
            .stdout(File::create(&out).expect("a file can be made"))
            .stderr(File::create(&err).expect("a file can be made"))
            .spawn()
            .expect("the binary runs");
        Attached { child, out, err }
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.begin_command(words).end()
    }

    /// Runs a command that is handed this on its standard input.
    pub(crate) fn given(&self, words: &[&str], input: &str) -> Ran {
        let path = self.root.path().join("input");
        fs::write(&path, input).expect("a file can be written");
        let ran = self
            .command(words)
            .stdin(File::open(&path).expect("it is there"))
            .output()
            .expect("the binary runs");
        // What stands in it may be looked for afterwards.
        fs::remove_file(&path).expect("it can be removed");
        Ran {
            code: ran.status.code(),
            out: String::from_utf8_lossy(&ran.stdout).into_owned(),
            err: String::from_utf8_lossy(&ran.stderr).into_owned(),
        }
    }

    /// The folder of everything that belongs to the person who runs it.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Runs a command that has to end well.
    #[track_caller]
    pub(crate) fn well(&self, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(
            ran.code,
            Some(0),
            "{words:?}\n{}{}\n{}",
            ran.out,
            ran.err,
            self.steward_log()
        );
        ran
    }

    #[track_caller]
    pub(crate) fn up(&self) -> Ran {
        self.well(&["up", "--detach"])
    }

    /// Our program once more, as another version of it is: another file.
    pub(crate) fn another_program(&self, number: usize) -> PathBuf {
        let path = self.root.path().join(format!("towpath-{number}"));
        // By somebody else: what another story starts meanwhile would hold the file open for writing, and nobody could run it.
        let copied = Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_towpath"))
            .arg(&path)
            .status();
        assert!(copied.is_ok_and(|copied| copied.success()), "it can be copied");
        path
    }

    #[track_caller]
    pub(crate) fn up_with(&self, program: &Path) {
        let log = File::create(self.root.path().join("up.out")).expect("a file can be made");
        let both = log.try_clone().expect("a file can be shared");
        let mut up = self.command_of(program, &["up", "--detach"]);
        let ended = up.stdout(log).stderr(both).status().expect("the binary runs");
        let said = fs::read_to_string(self.root.path().join("up.out")).unwrap_or_default();
        assert!(ended.success(), "{said}\n{}", self.steward_log());
    }

    /// The edge that takes connections, as the system sees it: who holds the lock.
    pub(crate) fn edge(&self) -> Option<u32> {
        let lock = self.state().join("edge.lock");
        processes().find(|pid| {
            let line = words(*pid);
            let open = fs::read_dir(format!("/proc/{pid}/fd"))
                .into_iter()
                .flatten()
                .flatten();
            line.get(1).is_some_and(|word| word == "edge")
                && line.iter().any(|word| Path::new(word) == self.state())
                && open
                    .into_iter()
                    .any(|file| fs::read_link(file.path()).is_ok_and(|path| path == lock))
        })
    }

    /// The port for plain HTTP on which a component is reached.
    pub(crate) fn plain_port(&self, component: &str) -> u16 {
        eventually("it has a port", || self.edge_port(component)).1
    }

    pub(crate) fn steward_log(&self) -> String {
        fs::read_to_string(self.state().join("steward.log")).unwrap_or_default()
    }

    /// How everything is; null where nobody and nothing tells.
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).out).unwrap_or(Value::Null)
    }

    pub(crate) fn component(&self, name: &str) -> Value {
        component(&self.status(), name)
    }

    /// Waits until a component is so.
    #[track_caller]
    pub(crate) fn until(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let one = self.component(name);
            if is_so(&one) {
                return one;
            }
            assert!(began.elapsed() < BOUND, "{one:#}\n{}", self.steward_log());
            thread::sleep(MOMENT);
        }
    }

    #[track_caller]
    pub(crate) fn until_state(&self, name: &str, state: &str) -> Value {
        self.until(name, |one| one["state"] == state)
    }

    pub(crate) fn logs(&self, name: &str) -> String {
        self.run(&["logs", name, "-n", "1000000"]).out
    }

    pub(crate) fn explain(&self, name: &str) -> String {
        self.run(&["explain", name]).out
    }

    /// The process of the only instance of a component.
    #[track_caller]
    pub(crate) fn pid(&self, name: &str) -> u32 {
        pids(&self.component(name)).into_iter().next().expect("it runs")
    }

    /// The processes that are instances of a component, as the system sees them.
    pub(crate) fn running(&self, name: &str) -> BTreeSet<u32> {
        let mark = format!("TOWPATH_COMPONENT={name}");
        let is_it = |pid: &u32| {
            let env = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let held = env.split(|byte| *byte == 0).any(|one| one == mark.as_bytes());
            held && fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&self.folder))
        };
        processes().filter(is_it).collect()
    }

    /// The steward, as the system sees it.
    pub(crate) fn steward(&self) -> Option<u32> {
        processes().find(|pid| {
            let line = words(*pid);
            line.get(1).is_some_and(|word| word == "steward")
                && line.iter().any(|word| Path::new(word) == self.folder)
        })
    }

    pub(crate) fn kill_steward(&self) -> bool {
        self.steward().map(|pid| kill(pid, Signal::KILL)).is_some()
    }

    /// Everything that was started here and still runs: by its folder, its words, or a file that it has open.
    pub(crate) fn left(&self) -> Vec<String> {
        let root = self.root.path();
        let is_ours = |pid: &u32| {
            let below = |link: PathBuf| fs::read_link(link).is_ok_and(|path| path.starts_with(root));
            let place = PathBuf::from(format!("/proc/{pid}"));
            let open = fs::read_dir(place.join("fd")).into_iter().flatten().flatten();
            below(place.join("cwd"))
                || words(*pid).iter().any(|word| Path::new(word).starts_with(root))
                || open.into_iter().any(|file| below(file.path()))
        };
        let all = processes().filter(|pid| *pid != std::process::id());
        all.filter(is_ours)
            .map(|pid| format!("{pid} {}", words(pid).join(" ")))
            .collect()
    }

    /// Waits until nothing of it is left. The steward that says so is the last to go.
    #[track_caller]
    pub(crate) fn leaves_nothing(&self) {
        let began = Instant::now();
        while !self.left().is_empty() {
            assert!(began.elapsed() < BOUND, "left: {:#?}", self.left());
            thread::sleep(MOMENT);
        }
    }

    /// The groups that are left of it.
    pub(crate) fn groups(&self) -> Vec<PathBuf> {
        let digest = blake3::hash(self.state().as_os_str().as_bytes()).to_hex();
        let mut found = Vec::new();
        below(Path::new("/sys/fs/cgroup"), &digest[..8], 4, &mut found);
        found
    }

    /// Asks a component over plain HTTP through the edge; its answer's body.
    pub(crate) fn get(&self, component: &str, path: &str) -> Option<String> {
        let port = self.edge_port(component)?.1;
        let host = format!("{component}.{}.localhost", self.name);
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        ask(stream, &host, path)
    }

    /// Says something to a component over plain HTTP: the first words of a request, and lines of headers. The status, and
    /// the whole answer.
    pub(crate) fn say(&self, component: &str, what: &str, headers: &[&str]) -> (u16, String) {
        let (_, port) = self.edge_port(component).expect("it has an address");
        self.say_at(port, component, what, headers)
    }

    /// The same at a port that is known already: nobody has to tell it.
    pub(crate) fn say_at(&self, port: u16, component: &str, what: &str, headers: &[&str]) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the edge listens");
        let host = format!("{component}.{}.localhost", self.name);
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!("{what} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it is answered");
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), text)
    }

    /// The ports for HTTPS and HTTP on which a component is reached.
    pub(crate) fn edge_port(&self, name: &str) -> Option<(u16, u16)> {
        let status = self.status();
        let url = component(&status, name)["url"].as_str()?.to_owned();
        let https: u16 = url.rsplit_once(':')?.1.parse().ok()?;
        let http = status["steward"]["http"].as_u64()?;
        Some((https, u16::try_from(http).ok()?))
    }

    /// The same over HTTPS, trusting the authority of this person and nobody else.
    pub(crate) fn get_safely(&self, component: &str, path: &str) -> Option<String> {
        let host = format!("{component}.{}.localhost", self.name);
        ask(self.connect_safely(component, &[])?, &host, path)
    }

    /// A connection over HTTPS on which one of these protocols is spoken, trusting the authority of this person and nobody else.
    pub(crate) fn connect_safely(&self, component: &str, protocols: &[&[u8]]) -> Option<Safe> {
        self.safe_at(self.edge_port(component)?.0, component, protocols)
    }

    /// The same at a port that is known already.
    pub(crate) fn safe_at(&self, port: u16, component: &str, protocols: &[&[u8]]) -> Option<Safe> {
        let host = format!("{component}.{}.localhost", self.name);
        let pem = fs::read(self.root.path().join("home/data/towpath/authority/authority.pem")).ok()?;
        let mut roots = rustls::RootCertStore::empty();
        let certificate =
            <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(
                &pem,
            );
        roots.add(certificate.ok()?).ok()?;
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
        let name = rustls::pki_types::ServerName::try_from(host).ok()?;
        let connection = rustls::ClientConnection::new(Arc::new(config), name).ok()?;
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        Some(rustls::StreamOwned::new(connection, stream))
    }
}

/// A connection over HTTPS.
pub(crate) type Safe = rustls::StreamOwned<rustls::ClientConnection, TcpStream>;

pub(crate) fn ask(stream: impl Read + Write, host: &str, path: &str) -> Option<String> {
    let text = ask_whole(stream, host, path)?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

fn ask_whole(mut stream: impl Read + Write, host: &str, path: &str) -> Option<String> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
            length.is_some_and(|length| body.len() >= length)
        });
        if count == 0 || whole {
            break;
        }
    }
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

pub(crate) fn component(status: &Value, name: &str) -> Value {
    let all = status["components"].as_array();
    all.into_iter()
        .flatten()
        .find(|one| one["name"] == name)
        .cloned()
        .unwrap_or(Value::Null)
}

/// The processes of a component, as it is told.
pub(crate) fn pids(component: &Value) -> BTreeSet<u32> {
    let all = component["instances"].as_array();
    all.into_iter()
        .flatten()
        .filter_map(|one| u32::try_from(one["pid"].as_u64()?).ok())
        .collect()
}

/// Every process that has not ended and may be of a story. One that is older than we are is not, and is not looked at again
/// until its number may have been given to another: a machine where much is going on has tens of thousands of them.
fn processes() -> impl Iterator<Item = u32> {
    static STRANGERS: Mutex<Strangers> = Mutex::new(Strangers {
        last: 0,
        pids: BTreeSet::new(),
    });
    let mut strangers = STRANGERS.lock().unwrap_or_else(PoisonError::into_inner);
    strangers.forget_those_given_anew();
    let ours = Stat::of(std::process::id()).map_or(0, |stat| stat.began);
    let mut found = Vec::new();
    let all = fs::read_dir("/proc").expect("the system tells of its processes");
    let pids = all
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for pid in pids {
        if strangers.pids.contains(&pid) {
            continue;
        }
        match Stat::of(pid) {
            Some(stat) if stat.began < ours => {
                strangers.pids.insert(pid);
            }
            Some(stat) if !stat.is_over() => found.push(pid),
            _ => {}
        }
    }
    found.into_iter()
}

/// Processes that are not ours, and the number that was given last when they were looked at.
struct Strangers {
    last: u32,
    pids: BTreeSet<u32>,
}

impl Strangers {
    /// Numbers are given in turn, from the lowest again after the highest.
    fn forget_those_given_anew(&mut self) {
        let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let now = text
            .split_ascii_whitespace()
            .last()
            .and_then(|pid| pid.parse().ok());
        let (before, now) = (self.last, now.unwrap_or(0));
        self.last = now;
        self.pids.retain(|pid| match before <= now {
            true => *pid <= before || *pid > now,
            false => *pid <= before && *pid > now,
        });
    }
}

/// What the system tells of a process.
struct Stat {
    state: char,
    parent: u32,
    /// When it began, in ticks of the system's own clock.
    began: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Its name stands before that, and may hold anything.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        Some(Stat {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            began: fields.get(19)?.parse().ok()?,
        })
    }

    fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// Whether a process has ended, be it that nobody has taken note yet.
pub(crate) fn is_over(pid: u32) -> bool {
    Stat::of(pid).is_none_or(|stat| stat.is_over())
}

pub(crate) fn parent(pid: u32) -> Option<u32> {
    Some(Stat::of(pid)?.parent)
}

pub(crate) fn words(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.split(|byte| *byte == 0);
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn below(folder: &Path, word: &str, deep: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if entry.file_name().to_string_lossy().ends_with(word) {
            found.push(entry.path());
        } else if deep > 0 {
            below(&entry.path(), word, deep - 1, found);
        }
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let failed = thread::panicking();
        if failed {
            let status = self.run(&["status"]);
            eprintln!("{}{}{}", status.out, status.err, self.steward_log());
        }
        let ran = self.run(&["down", "--now"]);
        let began = Instant::now();
        while began.elapsed() < BOUND / 4 && !(self.left().is_empty() && self.groups().is_empty()) {
            thread::sleep(MOMENT);
        }
        let (left, groups) = (self.left(), self.groups());
        for pid in left.iter().filter_map(|one| one.split(' ').next()?.parse().ok()) {
            kill(pid, Signal::KILL);
        }
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        }
        if !failed {
            assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
            assert!(left.is_empty(), "processes are left: {left:#?}");
            assert!(groups.is_empty(), "groups are left: {groups:#?}");
        }
    }
}

/// A command that runs beside the story.
pub(crate) struct Attached {
    pub(crate) child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Attached {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.child.id(), signal);
    }

    pub(crate) fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    pub(crate) fn err(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }

    /// Waits until it has said something.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) {
        let began = Instant::now();
        while !self.err().contains(text) && !self.out().contains(text) {
            let over = self.child.try_wait().is_ok_and(|over| over.is_some());
            let said = self.err().contains(text) || self.out().contains(text);
            assert!(
                said || (!over && began.elapsed() < BOUND),
                "`{text}` was never said:\n{}{}",
                self.out(),
                self.err()
            );
            thread::sleep(MOMENT);
        }
    }

    /// Whether it says something before it ends.
    pub(crate) fn says_before_it_ends(&mut self, text: &str) -> bool {
        eventually("it says something or ends", || {
            let over = self.child.try_wait().is_ok_and(|over| over.is_some());
            let said = self.err().contains(text);
            (said || over).then_some(said)
        })
    }

    /// Waits until it ends.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ran {
        let began = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                break status.code();
            }
            if began.elapsed() > BOUND {
                self.signal(Signal::KILL);
                let _ = self.child.wait();
                panic!("it never ended:\n{}{}", self.out(), self.err());
            }
            thread::sleep(Duration::from_millis(3));
        };
        Ran {
            code,
            out: self.out(),
            err: self.err(),
        }
    }
}
