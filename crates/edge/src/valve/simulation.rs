//! Instances of several kinds under several loads, in virtual time and without chance.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::{Around, FLOOR, MOST, Valve};
use crate::balance::simulation::Numbers;

/// What is asked for at a time.
#[derive(Clone, Copy)]
struct Load {
    /// Requests in a second.
    rate: f64,
    /// Milliseconds of a worker that each takes on average.
    takes: f64,
    /// Of so many parts one is a long poll, which takes no worker and so many milliseconds.
    polls: (f64, f64),
}

const NONE: (f64, f64) = (0.0, 0.0);

#[derive(Default)]
struct Seen {
    shed: usize,
    /// The longest that somebody waited with the edge, in microseconds.
    held: u64,
    /// Milliseconds from coming to the answer, of those that took a worker, by the second in which they came.
    took: Vec<Vec<f64>>,
    /// The limit at the end of each second.
    limits: Vec<u32>,
}

impl Seen {
    fn high(&self, seconds: std::ops::Range<usize>) -> f64 {
        let mut all: Vec<f64> = self.took[seconds].concat();
        all.sort_by(f64::total_cmp);
        all[all.len() * 99 / 100]
    }

    fn rate(&self, seconds: std::ops::Range<usize>) -> f64 {
        let count = seconds.len() as f64;
        self.took[seconds].iter().map(Vec::len).sum::<usize>() as f64 / count
    }
}

/// Something that happens at a time, in microseconds.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Comes,
    /// An answer begins, and whether it had a worker.
    Answers(Sent, bool),
    Ticks,
}

/// When a request was sent and had come, and how many were waited for then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    at: u64,
    came: u64,
    among: usize,
}

/// An instance with so many workers, and an edge in front of it.
struct World {
    numbers: Numbers,
    free: usize,
    /// Those that wait for a worker.
    inside: VecDeque<Sent>,
    /// Those that wait with the edge, and since when somebody does.
    outside: VecDeque<u64>,
    since: u64,
    sent_away: Option<u64>,
    valve: Valve,
    waited_for: usize,
    events: BinaryHeap<Reverse<(u64, u64, Happens)>>,
    number: u64,
    seen: Seen,
}

impl World {
    fn at(&mut self, time: u64, happens: Happens) {
        self.number += 1;
        self.events.push(Reverse((time, self.number, happens)));
    }

    fn most(&self) -> u32 {
        self.valve.limit().unwrap_or(MOST)
    }

    fn send(&mut self, now: u64, load: Load) {
        while self.waited_for < self.most() as usize {
            let Some(came) = self.outside.pop_front() else {
                break;
            };
            self.seen.held = self.seen.held.max(now - came);
            let sent = Sent {
                at: now,
                came,
                among: self.waited_for,
            };
            self.waited_for += 1;
            if self.numbers.next() < load.polls.0 {
                let long = (load.polls.1 * 1e3) as u64;
                self.at(now + long, Happens::Answers(sent, false));
            } else {
                self.inside.push_back(sent);
            }
        }
        if !self.outside.is_empty() {
            self.valve.full(now / 1_000);
        }
        while self.free > 0 {
            let Some(sent) = self.inside.pop_front() else {
                break;
            };
            self.free -= 1;
            let long = (self.numbers.exponential(load.takes) * 1e3) as u64;
            self.at(now + long.max(1), Happens::Answers(sent, true));
        }
    }

    /// As the queue does it.
    fn shed(&mut self, now: u64) {
        let old = now.saturating_sub(self.since) / 1_000;
        if self.valve.is_sure() && old >= 1_000.max(self.valve.mean / 100) {
            let most = self.most().div_ceil(2) as usize;
            while self.outside.len() > most {
                self.outside.pop_back();
                self.seen.shed += 1;
                self.sent_away = Some(now);
            }
        }
    }
}

/// So many seconds, each with its load.
fn run(workers: usize, seconds: &[Load]) -> Seen {
    run_by(7, workers, seconds)
}

