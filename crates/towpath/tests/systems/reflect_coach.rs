//! Reflect Coach: from a visitor's cookie to the bucket, and back over a WebSocket.
#![allow(clippy::print_stdout, reason = "a story says that it was left out")]

use crate::kit::{BOUND, Product, Ran, component, eventually, kill};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const HOST: &str = "edge.reflect-coach.localhost";

pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// The example in a folder of its own, with its programs built where they always are; nothing where no store can be had.
pub(crate) fn example() -> Option<Product> {
    for (program, place) in [("redis-server", "/usr/bin"), ("initdb", "/usr/lib/postgresql")] {
        let on_path = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).exists()));
        if !on_path && !Path::new(place).join(program).exists() && fs::read_dir(place).is_err() {
            println!("left out: {program} is not here");
            return None;
        }
    }
    let built = Command::new("cargo")
        .args(["build", "--locked", "--package", "reflect-coach"])
        .current_dir(examples())
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("cargo runs");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let product = Product::new("reflect-coach", "");
    let from = examples().join("reflect-coach");
    for folder in ["migrations", "seeds"] {
        fs::create_dir(product.folder.join(folder)).expect("a folder can be made");
        for file in fs::read_dir(from.join(folder)).expect("it is there").flatten() {
            let to = product.folder.join(folder).join(file.file_name());
            fs::copy(file.path(), to).expect("it can be copied");
        }
    }
    let manifest = fs::read_to_string(from.join("towpath.toml")).expect("it is there");
    // The programs have been built: here there is no home with a toolchain in it.
    let command = "cargo build --locked --package reflect-coach";
    assert!(manifest.contains(command));
    product.write("towpath.toml", &manifest.replace(command, "true"));
    let target = product.folder.join("../target");
    std::os::unix::fs::symlink(examples().join("target"), target).expect("a link can be made");
    Some(product)
}

/// An answer: its status, its head and its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.head, self.body))
    }
}

/// What a browser says of itself: the edge asks others to show that they keep cookies.
const BROWSER: &str =
    "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0\r\n";

/// Somebody who asks at a port, as a host, with a cookie.
pub(crate) struct Visitor {
    pub(crate) port: u16,
    pub(crate) host: &'static str,
    pub(crate) cookie: String,
}

impl Visitor {
    fn head(&self, line: &str, more: &str) -> String {
        let (cookie, host) = (&self.cookie, self.host);
        // A browser says so, and from which page it asks.
        let page = match more.contains("origin: ") {
            true => String::new(),
            false => format!("origin: http://{host}\r\n"),
        };
        format!("{line} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n{BROWSER}{page}{more}")
    }

    fn ask(&self, method: &str, path: &str, more: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("somebody listens");
        stream.set_read_timeout(Some(BOUND)).expect("it can be set");
        let length = body.len();
        let more = format!(
            "{more}connection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let request = self.head(&format!("{method} {path}"), &more);
        // Who refuses a large body need not have read all of it.
        let _ = stream.write_all(request.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = match head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            true => unchunked(body),
            false => body.to_owned(),
        };
        Answer {
            status: status.unwrap_or(0),
            head: head.to_owned(),
            body,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "", &body.to_string())
    }

    /// The same visitor, signed in.
    pub(crate) fn signed_in(self, email: &str) -> Visitor {
        let answer = self.post("/auth/login", &json!({ "email": email, "password": "harbour" }));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let line = answer
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("set-cookie: session="));
        let cookie = line
            .expect("a session is given")
            .split_once(": ")
            .expect("a header")
            .1;
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        Visitor { cookie, ..self }
    }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        whole += rest.get(..length).unwrap_or_default();
        body = rest.get(length + 2..).unwrap_or_default();
    }
    whole
}

