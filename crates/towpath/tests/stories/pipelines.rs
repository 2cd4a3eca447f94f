//! A job of a pipeline deploys without a token: it shows who it is, and whoever else does is told why not.
#![allow(clippy::print_stdout, reason = "a test that is left out says why")]

use crate::serving::{Machine, changes, home, ran, refused};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What GitHub wants to see before it issues an identity.
const REQUEST: &str = "the-request-token";

/// The issuer, and what it says of jobs.
struct Issuer {
    child: Child,
    url: String,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    /// The repository of the next job.
    repository: Mutex<String>,
    /// How many identities there are: each has a number of its own, as GitHub's have.
    issued: AtomicU64,
}

impl Issuer {
    fn start() -> Option<Arc<Issuer>> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.join("../../target/oidc");
        if !folder.join("node_modules/oauth2-mock-server").exists() {
            println!("left out: oauth2-mock-server is not installed");
            return None;
        }
        let mut child = Command::new("node")
            .arg(here.join("../edge/tests/issuer/run.mjs"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is node");
        let said = child.stdout.take().expect("it says something");
        let mut talk = (child.stdin.take().expect("it hears"), BufReader::new(said));
        let url = line(&mut talk.1).as_str().expect("an address").to_owned();
        Some(Arc::new(Issuer {
            child,
            url,
            talk: Mutex::new(talk),
            repository: Mutex::new("acme/shop".to_owned()),
            issued: AtomicU64::new(0),
        }))
    }

    /// The identity of a job of a tag.
    fn identity(&self, audience: &str) -> String {
        let repository = self.repository.lock().expect("it is not held").clone();
        let claims = json!({
            "aud": audience,
            "sub": format!("repo:{repository}:ref:refs/tags/v1.2"),
            "repository": repository,
            "ref": "refs/tags/v1.2",
            "run_id": "77",
            "jti": format!("job-{}", self.issued.fetch_add(1, Ordering::Relaxed)),
        });
        let mut talk = self.talk.lock().expect("it is not held");
        writeln!(talk.0, "{}", json!({ "token": claims })).expect("it hears");
        line(&mut talk.1).as_str().expect("a token").to_owned()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(said: &mut impl BufRead) -> Value {
    let mut line = String::new();
    said.read_line(&mut line).expect("it says something");
    serde_json::from_str(&line).expect("it is JSON")
}

/// Where GitHub gives jobs their identity, before the issuer: its address.
fn requests(issuer: &Arc<Issuer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    let issuer = Arc::downgrade(issuer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // The story is over.
            let Some(issuer) = issuer.upgrade() else {
                return;
            };
            answer(&issuer, stream.expect("somebody asks"));
        }
    });
    format!("http://{at}/id?api-version=2.0")
}

fn answer(issuer: &Issuer, mut stream: TcpStream) {
    let mut head = vec![0; 8192];
    let read = stream.read(&mut head).expect("it asks");
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let audience = head
        .split("&audience=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .map(|word| word.replace("%3A", ":"));
    let may = head.contains(&format!("authorization: Bearer {REQUEST}\r\n"));
    let (status, text) = match audience.filter(|_| may && head.starts_with("GET /id?api-version=2.0&")) {
        Some(audience) => (
            "200 OK",
            json!({ "count": 1, "value": issuer.identity(&audience) }).to_string(),
        ),
        None => ("401 No", String::new()),
    };
    let length = text.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}");
    stream.write_all(answer.as_bytes()).expect("it listens");
}

#[test]
fn a_job_deploys_by_who_it_is_and_a_fork_is_told_which_claim_is_in_its_way() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let machine = Machine::new("pipeline");
    machine.awaits_releases();
    let folder = home(&machine.product);
    let folder = folder.to_str().expect("it is text");
    let trusting = [
        "token",
        "trust",
        "--home",
        folder,
        "--product",
        "pipeline",
        "--env",
        "dev",
        "--issuer",
        &issuer.url,
        "--claim",
        "repository=acme/shop",
        "--claim",
        "ref=refs/tags/v*",
    ];
    let trusted = machine.product.well(&trusting);
    let pin = trusted
        .err
        .split("TOWPATH_PIN=")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let pin = pin
        .unwrap_or_else(|| panic!("it says the key: {}", trusted.err))
        .to_owned();
    let url = requests(&issuer);
    let job = |words: &[&str]| {
        let mut command = machine.command(words);
        command.env("GITHUB_ACTIONS", "true").env("TOWPATH_PIN", &pin);
        command
    };
    let github = |words: &[&str]| {
        let mut command = job(words);
        command
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST);
        command
    };

    let deployed = ran(&mut github(&["deploy", "dev"]));
    assert_eq!(deployed.code, Some(0), "{deployed:?}");
    assert!(deployed.out.contains("is current in dev"), "{deployed:?}");
    let pid = machine.product.pid("web");
    refused(
        &ran(&mut github(&["down"])),
        2,
        "this token does not allow `admin`",
    );

    // Who it is not, and who has nothing to show.
    *issuer.repository.lock().expect("it is not held") = "evil/shop".to_owned();
    refused(
        &ran(&mut github(&["deploy", "dev"])),
        2,
        "its claim `repository` is `evil/shop`, and `acme/shop` is wanted",
    );
    *issuer.repository.lock().expect("it is not held") = "acme/shop".to_owned();
    refused(
        &ran(&mut job(&["status"])),
        2,
        "this job is given no identity by GitHub",
    );
    refused(
        &ran(github(&["status"]).env_remove("TOWPATH_PIN")),
        2,
        "TOWPATH_PIN is not set",
    );
    refused(
        &ran(github(&["status"]).env("TOWPATH_PIN", "A".repeat(43))),
        3,
        "TOWPATH_PIN says another one",
    );
    refused(
        &ran(github(&["status"]).env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "stale")),
        3,
        "GitHub has not issued an identity for this job: 127.0.0.1 has answered 401",
    );
    refused(
        &ran(github(&["status"]).env("TOWPATH_AUDIENCE", "somebody-else")),
        2,
        "its audience `aud` is `somebody-else`, and `towpath:",
    );

    // Another CI hands one over; it is good for one exchange, and what is given for it for all commands of the job.
    let identity = issuer.identity(&format!("towpath:{pin}"));
    let file = machine.elsewhere.join("identity");
    fs::write(&file, format!("{identity}\n")).expect("it can be written");
    let given = ran(job(&["token", "exchange", "dev"]).env("TOWPATH_ID_TOKEN_FILE", &file));
    assert_eq!(given.code, Some(0), "{}", given.err);
    let token = given.out.trim();
    let status = ran(job(&["status"]).env("TOWPATH_TOKEN", token));
    assert_eq!(status.code, Some(0), "{}", status.err);
    refused(
        &ran(job(&["status"]).env("TOWPATH_ID_TOKEN", &identity)),
        2,
        "each is good for one exchange",
    );
    assert_eq!(
        machine.product.pid("web"),
        pid,
        "what runs does not notice any of it"
    );

    let lines = changes(&machine);
    let of = |status: u64| {
        lines
            .iter()
            .filter(move |line| line["what"] == "POST /v1/exchange" && line["status"] == status)
    };
    assert_eq!(of(200).count(), 3, "{lines:#?}");
    assert!(
        of(200).all(|line| line["identity"]["claims"]["run_id"] == "77"),
        "{lines:#?}"
    );
    assert!(
        of(403).any(|line| line["identity"]["claims"]["repository"] == "evil/shop"),
        "{lines:#?}"
    );
    let deployed = lines.iter().any(|line| {
        line["what"] == "POST /deploy"
            && line["who"]
                .as_str()
                .is_some_and(|who| who.ends_with("(repo:acme/shop:ref:refs/tags/v1.2)"))
    });
    assert!(deployed, "{lines:#?}");
    for name in ["serve.log", "tokens.json"] {
        let text = fs::read_to_string(Path::new(folder).join(name)).expect("it is there");
        let secret = token.split('.').nth(2).expect("four parts");
        assert!(
            !text.contains(&identity) && !text.contains(secret),
            "{name} holds a secret"
        );
    }
    let listed = machine.product.well(&["token", "trusts", "--home", folder]).out;
    assert!(
        listed.contains("repository=acme/shop") && listed.contains("ref=refs/tags/v*"),
        "{listed}"
    );
    let id = trusted.out.trim();
    machine.product.well(&["token", "distrust", id, "--home", folder]);
    refused(
        &ran(job(&["status"]).env("TOWPATH_TOKEN", token)),
        2,
        "this token is not known here",
    );
    // Whoever waits for requests sees that it is over.
    drop(issuer);
    let _ = TcpStream::connect(
        url.trim_start_matches("http://")
            .split('/')
            .next()
            .expect("a place"),
    );
    machine.product.well(&["down"]);
    machine.stop();
}
