//! The stand-in for the skippers' radio: lets one session in for each call sign, and has boats call.

use crate::{Outcome, setting};
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// How long between two words of the radio.
const BEAT: Duration = Duration::from_secs(2);

/// Every so many beats a boat calls.
const BOAT_EACH: usize = 12;

/// How long a caller may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(10);

const BOATS: &[&str] = &[
    "up 18 Kingfisher",
    "down 21 Queen of Spades",
    "up 12 Heron",
    "down 17 Alder",
    "up 21 Perseverance",
    "up 9 Coot",
    "down 18 Marigold",
    "up 17 Tamarisk",
    "down 14 Moorhen",
    "down 21 President",
];

/// The call signs that are on the air.
static ON_AIR: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Serves until the process ends.
pub(crate) fn serve() -> Outcome {
    let port = setting::port()?;
    let beat = BEAT / u32::try_from(setting::pace()?).unwrap_or(1);
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|why| format!("port {port}: {why}"))?;
    println!("on the air at 127.0.0.1:{port}");
    for stream in listener.incoming().flatten() {
        spawn(move || {
            if let Err(why) = session(&stream, beat) {
                println!("a session ended: {why}");
            }
        });
    }
    Ok(())
}

/// A call sign that is on the air, until this goes out of use.
struct Session(String);

impl Session {
    fn open(call_sign: &str) -> Option<Session> {
        let mut on_air = ON_AIR.lock().unwrap_or_else(PoisonError::into_inner);
        on_air
            .insert(call_sign.to_owned())
            .then(|| Session(call_sign.to_owned()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        ON_AIR
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.0);
        println!("{} is off the air", self.0);
    }
}

fn session(stream: &TcpStream, beat: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream).lines();
    let hello = lines.next().transpose()?.unwrap_or_default();
    let Some(call_sign) = hello.strip_prefix("HELLO ") else {
        // Whoever only looks whether the port is open says nothing.
        return Ok(());
    };
    let Some(session) = Session::open(call_sign) else {
        return say(stream, &format!("BUSY {call_sign}"));
    };
    println!("{call_sign} is on the air");
    say(stream, &format!("WELCOME {call_sign}"))?;
    for count in 1.. {
        say(stream, "PING")?;
        heard(&mut lines, "PONG")?;
        if count % BOAT_EACH == 1 {
            let boat = BOATS[count / BOAT_EACH % BOATS.len()];
            say(stream, &format!("BOAT {boat}"))?;
            heard(&mut lines, "")?;
        }
        sleep(beat);
    }
    drop(session);
    Ok(())
}

fn heard(lines: &mut impl Iterator<Item = io::Result<String>>, word: &str) -> io::Result<()> {
    match lines.next().transpose()? {
        Some(line) if line.starts_with(word) => Ok(()),
        Some(line) => Err(io::Error::other(format!(
            "not understood: {}",
            line.escape_debug()
        ))),
        None => Err(io::Error::other("the caller has hung up")),
    }
}

fn say(mut stream: &TcpStream, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\n").as_bytes())
}
