//! A rollout as people see it: where it is, who has how much, and why; and how it ended.

use super::{paint, progress, tame};
use std::time::Duration;
use towpath_api::CourseTold;
use towpath_model::run::{Reason, ReleaseId, Rollout, Stage, percent};

/// As much of a release's name as people compare.
const SHORT: usize = 8;

/// One turn of what turns while something is under way.
const TURNS: &[char] = &['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// What has been heard of a rollout.
#[derive(Debug, Default)]
pub(crate) struct Following {
    told: Option<CourseTold>,
    said: String,
    /// What was said, without what only counts time.
    kind: String,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What was asked for is so.
    Well(String),
    /// It failed, and came back.
    Failed(String),
    /// It did not begin.
    Refused(String),
    /// It holds: what, and what to do.
    Held(String, String),
}

/// As much of a release's name as people compare.
pub(crate) fn short(id: &ReleaseId) -> String {
    tame::plain(id.as_str()).chars().take(SHORT).collect()
}

impl Following {
    /// Hears of it; the answer is a line for where nothing is shown live.
    pub(crate) fn hear(&mut self, told: &CourseTold) -> Option<String> {
        let line = line(told);
        let kind = match &told.because {
            // Time that passes is not told again and again.
            Some(Reason::Watches(..) | Reason::Steadies(_)) => where_it_is(told),
            _ => line.clone(),
        };
        self.told = Some(told.clone());
        if kind == self.kind || line == self.said {
            return None;
        }
        (self.kind, self.said) = (kind, line.clone());
        Some(format!("{line}\n"))
    }

    /// The live view.
    pub(crate) fn live(&self, now: Duration, (columns, lines): (usize, usize)) -> Vec<String> {
        let Some(told) = &self.told else { return Vec::new() };
        let mut text = Vec::new();
        if let Some(rollout) = &told.course.rollout {
            text.push(format!(
                "  {}  {}",
                paint::bold(&way(rollout)),
                paint::dim(&progress::seconds(now))
            ));
            for (number, stage) in rollout.stages.iter().enumerate() {
                let sign = match number.cmp(&rollout.at) {
                    std::cmp::Ordering::Less => '✓',
                    std::cmp::Ordering::Equal if told.holds() => '‖',
                    std::cmp::Ordering::Equal => turn(now),
                    std::cmp::Ordering::Greater => '·',
                };
                text.push(format!("  {sign} {}", self::stage(stage)));
            }
        }
        text.extend(shares(told).map(|share| format!("    {share}")));
        text.push(format!("  {}", tame::plain(&told.words)));
        text.truncate(lines.max(1));
        text.iter().map(|line| paint::cut(line, columns)).collect()
    }
}

fn turn(now: Duration) -> char {
    let turns = usize::try_from(now.as_millis() / 100).unwrap_or_default();
    TURNS[turns % TURNS.len()]
}

/// `4f1c2b3a -> 9e2b1c0d`
fn way(rollout: &Rollout) -> String {
    let to = short(&rollout.to);
    match (&rollout.from, rollout.back.is_some()) {
        (Some(from), false) => format!("{} -> {to}", short(from)),
        (Some(from), true) => format!("{} <- {to}", short(from)),
        (None, _) => format!("-> {to}"),
    }
}

/// Where a rollout is, in a few words.
fn where_it_is(told: &CourseTold) -> String {
    let Some(rollout) = &told.course.rollout else {
        return String::new();
    };
    let at = rollout.stages.get(rollout.at).map(stage);
    let way = way(rollout);
    at.map_or(way.clone(), |at| format!("{way}  {at}"))
}

/// A part of a rollout.
fn stage(stage: &Stage) -> String {
    tame::plain(&stage.to_string())
}

/// Who has how much: `web  4f1c2b3a 90%  9e2b1c0d 10%`
fn shares(told: &CourseTold) -> impl Iterator<Item = String> + '_ {
    told.shares.iter().map(|(name, sides)| {
        let sides = sides
            .iter()
            .map(|(id, parts)| format!("{} {}", short(id), percent(*parts)));
        format!("{name}  {}", sides.collect::<Vec<_>>().join("  "))
    })
}

/// Where it stands, as one line.
pub(crate) fn line(told: &CourseTold) -> String {
    let mut parts = vec![where_it_is(told)];
    parts.extend(shares(told));
    parts.push(tame::plain(&told.words));
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

/// What somebody has asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The release that is to be the current one, where it is known.
    pub(crate) to: Option<String>,
    /// The last rollout before that: how it ended is no news.
    pub(crate) after: u64,
    /// Somebody waits for the end.
    pub(crate) wait: bool,
}

/// How it ended; who did not wait is told what has begun.
pub(crate) fn outcome(told: &CourseTold, environment: &str, asked: &Asked) -> Outcome {
    let Asked { to, after, wait } = asked;
    let course = &told.course;
    if let Some(rollout) = &course.rollout {
        if !*wait {
            return Outcome::Well(format!("{environment}: {}", line(told)));
        }
        let message = format!(
            "{} holds in {environment}: {}",
            short(&rollout.to),
            tame::plain(&told.words)
        );
        let hint = match &told.because {
            Some(Reason::Paused(_)) => format!("`towpath rollout {environment} resume` or `abort`"),
            Some(Reason::Frozen { .. }) => format!(
                "it goes on by itself then; `towpath thaw {environment}` ends a freeze of a person, `towpath rollout {environment} abort` brings it back"
            ),
            Some(Reason::OutsideWindow(_)) => {
                format!("it goes on by itself then; `towpath rollout {environment} abort` brings it back")
            }
            Some(Reason::AwaitsPerson) => format!("`towpath rollout {environment} approve` or `abort`"),
            _ => format!("`towpath rollout {environment} skip --reason TEXT`, `approve` or `abort`"),
        };
        return Outcome::Held(message, hint);
    }
    let is_meant = |id: &ReleaseId| to.as_ref().is_none_or(|to| id.as_str() == to);
    let current = course.current.as_ref();
    let news = course
        .ended
        .as_ref()
        .filter(|ended| is_meant(&ended.to) && ended.number > *after);
    let Some(ended) = news.filter(|_| *wait || to.is_some()) else {
        let rests = match (current.filter(|id| to.is_some() && is_meant(id)), &course.frozen) {
            (Some(id), _) => format!("{} is current in {environment}: {}", short(id), Reason::Unchanged),
            (None, Some(frozen)) => {
                let why = tame::plain(&frozen.why);
                format!(
                    "{environment}: nothing goes forward until {:.0}: {why}",
                    frozen.until
                )
            }
            (None, None) => format!("{environment}: {}", tame::plain(&told.words)),
        };
        return Outcome::Well(rests);
    };
    let because = tame::plain(&ended.because.to_string());
    let id = short(&ended.to);
    match (ended.promoted, &ended.because) {
        (true, Reason::Promoted) => {
            Outcome::Well(format!("{id} is current in {environment}, after {}", ended.took))
        }
        (true, _) => Outcome::Well(format!(
            "{id} is current in {environment}, after {}: {because}",
            ended.took
        )),
        (false, Reason::Refused(_)) => {
            Outcome::Refused(format!("{id} is not deployed to {environment}: {because}"))
        }
        (false, _) => {
            let back = match current {
                Some(current) => format!("{} is current again", short(current)),
                None => "nothing is current".to_owned(),
            };
            Outcome::Failed(format!(
                "{id} has come back from {environment}, after {}: {because}; {back}",
                ended.took
            ))
        }
    }
}

#[cfg(test)]
mod tests;
