//! From kill -9 of the steward to a new one that has adopted everything.

use super::many::idlers;
use crate::outside::{self, run};
use crate::peer::Towpath;
use crate::place::Place;
use crate::table::{self, Times, against};
use crate::{Miss, Outcome};
use std::time::Instant;

const ROUNDS: usize = 5;

/// How many components, what one takes in MiB at the most, and the bound and the aim in milliseconds.
const SIZES: &[(usize, f64, f64)] = &[
    (10, 50.0, 50.0),
    (1_000, 500.0, 250.0),
    (10_000, 2_000.0, 1_000.0),
];

/// What a process and its keeper may need, in MiB.
const EACH: usize = 1;

pub(super) fn measure(place: &Place) -> Outcome {
    if place.towpath.is_none() {
        return Err(Miss::Lacks("only towpath has a steward".to_owned()));
    }
    let mut all = Vec::new();
    for (count, bound, aim) in SIZES {
        let free = outside::free_memory();
        if free < (count * EACH) as u64 {
            println!(
                "{count} components: left out: they may need {} MiB, {free} are free",
                count * EACH
            );
            continue;
        }
        let times = adopted(place, *count)?;
        against(&times.what, table::millis(times.median()), "ms", *bound, *aim);
        all.push(times);
    }
    println!();
    table::print(&all);
    Ok(())
}

fn adopted(place: &Place, count: usize) -> Result<Times, Miss> {
    let mut times = Times::of(format!("{count} components"));
    let towpath = Towpath::of(place, &format!("adopted-{count}"), &idlers(place, count))?;
    run(&mut towpath.up())?;
    towpath.wait_until_well(count)?;
    let before = pids(&towpath)?;
    let rounds = if count > 1_000 { 3 } else { ROUNDS };
    for _ in 0..rounds {
        let steward = towpath.steward()?;
        outside::kill(i32::try_from(steward).unwrap_or_default());
        let begin = Instant::now();
        run(&mut towpath.up())?;
        times.each.push(begin.elapsed());
        if pids(&towpath)? != before {
            return Err(Miss::Failed("what ran was started again, not adopted".to_owned()));
        }
    }
    Ok(times)
}

/// The processes of all instances.
fn pids(towpath: &Towpath) -> Result<Vec<u32>, String> {
    let components = towpath.status()?.components;
    let instances = components.iter().flat_map(|one| &one.instances);
    Ok(instances.filter_map(|one| one.pid).collect())
}
