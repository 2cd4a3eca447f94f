//! Measures how long checking a manifest takes, and how much memory, by its size.
//!
//! Processor time is measured, because others may use the machine, too. Sizes are measured in turn, round after round,
//! so that a slow moment falls on all of them; the fastest of each counts. What matters is that the cost of a component stays the same, whatever the size.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads what time and memory it took from the system, and prints what it found"
)]

mod product;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;
use towpath::checked::check_sources;

/// The numbers of components.
const SIZES: &[usize] = &[10, 100, 1_000, 10_000];

/// How often each size is measured.
const ROUNDS: usize = 5;

/// The most that 10,000 components may take.
const MOST: Duration = Duration::from_secs(1);

/// How much dearer a component may be among 10,000 than among 100.
const MOST_GROWTH: f64 = 2.0;

/// One size.
struct Subject {
    components: usize,
    sources: BTreeMap<String, Vec<u8>>,
    text: String,
    check: Duration,
    parse: Duration,
}

fn main() -> ExitCode {
    // With one size named, only that one is checked, once: to profile it, or to learn what memory it needs.
    if let Some(components) = std::env::args().nth(1).and_then(|word| word.parse().ok()) {
        let mut one = subject(components);
        measure(&mut one);
        println!(
            "{components} components: {:.1} ms, {} at the most",
            millis(one.check),
            memory()
        );
        return ExitCode::SUCCESS;
    }
    let mut subjects: Vec<Subject> = SIZES.iter().map(|size| subject(*size)).collect();
    for _ in 0..ROUNDS {
        subjects.iter_mut().for_each(measure);
    }
    report(&subjects)
}

fn subject(components: usize) -> Subject {
    let text = product::manifest(components);
    Subject {
        components,
        sources: BTreeMap::from([("towpath.toml".to_owned(), text.clone().into_bytes())]),
        text,
        check: Duration::MAX,
        parse: Duration::MAX,
    }
}

fn measure(subject: &mut Subject) {
    // Small ones are checked several times at once, so that the clock is fine enough.
    let times = u32::try_from((1_000 / subject.components).max(1)).unwrap_or(1);
    let begin = used();
    for _ in 0..times {
        let checked = check_sources("towpath.toml", black_box(&subject.sources), &[]);
        assert!(checked.reading.desired.is_some() && checked.reading.environments.len() == 3);
        black_box(checked);
    }
    subject.check = subject.check.min((used() - begin) / times);
    let begin = used();
    for _ in 0..times {
        let table: toml::Table = black_box(&subject.text).parse().unwrap_or_default();
        black_box(table);
    }
    subject.parse = subject.parse.min((used() - begin) / times);
}

/// The processor time that this thread has used: far finer than the ticks that other counts are in.
fn used() -> Duration {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = status
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

fn report(subjects: &[Subject]) -> ExitCode {
    println!("| components | KiB | check, ms | us each | parse alone, ms | check / parse |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for one in subjects {
        println!(
            "| {} | {} | {:.2} | {:.1} | {:.2} | {:.1} |",
            one.components,
            one.text.len() / 1024,
            millis(one.check),
            each(one),
            millis(one.parse),
            one.check.as_secs_f64() / one.parse.as_secs_f64()
        );
    }
    let (Some(last), Some(hundred)) = (subjects.last(), subjects.iter().find(|one| one.components == 100))
    else {
        return ExitCode::FAILURE;
    };
    let growth = each(last) / each(hundred);
    println!(
        "\na component among {} costs {growth:.2} of one among 100",
        last.components
    );
    println!("memory at the most: {}", memory());
    if last.check > MOST || growth > MOST_GROWTH {
        println!("too slow: at most {MOST:?} in all, and {MOST_GROWTH} times as much for each");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Microseconds for one component.
fn each(subject: &Subject) -> f64 {
    subject.check.as_secs_f64() * 1_000_000.0 / subject.components as f64
}

/// The most memory that this process has had, as Linux counts it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
