//! Releases as people see them: a table of them, what differs between two, and what has happened.

use super::course::short;
use super::{paint, tame};
use crate::columns::{Align, columns};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use towpath_api::{History, Releases};
use towpath_decide::rollout::{Area, Difference};
use towpath_model::run::{Course, ReleaseId};

/// As much of a commit's name as people compare.
const COMMIT: usize = 7;

/// A moment in the reader's zone.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A commit, as much of it as people compare.
fn commit(commit: Option<&String>) -> String {
    let commit = commit.map(|commit| tame::plain(commit));
    commit.map_or_else(|| "-".to_owned(), |commit| commit.chars().take(COMMIT).collect())
}

/// What a release is to its environment.
pub(crate) fn state(id: &ReleaseId, course: &Course) -> &'static str {
    let is = |other: Option<&ReleaseId>| other == Some(id);
    let rollout = course.rollout.as_ref();
    match rollout {
        Some(rollout) if rollout.to == *id && rollout.back.is_some() => "going back",
        Some(rollout) if rollout.to == *id => "coming",
        _ if is(course.next.as_ref().map(|next| &next.to)) => "next",
        _ if is(course.current.as_ref()) => "current",
        _ if is(course.warm.as_ref().map(|warm| &warm.release)) => "warm",
        _ if is(course.before.as_ref()) => "before",
        _ => "kept",
    }
}

/// All releases, the newest first.
pub(crate) fn releases(told: &Releases, environment: &str, zone: &TimeZone) -> String {
    if told.releases.is_empty() && !told.told.words.is_empty() && told.told.because.is_none() {
        return format!("{}\n", tame::plain(&told.told.words));
    }
    if told.releases.is_empty() {
        return format!("there is no release in {environment}; `towpath deploy {environment}` makes one\n");
    }
    let head = ["release", "when", "who", "commit", "state", "how it ended"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in &told.releases {
        rows.push(vec![
            short(&one.id),
            time(one.at, zone),
            tame::plain(&one.origin.by),
            commit(one.origin.commit.as_ref()),
            state(&one.id, &told.told.course).to_owned(),
            one.ended.as_deref().map(tame::plain).unwrap_or_default(),
        ]);
    }
    let mut text = columns(&rows, &[Align::Left; 6]);
    if told.told.course.rollout.is_some() || told.told.course.frozen.is_some() {
        text.push_str(&format!("  {}\n", super::course::line(&told.told)));
    }
    if let Some(rehearsed) = &told.told.course.rehearsed {
        let line = format!("{}: {rehearsed}", time(rehearsed.at, zone));
        text.push_str(&format!("  {}\n", tame::plain(&line)));
    }
    if let Some(frozen) = &told.told.course.frozen {
        let until = time(frozen.until, zone);
        let (why, by) = (tame::plain(&frozen.why), tame::plain(&frozen.by));
        text.push_str(&format!(
            "  {} until {until}: {why} ({by})\n",
            paint::yellow("frozen")
        ));
    }
    text
}

/// What an area is called.
pub(crate) fn area(area: Area) -> &'static str {
    match area {
        Area::Code => "code",
        Area::Config => "configuration",
        Area::Env => "variables",
        Area::Secret => "secrets",
        Area::Flag => "flags",
        Area::Schema => "schema",
        Area::Manifest => "manifest",
    }
}

/// Whether a difference is only where something stands in the manifest.
fn is_place(one: &Difference) -> bool {
    let at: Vec<&str> = one.at.iter().map(String::as_str).collect();
    matches!(at.as_slice(), ["components", _, "component", "at", ..])
}

/// Everything that differs, by what it is about.
pub(crate) fn differences(found: &[Difference]) -> String {
    if found.is_empty() {
        return "nothing differs\n".to_owned();
    }
    let (places, found): (Vec<&Difference>, Vec<&Difference>) = found.iter().partition(|one| is_place(one));
    let mut text = String::new();
    let mut last = None;
    for one in found {
        if last != Some(one.area) {
            text.push_str(&format!("{}\n", paint::bold(area(one.area))));
            last = Some(one.area);
        }
        text.push_str(&format!("  {}\n", tame::plain(&one.to_string())));
    }
    if !places.is_empty() {
        let count = places.len();
        let what = if count == 1 {
            "component stands"
        } else {
            "components stand"
        };
        let note = format!("and {count} {what} elsewhere in the manifest");
        text.push_str(&format!("{}\n", paint::dim(&note)));
    }
    text
}

/// What has happened, the newest first.
pub(crate) fn history(told: &History, environment: &str, zone: &TimeZone) -> String {
    if told.entries.is_empty() {
        return format!("nothing has happened to releases in {environment}\n");
    }
    let head = ["when", "rollout", "what", "about", "took", "because"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for one in &told.entries {
        let subject = match one.subject.as_str() {
            "" => "-".to_owned(),
            // A release; everything else is short by itself.
            subject if subject.len() == 16 && subject.bytes().all(|one| one.is_ascii_hexdigit()) => {
                short(&ReleaseId::new(subject))
            }
            subject => tame::plain(subject),
        };
        rows.push(vec![
            time(one.at, zone),
            one.rollout
                .map_or_else(|| "-".to_owned(), |number| number.to_string()),
            tame::plain(&one.what),
            subject,
            one.took.map(|took| took.to_string()).unwrap_or_default(),
            tame::plain(&one.because),
        ]);
    }
    let aligned = [
        Align::Left,
        Align::Right,
        Align::Left,
        Align::Left,
        Align::Right,
        Align::Left,
    ];
    let table = columns(&rows, &aligned);
    format!("{table}  `towpath explain {environment} NUMBER` tells all of a rollout\n")
}

#[cfg(test)]
mod tests;
