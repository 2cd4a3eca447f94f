//! The bot: keeps one connection to the skippers' radio, and tells the canal who comes.
//!
//! The radio knows one session a call sign. That is why there is one of it at any time, and never two.

use crate::call::{Service, connect};
use crate::form;
use crate::{Outcome, setting};
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// The first pause before it connects again; it doubles up to the last.
const FIRST: Duration = Duration::from_millis(200);
const LAST: Duration = Duration::from_secs(8);

/// The radio is heard each two seconds. After so long it has gone.
const SILENCE: Duration = Duration::from_secs(8);

/// Listens until the process ends.
pub(crate) fn listen() -> Outcome {
    let url = setting::needed("AIRWAVES_URL")?;
    let host = url
        .split_once("://")
        .map_or(url.as_str(), |(_, host)| host)
        .to_owned();
    let call_sign = setting::needed("CALL_SIGN")?;
    let service = Service::canal()?;
    let heard = heard()?;
    let mut pause = FIRST;
    loop {
        let begin = SystemTime::now();
        match session(&host, &call_sign, &service, &heard) {
            Ok(()) => eprintln!("the radio has hung up"),
            Err(why) => eprintln!("the radio: {why}"),
        }
        let _ = fs::remove_file(&heard);
        let lasted = begin.elapsed().unwrap_or_default();
        pause = if lasted > LAST {
            FIRST
        } else {
            (pause * 2).min(LAST)
        };
        sleep(pause);
    }
}

/// Ends well when the radio was heard a moment ago.
pub(crate) fn health() -> Outcome {
    let heard = heard()?;
    let last = fs::metadata(&heard).and_then(|about| about.modified());
    match last.map(|last| last.elapsed().unwrap_or_default()) {
        Ok(ago) if ago <= SILENCE => Ok(()),
        Ok(ago) => Err(format!("nothing was heard for {} s", ago.as_secs())),
        Err(_) => Err("no session with the radio".to_owned()),
    }
}

/// The file whose age tells when the radio was heard last.
fn heard() -> Result<PathBuf, String> {
    let folder = setting::state_folder()?;
    fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    Ok(folder.join("radio-heard"))
}

fn session(host: &str, call_sign: &str, service: &Service, heard: &PathBuf) -> io::Result<()> {
    let stream = connect(host, 7_004)?;
    stream.set_read_timeout(Some(SILENCE))?;
    say(&stream, &format!("HELLO {call_sign}"))?;
    for line in BufReader::new(&stream).lines() {
        let line = line?;
        fs::write(heard, "")?;
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["WELCOME", ..] => println!("on the air as {call_sign}"),
            ["PING"] => say(&stream, "PONG")?,
            ["BUSY", ..] => return Err(io::Error::other(format!("{call_sign} is on the air already"))),
            ["BOAT", way, length, name @ ..] => {
                let name = name.join(" ");
                let answer = announce(service, &name, way, length);
                println!("{name}, going {way}: {answer}");
                say(&stream, &format!("{answer} {name}"))?;
            }
            _ => eprintln!("not understood: {}", line.escape_debug()),
        }
    }
    Ok(())
}

/// Tells the canal of a boat, and has the word that the skipper hears.
fn announce(service: &Service, name: &str, way: &str, length: &str) -> &'static str {
    let fields = form::write(&[
        ("name", name.to_owned()),
        ("way", way.to_owned()),
        ("length", length.to_owned()),
    ]);
    match service.post("/api/boats", &fields) {
        Ok(answer) if answer.status == 201 => "ROGER",
        Ok(answer) if answer.status == 409 => "FULL",
        Ok(answer) => {
            eprintln!("the canal: {} {}", answer.status, answer.body.trim());
            "WAIT"
        }
        Err(why) => {
            eprintln!("the canal does not answer: {why}");
            "WAIT"
        }
    }
}

fn say(mut stream: &TcpStream, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\n").as_bytes())
}
