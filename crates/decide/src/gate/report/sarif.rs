//! SARIF 2.1.0: no weakness that is too bad, and none that is known for too long.
//!
//! **How bad** a result is says `security-severity` (a CVSS score: from 9 on critical, from 7 high, from 4 medium, else low),
//! of the result or of its rule; where there is none, its level: an error is high, a warning medium, a note low. A result
//! without a level has that of its rule, and one whose rule has none is a warning, as the standard says.
//!
//! **What counts.** What is no failure by its `kind`, what is suppressed (and no one of its suppressions is under review or
//! rejected), and what is gone (`baselineState` is `absent`) does not. What is `unchanged` against a baseline that somebody
//! has chosen is told and is no reason to stop, but for `older_than`, which is about nothing else: how long a weakness is
//! known, where `provenance.firstDetectionTimeUtc` says so.
//!
//! **Nothing found is only good where something was looked at.** A run that has no `results` did not scan, and one whose
//! invocation was not successful did not come to its end. Both fail.
//!
//! **Two bounds.** From `fail` on the gate fails. From `block` on a release does not move on: it may come into a first
//! environment, where nobody has promised anything yet, and fails in each that comes after another.

mod result;

use super::Report;
use super::outcome::{failed, file, first, no_further, passed, shown};
use super::text::json;
use jiff::Timestamp;
use result::{One, results};
use towpath_model::desired::gate::{Sarif, Weakness};
use towpath_model::run::Found;

/// What a report says for an environment: whether that is a first one, which comes after no other. `now` is for how long a
/// weakness is known.
pub fn sarif(asked: &Sarif, report: Report<'_>, is_first: bool, now: Timestamp) -> Found {
    let bound = bound(asked, is_first);
    match json(report.bytes).and_then(|value| results(&value)) {
        Ok(all) => judge(asked, &report, &all, (is_first, now), &bound),
        Err(fault) => fault.found(&report, &bound),
    }
}

/// From where on it fails here: `block` may be said to be worse than `fail`, and then fails nothing more.
fn limit(asked: &Sarif, is_first: bool) -> Weakness {
    match is_first {
        true => asked.fail,
        false => asked.block.min(asked.fail),
    }
}

fn bound(asked: &Sarif, is_first: bool) -> String {
    let limit = limit(asked, is_first);
    match asked.older_than {
        Some(age) => format!("nothing {}, and nothing known for longer than {age}", from(limit)),
        None => format!("nothing {}", from(limit)),
    }
}

fn from(limit: Weakness) -> String {
    match limit {
        Weakness::Critical => "critical".to_owned(),
        other => format!("{} or worse", other.word()),
    }
}

fn judge(
    asked: &Sarif,
    report: &Report<'_>,
    all: &[One],
    (is_first, now): (bool, Timestamp),
    bound: &str,
) -> Found {
    let (known, new): (Vec<&One>, Vec<&One>) = all.iter().partition(|one| one.is_known);
    let words = measured(&new, &known);
    let mut worst: Vec<&One> = new.clone();
    worst.sort_by_key(|one| std::cmp::Reverse(one.severity));
    let lines: Vec<String> = worst.iter().take(super::NAMED).map(|one| one.words()).collect();
    let mut evidence = vec![file(
        report,
        if lines.is_empty() {
            words.clone()
        } else {
            lines.join("\n")
        },
    )];
    let of = |limit: Weakness| -> Vec<&One> {
        worst
            .iter()
            .filter(|one| one.severity >= limit)
            .copied()
            .collect()
    };
    let bad = of(limit(asked, is_first));
    if !bad.is_empty() {
        return failed(why(&words, &bad), Some(words), bound, evidence);
    }
    if let Some(most) = asked.older_than {
        let is_old = |one: &&One| {
            one.since
                .is_some_and(|since| now.duration_since(since) > most.to_jiff())
        };
        let old: Vec<&One> = all.iter().filter(is_old).collect();
        if !old.is_empty() {
            let words = format!("{words}; {} known for longer than {most}", old.len());
            return failed(why(&words, &old), Some(words), bound, evidence);
        }
    }
    let blocked = of(asked.block);
    if blocked.is_empty() {
        return passed(words, bound, evidence);
    }
    let words = format!(
        "{words}; it goes no further than here with anything {}",
        from(asked.block)
    );
    evidence.push(no_further(&why(&words, &blocked)));
    passed(words, bound, evidence)
}

fn why(words: &str, of: &[&One]) -> String {
    let names: Vec<String> = of.iter().take(super::NAMED).map(|one| one.name.clone()).collect();
    shown(&format!("{words}: {}", first(&names, of.len())))
}

/// `1 critical, 3 low`.
fn measured(new: &[&One], known: &[&One]) -> String {
    let mut counts = Vec::new();
    for severity in [
        Weakness::Critical,
        Weakness::High,
        Weakness::Medium,
        Weakness::Low,
    ] {
        let count = new.iter().filter(|one| one.severity == severity).count();
        if count > 0 {
            counts.push(format!("{count} {}", severity.word()));
        }
    }
    if counts.is_empty() {
        counts.push("no weakness".to_owned());
    }
    if !known.is_empty() {
        counts.push(format!("{} that the baseline has", known.len()));
    }
    counts.join(", ")
}
