//! What tests ask: a real server of a kind, and an HTTP server that answers as it is told.
#![allow(dead_code, reason = "each file of tests uses a part of it")]
#![allow(clippy::print_stdout, reason = "what is left out is told")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use towpath_measure::{Host, Sources, Store};
use towpath_model::Sealed;
use towpath_model::desired::metric::Metric;
use towpath_resource::Answer;

pub(crate) const PASSWORD: &str = "swordfish";
/// Nothing here takes this long, unless it never happens.
const BOUND: Duration = Duration::from_secs(60);

/// A metric as it is kept in a release.
pub(crate) fn metric(value: &serde_json::Value) -> Metric {
    serde_json::from_value(value.clone()).unwrap()
}

/// Reads it of a moment.
pub(crate) async fn read(
    value: &serde_json::Value,
    sources: &Sources,
) -> Result<towpath_model::run::Reading, String> {
    towpath_measure::read(&metric(value), sources, None).await
}

/// A server of a kind, gone when dropped.
pub(crate) struct Server {
    child: Child,
    is_redis: bool,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts one and waits until it takes requests; nothing where there is none on this machine.
    pub(crate) fn start(kind: &str, settings: &[(&str, &str)]) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(env!("CARGO_BIN_EXE_towpath-measure-stand"))
            .arg(kind)
            .env("FOLDER", folder.path().join("store"))
            .env("PORT", port.to_string())
            .env("PASSWORD", PASSWORD)
            .envs(settings.iter().copied())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Server {
            child,
            is_redis: kind == "redis",
            port,
            folder,
        };
        let begun = Instant::now();
        while server.ask() != Some(Answer::Ready) {
            if let Some(status) = server.child.try_wait().unwrap() {
                let mut said = String::new();
                server
                    .child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut said)
                    .unwrap();
                assert!(said.contains("there is no"), "{status}: {said}");
                println!("left out: {}", said.trim());
                return None;
            }
            assert!(begun.elapsed() < BOUND, "no server comes");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    fn ask(&self) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let password = Sealed::new(PASSWORD.to_owned());
        let question = match self.is_redis {
            true => towpath_resource::redis::ask(&password).open().clone(),
            false => towpath_resource::postgres::ask("keeper", "shop"),
        };
        stream.write_all(&question).ok()?;
        let mut answer = Vec::new();
        loop {
            let mut more = [0; 512];
            let read = stream.read(&mut more).ok()?;
            answer.extend_from_slice(&more[..read]);
            let judged = match self.is_redis {
                true => towpath_resource::redis::judge(&answer),
                false => towpath_resource::postgres::judge(&answer),
            };
            if judged != Answer::Unfinished || read == 0 {
                return Some(judged);
            }
        }
    }

    /// It, as a resource.
    pub(crate) fn store(&self) -> Store {
        let port = self.port;
        let address = match self.is_redis {
            true => format!("redis://:{PASSWORD}@127.0.0.1:{port}/0"),
            false => format!("postgres://keeper:{PASSWORD}@127.0.0.1:{port}/shop"),
        };
        Store {
            address: Sealed::new(address),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::KILL,
        );
        let _ = self.child.wait();
        // The lock of its folder is free when the last process of it is gone.
        let begun = Instant::now();
        if let Ok(lock) = std::fs::File::open(self.folder.path().join("store/lock")) {
            while rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err()
                && begun.elapsed() < BOUND
            {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// An HTTP server that gives one answer to everybody, and keeps what it was asked.
pub(crate) struct Web {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// Answers with all of this, head and body.
    pub(crate) fn raw(answer: impl Into<Vec<u8>>) -> Web {
        let (listener, answer) = (TcpListener::bind("127.0.0.1:0").unwrap(), answer.into());
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&asked);
        // It ends with the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut head = Vec::new();
                let mut more = [0; 1024];
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut more) {
                        Ok(read) if read > 0 => head.extend_from_slice(&more[..read]),
                        _ => break,
                    }
                }
                kept.lock().unwrap().push(String::from_utf8(head).unwrap());
                let _ = stream.write_all(&answer);
            }
        });
        Web { port, asked }
    }

    /// Answers with a status and a body.
    pub(crate) fn saying(status: &str, body: &str) -> Web {
        let length = body.len();
        Web::raw(format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked last.
    pub(crate) fn asked(&self) -> String {
        self.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// Sources with one host, `mon`, at an address.
pub(crate) fn host(url: String, secret: Option<&str>) -> Sources {
    let host = Host {
        url,
        secret: secret.map(str::to_owned),
    };
    Sources {
        hosts: [("mon".to_owned(), host)].into(),
        secrets: [("KEY".to_owned(), Sealed::new("hunter2".to_owned()))].into(),
        bound: towpath_model::unit::Duration::from_secs(20),
        ..Sources::default()
    }
}
