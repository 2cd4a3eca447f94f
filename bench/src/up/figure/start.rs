//! From a command to the first 200 of everything that it starts.

use crate::outside::{BOUND, wait_for, wait_for_answers};
use crate::peer::{self, Peer};
use crate::place::Place;
use crate::table::{self, Times};
use crate::{Miss, Outcome};
use std::time::Instant;

/// How often each is started.
const ROUNDS: usize = 9;

pub(super) fn one(place: &Place) -> Outcome {
    let times = rounds(peer::all(place, 1)?)?;
    table::print(&times);
    if let [bare, ours, ..] = times.as_slice()
        && place.towpath.is_some()
    {
        let above = table::millis(ours.median()) - table::millis(bare.median());
        println!();
        table::against("above the process alone", above, "ms", 25.0, 15.0);
    }
    Ok(())
}

/// A service in Python with nothing in it: its start costs what the start of a real service costs at the least.
const PYTHON: &str = "#!/bin/sh\nexec python3 -m http.server --bind 127.0.0.1 \"$1\"\n";

pub(super) fn ten(place: &Place) -> Outcome {
    println!("programs that start in a millisecond:\n");
    against_bare(&rounds(peer::all(place, 10)?)?, place);
    if !peer::is_there("python3") {
        return Err(Miss::Lacks("there is no python3".to_owned()));
    }
    println!("\nservices in Python:\n");
    let python = place.with_script("python", PYTHON)?;
    against_bare(&rounds(peer::without_containers(&python, 10)?)?, &python);
    Ok(())
}

fn against_bare(times: &[Times], place: &Place) {
    table::print(times);
    if let [bare, ours, ..] = times
        && place.towpath.is_some()
    {
        let ratio = ours.median().as_secs_f64() / bare.median().as_secs_f64();
        println!();
        table::against("to the processes alone", ratio, "times", 1.3, 1.3);
    }
}

fn rounds(mut peers: Vec<Box<dyn Peer + '_>>) -> Result<Vec<Times>, Miss> {
    let mut times: Vec<Times> = peers.iter().map(|peer| Times::of(peer.name())).collect();
    // The first round fills caches and is not counted.
    for round in 0..=ROUNDS {
        for (peer, times) in peers.iter_mut().zip(&mut times) {
            let took =
                started(peer.as_mut()).map_err(|why| Miss::Failed(format!("{}: {why}", peer.name())))?;
            if round > 0 {
                times.each.push(took);
            }
        }
    }
    Ok(times)
}

fn started(peer: &mut dyn Peer) -> Result<std::time::Duration, String> {
    let begin = Instant::now();
    peer.start()?;
    wait_for("that it may be asked", BOUND, || peer.may_be_asked())?;
    wait_for_answers(peer.ports())?;
    let took = begin.elapsed();
    peer.stop()?;
    Ok(took)
}
