//! Unmodified boto3 against real servers: more than a hundred cases, a line each.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    clippy::disallowed_methods,
    reason = "this test starts Python, and servers in folders of their own"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use towpath_bucket::{Access, Clock, Rule, Settings, look, serve_by};
use towpath_model::sealed::Sealed;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn settings(name: &str, folder: &Path) -> Settings {
    let mut settings = Settings {
        folder: folder.join(name),
        name: format!("{name}-boats"),
        key: "towpath".to_owned(),
        secret: Sealed::new("a secret of its own".to_owned()),
        region: "us-east-1".to_owned(),
        versioning: name == "versioned" || name == "declared",
        public: name == "public",
        lifecycle: Vec::new(),
        encrypted: name == "sealed",
        encryption_key: (name == "sealed").then(|| Sealed::new([7; 32])),
        most: (name == "small").then_some(1_000_000),
    };
    if name == "declared" {
        let rule = |prefix: &str, old_versions| Rule {
            prefix: prefix.to_owned(),
            after: DAY,
            old_versions,
        };
        settings.lifecycle = vec![rule("tmp/", false), rule("kept/", true)];
    }
    settings
}

/// A server, its clock, and how to end it.
struct Server {
    port: u16,
    clock: u16,
    end: tokio::sync::oneshot::Sender<()>,
    serving: JoinHandle<()>,
    moving: JoinHandle<()>,
}

async fn start(name: &str, folder: &Path) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lines = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, line) = (
        listener.local_addr().unwrap().port(),
        lines.local_addr().unwrap().port(),
    );
    let (end, ended) = tokio::sync::oneshot::channel();
    let clock = Clock::default();
    let settings = settings(name, folder);
    let serving = serve_by(clock.clone(), listener, settings, async {
        let _ = ended.await;
    });
    Server {
        port,
        clock: line,
        end,
        serving: tokio::spawn(async { serving.await.unwrap() }),
        moving: tokio::spawn(move_clock(lines, clock)),
    }
}

/// Moves the clock by as many seconds as it is told.
async fn move_clock(lines: TcpListener, clock: Clock) {
    while let Ok((stream, _)) = lines.accept().await {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        BufReader::new(read).read_line(&mut line).await.unwrap();
        clock.forward(Duration::from_secs(line.trim().parse().unwrap()));
        write.write_all(b"done\n").await.unwrap();
    }
}

/// A Python that has boto3: of the folder that `./test` makes, or of this machine.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/boto/bin/python3");
    [made, PathBuf::from("python3")].into_iter().find(|python| {
        let asked = Command::new(python).args(["-c", "import boto3"]).output();
        asked.is_ok_and(|output| output.status.success())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto_finds_everything_as_in_s3() {
    let Some(python) = python() else {
        println!("left out: boto3 is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "plain",
        "sealed",
        "listed",
        "versioned",
        "aging",
        "declared",
        "public",
        "small",
    ];
    let mut servers = Vec::new();
    let mut told = String::from("{");
    for name in names {
        let server = start(name, folder.path()).await;
        let (port, clock) = (server.port, server.clock);
        let comma = if told.len() > 1 { "," } else { "" };
        write!(
            told,
            "{comma}\"{name}\":{{\"port\":{port},\"clock\":{clock},\"bucket\":\"{name}-boats\"}}"
        )
        .unwrap();
        servers.push((name, server));
    }
    told.push('}');
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boto/run.py");
    let run = move || {
        Command::new(python)
            .args(["-B".as_ref(), script.as_os_str(), told.as_ref()])
            .output()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    for (name, server) in servers {
        let address = ([127, 0, 0, 1], server.port).into();
        let access = Access {
            key: "towpath".to_owned(),
            secret: Sealed::new("a secret of its own".to_owned()),
            region: "us-east-1".to_owned(),
        };
        let facts = look(address, &access).await.unwrap();
        server.end.send(()).unwrap();
        server.serving.await.unwrap();
        server.moving.abort();
        // Nothing is left half written, and every file is one that the count knows.
        let kept = folder.path().join(name);
        assert_eq!(
            std::fs::read_dir(kept.join("making")).unwrap().count(),
            0,
            "{name}"
        );
        let sizes = content(&kept.join("content"));
        if name != "sealed" {
            assert_eq!(sizes, facts.bytes, "{name}");
        }
    }
}

fn content(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => content(&entry.path()),
            false => entry.metadata().unwrap().len(),
        })
        .sum()
}
