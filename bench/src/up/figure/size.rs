//! The program itself: how large it is, and how long it takes to say its version.

use crate::outside::run;
use crate::place::Place;
use crate::table::{self, Times, against};
use crate::{Miss, Outcome};
use std::process::Command;
use std::time::Instant;

const ROUNDS: usize = 30;

pub(super) fn measure(place: &Place) -> Outcome {
    let Some(towpath) = &place.towpath else {
        return Err(Miss::Lacks("towpath is not measured with --peers".to_owned()));
    };
    let about = std::fs::metadata(towpath).map_err(|why| why.to_string())?;
    against(
        "target/release/towpath",
        about.len() as f64 / 1e6,
        "MB",
        40.0,
        20.0,
    );
    let mut all = [Times::of("`true`"), Times::of("`towpath --version`")];
    for _ in 0..ROUNDS {
        let mut commands = [Command::new("true"), Command::new(towpath)];
        commands[1].arg("--version");
        for (times, command) in all.iter_mut().zip(&mut commands) {
            let begin = Instant::now();
            run(command)?;
            times.each.push(begin.elapsed());
        }
    }
    against(
        "`towpath --version`",
        table::millis(all[1].median()),
        "ms",
        10.0,
        5.0,
    );
    println!();
    table::print(&all);
    Ok(())
}
