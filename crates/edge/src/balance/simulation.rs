//! Ways to choose among instances, beside each other, in virtual time and without chance.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::{Cost, cheapest};
use crate::pulse::Pulse;

const INSTANCES: usize = 4;
const WORKERS: usize = 8;
/// Microseconds that a request takes on average.
const MEAN: f64 = 10_000.0;

/// Numbers that look like chance and are the same each time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.next()).ln()
    }

    /// A heavy tail: of Pareto, with an exponent of 1.5.
    fn heavy(&mut self, mean: f64) -> f64 {
        mean / 3.0 / (1.0 - self.next()).powf(1.0 / 1.5)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Turns,
    Fewest,
    Soonest,
}

struct Seen {
    mean: f64,
    high: u64,
    to_slow: f64,
}

/// Asks four instances, of which the last is so many times slower, at this part of what they can carry.
fn ask(way: Way, slower: f64, is_heavy: bool, load: f64) -> Seen {
    let mut numbers = Numbers(7);
    let mean = |at: usize| if at + 1 == INSTANCES { MEAN * slower } else { MEAN };
    let rate = load * (0..INSTANCES).map(|at| WORKERS as f64 / mean(at)).sum::<f64>();
    let pulses: [Pulse; INSTANCES] = Default::default();
    let mut open = [0_u64; INSTANCES];
    let mut workers: [BinaryHeap<Reverse<u64>>; INSTANCES] =
        std::array::from_fn(|_| (0..WORKERS).map(|_| Reverse(0)).collect());
    let mut ends: BinaryHeap<Reverse<(u64, usize, u64)>> = BinaryHeap::new();
    let (mut time, mut took, mut to_slow) = (0.0, Vec::new(), 0);
    for turn in 0..40_000 {
        time += numbers.exponential(1.0 / rate);
        let now = time as u64;
        while let Some(Reverse((end, at, long))) = ends.peek().copied().filter(|end| end.0.0 <= now) {
            ends.pop();
            open[at] -= 1;
            pulses[at].took(end / 1_000, Duration::from_micros(long));
        }
        let cost = |at: usize| {
            let micros = if way == Way::Soonest {
                pulses[at].micros(now / 1_000)
            } else {
                0
            };
            let open = if way == Way::Turns { 0 } else { open[at] };
            Some(Cost {
                open,
                micros,
                cold: 1,
            })
        };
        let at = cheapest(INSTANCES, turn, cost).expect("there are some");
        let long = if is_heavy {
            numbers.heavy(mean(at))
        } else {
            numbers.exponential(mean(at))
        };
        let Reverse(free) = workers[at].pop().expect("there are some");
        let end = free.max(now) + long as u64;
        workers[at].push(Reverse(end));
        open[at] += 1;
        ends.push(Reverse((end, at, end - now)));
        if turn > 4_000 {
            took.push(end - now);
            to_slow += usize::from(at + 1 == INSTANCES);
        }
    }
    took.sort_unstable();
    Seen {
        mean: took.iter().sum::<u64>() as f64 / took.len() as f64,
        high: took[took.len() * 99 / 100],
        to_slow: to_slow as f64 / took.len() as f64,
    }
}

#[test]
fn beside_a_slow_instance_the_soonest_is_far_better_than_the_least_busy() {
    for load in [0.1, 0.5, 0.8] {
        let [turns, fewest, soonest] =
            [Way::Turns, Way::Fewest, Way::Soonest].map(|way| ask(way, 10.0, false, load));
        assert!(fewest.mean < turns.mean);
        assert!(
            soonest.high * 2 < fewest.high,
            "at {load}: {} and {}",
            soonest.high,
            fewest.high
        );
        assert!(soonest.mean < fewest.mean);
        assert!(soonest.to_slow < 0.01 && fewest.to_slow > 0.03);
    }
}

#[test]
fn a_heavy_tail_does_not_mislead_it_and_equal_instances_stay_equal() {
    for load in [0.1, 0.5] {
        let [fewest, soonest] = [Way::Fewest, Way::Soonest].map(|way| ask(way, 10.0, true, load));
        assert!(soonest.mean < fewest.mean && soonest.high < fewest.high);
    }
    for (is_heavy, load) in [(false, 0.1), (false, 0.5), (false, 0.8), (true, 0.1), (true, 0.5)] {
        let [fewest, soonest] = [Way::Fewest, Way::Soonest].map(|way| ask(way, 1.0, is_heavy, load));
        assert!(
            soonest.mean < fewest.mean * 1.1,
            "{} and {}",
            soonest.mean,
            fewest.mean
        );
    }
}
