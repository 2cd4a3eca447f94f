//! What makes an environment's job run, as triggers of a workflow and as the condition of a job.

use crate::Untold;
use crate::yaml::{Table, Value};
use towpath_model::desired::environment::Environment;
use towpath_model::unit::{Glob, Name, Schedule, Trigger};

/// A way in which a change arrives at a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arrival {
    PullRequest,
    Push(String),
    Tag(String),
    /// Somebody has chosen the environment.
    Chosen,
    /// Five fields of cron.
    At(String),
}

/// How changes arrive in an environment.
pub(super) fn arrivals(name: &Name, environment: &Environment) -> Result<Vec<Arrival>, Untold> {
    environment.on.iter().map(|on| arrival(name, on)).collect()
}

fn arrival(name: &Name, trigger: &Trigger) -> Result<Arrival, Untold> {
    Ok(match trigger {
        Trigger::PullRequest => Arrival::PullRequest,
        Trigger::Push(branch) => Arrival::Push(pattern(name, trigger, branch)?),
        Trigger::Tag(tag) => Arrival::Tag(pattern(name, trigger, tag)?),
        Trigger::Manual => Arrival::Chosen,
        Trigger::Schedule(schedule) => Arrival::At(cron(name, schedule)?),
    })
}

/// A pattern that means the same to GitHub's filters and in the condition of a job, which knows beginnings and ends only.
fn pattern(name: &Name, trigger: &Trigger, pattern: &Glob) -> Result<String, Untold> {
    let text = pattern.as_str();
    let odd = |letter: char| !(letter.is_ascii_alphanumeric() || "*/._-".contains(letter));
    if text.contains(odd) || text.replace("**", "*").matches('*').count() > 1 {
        return Err(Untold {
            what: format!("`{trigger}` of environment `{name}` is a pattern that a workflow cannot be told"),
            hint: "write it with letters, digits, `/`, `.`, `-`, `_` and one `*`, or as several triggers"
                .to_owned(),
        });
    }
    Ok(text.to_owned())
}

fn cron(name: &Name, schedule: &Schedule) -> Result<String, Untold> {
    let is_utc = schedule.zone().is_none_or(|zone| zone == "UTC");
    schedule.as_cron().filter(|_| is_utc).ok_or_else(|| Untold {
        what: format!("`schedule {schedule}` of environment `{name}` cannot be told to GitHub"),
        hint: "it knows five fields of cron, in UTC: `schedule 0 2 * * *`".to_owned(),
    })
}

impl Arrival {
    /// When it is this that has started a run.
    pub(super) fn condition(&self, environment: &Name) -> String {
        match self {
            Arrival::PullRequest => "github.event_name == 'pull_request' && \
                 github.event.pull_request.head.repo.full_name == github.repository"
                .to_owned(),
            Arrival::Push(branch) => reference("refs/heads/", branch),
            Arrival::Tag(tag) => reference("refs/tags/", tag),
            Arrival::Chosen => {
                format!("github.event_name == 'workflow_dispatch' && inputs.environment == '{environment}'")
            }
            Arrival::At(cron) => {
                format!("github.event_name == 'schedule' && github.event.schedule == '{cron}'")
            }
        }
    }
}

/// When a push is to a branch or of a tag like this.
fn reference(folder: &str, pattern: &str) -> String {
    let pushed = "github.event_name == 'push'";
    match pattern.replace("**", "*").split_once('*') {
        None => format!("{pushed} && github.ref == '{folder}{pattern}'"),
        Some((start, "")) => format!("{pushed} && startsWith(github.ref, '{folder}{start}')"),
        Some((start, end)) => {
            format!("{pushed} && startsWith(github.ref, '{folder}{start}') && endsWith(github.ref, '{end}')")
        }
    }
}

/// Everything that starts a workflow: what environments wait for, and pull requests where something is tested.
pub(super) fn triggers(places: &[(&Name, &[Arrival])], is_tested: bool) -> Table {
    let all = || places.iter().flat_map(|(_, arrivals)| arrivals.iter());
    let branches = distinct(all().filter_map(|one| match one {
        Arrival::Push(branch) => Some(branch.clone()),
        _ => None,
    }));
    let tags = distinct(all().filter_map(|one| match one {
        Arrival::Tag(tag) => Some(tag.clone()),
        _ => None,
    }));
    let crons = distinct(all().filter_map(|one| match one {
        Arrival::At(cron) => Some(cron.clone()),
        _ => None,
    }));
    let mut on = Table::new();
    if !branches.is_empty() || !tags.is_empty() {
        let mut push = Table::new();
        if !branches.is_empty() {
            push = push.put("branches", branches);
        }
        if !tags.is_empty() {
            push = push.put("tags", tags);
        }
        on = on.put("push", push);
    }
    if is_tested || all().any(|one| *one == Arrival::PullRequest) {
        on = on.put("pull_request", Table::new());
    }
    if !crons.is_empty() {
        let crons = crons.into_iter().map(|cron| Table::new().put("cron", cron));
        on = on.put("schedule", crons.collect::<Vec<_>>());
    }
    let chosen: Vec<&str> = places
        .iter()
        .filter(|(_, arrivals)| arrivals.contains(&Arrival::Chosen))
        .map(|(name, _)| name.as_str())
        .collect();
    if !chosen.is_empty() {
        on = on.put(
            "workflow_dispatch",
            Table::new().put("inputs", environments(&chosen)),
        );
    }
    on
}

/// The question in which environment.
pub(super) fn environments(names: &[&str]) -> Table {
    let question = Table::new()
        .put("description", "The environment")
        .put("required", true)
        .put("type", "choice")
        .put("options", Value::from(names.to_vec()));
    Table::new().put("environment", question)
}

/// Each text once, in the order in which they came.
pub(super) fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once
}
