//! One canary under three judges, and what came of many.

use crate::fixed::Fixed;
use crate::ours::Ours;
use crate::rank::Rank;
use crate::traffic::{Scene, Stream};

/// How long a canary is watched, and for how long it may be extended, in seconds.
pub(crate) const HOLD: f64 = 1_800.0;
const EXTEND: f64 = 7_200.0;
/// Between two glances, in seconds.
const GLANCE: f64 = 10.0;

/// What a judge wants.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wish {
    Back,
    On,
    More,
}

/// Somebody who decides about a canary.
pub(crate) trait Judge {
    /// Asked every ten seconds; `On` counts only when the hold is over.
    fn look(&mut self, stream: &Stream<'_>) -> Wish;
}

/// What came of rollouts.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    promoted: u64,
    back: u64,
    held: u64,
    met: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Tally) {
        self.promoted += other.promoted;
        self.back += other.back;
        self.held += other.held;
        self.met += other.met;
    }

    fn all(&self) -> u64 {
        (self.promoted + self.back + self.held).max(1)
    }

    fn share(&self, part: u64) -> f64 {
        part as f64 / self.all() as f64
    }

    pub(crate) fn rolled_back_share(&self) -> f64 {
        self.share(self.back)
    }

    pub(crate) fn promoted_share(&self) -> f64 {
        self.share(self.promoted)
    }

    pub(crate) fn rolled_back(&self) -> String {
        format!("{} of {}", self.back, self.all())
    }

    pub(crate) fn promoted(&self) -> String {
        format!("{} of {}", self.promoted, self.all())
    }

    pub(crate) fn cells(&self) -> String {
        let percent = |part| match self.share(part) * 100.0 {
            0.0 => "0".to_owned(),
            100.0 => "100 %".to_owned(),
            small if small < 0.1 => format!("{small:.3} %"),
            share => format!("{share:.1} %"),
        };
        format!(
            "{} | {} | {} | {:.0}",
            percent(self.promoted),
            percent(self.back),
            percent(self.held),
            self.met as f64 / self.all() as f64
        )
    }
}

/// Lets one canary run until all judges have decided.
pub(crate) fn simulate(scene: &Scene, seed: u64) -> [Tally; 3] {
    let mut stream = Stream::new(scene, seed);
    let (mut ours, mut fixed, mut rank) = (Ours::default(), Fixed::default(), Rank::default());
    let mut judges: [&mut dyn Judge; 3] = [&mut ours, &mut fixed, &mut rank];
    let mut tallies = [Tally::default(); 3];
    let mut open = [true; 3];
    while stream.seconds < HOLD + EXTEND && open.contains(&true) {
        stream.pass(GLANCE);
        for (at, judge) in judges.iter_mut().enumerate() {
            if !open[at] {
                continue;
            }
            let tally = &mut tallies[at];
            tally.met = stream.met();
            match judge.look(&stream) {
                Wish::Back => tally.back = 1,
                Wish::On if stream.seconds >= HOLD => tally.promoted = 1,
                _ => continue,
            }
            open[at] = false;
        }
    }
    for (tally, open) in tallies.iter_mut().zip(open) {
        tally.held = u64::from(open);
    }
    tallies
}
