//! One change decided, among few components and among many: the very function that the steward calls.

use crate::table::against;
use crate::{Miss, Outcome};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use towpath_decide::converge::Well;
use towpath_decide::tend::{Act, Applied, Did, Fact, Tended};
use towpath_model::desired::component::Restart;
use towpath_model::run::{
    Ask, Component, Exit, Health, InstanceId, Kind, Life, Limits, Need, Place, Seen, Stop,
};
use towpath_model::unit::{Duration as Span, Name, Unit, known};

const SIZES: &[usize] = &[10, 10_000];

/// How many changes are decided, one after the other, in each round.
const CHANGES: usize = 200;

const ROUNDS: usize = 15;

pub(super) fn measure(_: &crate::place::Place) -> Outcome {
    let mut products: Vec<(usize, Tended)> = Vec::new();
    for size in SIZES {
        products.push((*size, running(*size)?));
    }
    // The same ten change again and again, so that size alone differs; and once all over the product, where what is known
    // of most of them has left the processor's caches.
    let mut least = vec![Duration::MAX; products.len()];
    let mut all_over = Duration::MAX;
    for _ in 0..ROUNDS {
        for ((size, tended), least) in products.iter_mut().zip(&mut least) {
            *least = (*least).min(changes(tended, |change| change % 10 * (*size / 10))?);
        }
        if let Some((size, tended)) = products.last_mut() {
            all_over = all_over.min(changes(tended, |change| change * 7_919 % *size)?);
        }
    }
    println!("a change is decided twice: it ended, and it runs again");
    for (size, took) in SIZES.iter().zip(&least) {
        println!("one of ten among {size}: {:.2} us", micros(*took));
    }
    println!("any of 10,000: {:.2} us", micros(all_over));
    against(
        "any change among 10,000",
        micros(all_over) / 1_000.0,
        "ms",
        1.0,
        0.2,
    );
    against(
        "one of ten among 10,000, to one among 10",
        micros(least[1]) / micros(least[0]),
        "times",
        1.5,
        1.5,
    );
    Ok(())
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

/// Ends instances and starts them again, and has the time that one takes.
fn changes(tended: &mut Tended, which: impl Fn(usize) -> usize) -> Result<Duration, Miss> {
    let names: Vec<Name> = (0..CHANGES)
        .map(|change| name(which(change)))
        .collect::<Result<_, _>>()?;
    let begin = Instant::now();
    for name in &names {
        let resting = Life::Resting {
            until: later(1),
            after: Exit::Code { code: 1 },
            looping: false,
        };
        for life in [resting, Life::Running { pid: 77 }] {
            tended.learn(Fact::Changed(seen(name, life)));
            black_box(tended.decide(later(0)));
        }
    }
    Ok(begin.elapsed() / u32::try_from(CHANGES).unwrap_or(1))
}

/// A product of so many components, each in need of the one before it in its row of ten, all of them running.
fn running(size: usize) -> Result<Tended, Miss> {
    let mut components = BTreeMap::new();
    for number in 0..size {
        let component = component(number)?;
        components.insert(name(number)?, (Arc::new(component), "digest".to_owned()));
    }
    let mut tended = Tended::default();
    tended.learn(Fact::Applied(Applied {
        components,
        builds: BTreeMap::new(),
        build: false,
        wake: None,
    }));
    let mut acts = tended.decide(later(0));
    let mut started = 0;
    while !acts.is_empty() {
        for act in std::mem::take(&mut acts) {
            if let Act::Start { id, .. } = act {
                started += 1;
                let seen = seen(&id.component, Life::Running { pid: 77 });
                let (did, result) = (Did::Start, Ok(Some(seen)));
                tended.learn(Fact::Did {
                    id: id.clone(),
                    did,
                    result,
                });
                tended.learn(Fact::Answered { id, well: Well::Yes });
            }
        }
        acts = tended.decide(later(0));
    }
    if started != size || !tended.is_settled() {
        return Err(Miss::Failed(format!(
            "of {size} components {started} were started"
        )));
    }
    Ok(tended)
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap_or_default()
}

fn name(number: usize) -> Result<Name, String> {
    Name::parse(&format!("part-{number}")).map_err(|why| why.to_string())
}

fn seen(component: &Name, life: Life) -> Seen {
    Seen {
        id: InstanceId::new(component, 1),
        digest: "digest".to_owned(),
        port: None,
        life,
        restarts: 0,
        since: later(0),
    }
}

fn component(number: usize) -> Result<Component, String> {
    let needs = match number % 10 {
        0 => Vec::new(),
        _ => vec![Need {
            name: name(number - 1)?,
            optional: false,
        }],
    };
    let second: Span = known("1s");
    Ok(Component {
        name: name(number)?,
        kind: Kind::Worker,
        at: Place {
            file: "towpath.toml".to_owned(),
            line: 1,
        },
        command: Some("tiny idle".to_owned()),
        dir: "/".to_owned(),
        env: BTreeMap::new(),
        build: None,
        needs,
        instances: 1,
        most: 1,
        single: false,
        listens: None,
        health: Health {
            ask: Ask::Runs,
            interval: second,
            timeout: second,
            deadline: second,
        },
        limits: Limits {
            memory: None,
            cpu: None,
            pids: 512,
        },
        restart: Restart::Always,
        stop: Stop {
            signal: "TERM".to_owned(),
            within: second,
            drain: second,
        },
        site: None,
        pack: None,
        idle: None,
        cron: None,
        shifts: Vec::new(),
        timeout: None,
        retry: None,
        watch: Vec::new(),
        resource: None,
    })
}
