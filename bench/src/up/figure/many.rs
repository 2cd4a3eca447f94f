//! A thousand trivial processes: ready, and stopped without an error.

use crate::outside::{Running, processes_of, run, wait_for};
use crate::peer::Towpath;
use crate::place::Place;
use crate::table::{self, Times};
use crate::{Outcome, outside};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

const PROCESSES: usize = 1_000;

const ROUNDS: usize = 3;

pub(super) fn measure(place: &Place) -> Outcome {
    let mut bare = Times::of("the processes alone, ready");
    let mut ready = Times::of("`towpath up --detach`, ready");
    let mut stopped = Times::of("`towpath down`, stopped");
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let alone: Vec<Running> = (0..PROCESSES)
            .map(|_| Running::start(Command::new(&place.tiny).arg("idle")))
            .collect::<Result<_, _>>()?;
        bare.each.push(begin.elapsed());
        drop(alone);
        if place.towpath.is_none() {
            continue;
        }
        let towpath = Towpath::of(place, "many", &idlers(place, PROCESSES))?;
        let begin = Instant::now();
        run(&mut towpath.up())?;
        ready.each.push(begin.elapsed());
        towpath.wait_until_well(PROCESSES)?;
        let begin = Instant::now();
        run(&mut towpath.command("down"))?;
        stopped.each.push(begin.elapsed());
        let left = || processes_of(&towpath.folder).is_empty();
        wait_for("that nothing is left", outside::BOUND, left)?;
    }
    table::print(&[bare, ready, stopped]);
    if place.towpath.is_some() {
        println!("\nnothing was left behind");
    }
    Ok(())
}

/// The manifest of a product of so many workers that do nothing.
pub(super) fn idlers(place: &Place, count: usize) -> String {
    let mut text = String::from("product = \"bench\"\n\n[environment.dev]\n");
    for number in 0..count {
        let _ = write!(
            text,
            "\n[worker.part-{number}]\nrun = \"{} idle\"\n",
            place.tiny.display()
        );
    }
    text
}
