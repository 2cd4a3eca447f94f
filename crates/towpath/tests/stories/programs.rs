//! The programs that the products of the stories are made of: this very file of tests, started again.
#![allow(
    clippy::print_stdout,
    reason = "programs say what they do, and their logs are what is read"
)]

use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Says which program it is.
const WORD: &str = "TOWPATH_STORY_PROGRAM";

/// The script that starts a program of the stories: `sh ./program web`. It is one process, as it would be in real life.
pub(crate) fn script() -> String {
    let ourselves = std::env::current_exe().expect("our own program is known");
    format!(
        "{WORD}=\"$1\" exec '{}' --exact programs::a_program_of_the_stories_says_what_it_is --nocapture --test-threads=1\n",
        ourselves.display()
    )
}

#[test]
fn a_program_of_the_stories_says_what_it_is() {
    match std::env::var(WORD).as_deref() {
        Err(_) => {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let script_file = folder.path().join("program");
            std::fs::write(&script_file, script()).expect("it can be written");
            let output = Command::new("sh").arg(script_file).arg("nothing").output();
            let output = output.expect("a shell runs");
            assert!(String::from_utf8_lossy(&output.stdout).contains("this is nothing"));
        }
        Ok("web") => web(),
        Ok("count") => count(),
        Ok("bot") => bot(),
        Ok("greedy") => greedy(),
        Ok("loud") => loud(),
        Ok("stuck") => loop {
            thread::park();
        },
        Ok(other) => println!("this is {other}"),
    }
}

/// Answers requests, each in a thread of its own.
fn web() {
    let port: u16 = std::env::var("PORT")
        .expect("a port is given")
        .parse()
        .expect("a number");
    let listener = match TcpListener::bind(("127.0.0.1", port)) {
        Ok(listener) => listener,
        Err(error) => {
            println!("cannot listen on {port}: {error}");
            std::process::exit(1);
        }
    };
    println!("up");
    for stream in listener.incoming().flatten() {
        thread::spawn(move || answer(stream));
    }
}

fn answer(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let path = first.split(' ').nth(1).unwrap_or("/");
        let text = said_to(path);
        // Visitors of the front page meet what is wrong with this release; health does not.
        let is_front = path == "/";
        let set = |name: &str| {
            std::env::var(name)
                .ok()
                .filter(|value| is_front && !value.is_empty())
        };
        if let Some(millis) = set("SLOW").and_then(|millis| millis.parse().ok()) {
            thread::sleep(Duration::from_millis(millis));
        }
        let status = if set("FAILS").is_some() {
            "500 Internal Server Error"
        } else {
            "200 OK"
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", text.len());
        let stream = reader.get_mut();
        if stream.write_all(format!("{head}{text}").as_bytes()).is_err() {
            return;
        }
    }
}

fn said_to(path: &str) -> String {
    if path == "/healthz" {
        // Whoever is asked stays silent as long as this file is there.
        while Path::new("hang").exists() {
            thread::sleep(Duration::from_millis(5));
        }
        return "well".to_owned();
    }
    if let Some(word) = path.strip_prefix("/say/") {
        println!("{word}");
    }
    if let Some(name) = path.strip_prefix("/file/") {
        return std::fs::read_to_string(name).unwrap_or_default();
    }
    if let Some(name) = path.strip_prefix("/env/") {
        return std::env::var(name).unwrap_or_default();
    }
    if path == "/late" {
        while Path::new("late").exists() {
            thread::sleep(Duration::from_millis(5));
        }
    }
    match path {
        "/pid" => std::process::id().to_string(),
        _ => "hello".to_owned(),
    }
}

/// Counts in its log, so that a missing line shows.
fn count() {
    let pid = std::process::id();
    for number in 1_u64.. {
        println!("counts {pid} {number}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Notes that it lives, and shouts when it is not alone.
fn bot() {
    let folder = std::env::var("BOTS").unwrap_or_else(|_| ".".to_owned());
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(Path::new(&folder).join("alone.lock"))
        .expect("a lock can be opened");
    let alone = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
    let word = if alone { "begins" } else { "IS NOT ALONE" };
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(Path::new(&folder).join("bots.txt"))
        .expect("it can be opened");
    writeln!(log, "{} {word}", std::process::id()).expect("it can be written");
    stay(&lock);
}

fn stay(_kept: &File) {
    loop {
        thread::park();
    }
}

/// Takes more and more memory.
fn greedy() {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(vec![1; 1024 * 1024]);
        thread::sleep(Duration::from_micros(100));
    }
}

/// Writes as much as it can for as long as nobody has put it out.
fn loud() {
    for number in 1_u64.. {
        println!("shouts {number} {}", "and again ".repeat(100));
        while Path::new("hush").exists() {
            thread::sleep(Duration::from_millis(5));
        }
    }
}
