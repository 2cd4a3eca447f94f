//! An example in a folder of its own, and somebody who asks it things.
#![allow(clippy::print_stdout, reason = "a story says that it was left out")]

use crate::kit::{BOUND, Product};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Whether a Postgres can be had.
pub(crate) fn has_postgres() -> bool {
    let on_path = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("initdb").exists()));
    on_path || fs::read_dir("/usr/lib/postgresql").is_ok()
}

/// The example with its programs built where they always are, and its manifest changed so; nothing where it cannot run.
pub(crate) fn example(name: &str, changes: &[(&str, &str)]) -> Option<Product> {
    if !has_postgres() {
        println!("left out: there is no Postgres here");
        return None;
    }
    let built = Command::new("cargo")
        .args(["build", "--locked", "--package", name])
        .current_dir(examples())
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("cargo runs");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let product = Product::new(name, "");
    let from = examples().join(name);
    for folder in ["migrations", "seeds", "dashboard", "site"] {
        copy(&from.join(folder), &product.folder.join(folder));
    }
    fs::copy(from.join("seed.sql"), product.folder.join("seed.sql")).expect("it can be copied");
    let mut manifest = fs::read_to_string(from.join("towpath.toml")).expect("it is there");
    // The programs have been built: here there is no home with a toolchain in it.
    let command = format!("cargo build --locked --package {name}");
    for (old, new) in [(command.as_str(), "true")].iter().chain(changes) {
        assert!(manifest.contains(old), "`{old}` is not in the manifest");
        manifest = manifest.replace(old, new);
    }
    product.write("towpath.toml", &manifest);
    let target = product.folder.join("../target");
    std::os::unix::fs::symlink(examples().join("target"), target).expect("a link can be made");
    Some(product)
}

fn copy(from: &Path, to: &Path) {
    let Ok(files) = fs::read_dir(from) else { return };
    fs::create_dir(to).expect("a folder can be made");
    for file in files.flatten() {
        fs::copy(file.path(), to.join(file.file_name())).expect("it can be copied");
    }
}

/// An answer: its status, its head and its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find_map(|(one, value)| one.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The cookie that is given, as it is sent back.
    pub(crate) fn cookie(&self) -> String {
        let given = self.header("set-cookie").expect("a cookie is given");
        given.split(';').next().unwrap_or_default().to_owned()
    }
}

/// Where something is asked: a port, and the host that is named there.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) port: u16,
    pub(crate) host: String,
}

impl Place {
    /// Of an address like `http://127.0.0.1:30117`.
    pub(crate) fn of(url: &Value) -> Place {
        let host = url
            .as_str()
            .and_then(|url| url.split("://").nth(1))
            .unwrap_or_default();
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Place {
            port: port.unwrap_or_else(|| panic!("{url} has no port")),
            host: host.to_owned(),
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, cookie: &str, body: &Value) -> Answer {
        let mut stream = self.begin(method, path, cookie, body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer {
            status: status.unwrap_or(0),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", &Value::Null)
    }

    fn begin(&self, method: &str, path: &str, cookie: &str, body: &Value) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("somebody listens");
        stream.set_read_timeout(Some(BOUND)).expect("it can be set");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (host, length) = (&self.host, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncookie: {cookie}\r\n\
             connection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("it can be asked");
        stream
    }

    /// Reads an answer that does not end, until it says something.
    pub(crate) fn says(&self, path: &str, words: &str) -> bool {
        let mut stream = self.begin("GET", path, "", &Value::Null);
        let mut said = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut piece) {
            said.extend_from_slice(&piece[..count]);
            if String::from_utf8_lossy(&said).contains(words) {
                return true;
            }
        }
        false
    }
}
