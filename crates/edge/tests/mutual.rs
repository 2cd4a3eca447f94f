//! Components that show each other who they are, with clients that are not ours: curl, by files on the disk.
#![allow(clippy::print_stdout, reason = "a story that is left out says why")]
#![allow(clippy::disallowed_methods, reason = "the clients are processes of their own")]

mod kit;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kit::{BOUND, Instance, Running, target};
use towpath_edge::{credential, keep_credentials};
use towpath_model::run::{Credential, Front, Mutual};
use towpath_model::unit::{Name, Unit};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What curl says: its exit code, what came, and the status.
#[derive(Debug)]
struct Said {
    well: bool,
    text: String,
    errors: String,
}

/// Asks as a program would, without holding up the edge.
async fn curl(words: Vec<String>) -> Said {
    let run = move || {
        Command::new("curl")
            .args(["-sS", "--max-time", "20", "-w", "\n%{http_code}"])
            .args(words)
            .output()
    };
    let output = tokio::task::spawn_blocking(run).await.expect("it ends");
    let output = output.expect("it runs");
    Said {
        well: output.status.success(),
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn has_curl() -> bool {
    let is_there = Command::new("curl").arg("--version").output().is_ok();
    if !is_there {
        println!("left out: curl is not installed");
    }
    is_there
}

struct Called {
    running: Running,
    core: Instance,
    port: u16,
    folder: PathBuf,
}

impl Called {
    async fn start(is_raw: bool) -> Called {
        let running = kit::edge().await;
        let folder = running.folder.path().join("certificates");
        running.edge.face(Front::default(), folder.clone()).await;
        keep(&folder, &["web", "jobs"], HOUR);
        let core = Instance::start("core.1");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("there is a port")
            .port();
        let mut called = target("core", &[("core.1", core.at)], BOUND);
        called.hosts.clear();
        called.inside = Some(port);
        called.raw = is_raw;
        called.mutual = Some(Mutual {
            callers: [Name::parse("web").expect("a name")].into(),
        });
        running.set(called).await;
        Called {
            running,
            core,
            port,
            folder,
        }
    }

    /// Calls it with what a component shows.
    async fn call(&self, shown: Option<&Path>, further: &[&str]) -> Said {
        let authority = credential(&self.folder, "", Credential::Authority);
        let mut words = vec!["--cacert".to_owned(), authority.display().to_string()];
        if let Some(shown) = shown {
            words.extend(["--cert".to_owned(), shown.display().to_string()]);
        }
        words.extend(further.iter().map(|word| (*word).to_owned()));
        words.push(format!("https://127.0.0.1:{}/headers", self.port));
        curl(words).await
    }

    fn of(&self, component: &str) -> PathBuf {
        credential(&self.folder, component, Credential::Certificate)
    }
}

fn keep(folder: &Path, components: &[&str], lasts: Duration) {
    let components: Vec<String> = components.iter().map(|one| (*one).to_owned()).collect();
    keep_credentials(folder, "hello", &components, lasts).expect("it can be written");
}

#[tokio::test]
async fn whoever_is_used_by_a_component_is_called_by_it_and_by_nobody_else() {
    if !has_curl() {
        return;
    }
    let called = Called::start(false).await;
    for further in [
        &["--http1.1", "-H", "X-Towpath-Caller: somebody"][..],
        &["--http2"],
        &["--tls-max", "1.2"],
    ] {
        let said = called.call(Some(&called.of("web")), further).await;
        assert!(said.well && said.text.ends_with("\n200"), "{further:?}: {said:?}");
        let callers: Vec<&str> = said
            .text
            .lines()
            .filter(|line| line.starts_with("x-towpath-caller"))
            .collect();
        assert_eq!(callers, ["x-towpath-caller: web"], "{said:?}");
    }
    let said = called
        .call(Some(&called.of("jobs")), &["-H", "Accept: text/plain"])
        .await;
    assert!(said.text.ends_with("\n403"), "{said:?}");
    assert!(
        said.text.contains("`jobs` does not name it in `uses`"),
        "{said:?}"
    );
    let said = called.call(None, &[]).await;
    assert!(!said.well && said.text.ends_with("\n000"), "{said:?}");
    assert!(!said.errors.is_empty(), "{said:?}");
    let plain = curl(vec![format!("http://127.0.0.1:{}/", called.port)]).await;
    assert!(
        plain.text.ends_with("\n400") && plain.text.contains("plain HTTP"),
        "{plain:?}"
    );
    assert_eq!(called.core.got(), 3, "nobody else has come through");
    drop(called.running);
}

#[tokio::test]
async fn a_certificate_that_has_ended_or_that_a_stranger_has_signed_is_refused() {
    if !has_curl() {
        return;
    }
    let called = Called::start(false).await;
    let strange = called.running.folder.path().join("strange");
    keep(&strange, &["web"], HOUR);
    let shown = credential(&strange, "web", Credential::Certificate);
    let said = called.call(Some(&shown), &[]).await;
    assert!(!said.well, "{said:?}");
    // One that lasts longer than is wanted is replaced, and this one ends in a moment.
    let before = std::fs::read_to_string(called.of("web")).expect("it is there");
    keep(&called.folder, &["web"], Duration::from_secs(1));
    assert_ne!(
        std::fs::read_to_string(called.of("web")).expect("it is there"),
        before
    );
    let until = Instant::now() + BOUND;
    loop {
        let said = called.call(Some(&called.of("web")), &[]).await;
        if !said.well {
            assert!(said.text.ends_with("\n000"), "{said:?}");
            break;
        }
        assert!(Instant::now() < until, "it ends: {said:?}");
    }
    keep(&called.folder, &["web"], HOUR);
    let said = called.call(Some(&called.of("web")), &[]).await;
    assert!(said.well && said.text.ends_with("\n200"), "{said:?}");
}

#[tokio::test]
async fn what_speaks_no_http_is_called_by_those_who_use_it_too() {
    if !has_curl() {
        return;
    }
    let called = Called::start(true).await;
    let said = called.call(Some(&called.of("web")), &["--http1.1"]).await;
    assert!(said.well && said.text.ends_with("\n200"), "{said:?}");
    let said = called.call(Some(&called.of("jobs")), &["--http1.1"]).await;
    assert!(!said.well, "{said:?}");
    let plain = curl(vec![format!("http://127.0.0.1:{}/", called.port)]).await;
    assert!(!plain.well, "{plain:?}");
    assert_eq!(called.core.got(), 1);
}
