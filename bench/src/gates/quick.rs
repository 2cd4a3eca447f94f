//! How soon a bad release is known where there is much traffic, looked at twenty times a second.

use crate::ours::{GATE, MIN_SAMPLE};
use crate::traffic::{Fault, Scene, Stream};
use towpath_decide::gate::canary::{Asked, Kept, urgent};
use towpath_model::desired::gate::CanaryGate;
use towpath_model::unit::Share;

const GLANCE: f64 = 0.05;

struct Row {
    name: &'static str,
    fault: Fault,
    quantile: u32,
    longest: f64,
    bar: (f64, u64),
    aim: (f64, u64),
}

const ANY: u64 = u64::MAX;

const ROWS: [Row; 4] = [
    Row {
        name: "all fail",
        fault: Fault::errors(1.0),
        quantile: 95,
        longest: 60.0,
        bar: (1.0, 50),
        aim: (0.5, 20),
    },
    Row {
        name: "2 % fail",
        fault: Fault::errors(0.02),
        quantile: 95,
        longest: 120.0,
        bar: (10.0, ANY),
        aim: (5.0, ANY),
    },
    Row {
        name: "20 % slower, by the 99 %",
        fault: Fault::slower(1.2),
        quantile: 99,
        longest: 300.0,
        bar: (60.0, ANY),
        aim: (30.0, ANY),
    },
    Row {
        name: "nothing wrong",
        fault: Fault::NONE,
        quantile: 95,
        longest: 120.0,
        bar: (0.0, ANY),
        aim: (0.0, ANY),
    },
];

/// Prints the rows, and gives the bars that were missed. The median has to keep the bar.
pub(crate) fn table(rollouts: u64) -> Vec<String> {
    let mut missed = Vec::new();
    println!("\n1,000 requests a second, looked at twenty times a second\n");
    println!(
        "| canary | fault | known after, median | of 90 % | of 99 % | failed requests, median | of 99 % | never | bar | aim |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |");
    for share in [0.05, 0.1] {
        for row in &ROWS {
            if let Some(bar) = print(row, share, rollouts) {
                missed.push(bar);
            }
        }
    }
    missed
}

fn print(row: &Row, share: f64, rollouts: u64) -> Option<String> {
    let scene = Scene::of_share(1_000.0, share, false, row.fault);
    let gate = CanaryGate {
        quantile: Share::from_percent(row.quantile),
        ..GATE.clone()
    };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let mut known: Vec<Option<(f64, u64)>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core| {
                let (scene, gate) = (&scene, &gate);
                let seeds = (core..rollouts).step_by(cores as usize);
                scope.spawn(move || {
                    seeds
                        .map(|seed| known(scene, gate, row.longest, seed))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a worker ends"))
            .collect()
    });
    let never = known.iter().filter(|known| known.is_none()).count();
    let far = (f64::INFINITY, ANY);
    known.sort_by(|a, b| a.unwrap_or(far).0.total_cmp(&b.unwrap_or(far).0));
    let at = |share: f64| {
        known
            .get((share * rollouts as f64) as usize)
            .copied()
            .flatten()
            .unwrap_or(far)
    };
    let (half, most, nearly) = (at(0.5), at(0.9), at(0.99));
    let fails = |known: (f64, u64)| {
        if known.1 == ANY {
            "-".to_owned()
        } else {
            known.1.to_string()
        }
    };
    let after = |known: (f64, u64)| {
        if known.0.is_finite() {
            format!("{:.2} s", known.0)
        } else {
            "-".to_owned()
        }
    };
    let bound = |(seconds, failed): (f64, u64)| match (seconds, failed) {
        (0.0, _) => "never".to_owned(),
        (seconds, ANY) => format!("{seconds} s"),
        (seconds, failed) => format!("{seconds} s, {failed}"),
    };
    println!(
        "| {:.0} % | {} | {} | {} | {} | {} | {} | {never} | {} | {} |",
        share * 100.0,
        row.name,
        after(half),
        after(most),
        after(nearly),
        fails(half),
        fails(nearly),
        bound(row.bar),
        bound(row.aim)
    );
    let is_kept = match row.bar.0 {
        0.0 => (rollouts - never as u64) as f64 <= 0.001 * rollouts as f64,
        seconds => half.0 <= seconds && half.1 <= row.bar.1,
    };
    (!is_kept).then(|| format!("{} at {:.0} %", row.name, share * 100.0))
}

/// When the fault was known, and how many visitors had met it.
fn known(scene: &Scene, gate: &CanaryGate, longest: f64, seed: u64) -> Option<(f64, u64)> {
    let asked = Asked {
        gate,
        min_sample: MIN_SAMPLE,
    };
    let mut stream = Stream::new(scene, seed);
    let mut kept = Kept::default();
    while stream.seconds < longest {
        stream.pass(GLANCE);
        if urgent(asked, stream.seen(), &mut kept).is_some() {
            return Some((stream.seconds, stream.met()));
        }
    }
    None
}
