//! How long things took, as counts: an array of counters that grows as far as it is used, and what was read from it.
//!
//! Below 64 microseconds each microsecond has a counter of its own; above, each doubling is cut into 64 equal steps. So a time
//! that is read from it is wrong by 1/128 at most, whether it is microseconds or an hour, and two of them are put together
//! by adding them. `hdrhistogram` counts in the same way, but takes a lock or a task for what many threads count, and all of
//! its memory at once; here a request costs one addition, and a doubling in which nothing has happened costs no memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Each doubling is cut into two to this power.
const FINE: u32 = 6;
const STEPS: usize = 1 << FINE;
/// The last one ends at 71 minutes; what takes longer is counted there.
const OCTAVES: usize = 27;
const LONGEST: u64 = (1 << 32) - 1;

type Octave = Box<[AtomicU64; STEPS]>;

/// Counts of times.
#[derive(Debug)]
pub(crate) struct Histogram {
    octaves: [OnceLock<Octave>; OCTAVES],
    micros: AtomicU64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram {
            octaves: [const { OnceLock::new() }; OCTAVES],
            micros: AtomicU64::new(0),
        }
    }

    pub(crate) fn count(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST).min(LONGEST);
        let (octave, step) = step(micros);
        let counters = self.octaves[octave].get_or_init(|| Box::new([const { AtomicU64::new(0) }; STEPS]));
        counters[step].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What has been counted so far.
    pub(crate) fn read(&self) -> Times {
        let mut counts = Vec::new();
        for (at, octave) in self.octaves.iter().enumerate() {
            let Some(counters) = octave.get() else { continue };
            for (step, counter) in counters.iter().enumerate() {
                let count = counter.load(Ordering::Relaxed);
                if count > 0 {
                    counts.push(((at * STEPS + step) as u16, count));
                }
            }
        }
        Times {
            micros: self.micros.load(Ordering::Relaxed),
            counts,
        }
    }
}

/// The doubling and the step in it that a time belongs to.
fn step(micros: u64) -> (usize, usize) {
    let octave = u64::BITS - (micros | (STEPS as u64 - 1)).leading_zeros() - FINE;
    let wide = octave.saturating_sub(1);
    (octave as usize, (micros >> wide) as usize % STEPS)
}

/// The middle of a step, in microseconds.
fn middle(at: u16) -> u64 {
    let (octave, step) = (usize::from(at) / STEPS, u64::from(at) % STEPS as u64);
    match octave {
        0 => step,
        _ => {
            let wide = octave - 1;
            ((step + STEPS as u64) << wide) + ((1 << wide) >> 1)
        }
    }
}

/// Times that were counted, each right to 1/128 of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// All of them together, in microseconds.
    pub micros: u64,
    /// How many, by the step that they belong to, in order; steps in which there is none are left out.
    pub counts: Vec<(u16, u64)>,
}

impl Times {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// Each time in microseconds, and how many took so long, in order.
    pub fn each(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts.iter().map(|(at, count)| (middle(*at), *count))
    }

    /// The time that so much of them, from 0 to 1, do not exceed.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = (share.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0) as u64;
        let mut passed = 0;
        let reached = self.counts.iter().find(|(_, count)| {
            passed += count;
            passed >= wanted
        });
        reached.map(|(at, _)| Duration::from_micros(middle(*at)))
    }

    /// How many took no longer than this.
    pub fn within(&self, longest: Duration) -> u64 {
        let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        let within = self.counts.iter().take_while(|(at, _)| middle(*at) <= longest);
        within.map(|(_, count)| count).sum()
    }

    /// Those that have come since an earlier look at the same.
    pub fn since(&self, earlier: &Times) -> Times {
        let before = |at: u16| {
            let found = earlier.counts.binary_search_by_key(&at, |(at, _)| *at);
            found.map_or(0, |found| earlier.counts[found].1)
        };
        let counts = self
            .counts
            .iter()
            .map(|(at, count)| (*at, count.saturating_sub(before(*at))));
        Times {
            micros: self.micros.saturating_sub(earlier.micros),
            counts: counts.filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// Adds those of another one.
    pub fn add(&mut self, other: &Times) {
        self.micros += other.micros;
        for (at, count) in &other.counts {
            match self.counts.binary_search_by_key(at, |(at, _)| *at) {
                Ok(found) => self.counts[found].1 += count,
                Err(place) => self.counts.insert(place, (*at, *count)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Times {
        let histogram = Histogram::new();
        times
            .into_iter()
            .for_each(|micros| histogram.count(Duration::from_micros(micros)));
        histogram.read()
    }

    #[test]
    fn a_time_is_found_again_to_one_part_in_128_over_the_whole_range() {
        let mut micros = 0_u64;
        while micros < LONGEST {
            let read = of([micros]).quantile(1.0).expect("there is one").as_micros() as u64;
            assert!(
                read.abs_diff(micros) * 128 <= micros,
                "{micros} was read as {read}"
            );
            micros = micros + 1 + micros / 97;
        }
    }

    #[test]
    fn steps_follow_each_other_without_a_gap_and_the_longest_times_are_counted_in_the_last_one() {
        for micros in 1..100_000_u64 {
            let at = |micros| {
                let (octave, step) = step(micros);
                octave * STEPS + step
            };
            assert!(at(micros) - at(micros - 1) <= 1, "{micros}");
        }
        assert_eq!(step(LONGEST), (OCTAVES - 1, STEPS - 1));
        let long = of([u64::MAX / 2, LONGEST]);
        assert_eq!((long.count(), long.counts.len()), (2, 1));
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_times() {
        let times = of(1..=1_000);
        for (share, right) in [(0.0, 1), (0.5, 500), (0.95, 950), (0.99, 990), (1.0, 1_000)] {
            let read = times.quantile(share).expect("there are some").as_micros() as u64;
            assert!(read.abs_diff(right) * 128 <= right, "{share}: {read}");
        }
        assert_eq!(times.micros, 500_500);
        assert_eq!(Times::default().quantile(0.5), None);
        assert_eq!(times.within(Duration::from_micros(50)), 50);
        assert_eq!(times.within(Duration::from_secs(1)), 1_000);
    }

    #[test]
    fn what_is_added_can_be_taken_away_again() {
        let (first, second) = (of([5, 70, 9_000]), of([5, 5, 80_000_000]));
        let mut both = first.clone();
        both.add(&second);
        assert_eq!(both, of([5, 70, 9_000, 5, 5, 80_000_000]));
        assert_eq!(both.since(&first), second);
        assert_eq!(both.since(&both), Times::default());
    }

    #[test]
    fn nothing_is_kept_before_something_is_counted() {
        let histogram = Histogram::new();
        assert!(histogram.octaves.iter().all(|octave| octave.get().is_none()));
        histogram.count(Duration::from_millis(3));
        let used = histogram.octaves.iter().filter(|octave| octave.get().is_some());
        assert_eq!(used.count(), 1);
    }
}
