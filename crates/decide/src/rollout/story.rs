//! What there is to tell of a rollout: a line for each thing that happened, with its reason as it was told.

use super::{Decision, Doing};
use jiff::Timestamp;
use towpath_model::run::{Course, Ended, Line, Reason, Rollout, Stage, Task, Work};

/// A line, and the rollout that it belongs to.
pub type Told = (u64, Line);

/// A rollout begins: from where to where, who wants it, and what it goes through.
pub fn begun(before: &Course, next: &Course, now: Timestamp) -> Option<Told> {
    let number = |course: &Course| course.rollout.as_ref().map(|rollout| rollout.number);
    let rollout = next.rollout.as_ref().filter(|_| number(before) != number(next))?;
    let stages: Vec<String> = rollout.stages.iter().map(planned).collect();
    let because = match rollout.is_rollback {
        true => format!("{} wants an earlier release back", rollout.by),
        false => format!("{} wants it so", rollout.by),
    };
    let line = Line {
        by: Some(rollout.by.clone()),
        from: rollout.from.clone(),
        to: Some(rollout.to.clone()),
        ..Line::new(now, "begins", stages.join("; "), because)
    };
    Some((rollout.number, line))
}

/// A stage as it is ahead: nothing of it has moved.
fn planned(stage: &Stage) -> String {
    match stage {
        Stage::Leg(leg) => {
            let names: Vec<&str> = leg.components.iter().map(|name| name.as_str()).collect();
            format!("{} {}", leg.way.strategy, names.join(", "))
        }
        other => other.to_string(),
    }
}

/// What there is to tell of a step from one course to the next. `last` is why it was where it was, as it was told last.
pub fn steps(before: &Course, decision: &Decision, last: Option<&Reason>, now: Timestamp) -> Vec<Told> {
    let next = &decision.next;
    let mut lines = Vec::new();
    let ended = next
        .ended
        .as_ref()
        .filter(|ended| before.ended.as_ref() != Some(*ended));
    if let Some(rollout) = &before.rollout {
        lines.extend(passed(rollout, next, ended, now));
    }
    lines.extend(ended.map(|ended| end(ended, now)));
    lines.extend(begun(before, next, now));
    let number = next
        .rollout
        .as_ref()
        .map_or(next.number, |rollout| rollout.number);
    let asked = decision.acts.iter().map(|act| {
        let (what, about) = work(&act.task.work, &act.gates);
        (
            act.task.number,
            Line::new(now, what, about, decision.because.to_string()),
        )
    });
    let asks = !decision.acts.is_empty();
    lines.extend(asked);
    let waits = last.map(kind) != Some(kind(&decision.because)) && is_told(&decision.because);
    if waits && !asks && next.rollout.is_some() {
        let what = if decision.because.holds() {
            "holds"
        } else {
            "waits"
        };
        // On the way back it is in all of its steps at once.
        let forward = next.rollout.as_ref().filter(|rollout| rollout.back.is_none());
        let at = forward.and_then(place).unwrap_or_default();
        lines.push((number, Line::new(now, what, at, decision.because.to_string())));
    }
    lines
}

/// The stages and steps that are behind it now, and that it has turned back.
fn passed(before: &Rollout, next: &Course, ended: Option<&Ended>, now: Timestamp) -> Vec<Told> {
    let tell =
        |what: &str, about: String, because: String| (before.number, Line::new(now, what, about, because));
    let rollout = next.rollout.as_ref().filter(|next| next.number == before.number);
    let mut lines = Vec::new();
    let done = match (rollout, ended) {
        (Some(rollout), _) => rollout.at,
        (None, Some(ended)) if ended.promoted => before.stages.len(),
        (None, _) => before.at,
    };
    for at in before.at..done {
        let stage = rollout.map_or(&before.stages, |rollout| &rollout.stages).get(at);
        lines.extend(stage.map(|stage| tell("done", planned(stage), String::new())));
    }
    if let Some(rollout) = rollout {
        let here = |rollout: &Rollout| match rollout.stages.get(rollout.at) {
            Some(Stage::Leg(leg)) => (leg.step, leg.moved, leg.tenants),
            _ => (0, 0, None),
        };
        let is_leg = matches!(rollout.stages.get(rollout.at), Some(Stage::Leg(_)));
        if is_leg && rollout.at == before.at && here(before) != here(rollout) && rollout.back == before.back {
            lines.push(tell("goes on", place(rollout).unwrap_or_default(), String::new()));
        }
        if rollout.switched && !before.switched {
            lines.push(tell("current", rollout.to.to_string(), String::new()));
        }
        if let Some(why) = rollout.back.as_ref().filter(|_| before.back.is_none()) {
            lines.push(tell("returns", String::new(), why.to_string()));
        }
    } else if let Some(ended) = ended.filter(|ended| !ended.promoted && before.back.is_none()) {
        lines.push(tell("returns", String::new(), ended.because.to_string()));
    }
    lines
}

/// What has been said about a rollout by somebody, if it was about one.
pub fn said(next: &Course, what: &str, by: &str, because: &str, now: Timestamp) -> Option<Told> {
    let number = next.rollout.as_ref()?.number;
    let line = Line {
        by: Some(by.to_owned()),
        ..Line::new(now, what, String::new(), because.to_owned())
    };
    Some((number, line))
}

/// What came of something that was asked for.
pub fn came(task: &Task, doing: &Doing, gates: &[String], now: Timestamp) -> Option<Told> {
    let (_, about) = work(&task.work, gates);
    let (what, because) = match doing {
        Doing::Underway => return None,
        Doing::Done => ("done", String::new()),
        Doing::Failed(why) => ("failed", why.clone()),
        Doing::Judged(verdict) => ("answer", verdict.to_string()),
    };
    Some((task.number, Line::new(now, what, about, because)))
}

fn end(ended: &Ended, now: Timestamp) -> Told {
    let what = if ended.promoted {
        "promoted"
    } else {
        "not promoted"
    };
    let line = Line {
        to: Some(ended.to.clone()),
        from: ended.from.clone(),
        took: Some(ended.took),
        ..Line::new(now, what, String::new(), ended.because.to_string())
    };
    (ended.number, line)
}

/// Where a rollout is.
fn place(rollout: &Rollout) -> Option<String> {
    rollout.stages.get(rollout.at).map(ToString::to_string)
}

fn work(work: &Work, gates: &[String]) -> (&'static str, String) {
    match work {
        Work::Try(name) => ("tries", format!("job `{name}`")),
        Work::Migrate(moved) => ("migrates", moved.to_string()),
        Work::Judge { .. } => ("asks", gates.join(", ")),
    }
}

/// Whether it is a reason to wait that somebody would want to read of later.
pub fn is_told(reason: &Reason) -> bool {
    !matches!(reason, Reason::Looks | Reason::EdgeFollows | Reason::Rests(_))
}

/// A reason without what only counts.
fn kind(reason: &Reason) -> String {
    match reason {
        Reason::Watches(_, of) => format!("watches {of}"),
        Reason::Starts(name, ..) => format!("starts {name}"),
        Reason::Returns(why) => format!("returns {}", kind(why)),
        other => other.to_string(),
    }
}
