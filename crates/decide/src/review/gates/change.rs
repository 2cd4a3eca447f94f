//! Rules about gates that ask for a change.
//!
//! Events come by chance: of 20 incidents there may be 14 the next time though nothing has changed. Two counts `n`
//! and `m` over equal times differ by more than chance when `(n - m) / sqrt(n + m)` exceeds 1.645, one time in
//! twenty. For a change by the share `d` that takes about `2.7 * (2 + d) / d²` events before it.

use super::super::Scene;
use towpath_model::code;
use towpath_model::desired::gate::{ChangeGate, ChangeMode};
use towpath_model::desired::metric::{Measured, Metric};
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Path;
use towpath_model::unit::{Change, Name};

/// Whether more of it is worse; nothing where it depends.
fn worse_when_more(name: &str, metric: &Metric) -> Option<bool> {
    match metric.measured {
        Some(
            Measured::Errors
            | Measured::Latency
            | Measured::Restarts
            | Measured::QueueDepth
            | Measured::DeadLetters
            | Measured::Locks
            | Measured::Evictions
            | Measured::WebVitals
            | Measured::Incidents,
        ) => Some(true),
        Some(Measured::Availability | Measured::Uptime) => Some(false),
        Some(_) => None,
        None => ["incidents", "errors", "crashes", "failures", "complaints"]
            .iter()
            .any(|word| name == *word || name.ends_with(&format!("-{word}")))
            .then_some(true),
    }
}

/// The events before that show such a change; nothing where it asks for none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is told as about so many, and kept below a billion"
)]
fn events_for(by: Change) -> Option<u32> {
    let change = by.ppm() as f64 / 1e6;
    let needed = 2.706 * (2.0 + change) / (change * change);
    (needed.is_finite() && needed < 1e9).then_some(needed.round() as u32)
}

pub(super) fn changes(scene: &Scene<'_>, found: &mut Vec<Finding>) {
    for (name, gate) in &scene.product.gate {
        let Some(change) = &gate.change else { continue };
        let at = Path::of(["gate", name.as_str(), "change"]);
        let Some(metric) = scene.product.metric.get(change.metric.as_str()) else {
            continue;
        };
        let rises = change.by.ppm() > 0;
        if change.by.ppm() != 0 && worse_when_more(change.metric.as_str(), metric) == Some(rises) {
            found.push(wrong_way(name, change, at.key("by"), rises));
        } else {
            found.extend(few(name, change, &at));
        }
    }
}

fn wrong_way(name: &Name, change: &ChangeGate, at: Path, rises: bool) -> Finding {
    let (more, other) = if rises { ("more", "-") } else { ("less", "+") };
    let by = change.by.to_string();
    let size = by.trim_start_matches(['+', '-']);
    let message = format!(
        "gate `{name}` passes when there is {size} {more} of `{}`",
        change.metric
    );
    Finding::value(&code::CHANGE_WRONG_WAY, at, message)
        .label("a change for the worse")
        .hint(format!("write by = \"{other}{size}\""))
}

fn few(name: &Name, change: &ChangeGate, at: &Path) -> Option<Finding> {
    let needed = events_for(change.by)?;
    let least = match change.mode {
        ChangeMode::Point => needed,
        // The interval itself waits for enough events; only a number that somebody chose too small misleads.
        ChangeMode::Confident => needed.min(50),
    };
    // The estimate is good to a few events.
    if change.min_baseline.saturating_add(2) >= least {
        return None;
    }
    let size = change.by.to_string();
    let message = match change.mode {
        ChangeMode::Point => format!(
            "gate `{name}` calls {size} of {} events a change, and chance alone often makes as much",
            change.min_baseline
        ),
        ChangeMode::Confident => format!(
            "gate `{name}` judges from {} events on, and a change by {size} cannot be told from chance below {needed}",
            change.min_baseline
        ),
    };
    let mut finding = Finding::value(&code::CHANGE_OF_FEW, at.key("min_baseline"), message)
        .label(format!("{size} takes about {needed} events"))
        .hint(format!(
            "write min_baseline = {least}, or measure for longer with `over`"
        ));
    if change.mode == ChangeMode::Point {
        finding = finding
            .also(Where::Value(at.key("mode")), "takes the numbers as they are")
            .hint(format!("write min_baseline = {least}, or mode = \"confident\""));
    }
    Some(finding)
}
