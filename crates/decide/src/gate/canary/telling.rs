//! What a verdict says to people.

use super::{Facts, Objection, most_possible, share};
use crate::gate::words::{count, percent, time};

/// What was measured: `12 of 431 requests failed (2.8 %); the old release: 3 of 3,900 (0.08 %)`, and times where both have some.
pub(super) fn measured(facts: &Facts<'_>) -> String {
    let mut text = failures(facts, "the old release");
    if let Some(times) = times(facts) {
        text = format!("{text}; {times}");
    }
    text
}

/// What it is held against.
pub(super) fn bound(facts: &Facts<'_>) -> String {
    let gate = facts.asked.gate;
    format!(
        "{}, no worse than the old release, and {} of requests not both {} and {} slower",
        ceiling(facts),
        percent(f64::from(gate.quantile.ppm()) / 1e6),
        percent(f64::from(gate.slower.ppm()) / 1e6),
        time(gate.tolerance.millis().saturating_mul(1_000)),
    )
}

/// What stands against it.
pub(super) fn against(facts: &Facts<'_>, objection: Objection) -> String {
    match objection {
        Objection::Ceiling if facts.is_shared() => format!(
            "{}; {}, and both fail: look at what both use",
            failures(facts, "the old release as well"),
            ceiling(facts)
        ),
        Objection::Ceiling => format!("{}; {}", failures(facts, "the old release"), ceiling(facts)),
        Objection::Worse => format!(
            "{}; worse than the old release, and not by chance",
            failures(facts, "the old release")
        ),
        Objection::Slower => format!("{}; {}", times(facts).unwrap_or_default(), allowed(facts)),
    }
}

/// Why nobody can say yet; nothing where it is good.
pub(super) fn open(facts: &Facts<'_>) -> Option<String> {
    let (failed, all) = facts.tried();
    let (new, old) = (facts.seen.new, facts.seen.old);
    let wanted = u64::from(facts.asked.min_sample);
    if all == 0 && old.requests == 0 {
        return Some("no request has come, to the new release or to the old one".to_owned());
    }
    if new.requests == 0 && old.requests > 0 && (all == 0 || old.requests >= wanted) {
        return Some(format!(
            "no request has reached the new release; the old release had {}",
            count(old.requests)
        ));
    }
    let measured = failures(facts, "the old release");
    if failed > 0 && share(failed, all) > facts.ceiling {
        return Some(format!(
            "{measured}; {} is exceeded so far, and it may be chance",
            ceiling(facts)
        ));
    }
    if all < wanted {
        return Some(format!("{measured}; a verdict needs {}", counted(facts, wanted)));
    }
    if facts.ceiling > 0.0 && !facts.is_shown() {
        return Some(format!(
            "{measured}; up to {} is still possible, and {}",
            percent(most_possible(failed, all)),
            ceiling(facts)
        ));
    }
    facts.is_slower(1).then(|| {
        let slow = times(facts).unwrap_or_default();
        format!(
            "{slow}; {}: exceeded so far, and it may be chance",
            allowed(facts)
        )
    })
}

fn ceiling(facts: &Facts<'_>) -> String {
    match facts.ceiling {
        0.0 => "none may fail".to_owned(),
        ceiling => format!("no more than {}", percent(ceiling)),
    }
}

/// How many failed, on both sides.
fn failures(facts: &Facts<'_>, old_name: &str) -> String {
    let (new, probes) = (facts.seen.new, facts.seen.probes);
    let runs = probes.good.saturating_add(probes.bad);
    let requests = match new.requests {
        0 => "no request has reached the new release".to_owned(),
        all => format!(
            "{} of {} failed{}",
            count(new.errors),
            of(all, "request", "requests"),
            in_percent(new.errors, all)
        ),
    };
    let probed = match runs {
        0 => String::new(),
        runs => format!(
            ", and {} of {}{}",
            count(probes.bad),
            of(runs, "probe run", "probe runs"),
            in_percent(probes.bad, runs)
        ),
    };
    let old = match facts.seen.old.requests {
        0 => format!("{old_name} had none"),
        all => {
            let errors = facts.seen.old.errors;
            format!(
                "{old_name}: {} of {}{}",
                count(errors),
                count(all),
                in_percent(errors, all)
            )
        }
    };
    format!("{requests}{probed}; {old}")
}

fn of(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// None in so many is no percentage worth reading.
fn in_percent(part: u64, all: u64) -> String {
    match part {
        0 => String::new(),
        part => format!(" ({})", percent(share(part, all))),
    }
}

fn counted(facts: &Facts<'_>, number: u64) -> String {
    let probes = facts.seen.probes;
    match probes.good.saturating_add(probes.bad) {
        0 => of(number, "request", "requests"),
        _ => format!("{} requests and probe runs", count(number)),
    }
}

/// How long the asked share of requests took, on both sides.
fn times(facts: &Facts<'_>) -> Option<String> {
    let (new, old) = facts.quantiles()?;
    Some(format!(
        "{} of requests took up to {}; the old release: {}",
        percent(f64::from(facts.asked.gate.quantile.ppm()) / 1e6),
        time(new),
        time(old)
    ))
}

/// How long they may take.
fn allowed(facts: &Facts<'_>) -> String {
    let allowed = facts.quantiles().map(|(_, old)| facts.allowed(old));
    format!("no more than {}", allowed.map(time).unwrap_or_default())
}
