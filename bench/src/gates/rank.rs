//! A comparison of ranks, as Kayenta has it: what each minute measured of the new and of the old release are two samples, and
//! the new one is worse where the interval of Mann-Whitney's test (98 %) lies above a quarter of the shift that it estimates.
//! It is asked every ten minutes, over all minutes so far; minutes without traffic are left out.

use crate::fixed::quantile_since;
use crate::rollout::{Judge, Wish};
use crate::traffic::{Counted, Stream};

const WINDOW: f64 = 60.0;
const ASKED_EVERY: f64 = 600.0;
/// Of 98 % on two sides.
const DEVIATIONS: f64 = 2.326;
const TOLERANCE: f64 = 0.25;

#[derive(Default)]
pub(crate) struct Rank {
    new: Series,
    old: Series,
}

#[derive(Default)]
struct Series {
    last: Option<Counted>,
    errors: Vec<f64>,
    slowest: Vec<f64>,
}

impl Series {
    fn push(&mut self, now: &Counted) {
        let (requests, errors, times) = match &self.last {
            Some(last) => (last.requests, last.errors, last.times.as_slice()),
            None => (0, 0, [].as_slice()),
        };
        let came = now.requests - requests;
        if came > 0 {
            self.errors.push((now.errors - errors) as f64 / came as f64);
            self.slowest
                .push(quantile_since(&now.times, times, came, 0.95) as f64);
        }
        self.last = Some(now.clone());
    }
}

impl Judge for Rank {
    fn look(&mut self, stream: &Stream<'_>) -> Wish {
        if stream.seconds % WINDOW != 0.0 {
            return Wish::More;
        }
        self.new.push(&stream.new);
        self.old.push(&stream.old);
        if stream.seconds % ASKED_EVERY != 0.0 {
            return Wish::More;
        }
        let is_high =
            is_higher(&self.new.errors, &self.old.errors) || is_higher(&self.new.slowest, &self.old.slowest);
        if is_high { Wish::Back } else { Wish::On }
    }
}

/// Whether the first sample lies above the second one.
fn is_higher(new: &[f64], old: &[f64]) -> bool {
    let mut shifts: Vec<f64> = new
        .iter()
        .flat_map(|new| old.iter().map(move |old| new - old))
        .collect();
    if shifts.len() < 9 {
        return false;
    }
    shifts.sort_by(f64::total_cmp);
    let (n, m) = (new.len() as f64, old.len() as f64);
    let below = n * m / 2.0 - DEVIATIONS * (n * m * (n + m + 1.0) / 12.0).sqrt();
    if below < 0.0 {
        return false;
    }
    let estimate = shifts[shifts.len() / 2];
    shifts[below as usize] > TOLERANCE * estimate.abs()
}
