//! The command again, while everything is as it should be.

use super::idle;
use crate::outside::{BOUND, run, wait_for, wait_for_answers};
use crate::peer::{Compose, Peer, Towpath};
use crate::place::Place;
use crate::table::{self, Times};
use crate::{Miss, Outcome};
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

pub(super) fn measure(place: &Place) -> Outcome {
    let mut all: Vec<(Times, Command)> = Vec::new();
    let mut few = Towpath::new(place, 10).ok();
    let many = few.as_ref().map(|_| idle::asleep(place, 10_000)).transpose()?;
    if let Some(few) = &mut few {
        few.start()?;
        wait_for_answers(few.ports())?;
        all.push((Times::of("`towpath up --detach`, 10 components"), few.up()));
    }
    if let Some(many) = &many {
        run(&mut many.up())?;
        all.push((Times::of("`towpath up --detach`, 10,000 components"), many.up()));
    }
    let compose = match Compose::new(place, 10) {
        Ok(mut compose) => {
            compose.start()?;
            wait_for("that it may be asked", BOUND, || compose.may_be_asked())?;
            wait_for_answers(compose.ports())?;
            all.push((
                Times::of("`docker-compose up --detach`, 10 services"),
                compose.up(),
            ));
            Some(compose)
        }
        Err(miss) => {
            println!("docker-compose: {miss}");
            None
        }
    };
    println!("honcho has no such command: it starts everything a second time\n");
    for round in 0..=ROUNDS {
        for (times, command) in &mut all {
            let took = took(command)?;
            if round > 0 {
                times.each.push(took);
            }
        }
    }
    let times: Vec<Times> = all.into_iter().map(|(times, _)| times).collect();
    table::print(&times);
    if few.is_some() {
        println!();
        table::against("10 components", table::millis(times[0].median()), "ms", 10.0, 5.0);
        table::against(
            "10,000 components",
            table::millis(times[1].median()),
            "ms",
            40.0,
            20.0,
        );
    }
    drop(compose);
    Ok(())
}

fn took(command: &mut Command) -> Result<Duration, Miss> {
    let begin = Instant::now();
    run(command)?;
    Ok(begin.elapsed())
}
