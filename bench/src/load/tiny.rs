//! The load: a server that answers 200 to everything, or a process that does nothing.
//!
//! Its habits are told by its environment: `STARTS_IN=200` milliseconds is how long it takes to listen, and with `CRASHES=1` it
//! ends at once. One that ignores SIGTERM is started by a shell that does: `trap '' TERM; exec tiny`.
//!
//! It knows nothing but the standard library, so that what is measured is what starts it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a program of a few lines, which reads its port and says why it ends"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\ntiny\n";

fn main() -> ExitCode {
    let word = std::env::args()
        .nth(1)
        .or_else(|| std::env::var("PORT").ok())
        .unwrap_or_default();
    if word == "idle" {
        loop {
            std::thread::park();
        }
    }
    if std::env::var_os("CRASHES").is_some() {
        eprintln!("it crashes at its start, as it was told");
        return ExitCode::FAILURE;
    }
    let starts_in = std::env::var("STARTS_IN").ok().and_then(|text| text.parse().ok());
    std::thread::sleep(std::time::Duration::from_millis(starts_in.unwrap_or(0)));
    // A port alone is one of this machine; a container has to listen on all of its addresses.
    let address = if word.contains(':') {
        word
    } else {
        format!("127.0.0.1:{word}")
    };
    let listener = match TcpListener::bind(&address) {
        Ok(listener) => listener,
        Err(why) => {
            eprintln!("{address}: {why}");
            return ExitCode::FAILURE;
        }
    };
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || serve(&stream));
    }
    ExitCode::SUCCESS
}

/// Answers each request on a connection, until its caller goes.
fn serve(mut stream: &TcpStream) {
    let mut said = false;
    for line in BufReader::new(stream).lines() {
        match line {
            Ok(line) if line.is_empty() && said => {
                said = false;
                if stream.write_all(ANSWER).is_err() {
                    return;
                }
            }
            Ok(_) => said = true,
            Err(_) => return,
        }
    }
}