fn run_by(seed: u64, workers: usize, seconds: &[Load]) -> Seen {
    let mut world = World {
        numbers: Numbers(seed),
        free: workers,
        inside: VecDeque::new(),
        outside: VecDeque::new(),
        since: 0,
        sent_away: None,
        valve: Valve::default(),
        waited_for: 0,
        events: BinaryHeap::new(),
        number: 0,
        seen: Seen::default(),
    };
    world.seen.took = vec![Vec::new(); seconds.len()];
    world.at(0, Happens::Comes);
    world.at(0, Happens::Ticks);
    while let Some(Reverse((now, _, happens))) = world.events.pop() {
        let second = (now / 1_000_000) as usize;
        let Some(load) = seconds.get(second).copied() else {
            break;
        };
        match happens {
            Happens::Comes => {
                let calm = 100_000.max(world.valve.mean * 2);
                if world.outside.is_empty() && world.sent_away.is_none_or(|then| now - then > calm) {
                    world.since = now;
                }
                world.outside.push_back(now);
                world.send(now, load);
                world.shed(now);
                let next = world.numbers.exponential(1e6 / load.rate) as u64;
                world.at(now + next.max(1), Happens::Comes);
            }
            Happens::Answers(sent, worked) => {
                world.waited_for -= 1;
                world.free += usize::from(worked);
                let around = Around {
                    now: now / 1_000,
                    then: sent.among,
                    inside: world.waited_for,
                    is_wanted: !world.outside.is_empty(),
                };
                world.valve.answered(Duration::from_micros(now - sent.at), around);
                if worked {
                    world.seen.took[(sent.came / 1_000_000) as usize].push((now - sent.came) as f64 / 1e3);
                }
                world.send(now, load);
            }
            Happens::Ticks => {
                world.valve.passes(now / 1_000);
                world.send(now, load);
                world.seen.limits.resize(second + 1, world.most());
                world.seen.limits[second] = world.most();
                world.at(now + 50_000, Happens::Ticks);
            }
        }
    }
    world.seen
}

fn load(rate: f64, takes: f64, polls: (f64, f64)) -> Load {
    Load { rate, takes, polls }
}

/// Seconds in which it is calm, and then these.
fn after_calm(calm: Load, then: &[(usize, Load)]) -> Vec<Load> {
    let mut seconds = vec![calm; 10];
    for (count, load) in then {
        seconds.extend(vec![*load; *count]);
    }
    seconds
}

#[test]
fn ten_times_as_much_is_sent_away_and_the_rest_is_answered_as_soon_as_ever() {
    // A single worker has few that wait for it all the same, and each of them adds as much as an answer takes.
    for (workers, takes, times) in [
        (8, 20.0, 2.0),
        (8, 2.0, 2.0),
        (64, 50.0, 2.0),
        (16, 200.0, 2.0),
        (1, 5.0, 3.0),
    ] {
        let carries = workers as f64 * 1e3 / takes;
        let calm = load(carries * 0.3, takes, NONE);
        let alone = run(workers, &[calm; 20]).high(5..15);
        let crowd = load(carries * 10.0, takes, NONE);
        let seen = run(workers, &after_calm(calm, &[(160, crowd)]));
        let (high, rate) = (seen.high(120..160), seen.rate(120..160));
        assert!(
            high < alone * times,
            "{workers} workers: {high} ms, {alone} alone"
        );
        assert!(rate > carries * 0.9, "{workers} workers: {rate} of {carries}");
        let late = &seen.limits[120..];
        let (least, most) = (late.iter().min(), late.iter().max());
        let (least, most) = (*least.expect("some"), *most.expect("some"));
        assert!(least >= FLOOR && most <= (workers as u32 * 3).max(16), "{late:?}");
    }
}

#[test]
fn nobody_is_sent_away_where_an_instance_is_merely_slow_and_nobody_waits_for_long() {
    let quick = load(200.0, 10.0, NONE);
    for slow in [
        // Everything takes ten times as long, and there are workers for it.
        load(200.0, 100.0, NONE),
        load(200.0, 150.0, NONE),
        load(200.0, 2_000.0, NONE),
        load(2_000.0, 400.0, NONE),
        load(1_000.0, 2_000.0, NONE),
        load(100.0, 5_000.0, NONE),
        load(20.0, 60_000.0, NONE),
        // Half, or nearly all, are long polls.
        load(200.0, 10.0, (0.5, 20_000.0)),
        load(400.0, 10.0, (0.99, 10_000.0)),
        load(400.0, 10.0, (1.0, 3_000.0)),
    ] {
        let seen = run(10_000, &after_calm(quick, &[(60, slow)]));
        let held = seen.limits.iter().filter(|limit| **limit < MOST).count();
        assert!(
            seen.held < 4_000_000,
            "{} ms: somebody waited for {}",
            slow.takes,
            seen.held
        );
        assert_eq!(
            seen.shed, 0,
            "{} ms, {:?}: {:?}",
            slow.takes, slow.polls, seen.limits
        );
        assert!(held < 10, "{:?}", seen.limits);
    }
}

