//! What goes on when whoever looked after it has gone, and what is handed to another program: connections, rates, sign-ins.

use crate::kit::{Product, Safe, eventually, kill, pass};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Nothing here takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A WebSocket that says back what it was told, and a page.
pub(crate) const TALK: &str = r#"
import base64, hashlib, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        key = self.headers.get("Sec-WebSocket-Key")
        if key is None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")
            return
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        self.close_connection = True
        while True:
            head = self.rfile.read(6)
            if len(head) < 6:
                return
            said = bytes(byte ^ head[2 + at % 4] for at, byte in enumerate(self.rfile.read(head[1] & 127)))
            self.wfile.write(bytes([head[0], len(said)]) + said)
            if head[0] == 0x88:
                return

    def log_message(self, *said):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Talk).serve_forever()
"#;

pub(crate) const TALKS: &str = r#"
[service.web]
run    = "python3 talk.py"
public = true
speaks = ["websocket"]
health = { path = "/", interval = "100ms" }
stop   = { drain = "2s" }
"#;

/// What a WebSocket hears that has to go because what is behind it is replaced: 1012.
pub(crate) const GOES: [u8; 4] = [0x88, 2, 0x03, 0xF4];

pub(crate) struct Talk(TcpStream);

impl Talk {
    pub(crate) fn begin(product: &Product, port: u16) -> Talk {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it is listened on");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is a connection");
        let asked = format!(
            "GET /talk HTTP/1.1\r\nhost: web.{}.localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            product.name
        );
        stream.write_all(asked.as_bytes()).expect("it is sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("it is answered");
            answer.extend(byte);
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        Talk(stream)
    }

    #[track_caller]
    pub(crate) fn says_back(&mut self) {
        // With a mask of zeros what is said is itself.
        let said = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
        self.0.write_all(&said).expect("it is open");
        let mut heard = [0; 4];
        self.0.read_exact(&mut heard).expect("it is open");
        assert_eq!(heard, [0x81, 2, b'h', b'i']);
    }

    /// What it hears until it is closed.
    pub(crate) fn last_words(mut self) -> Vec<u8> {
        let mut heard = Vec::new();
        self.0.read_to_end(&mut heard).expect("it is closed in order");
        heard
    }
}

/// A connection over HTTP/2, as far as it is needed here.
struct Two {
    stream: Safe,
    last: u32,
}

const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOES_AWAY: u8 = 7;

impl Two {
    fn begin(product: &Product) -> Two {
        let mut stream = product
            .connect_safely("web", &[b"h2"])
            .expect("it is listened on");
        stream
            .sock
            .set_read_timeout(Some(PATIENCE))
            .expect("it is a connection");
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .expect("it is sent");
        let mut two = Two { stream, last: 0 };
        two.write(SETTINGS, 0, 0, b"");
        two
    }

    fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        self.stream.write_all(&frame).expect("it is sent");
    }

    /// The next frame: its kind, and what is in it. Nothing where the connection has ended.
    fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).ok()?;
        let [high, middle, low, kind, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        self.stream.read_exact(&mut payload).ok()?;
        match (kind, flags & 1) {
            (SETTINGS, 0) => self.write(SETTINGS, 1, 0, b""),
            (PING, 0) => self.write(PING, 1, 0, &payload),
            _ => {}
        }
        Some((kind, payload))
    }

    #[track_caller]
    fn says_hello(&mut self, product: &Product) {
        self.last = self.last.max(1) + u32::from(self.last > 0) * 2;
        let host = format!("web.{}.localhost", product.name);
        let length = u8::try_from(host.len()).expect("it is short");
        // GET, https and / from the table that everybody has, and the authority.
        let head = [&[0x82, 0x87, 0x84, 0x01, length], host.as_bytes()].concat();
        self.write(1, 5, self.last, &head);
        loop {
            let (kind, payload) = self.read().expect("it is answered");
            if kind == 0 && payload == b"hello" {
                return;
            }
        }
    }
}

#[test]
fn visitors_of_http_2_and_of_websockets_go_on_to_another_program() {
    let product = Product::new("handover", TALKS);
    product.write("talk.py", TALK);
    product.up();
    let port = product.plain_port("web");
    let old = product.edge().expect("there is one");
    let mut talks: Vec<Talk> = (0..8).map(|_| Talk::begin(&product, port)).collect();
    talks.iter_mut().for_each(Talk::says_back);
    let mut two = Two::begin(&product);
    two.says_hello(&product);
    two.says_hello(&product);
    assert!(product.kill_steward(), "there was one");
    talks.iter_mut().for_each(Talk::says_back);
    product.up_with(&product.another_program(1));
    let new = product.edge().expect("there is one");
    assert_ne!(new, old);
    // Whoever speaks HTTP/2 is told to bring what comes next elsewhere, and nothing of it is cut off.
    let mut kinds = Vec::new();
    while let Some((kind, _)) = two.read() {
        kinds.push(kind);
    }
    assert!(kinds.contains(&GOES_AWAY), "{kinds:?}");
    Two::begin(&product).says_hello(&product);
    let mut after = Talk::begin(&product, port);
    // Each WebSocket is told to come again, and then it does.
    for talk in talks {
        let words = talk.last_words();
        assert!(words.ends_with(&GOES), "{words:?}");
        Talk::begin(&product, port).says_back();
    }
    after.says_back();
    eventually("the one before has ended", || {
        (product.status()["edge"]["leaving"] == 0).then_some(())
    });
    assert_eq!(product.edge(), Some(new));
    product.well(&["down"]);
    product.leaves_nothing();
}

const SET: &str = r#"
[service.web]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }

[[service.web.route]]
path  = "/few"
limit = "3/hour per ip"

