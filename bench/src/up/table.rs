//! What was measured, as a table: medians, the fastest, and ratios.

use std::time::Duration;

/// Times of one thing.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) what: String,
    pub(crate) each: Vec<Duration>,
}

impl Times {
    pub(crate) fn of(what: impl Into<String>) -> Times {
        Times {
            what: what.into(),
            each: Vec::new(),
        }
    }

    /// The one in the middle.
    pub(crate) fn median(&self) -> Duration {
        let mut sorted = self.each.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    /// The one that so many of a hundred do not exceed.
    pub(crate) fn at(&self, percent: usize) -> Duration {
        let mut sorted = self.each.clone();
        sorted.sort();
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }

    fn least(&self) -> Duration {
        self.each.iter().min().copied().unwrap_or_default()
    }

    fn most(&self) -> Duration {
        self.each.iter().max().copied().unwrap_or_default()
    }
}

/// A time in milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Prints times, with their ratios to the first of them.
pub(crate) fn print(all: &[Times]) {
    println!("| what | median | least | most | rounds | ratio | above the first |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let first = all.first().map(Times::median).unwrap_or_default();
    for one in all.iter().filter(|one| !one.each.is_empty()) {
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {} | {:.2} | {:+.2} |",
            one.what,
            millis(one.median()),
            millis(one.least()),
            millis(one.most()),
            one.each.len(),
            one.median().as_secs_f64() / first.as_secs_f64().max(1e-9),
            millis(one.median()) - millis(first)
        );
    }
}

/// Prints a number beside what it should be.
pub(crate) fn against(what: &str, is: f64, unit: &str, bound: f64, aim: f64) {
    let verdict = match is {
        is if is <= aim => "as aimed",
        is if is <= bound => "within its bound",
        _ => "TOO MUCH",
    };
    println!("{what}: {is:.2} {unit}, {verdict} (bound {bound}, aim {aim})");
}