#[test]
fn whatever_the_chances_are_nobody_is_sent_away_from_one_that_is_merely_slow() {
    for seed in 0..24 {
        let mut numbers = Numbers(seed * 977 + 3);
        for _ in 0..8 {
            numbers.next();
        }
        // From ten to two hundred times slower than it was, each as long as the others or not.
        let rate = 100.0 + numbers.next() * 1_500.0;
        let (calm, slow) = (2.0 + numbers.next() * 20.0, 10.0 + numbers.next() * 190.0);
        let share = if seed % 2 == 0 { 1.0 } else { 0.0 };
        let late = load(rate, calm * slow, (share, calm * slow));
        let seen = run_by(seed, 20_000, &after_calm(load(rate, calm, NONE), &[(100, late)]));
        assert_eq!(
            seen.shed, 0,
            "{seed}: {rate} a second, {calm} ms, {slow} times slower"
        );
        assert!(seen.held < 5_000_000, "{seed}: somebody waited for {}", seen.held);
    }
}

#[test]
fn whatever_the_chances_are_more_than_it_answers_is_sent_away_soon() {
    let mut found = 0;
    for seed in 0..24 {
        let mut numbers = Numbers(seed * 977 + 3);
        for _ in 0..8 {
            numbers.next();
        }
        let (workers, takes) = (1.0 + (numbers.next() * 30.0).floor(), 2.0 + numbers.next() * 40.0);
        let (carries, times) = (workers * 1e3 / takes, 2.0 + numbers.next() * 8.0);
        let calm = load(carries * 0.3, takes, NONE);
        let crowd = load(carries * times, takes, NONE);
        let seen = run_by(seed, workers as usize, &after_calm(calm, &[(50, crowd)]));
        // One that answers few in a second is not always found out before all are late.
        if seen.shed > 0 {
            found += 1;
            let (rate, all) = (seen.rate(50..60), carries * (times - 1.0));
            let shed = seen.shed as f64;
            assert!(shed > all * 10.0, "{seed}: {workers} workers, {takes} ms: {shed}");
            assert!(
                rate > carries * 0.8 || carries < 300.0,
                "{seed}: {rate} of {carries}"
            );
        } else {
            assert!(
                carries < 300.0,
                "{seed}: {workers} workers, {takes} ms, {times} times"
            );
        }
    }
    assert!(found >= 20, "{found}");
}

#[test]
fn a_crowd_of_long_polls_is_let_in() {
    let seconds = after_calm(
        load(50.0, 1.0, NONE),
        &[
            (1, load(5_000.0, 1.0, (1.0, 3_000.0))),
            (9, load(50.0, 1.0, NONE)),
        ],
    );
    let seen = run(8, &seconds);
    assert_eq!(seen.shed, 0);
    assert!(
        seen.limits.iter().all(|limit| *limit == MOST),
        "{:?}",
        seen.limits
    );
}

#[test]
fn it_is_over_when_the_crowd_is_gone_and_it_grows_with_what_there_is() {
    let seconds = after_calm(
        load(200.0, 20.0, NONE),
        &[
            (40, load(4_000.0, 20.0, NONE)),
            (10, load(200.0, 20.0, NONE)),
            // Ten times as quick as it was: what was found then does not stand in the way.
            (20, load(3_000.0, 2.0, NONE)),
        ],
    );
    let seen = run(8, &seconds);
    assert!(seen.shed > 0);
    assert!(seen.high(52..59) < 150.0, "nobody waits a second later");
    assert!(seen.rate(70..80) > 2_800.0, "{}", seen.rate(70..80));
}
