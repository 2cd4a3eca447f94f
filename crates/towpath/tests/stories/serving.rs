//! A machine that serves its products to whoever has a token, from another folder, while things die.

use crate::kit::{Attached, BOUND, Product, Ran, eventually, is_over, kill};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MANIFEST: &str = r#"
[service.web]
run    = "sh ./program web"
health = { path = "/healthz", interval = "100ms" }
"#;

/// A machine whose only product is this one, and a folder elsewhere with the same manifest.
pub(crate) struct Machine {
    serve: Attached,
    port: u16,
    pub(crate) product: Product,
    pub(crate) elsewhere: PathBuf,
}

impl Machine {
    pub(crate) fn new(name: &str) -> Self {
        let product = Product::new(name, MANIFEST);
        product.up();
        let elsewhere = home(&product).join("elsewhere");
        fs::create_dir(&elsewhere).expect("a folder can be made");
        fs::copy(
            product.folder.join("towpath.toml"),
            elsewhere.join("towpath.toml"),
        )
        .expect("it can be copied");
        let (serve, port) = serve(&product, "127.0.0.1:0");
        Machine {
            serve,
            port,
            product,
            elsewhere,
        }
    }

    /// Makes a token on the machine.
    fn token(&self, words: &[&str]) -> String {
        let home = home(&self.product);
        let home = home.to_str().expect("it is text");
        let all = [
            &["token", "create", "--home", home, "--product", &self.product.name],
            words,
        ]
        .concat();
        let ran = self.product.well(&all);
        assert!(ran.err.contains("it is shown this once"), "{}", ran.err);
        ran.out.trim().to_owned()
    }

    /// Nothing runs any more, and what lies elsewhere can be deployed.
    pub(crate) fn awaits_releases(&self) {
        self.product.well(&["down"]);
        let manifest = self.elsewhere.join("towpath.toml");
        let text = fs::read_to_string(&manifest).expect("it is there");
        fs::write(&manifest, text + "[rollout]\nbake = \"0s\"\n").expect("it can be written");
        let program = self.elsewhere.join("program");
        fs::copy(self.product.folder.join("program"), program).expect("it can be copied");
    }