/// A WebSocket that only listens.
struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Socket {
    fn open(visitor: &Visitor) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", visitor.port)).expect("somebody listens");
        stream.set_read_timeout(Some(BOUND)).expect("it can be set");
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let request = visitor.head("GET /ws", upgrade);
        stream.write_all(request.as_bytes()).expect("it takes our words");
        let mut socket = Socket {
            stream,
            read: Vec::new(),
        };
        let end = socket.until(|read| {
            read.windows(4)
                .position(|four| four == b"\r\n\r\n")
                .map(|at| at + 4)
        });
        let head: Vec<u8> = socket.read.drain(..end).collect();
        let head = String::from_utf8_lossy(&head);
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert_eq!(socket.next()["kind"], "hello");
        socket
    }

    fn until(&mut self, whole: impl Fn(&[u8]) -> Option<usize>) -> usize {
        let mut piece = [0; 4096];
        loop {
            if let Some(end) = whole(&self.read) {
                return end;
            }
            match self.stream.read(&mut piece) {
                Ok(0) => panic!("the socket was closed"),
                Ok(count) => self.read.extend_from_slice(&piece[..count]),
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) => panic!("nothing came: {why}"),
            }
        }
    }

    /// What is told next; a ping is passed over.
    fn next(&mut self) -> Value {
        loop {
            let (begin, end) = {
                let end = self.until(|read| frame(read).map(|(_, end)| end));
                (frame(&self.read).expect("it is whole").0, end)
            };
            let one: Vec<u8> = self.read.drain(..end).collect();
            if one[0] & 15 == 1 {
                return serde_json::from_slice(&one[begin..]).expect("it is JSON");
            }
            assert_eq!(one[0] & 15, 9, "neither a text nor a ping: {one:?}");
        }
    }

    /// Waits until it is told something of this kind that is so.
    fn hears(&mut self, kind: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let told = self.next();
            if told["kind"] == kind && is_so(&told["body"]) {
                return told["body"].clone();
            }
            assert!(began.elapsed() < BOUND, "it was never told of `{kind}`");
        }
    }
}

/// Where the words of a frame begin and end, once all of it is there.
fn frame(read: &[u8]) -> Option<(usize, usize)> {
    let (begin, length) = match read.get(1)? & 127 {
        126 => (4, usize::from(u16::from_be_bytes([*read.get(2)?, *read.get(3)?]))),
        short => (2, usize::from(short)),
    };
    (read.len() >= begin + length).then_some((begin, begin + length))
}

fn port_inside(status: &Value, name: &str) -> u16 {
    let inside = component(status, name)["inside"]
        .as_str()
        .expect("it has an address")
        .to_owned();
    inside
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port")
}

pub(crate) fn up(product: &Product) -> Ran {
    product.well(&["up", "--detach", "--yes"])
}

pub(crate) fn visitor(product: &Product) -> Visitor {
    let port = product.status()["steward"]["http"]
        .as_u64()
        .expect("it takes plain HTTP");
    let port = u16::try_from(port).expect("a port");
    Visitor {
        port,
        host: HOST,
        cookie: String::new(),
    }
}

/// Waits for what follows from something, and tells what was there instead.
fn sees(visitor: &Visitor, path: &str, is_so: impl Fn(&Answer) -> bool) -> Value {
    eventually(&format!("{path} is so"), || {
        Some(visitor.get(path)).filter(&is_so)
    })
    .json()
}

