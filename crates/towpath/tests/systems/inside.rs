//! An example as it stands in its folder, and somebody who asks its components from inside.
#![allow(clippy::print_stdout, reason = "a story says that it was left out")]

use crate::example::{examples, has_postgres};
use crate::kit::{BOUND, Product};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// The example of this name; nothing where no Postgres can be had.
pub(crate) fn example(name: &str) -> Option<Product> {
    if !has_postgres() {
        println!("left out: there is no Postgres here");
        return None;
    }
    let target = examples().join("target");
    let built = Command::new("cargo")
        .args(["build", "--locked", "--package", name])
        .current_dir(examples())
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    let product = Product::new(name, "");
    copy(&examples().join(name), &product.folder);
    let manifest = product.read("towpath.toml");
    // They have been built, and here is no home with a toolchain in it.
    let build = format!("cargo build --locked --package {name}");
    assert!(manifest.contains(&build));
    product.write("towpath.toml", &manifest.replace(&build, "true"));
    let link = product.folder.join("../target");
    std::os::unix::fs::symlink(target, link).expect("a link can be made");
    Some(product)
}

/// Everything but the sources and what an earlier run has left.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("it can be listed").flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if name == "src" || name == "state" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let to = to.join(name);
        match path.is_dir() {
            true => {
                fs::create_dir(&to).expect("a folder can be made");
                copy(&path, &to);
            }
            false => drop(fs::copy(&path, &to).expect("it can be copied")),
        }
    }
}

/// The port at which a component is reached from inside.
#[track_caller]
pub(crate) fn inside(product: &Product, name: &str) -> u16 {
    let one = product.component(name);
    let port = one["inside"]
        .as_str()
        .and_then(|address| address.rsplit_once(':'))
        .and_then(|(_, port)| port.parse().ok());
    port.unwrap_or_else(|| panic!("{name} is not reached: {one:#}"))
}

/// Asks a component from inside. The answer's status and body.
#[track_caller]
pub(crate) fn ask(port: u16, line: &str, headers: &str, body: &str) -> (u16, Value) {
    ask_host((port, "localhost"), line, headers, body)
}

/// Asks for a path as people do, at the edge and by the component's name.
#[track_caller]
pub(crate) fn visit(product: &Product, name: &str, path: &str) -> (u16, Value) {
    let port = product.status()["steward"]["http"].as_u64();
    let port = port
        .and_then(|port| u16::try_from(port).ok())
        .expect("something is public");
    let host = format!("{name}.{}.localhost", product.name);
    // The edge asks those that are no browsers to show that they keep cookies.
    let browser = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0\r\n";
    ask_host((port, &host), &format!("GET {path}"), browser, "")
}

#[track_caller]
fn ask_host((port, host): (u16, &str), line: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(BOUND)).expect("it can be set");
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.0\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    // Who refuses a large body need not have read all of it.
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    (status.unwrap_or(0), body)
}

#[track_caller]
pub(crate) fn get(port: u16, path: &str) -> Value {
    let (status, body) = ask(port, &format!("GET {path}"), "", "");
    assert_eq!(status, 200, "{path}: {body}");
    body
}

pub(crate) fn post(port: u16, path: &str, body: &Value) -> (u16, Value) {
    ask(port, &format!("POST {path}"), "", &body.to_string())
}

/// What was made up for a name.
pub(crate) fn made_up(product: &Product, name: &str) -> String {
    let text = product.read(".towpath/local/generated.env");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.expect("it was made up").trim_matches(['"', '\'']).to_owned()
}