    pub(crate) fn to(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command
            .args(words)
            .args(["--to", &self.to()])
            .current_dir(&self.elsewhere)
            .env_clear()
            .env("HOME", &self.elsewhere)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command elsewhere, with this token.
    fn run(&self, token: &str, words: &[&str]) -> Ran {
        ran(self.command(words).env("TOWPATH_TOKEN", token))
    }

    pub(crate) fn stop(self) {
        self.serve.signal(Signal::TERM);
        assert_eq!(self.serve.end().code, Some(0));
    }
}

/// The folder of all products of a story's machine.
pub(crate) fn home(product: &Product) -> PathBuf {
    product.folder.parent().expect("it lies in one").to_path_buf()
}

fn serve(product: &Product, listen: &str) -> (Attached, u16) {
    let home = home(product);
    let home = home.to_str().expect("it is text");
    let mut serve = product.begin_command(&["serve", "--home", home, "--listen", listen]);
    serve.says("with the key");
    let said = serve.err();
    let port = said
        .split("127.0.0.1:")
        .nth(1)
        .and_then(|rest| rest.split(',').next()?.parse().ok());
    (serve, port.expect("it says its port"))
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().expect("the binary runs");
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[track_caller]
pub(crate) fn refused(ran: &Ran, code: i32, text: &str) {
    assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(text), "`{text}` is not in: {}", ran.err);
    assert!(ran.err.contains("help"), "what to do next is said: {}", ran.err);
}

/// The lines of the log of changes.
pub(crate) fn changes(machine: &Machine) -> Vec<Value> {
    let text = fs::read_to_string(home(&machine.product).join("serve.log")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("it is an object"))
        .collect()
}

#[test]
fn a_token_allows_what_it_says_from_another_folder_and_nothing_else() {
    let machine = Machine::new("served");
    let token = machine.token(&["--env", "dev", "--may", "read,operate", "--name", "ci"]);

    let status = machine.run(&token, &["status", "--json"]);
    assert_eq!(status.code, Some(0), "{}", status.err);
    let status: Value = serde_json::from_str(&status.out).expect("it is an object");
    assert_eq!(status["components"][0]["state"], "ready", "{status:#}");
    let logs = machine.run(&token, &["logs", "web"]);
    assert_eq!(logs.code, Some(0), "{}", logs.err);
    let before = machine.product.pid("web");
    let restarted = machine.run(&token, &["restart", "web"]);
    assert_eq!(restarted.code, Some(0), "{}", restarted.err);
    assert!(machine.product.pid("web") != before, "it is another process");
    let explained = machine.run(&token, &["explain", "web"]);
    assert!(
        explained.out.contains("ready"),
        "{}{}",
        explained.out,
        explained.err
    );

    // What may not be done leaves everything as it is.
    let pid = machine.product.pid("web");
    let other = machine.token(&["--env", "prod", "--may", "admin"]);
    refused(&machine.run(&other, &["status"]), 2, "this token is for `prod`");
    let reads = machine.token(&["--may", "read"]);
    refused(
        &machine.run(&reads, &["restart", "web"]),
        2,
        "this token does not allow `operate`",
    );
    refused(
        &machine.run(&token, &["down"]),
        2,
        "this token does not allow `admin`",
    );
    let (id, rest) = token
        .split_once('.')
        .and_then(|(_, rest)| rest.split_once('.'))
        .expect("four parts");
    let pin = rest.split_once('.').expect("four parts").1;
    let wrong = format!("towpath1.{id}.{}.{pin}", "A".repeat(43));
    refused(
        &machine.run(&wrong, &["status"]),
        2,
        "this token is not known here",
    );
    let unknown = format!("towpath1.0000.{}.{pin}", "A".repeat(43));
    refused(
        &machine.run(&unknown, &["status"]),
        2,
        "this token is not known here",
    );
    let short = machine.token(&["--may", "read", "--expires", "1s"]);
    let expired = eventually("it expires", || {
        let ran = machine.run(&short, &["status"]);
        (ran.code != Some(0)).then_some(ran)
    });
    refused(&expired, 2, "this token has expired at");
    let other_key = format!("towpath1.{id}.{}.{}", "A".repeat(43), "A".repeat(43));
    let stranger = machine.run(&other_key, &["status"]);
    refused(&stranger, 3, "the token is for the one with AAAA");
    assert!(stranger.err.contains(pin), "both keys are said: {}", stranger.err);
    refused(
        &ran(&mut machine.command(&["status"])),
        2,
        "there is no token for",
    );
    refused(
        &machine.run("hunter2", &["status"]),
        2,
        "TOWPATH_TOKEN holds no token",
    );
    refused(
        &machine.run(&token, &["up"]),
        2,
        "this command is about this machine",
    );
    assert_eq!(machine.product.pid("web"), pid);

    // One that is kept is used, and holds no more once it is taken back.
    let mut keep = Command::new(env!("CARGO_BIN_EXE_towpath"));
    keep.args(["token", "use", &machine.to()])
        .env_clear()
        .env("HOME", &machine.elsewhere);
    let mut keep = keep
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    writeln!(keep.stdin.take().expect("it reads"), "{token}").expect("it is read");
    assert!(keep.wait().expect("it ends").success());
    let kept = ran(&mut machine.command(&["status"]));
    assert_eq!(kept.code, Some(0), "{}", kept.err);
    let machine_home = home(&machine.product);
    let machine_home = machine_home.to_str().expect("it is text");
    let listed = machine
        .product
        .well(&["token", "list", "--home", machine_home])
        .out;
    assert!(listed.contains(id) && listed.contains("read,operate"), "{listed}");
    machine
        .product
        .well(&["token", "revoke", id, "--home", machine_home]);
    refused(
        &ran(&mut machine.command(&["status"])),
        2,
        "this token is not known here",
    );

    // Every change is written down, with who it was; and no secret stands anywhere.
    let changes = changes(&machine);
    let told = |what: &str, status: u64| {
        changes
            .iter()
            .any(|line| line["what"] == what && line["status"] == status && line["product"] == "served")
    };
    assert!(told("POST /components/web/restart", 200), "{changes:#?}");
    assert!(
        told("POST /components/web/restart", 403) && told("POST /down", 403),
        "{changes:#?}"
    );
    assert!(
        changes
            .iter()
            .any(|line| line["who"] == format!("token {id} (ci)")
                && (line["ended"] == "answered" || line["ended"] == "left"))
    );
    assert!(changes.iter().all(|line| line["what"] != "GET /status"));
    let secret = rest.split('.').next().expect("a secret");
    for file in ["serve.log", "tokens.json"] {
        let text = fs::read_to_string(Path::new(machine_home).join(file)).expect("it is there");
        assert!(!text.contains(secret), "{file} holds a secret");
    }
    assert!(!machine.serve.err().contains(secret));
    machine.stop();
}

#[test]
fn what_runs_goes_on_when_the_server_or_a_steward_is_killed() {
    let mut machine = Machine::new("survivor");
    let token = machine.token(&["--env", "dev", "--may", "read"]);
    let (web, steward) = (
        machine.product.pid("web"),
        machine.product.steward().expect("it is there"),
    );
    let edge = machine.product.edge().expect("it is there");

    machine.serve.signal(Signal::KILL);
    let killed = machine.serve.child.wait().expect("it is ours");
    assert!(!killed.success());
    assert!(
        !is_over(web) && !is_over(steward) && !is_over(edge),
        "nothing of it was the server's"
    );
    refused(&machine.run(&token, &["status"]), 3, "cannot be reached");
    (machine.serve, machine.port) = serve(&machine.product, &machine.to());
    let status = machine.run(&token, &["status"]);
    assert_eq!(
        status.code,
        Some(0),
        "the same token, the same key: {}",
        status.err
    );

    kill(steward, Signal::KILL);
    let another = eventually("another steward comes", || {
        machine.product.steward().filter(|pid| *pid != steward)
    });
    machine.serve.says("has died; another one is started");
    let status = machine.run(&token, &["status"]);
    assert_eq!(status.code, Some(0), "{}", status.err);
    assert_eq!(
        machine.product.running("web").into_iter().collect::<Vec<_>>(),
        [web]
    );
    assert!(!is_over(edge));

    // It ends alone, too, when it is asked to; and two of them do not serve one folder.
    let home = home(&machine.product);
    let second = machine
        .product
        .run(&["serve", "--home", home.to_str().expect("it is text")]);
    refused(&second, 3, "another `towpath serve` looks after");
    let product = machine.product;
    machine.serve.signal(Signal::TERM);
    assert_eq!(machine.serve.end().code, Some(0));
    assert!(!is_over(another) && !is_over(web));
    product.up();
    assert_eq!(product.pid("web"), web, "it was taken over");
}

#[test]
fn an_environment_is_begun_by_whoever_may_change_it_and_by_nobody_who_only_looks() {
    let machine = Machine::new("begun");
    fs::write(
        machine.elsewhere.join("towpath.toml"),
        format!("product = \"later\"\n{MANIFEST}\n[environment.dev]\nsecrets = \"dotenv\"\n"),
    )
    .expect("it can be written");
    let home = home(&machine.product);
    let later = |may: &str| {
        let words = [
            "token",
            "create",
            "--product",
            "later",
            "--may",
            may,
            "--home",
            home.to_str().expect("text"),
        ];
        machine.product.well(&words).out.trim().to_owned()
    };
    let reads = machine.run(&later("read"), &["status"]);
    refused(&reads, 2, "there is nothing of `later` in `dev` on this machine");
    assert!(!home.join("later").exists());
    let operates = machine.run(&later("operate"), &["maintenance", "on"]);
    assert!(!operates.err.contains("there is nothing of"), "{}", operates.err);
    let socket = home.join("later/.towpath/dev/steward.sock");
    assert!(socket.exists(), "it has a steward of its own: {}", operates.err);
    // Whoever comes without TLS learns nothing, and keeps nobody from coming.
    let mut plain = TcpStream::connect(("127.0.0.1", machine.port)).expect("it listens");
    plain.set_read_timeout(Some(BOUND)).expect("it can be set");
    plain
        .write_all(b"GET /v1 HTTP/1.1\r\nhost: a\r\n\r\n")
        .expect("it is sent");
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"), "{said:?}");
    let admin = later("admin");
    let down = machine.run(&admin, &["down"]);
    assert_eq!(down.code, Some(0), "{}", down.err);
    eventually("its steward has gone", || (!socket.exists()).then_some(()));
    machine.stop();
}

#[test]
fn a_release_comes_from_another_folder_with_a_token_that_may_and_with_no_other() {
    let machine = Machine::new("deployed");
    machine.awaits_releases();

    let reads = machine.token(&["--env", "dev", "--may", "read"]);
    let other = machine.token(&["--env", "prod", "--may", "deploy"]);
    let token = machine.token(&["--env", "dev", "--may", "read,deploy"]);
    refused(
        &machine.run(&other, &["deploy", "dev"]),
        2,
        "this token is for `prod`",
    );
    let deployed = machine.run(&token, &["deploy", "dev"]);
    assert_eq!(deployed.code, Some(0), "{deployed:?}");
    assert!(deployed.out.contains("is current in dev"), "{deployed:?}");
    refused(
        &machine.run(&reads, &["deploy", "dev"]),
        2,
        "this token does not allow `deploy`",
    );
    let pid = machine.product.pid("web");
    // It runs from what was brought, and from nothing that lies in a folder of a person.
    let runs_in = fs::read_link(format!("/proc/{pid}/cwd")).expect("it runs");
    assert!(runs_in.starts_with(machine.product.state()), "{runs_in:?}");
    let again = machine.run(&token, &["deploy", "dev"]);
    assert!(again.out.contains("it is what runs already"), "{again:?}");
    assert_eq!(machine.product.pid("web"), pid);
    let none = machine.run(&token, &["rollback", "dev"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.err.contains("no earlier release"), "{none:?}");
    let reads_on = machine.run(&reads, &["releases", "dev"]);
    assert!(reads_on.out.contains("current"), "{reads_on:?}");
    let told = machine.run(&reads, &["explain", "dev", "1"]);
    assert!(told.out.contains("promoted after "), "{told:?}");

    machine.product.well(&["down"]);
    machine.stop();
}
