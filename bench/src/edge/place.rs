//! The place of the measurements: a folder and a group that are gone afterwards, certificates, and the processes in it.

use crate::group::Group;
use nix::sys::signal::{Signal, kill as signal};
use nix::unistd::Pid;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The most that anything here is waited for.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// Where everything happens.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) site: PathBuf,
    pub(crate) group: Group,
    pub(crate) load: Group,
    /// The part of a processor that a proxy has.
    pub(crate) quota: f64,
    pub(crate) rounds: usize,
    /// Threads of our edge.
    pub(crate) threads: usize,
    /// The certificate of the others: P-256, as ours is.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) root: PathBuf,
    sweeper: Child,
}

impl Place {
    pub(crate) fn prepare(quota: f64, rounds: usize, threads: usize) -> Result<Place, String> {
        let name = format!("towpath-bench-edge-{}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        let site = folder.join("site");
        fs::create_dir_all(&site).map_err(|why| format!("{}: {why}", site.display()))?;
        let group = Group::top(&name)?;
        let sweeper = sweeper(&folder, &group)?;
        let place = Place {
            load: group.part("load", None)?,
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            root: folder.join("root.pem"),
            site,
            folder,
            group,
            quota,
            rounds,
            threads,
            sweeper,
        };
        place.certify()?;
        for (name, size) in [("ten.bin", 10 * 1024), ("large.bin", 1 << 20)] {
            write(&place.site.join(name), &vec![b'x'; size])?;
        }
        Ok(place)
    }

    fn certify(&self) -> Result<(), String> {
        let failed = |why: rcgen::Error| format!("the certificate: {why}");
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root =
            CertifiedIssuer::self_signed(root, KeyPair::generate().map_err(failed)?).map_err(failed)?;
        let names = vec!["localhost".to_owned(), format!("*.{}", crate::serve::DOMAIN)];
        let key = KeyPair::generate().map_err(failed)?;
        let leaf = CertificateParams::new(names).map_err(failed)?;
        let leaf = leaf.signed_by(&key, &root).map_err(failed)?;
        write(&self.root, root.pem().as_bytes())?;
        write(&self.certificate, leaf.pem().as_bytes())?;
        write(&self.key, key.serialize_pem().as_bytes())?;
        // HAProxy wants both in one.
        let both = format!("{}{}", leaf.pem(), key.serialize_pem());
        write(&self.folder.join("both.pem"), both.as_bytes())
    }

    /// What all of it ran on.
    pub(crate) fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        format!(
            "{cores} cores, Linux {}; each proxy within {} of a core, {} rounds, order reversed each round.",
            kernel.trim(),
            self.quota,
            self.rounds
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.group.end();
        let _ = fs::remove_dir_all(&self.folder);
        if let Some(mut pipe) = self.sweeper.stdin.take() {
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.sweeper.wait();
    }
}

/// A process that waits for ours to end, however it ends, and takes away what it has left.
fn sweeper(folder: &Path, group: &Group) -> Result<Child, String> {
    let failed = |why: std::io::Error| format!("the sweeper cannot be started: {why}");
    // In a group of its own, so that Ctrl-C reaches us and not it.
    let mut child = Command::new(ourselves()?)
        .arg("--sweep")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let line = format!("{} {}\n", folder.display(), group.written());
    if let Some(pipe) = child.stdin.as_mut() {
        pipe.write_all(line.as_bytes()).map_err(failed)?;
    }
    Ok(child)
}

/// What the sweeper does: it waits for the end of its pipe.
pub(crate) fn wait_and_sweep() -> ExitCode {
    let mut left = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        if line == "done" {
            return ExitCode::SUCCESS;
        }
        left = Some(line);
    }
    let left = left.unwrap_or_default();
    if let [folder, limits, counts] = left.split(' ').collect::<Vec<_>>()[..] {
        Group::left(limits, counts).end();
        let _ = fs::remove_dir_all(folder);
    }
    ExitCode::SUCCESS
}

pub(crate) fn ourselves() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|why| why.to_string())
}

pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(file, bytes).map_err(|why| format!("{}: {why}", file.display()))
}

pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

pub(crate) fn kill(pid: i32) {
    let _ = signal(Pid::from_raw(pid), Signal::SIGKILL);
}