[[service.web.route]]
path   = "/private"
access = { sign_in = "password", secret = "SITE_PASSWORD", lasts = "1h" }

[secret.SITE_PASSWORD]
"#;

#[test]
fn what_was_set_holds_while_nobody_looks_after_it() {
    let product = Product::new("alonestory", SET);
    product.write(".env", "SITE_PASSWORD=open\n");
    product.up();
    let (https, http) = eventually("it has ports", || product.edge_port("web"));
    let asks = |what: &str, headers: &[&str]| product.say_at(http, "web", what, headers);
    // ana:open
    let basic = "authorization: Basic YW5hOm9wZW4=";
    let (status, answer) = asks("GET /private", &[basic]);
    assert_eq!(status, 200, "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie
        .and_then(|cookie| cookie.split(';').next())
        .expect("it is known from here on");
    let cookie = format!("cookie: {cookie}");
    assert_eq!(asks("GET /few", &[]).0, 200);
    let edge = product.edge();
    assert!(product.kill_steward(), "there was one");
    eventually("it has gone", || product.steward().is_none().then_some(()));
    let holds = |few: &[u16]| {
        assert_eq!(asks("GET /", &[]).0, 200);
        for expected in few {
            assert_eq!(asks("GET /few", &[]).0, *expected);
        }
        assert_eq!(asks("GET /private", &[]).0, 401);
        assert_eq!(asks("GET /private", &[&cookie]).0, 200);
        assert_eq!(asks("GET /private", &[basic]).0, 200);
    };
    // Its rate is counted on from what was there before.
    holds(&[200, 200, 429]);
    // Its certificate is shown, and a manifest that nobody has read changes nothing.
    product.manifest(&SET.replace("3/hour", "1000/s"));
    holds(&[429]);
    let safe = product.safe_at(https, "web", &[]).expect("it is trusted");
    assert_eq!(
        crate::kit::ask(safe, "web.alonestory.localhost", "/").as_deref(),
        Some("hello")
    );
    // An instance that dies is started again by its keeper, and who asks meanwhile waits.
    let web = product.running("web").into_iter().next().expect("it runs");
    kill(web, Signal::KILL);
    holds(&[429]);
    product.manifest(SET);
    product.up();
    holds(&[429]);
    assert_eq!(product.edge(), edge, "it has served all the time");
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_wish_is_granted_or_not_whenever_the_steward_dies_over_it() {
    let product = Product::new("wishstory", SET);
    product.write(".env", "SITE_PASSWORD=open\n");
    product.up();
    for (round, millis) in [0, 5, 15, 40, 100].into_iter().enumerate() {
        let word = if round % 2 == 0 { "on" } else { "off" };
        let wish = product.begin_command(&["maintenance", word]);
        pass(Duration::from_millis(millis));
        product.kill_steward();
        let granted = wish.end().code == Some(0);
        product.up();
        let closed = product.say("web", "GET /", &[]).0 == 503;
        let told = product.status()["notes"].to_string().contains("maintenance");
        assert_eq!(closed, told, "{millis}: what is done is what is told");
        assert!(
            !granted || closed == (word == "on"),
            "{millis}: what was granted holds"
        );
    }
    product.well(&["down"]);
    product.leaves_nothing();
}

/// Counts how often it is asked, and says who may keep what it answers.
const COUNTS: &str = r#"
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Counts(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self):
        said = b"well"
        if self.path != "/healthz":
            Counts.asked += 1
            said = str(Counts.asked).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        if self.path != "/mute":
            self.send_header("Cache-Control", "private" if self.path == "/mine" else "max-age=3600")
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET

    def log_message(self, *said):
        pass

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Counts).serve_forever()
"#;

const KEEPS: &str = r#"
[service.web]
run    = "python3 counts.py"
public = true
health = { path = "/healthz", interval = "100ms" }
cache  = { edge = "1h" }
"#;

#[test]
fn what_the_manifest_lets_the_edge_keep_is_kept_and_nothing_else() {
    let product = Product::new("keepstory", KEEPS);
    product.write("counts.py", COUNTS);
    product.up();
    let ask = |what: &str| {
        let (status, answer) = product.say("web", what, &[]);
        assert_eq!(status, 200, "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
        (body.to_owned(), head.contains("\r\nage: "))
    };
    let kept = |number: &str| (number.to_owned(), true);
    let fresh = |number: &str| (number.to_owned(), false);
    assert_eq!(ask("GET /all").0, "1");
    assert_eq!(ask("GET /all"), kept("1"));
    assert_eq!(
        (ask("GET /mine"), ask("GET /mine")),
        (fresh("2"), fresh("3")),
        "it is somebody's"
    );
    assert_eq!(
        (ask("GET /mute"), ask("GET /mute")),
        (fresh("4"), fresh("5")),
        "nobody says that it may"
    );
    assert_eq!(ask("GET /all?other").0, "6", "it is another one");
    // Whoever changes it asks its origin, and so does everybody behind.
    assert_eq!(ask("POST /all").0, "7");
    assert_eq!(ask("GET /all").0, "8");
    assert_eq!(ask("GET /all"), kept("8"));
    let counted = product.well(&["metrics", "web"]).out;
    assert!(
        counted
            .lines()
            .any(|line| line.contains("cache") && line.contains("hit") && line.ends_with(" 2")),
        "{counted}"
    );
    // A manifest that lets nothing be kept is believed at once.
    product.manifest(&KEEPS.replace("cache  = { edge = \"1h\" }\n", ""));
    product.up();
    let first: u32 = ask("GET /all").0.parse().expect("a number");
    assert_eq!(ask("GET /all"), fresh(&(first + 1).to_string()));
    product.well(&["down"]);
    product.leaves_nothing();
}
