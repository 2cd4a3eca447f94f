//! Requests to an old and a new release, drawn from a seed as counts.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Binomial, Distribution, Normal, Poisson};
use towpath_decide::gate::canary::{Probes, Seen, Side};

/// What of all requests fails when nothing is wrong.
pub(crate) const USUAL_ERRORS: f64 = 0.001;
/// Requests take 100 ms in the middle, and 228 ms at their 95 %: a lognormal distribution.
const MEDIAN: f64 = 100_000.0;
const SPREAD: f64 = 0.5;

/// What is wrong with the new release.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Fault {
    pub(crate) errors: f64,
    pub(crate) times: f64,
}

impl Fault {
    pub(crate) const NONE: Fault = Fault {
        errors: USUAL_ERRORS,
        times: 1.0,
    };

    pub(crate) const fn errors(errors: f64) -> Fault {
        Fault { errors, times: 1.0 }
    }

    pub(crate) const fn slower(times: f64) -> Fault {
        Fault {
            errors: USUAL_ERRORS,
            times,
        }
    }
}

/// Times are counted in steps of 1/64 of a doubling, as the edge does, from 1 ms on.
const STEPS: usize = 64 * 16;

/// The step of a time in microseconds.
fn step(micros: f64) -> usize {
    let steps = (micros / 1_000.0).log2() * 64.0;
    (steps.max(0.0) as usize).min(STEPS - 1)
}

fn middle(step: usize) -> u64 {
    (1_000.0 * ((step as f64 + 0.5) / 64.0).exp2()) as u64
}

/// How requests of one release go.
struct Kind {
    rate: f64,
    errors: f64,
    /// The logarithm of a time.
    times: Normal<f64>,
    /// The chance of each step where there is one, given that no earlier one was it.
    chances: Vec<(usize, f64)>,
}

impl Kind {
    fn new(rate: f64, fault: Fault) -> Kind {
        let mean = (MEDIAN * fault.times).ln();
        let upto = |step: usize| {
            let bound = 1_000.0 * (step as f64 / 64.0).exp2();
            normal_share((bound.ln() - mean) / SPREAD)
        };
        let mut left = 1.0;
        let mut chances = Vec::new();
        for step in 0..STEPS {
            let chance = if step + 1 == STEPS {
                left
            } else {
                upto(step + 1) - (1.0 - left)
            };
            if chance > 1e-12 {
                chances.push((step, (chance / left).clamp(0.0, 1.0)));
                left -= chance;
            }
        }
        Kind {
            rate,
            errors: fault.errors,
            times: Normal::new(mean, SPREAD).expect("a spread"),
            chances,
        }
    }
}

/// By the error function of the house, which is good to fifteen places through the incomplete gamma function's kin.
fn normal_share(z: f64) -> f64 {
    // The chance of a squared normal is a beta distribution's limit; a sum is as good here and simple: Marsaglia (2004).
    let (mut sum, mut term, mut at) = (z, z, 1.0);
    if z.abs() > 8.0 {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    while f64::abs(term) > 1e-18 {
        at += 2.0;
        term *= z * z / at;
        sum += term;
    }
    0.5 + sum * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// A canary.
pub(crate) struct Scene {
    new: Kind,
    old: Kind,
    probed: bool,
    pub(crate) fault: Fault,
}

impl Scene {
    /// A canary of 10 % of so many requests a second.
    pub(crate) fn new(rate: f64, probed: bool, fault: Fault) -> Scene {
        Scene::of_share(rate, 0.1, probed, fault)
    }

    pub(crate) fn of_share(rate: f64, share: f64, probed: bool, fault: Fault) -> Scene {
        Scene {
            new: Kind::new(rate * share, fault),
            old: Kind::new(rate * (1.0 - share), Fault::NONE),
            probed,
            fault,
        }
    }
}

/// What has been counted of one release.
#[derive(Clone)]
pub(crate) struct Counted {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    steps: Vec<u64>,
    pub(crate) times: Vec<(u64, u64)>,
}

impl Counted {
    fn new() -> Counted {
        Counted {
            requests: 0,
            errors: 0,
            steps: vec![0; STEPS],
            times: Vec::new(),
        }
    }

    fn draw(&mut self, kind: &Kind, seconds: f64, random: &mut SmallRng) {
        let requests = Poisson::new(kind.rate * seconds).expect("a rate").sample(random) as u64;
        self.requests += requests;
        self.errors += binomial(requests, kind.errors, random);
        if requests < 500 {
            for _ in 0..requests {
                self.steps[step(kind.times.sample(random).exp())] += 1;
            }
        } else {
            let mut left = requests;
            for (step, chance) in &kind.chances {
                let hit = binomial(left, *chance, random);
                self.steps[*step] += hit;
                left -= hit;
            }
        }
        self.times.clear();
        let some = self.steps.iter().enumerate().filter(|(_, count)| **count > 0);
        self.times
            .extend(some.map(|(step, count)| (middle(step), *count)));
    }

    fn side(&self) -> Side<'_> {
        Side {
            requests: self.requests,
            errors: self.errors,
            times: &self.times,
        }
    }
}

fn binomial(of: u64, chance: f64, random: &mut SmallRng) -> u64 {
    match of {
        0 => 0,
        _ => Binomial::new(of, chance).expect("a chance").sample(random),
    }
}

/// A canary as it runs.
pub(crate) struct Stream<'a> {
    scene: &'a Scene,
    random: SmallRng,
    pub(crate) seconds: f64,
    pub(crate) new: Counted,
    pub(crate) old: Counted,
    probes: Probes,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(scene: &'a Scene, seed: u64) -> Stream<'a> {
        Stream {
            scene,
            random: SmallRng::seed_from_u64(seed),
            seconds: 0.0,
            new: Counted::new(),
            old: Counted::new(),
            probes: Probes::default(),
        }
    }

    /// Lets so much time pass; one probe is run in it, where they are.
    pub(crate) fn pass(&mut self, seconds: f64) {
        self.seconds += seconds;
        self.new.draw(&self.scene.new, seconds, &mut self.random);
        self.old.draw(&self.scene.old, seconds, &mut self.random);
        if self.scene.probed {
            let bad = binomial(1, self.scene.fault.errors, &mut self.random);
            self.probes.bad += bad;
            self.probes.good += 1 - bad;
        }
    }

    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen {
            new: self.new.side(),
            old: self.old.side(),
            probes: self.probes,
        }
    }

    /// How many visitors have met the fault.
    pub(crate) fn met(&self) -> u64 {
        let fault = self.scene.fault;
        match fault.times {
            1.0 => self.new.errors,
            _ => self.new.requests,
        }
    }
}
