//! The worker: takes a boat that waits, works the lock for it, and tells that it is through.

use crate::call::Service;
use crate::form::{self, Form};
use crate::{Outcome, setting};
use std::io;
use std::thread::sleep;
use std::time::Duration;

/// How long a lock takes to fill or to empty, at the usual pace.
const TURN: Duration = Duration::from_millis(3_500);

/// The pause where nobody waits.
const REST: Duration = Duration::from_millis(500);

/// The most time between two calls to a service that does not answer.
const LONGEST: Duration = Duration::from_secs(8);

/// Works until the process ends.
pub(crate) fn work() -> Outcome {
    let service = Service::canal()?;
    let turn = TURN / u32::try_from(setting::pace()?).unwrap_or(1);
    println!("at the locks");
    let mut pause = REST;
    loop {
        pause = match once(&service, turn) {
            Ok(true) => continue,
            Ok(false) => REST,
            Err(why) => {
                eprintln!("the canal does not answer: {why}");
                (pause * 2).min(LONGEST)
            }
        };
        sleep(pause);
    }
}

/// Brings one boat through its lock. Tells whether there was one.
fn once(service: &Service, turn: Duration) -> io::Result<bool> {
    let answer = service.post("/api/work", "")?;
    match answer.status {
        204 => return Ok(false),
        200 => {}
        status => return Err(io::Error::other(format!("{status} {}", answer.body.trim()))),
    }
    let work = Form::read(&answer.body);
    let (Some(boat), Some(lock)) = (work.number("boat"), work.number("lock")) else {
        return Err(io::Error::other("it gave work without a boat and a lock"));
    };
    println!("{} lies in lock {lock}", work.text("name").unwrap_or("a boat"));
    sleep(turn);
    let fields = form::write(&[("boat", boat.to_string()), ("lock", lock.to_string())]);
    let answer = service.post("/api/passages", &fields)?;
    if answer.status != 200 {
        // Another hand was faster: the canal has long given the boat away.
        eprintln!("boat {boat}: {}", answer.body.trim());
    }
    Ok(true)
}
