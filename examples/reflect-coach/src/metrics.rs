//! Numbers in the text format of Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that only grow.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The upper bounds of the classes that times are counted in, in milliseconds.
const BOUNDS: [u64; 9] = [25, 50, 100, 250, 500, 1000, 3000, 10_000, 60_000];

/// Times, counted in classes.
#[derive(Debug, Default)]
pub struct Times {
    classes: [Count; BOUNDS.len()],
    all: Count,
    sum: Count,
}

impl Times {
    pub fn took(&self, milliseconds: u64) {
        let classes = self.classes.iter().zip(BOUNDS);
        for (class, _) in classes.filter(|(_, bound)| milliseconds <= *bound) {
            class.add(1);
        }
        self.all.add(1);
        self.sum.add(milliseconds);
    }

    /// A histogram under this name.
    pub fn text(&self, name: &str) -> String {
        let mut text = format!("# TYPE {name} histogram\n");
        for (class, bound) in self.classes.iter().zip(BOUNDS) {
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {}", class.now());
        }
        let (all, sum) = (self.all.now(), self.sum.now());
        let _ = write!(
            text,
            "{name}_bucket{{le=\"+Inf\"}} {all}\n{name}_sum {sum}\n{name}_count {all}\n"
        );
        text
    }
}

/// A counter with its value.
pub fn counter(name: &str, value: u64) -> String {
    format!("# TYPE {name} counter\n{name} {value}\n")
}

/// A number that goes up and down.
pub fn gauge(name: &str, value: u64) -> String {
    format!("# TYPE {name} gauge\n{name} {value}\n")
}