/// Asks again and again, with small pauses, until it is so.
pub(crate) fn wait_for(what: &str, mut so: impl FnMut() -> bool) -> Result<(), String> {
    let begin = Instant::now();
    while !so() {
        if begin.elapsed() > BOUND {
            return Err(format!("{what} did not happen within {BOUND:?}"));
        }
        pause(Duration::from_millis(2));
    }
    Ok(())
}

/// So many ports that nobody listens on.
pub(crate) fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT], String> {
    // All are held until the last is found, so that none is found twice.
    let mut held = Vec::new();
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|why| format!("no free port: {why}"))?;
        *port = listener.local_addr().map_err(|why| why.to_string())?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// A process in a group, until this goes out of use.
pub(crate) struct Process {
    child: Child,
    group: Group,
    talk: Option<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Process {
    /// Starts a program in a group. It dies with us.
    pub(crate) fn start(
        group: &Group,
        command: &[String],
        settings: &[(&str, String)],
    ) -> Result<Process, String> {
        Process::begin(group, command, settings, false)
    }

    /// The same with one of ours, which is talked to.
    pub(crate) fn ours(group: &Group, words: &[String]) -> Result<Process, String> {
        let mut command = vec![ourselves()?.display().to_string()];
        command.extend_from_slice(words);
        Process::begin(group, &command, &[], true)
    }

    fn begin(
        group: &Group,
        command: &[String],
        settings: &[(&str, String)],
        talks: bool,
    ) -> Result<Process, String> {
        let talk = || if talks { Stdio::piped() } else { Stdio::null() };
        let said = if std::env::var_os("BENCH_EDGE_LOUD").is_some() || talks {
            Stdio::inherit()
        } else {
            Stdio::null()
        };
        let mut child = launched(group)?
            .args(command)
            .envs(settings.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(talk())
            .stdout(talk())
            .stderr(said)
            .process_group(0)
            .spawn()
            .map_err(|why| format!("{}: {why}", command[0]))?;
        let talk = child.stdin.take().zip(child.stdout.take());
        Ok(Process {
            talk: talk.map(|(stdin, stdout)| (stdin, BufReader::new(stdout))),
            child,
            group: group.clone(),
        })
    }

    /// What it says next.
    pub(crate) fn hear(&mut self) -> Result<String, String> {
        let (_, heard) = self.talk.as_mut().ok_or("nobody talks")?;
        let mut line = String::new();
        match heard.read_line(&mut line) {
            Ok(count) if count > 0 => Ok(line.trim_end().to_owned()),
            _ => Err("our own process has ended".to_owned()),
        }
    }

    /// Tells it something, and has its answer.
    pub(crate) fn ask(&mut self, words: &str) -> Result<String, String> {
        let (say, _) = self.talk.as_mut().ok_or("nobody talks")?;
        say.write_all(format!("{words}\n").as_bytes())
            .map_err(|why| format!("our own process cannot be told anything: {why}"))?;
        self.hear()
    }

    /// Tells it that nothing comes any more, and waits until it has ended by itself.
    pub(crate) fn leave(mut self) -> Result<(), String> {
        self.talk = None;
        wait_for("the end of our own process", || {
            matches!(self.child.try_wait(), Ok(Some(_)))
        })
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            kill(self.pid());
            let _ = self.child.wait();
        }
        self.group.end();
    }
}

/// A command that becomes another one in a group.
pub(crate) fn launched(group: &Group) -> Result<Command, String> {
    let folders: Vec<String> = group
        .folders()
        .iter()
        .map(|at| at.display().to_string())
        .collect();
    let mut command = Command::new(ourselves()?);
    command.arg("--launch").arg(folders.join(","));
    Ok(command)
}

/// Becomes another program, within groups, and as one that dies with whoever has started it.
pub(crate) fn launch(words: &[String]) -> Result<(), String> {
    let [folders, program, rest @ ..] = words else {
        return Err("nothing to launch".to_owned());
    };
    for folder in folders.split(',') {
        write(&Path::new(folder).join("cgroup.procs"), b"0")?;
    }
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|why| why.to_string())?;
    let why = Command::new(program).args(rest).exec();
    Err(format!("{program}: {why}"))
}

/// Takes as many descriptors as may be had: connections are counted in thousands here.
pub(crate) fn many_descriptors() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = rustix::process::Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, most);
}

/// Waits until somebody listens.
pub(crate) fn wait_for_port(port: u16) -> Result<(), String> {
    wait_for(&format!("an answer on port {port}"), || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
}