#[test]
fn a_visitor_signs_in_imports_and_is_told_what_the_coach_sees() {
    let Some(product) = example() else { return };
    up(&product);
    let stranger = visitor(&product);
    assert_eq!(stranger.get("/auth/me").status, 401);
    assert_eq!(stranger.get("/ws").status, 400, "no upgrade is asked for");
    let wrong = json!({ "email": "ana@example.com", "password": "wrong" });
    assert_eq!(stranger.post("/auth/login", &wrong).status, 401);
    let ben = visitor(&product).signed_in("ben@example.com");
    let ana = visitor(&product).signed_in("ana@example.com");
    assert_eq!(ana.get("/auth/me").json()["name"], "Ana");
    let from_elsewhere = ana.ask(
        "POST",
        "/api/digests",
        "origin: http://evil.example.com\r\n",
        "{}",
    );
    assert_eq!(from_elsewhere.status, 403);

    // Each hears their own; two tabs of one person, at whichever edge, hear the same.
    let (mut one, mut two, mut bens) = (Socket::open(&ana), Socket::open(&ana), Socket::open(&ben));
    let begun = ana.ask(
        "POST",
        "/api/imports",
        "idempotency-key: first\r\n",
        r#"{"source":"sample","lines":2000}"#,
    );
    assert_eq!(begun.status, 202, "{}", begun.body);
    let id = begun.json()["id"].as_str().expect("an id").to_owned();
    let again = ana.ask(
        "POST",
        "/api/imports",
        "idempotency-key: first\r\n",
        r#"{"source":"sample","lines":2000}"#,
    );
    assert_eq!(
        again.json()["id"],
        id.as_str(),
        "asked again, it is answered again"
    );
    for socket in [&mut one, &mut two] {
        let whole = socket.hears("import", |body| body["progress"] == "100%");
        assert_eq!(whole["id"], id.as_str());
        assert_eq!(socket.hears("reflect", |_| true)["by_coach"], true);
    }
    let path = format!("/api/imports/{id}");
    assert_eq!(ana.get(&path).json()["done"], 2000);
    assert_eq!(ben.get(&path).status, 404, "it is nobody else's");

    let entry = json!({ "text": "around the harbour", "kind": "walk", "minutes": 40 });
    assert_eq!(ben.post("/api/diary", &entry).status, 202);
    // All that ben has heard of is his own.
    assert_eq!(bens.next()["kind"], "reflect");
    assert_eq!(ben.get("/api/diary").json()[0]["text"], "around the harbour");
    sees(&ben, "/api/reflections", |answer| {
        answer.json()[0]["by_coach"] == true
    });

    let what = json!({ "kind": "swim", "minutes": 30, "times": 7 });
    let key = ana.post("/api/simulations", &what).json()["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    one.hears("simulation", |body| body["key"] == key.as_str());
    assert!(ana.get(&format!("/api/simulations/{key}")).json()["indicators"]["minutes"]["swim"].is_number());

    assert_eq!(ana.post("/api/digests", &json!({})).status, 202);
    let object = one.hears("digest", |_| true)["object"]
        .as_str()
        .expect("a name")
        .to_owned();
    assert_eq!(ana.get("/api/digests").json()[0]["object"], object.as_str());

    assert_eq!(ana.post("/auth/logout", &json!({})).status, 204);
    assert_eq!(
        ana.get("/auth/me").status,
        401,
        "the cookie opens nothing any more"
    );
}

#[test]
fn private_components_are_reached_by_nobody_outside_and_take_nobodys_word_inside() {
    let Some(product) = example() else { return };
    up(&product);
    let public = visitor(&product);
    for host in [
        "core.reflect-coach.localhost",
        "ai.reflect-coach.localhost",
        "workers.reflect-coach.localhost",
        "api.internal",
        "ai.internal",
    ] {
        let answer = Visitor {
            host,
            port: public.port,
            cookie: String::new(),
        }
        .get("/healthz");
        assert!(
            (400..500).contains(&answer.status),
            "{host}: {} {}",
            answer.head,
            answer.body
        );
    }
    let ana = visitor(&product).signed_in("ana@example.com");
    assert_eq!(
        ana.get("/api/events").status,
        404,
        "everybody's events are for edge"
    );
    assert_eq!(ana.get("/api/session").status, 404);

    let status = product.status();
    let inside = |name| Visitor {
        port: port_inside(&status, name),
        host: "localhost",
        cookie: String::new(),
    };
    assert_eq!(inside("core").get("/me").status, 401, "core wants a token");
    let coach = inside("ai");
    let fixture =
        fs::read_to_string(examples().join("reflect-coach/fixtures/history.json")).expect("it is there");
    assert_eq!(
        coach.ask("POST", "/indicators", "", &fixture).status,
        401,
        "the coach wants a signature"
    );
    let forged = format!("x-signature: sha256={}\r\n", "0".repeat(64));
    assert_eq!(coach.ask("POST", "/indicators", &forged, &fixture).status, 401);
    let large = "x".repeat(256 * 1024 + 1);
    assert_eq!(coach.ask("POST", "/indicators", &forged, &large).status, 413);
    product.until_state("ai", "ready");
}

#[test]
fn rows_outlive_a_stop_and_an_import_goes_on_where_its_worker_was_killed() {
    let Some(product) = example() else { return };
    up(&product);
    let ana = visitor(&product).signed_in("ana@example.com");
    let begun = ana
        .post("/api/imports", &json!({ "source": "sample", "lines": 100_000 }))
        .json();
    let path = format!("/api/imports/{}", begun["id"].as_str().expect("an id"));
    sees(&ana, &path, |answer| {
        answer.json()["done"].as_i64().is_some_and(|done| done > 0)
    });
    kill(product.pid("workers"), Signal::KILL);
    let whole = sees(&ana, &path, |answer| {
        answer.status == 200 && answer.json()["progress"] == "100%"
    });
    assert_eq!(whole["done"], 100_000);
    product.well(&["down"]);
    product.leaves_nothing();
    up(&product);
    let ana = Visitor {
        port: visitor(&product).port,
        ..ana
    };
    assert_eq!(
        ana.get(&path).json()["done"],
        100_000,
        "the session and the rows are still there"
    );
    product.well(&["down"]);
    product.leaves_nothing();
}
