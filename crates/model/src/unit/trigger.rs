//! What starts a rollout or a check.

use super::scan::bounded;
use super::{Glob, Misread, Schedule, Unit};
use std::fmt;

/// What starts something: `pull-request`, `push main`, `tag v*`, `manual`, `schedule daily 02:00`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trigger {
    PullRequest,
    /// A push or a merge to a branch like this.
    Push(Glob),
    Tag(Glob),
    /// Only a person's command.
    Manual,
    Schedule(Schedule),
}

impl Trigger {
    /// Whether a push to this branch starts it.
    pub fn fires_on_push(&self, branch: &str) -> bool {
        matches!(self, Self::Push(pattern) if pattern.is_match(branch))
    }

    /// Whether this tag starts it.
    pub fn fires_on_tag(&self, tag: &str) -> bool {
        matches!(self, Self::Tag(pattern) if pattern.is_match(tag))
    }
}

impl Unit for Trigger {
    const WHAT: &'static str = "a trigger";
    const EXAMPLES: &'static [&'static str] = &[
        "pull-request",
        "push main",
        "tag v*",
        "manual",
        "schedule daily 02:00",
        "pr",
        "pull request",
        "branch feature/*",
        "merge main",
        "push to main",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let joined = text.to_lowercase().replace([' ', '_'], "-");
        match joined.as_str() {
            "pull-request" | "pull-requests" | "pr" | "prs" | "pullrequest" | "merge-request" => {
                return Ok(Self::PullRequest);
            }
            "manual" | "manually" | "by-hand" => return Ok(Self::Manual),
            _ => {}
        }
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match first.to_lowercase().as_str() {
            "push" | "branch" | "merge" => {
                let branch = ["to ", "into ", "on "]
                    .iter()
                    .find_map(|to| rest.strip_prefix(to));
                pattern(branch.unwrap_or(rest), "push", "main").map(Self::Push)
            }
            "tag" | "tags" => pattern(rest, "tag", "v*").map(Self::Tag),
            "schedule" => Schedule::parse(rest)
                .map(Self::Schedule)
                .map_err(|misread| Misread {
                    because: format!("has a schedule that {}", misread.because),
                    meant: misread.meant.map(|text| format!("schedule {text}")),
                }),
            _ => Err(unknown(text)),
        }
    }
}

fn pattern(text: &str, word: &str, usual: &str) -> Result<Glob, Misread> {
    if text.is_empty() {
        let misread = Misread::new(format!(
            "does not say which {}",
            if word == "tag" { "tags" } else { "branch" }
        ));
        return Err(misread.meant(format!("{word} {usual}")));
    }
    if text.contains(char::is_whitespace) {
        return Err(Misread::new(format!(
            "has a space in `{text}`, which no branch and no tag has"
        )));
    }
    Glob::parse(text).map_err(|misread| Misread {
        because: format!("has a pattern that {}", misread.because),
        meant: misread.meant.map(|text| format!("{word} {text}")),
    })
}

fn unknown(text: &str) -> Misread {
    if let Ok(schedule) = Schedule::parse(text) {
        return Misread::new("does not say that it is a schedule").meant(format!("schedule {schedule}"));
    }
    let misread = Misread::new("starts with none of pull-request, push, tag, manual and schedule");
    let version = text
        .strip_prefix('v')
        .is_some_and(|v| v.starts_with(['*', '0', '1', '[']));
    match text {
        "main" | "master" | "trunk" | "develop" => misread.meant(format!("push {text}")),
        _ if version && !text.contains(' ') => misread.meant(format!("tag {text}")),
        _ => {
            let known = ["pull-request", "push", "tag", "manual", "schedule"];
            let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
            match super::scan::nearest(first, &known).filter(|_| first.len() > 2) {
                Some(near) => misread.meant(format!("{near} {rest}").trim()),
                None => misread,
            }
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PullRequest => f.write_str("pull-request"),
            Self::Push(pattern) => write!(f, "push {pattern}"),
            Self::Tag(pattern) => write!(f, "tag {pattern}"),
            Self::Manual => f.write_str("manual"),
            Self::Schedule(schedule) => write!(f, "schedule {schedule}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_read_as_people_write_them() {
        for (text, canonical) in [
            ("PR", "pull-request"),
            ("Pull Request", "pull-request"),
            ("merge into main", "push main"),
            ("branch feature/*", "push feature/*"),
            ("tag v*", "tag v*"),
            ("schedule 0 3 * * *", "schedule cron 0 3 * * *"),
        ] {
            assert_eq!(
                Trigger::parse(text).map(|t| t.to_string()),
                Ok(canonical.into()),
                "{text}"
            );
        }
        assert!(Trigger::parse("tag v*").is_ok_and(|t| t.fires_on_tag("v1.2") && !t.fires_on_push("v1")));
    }

    #[test]
    fn a_misread_trigger_offers_a_right_one() {
        for (text, meant) in [
            ("main", "push main"),
            ("v*", "tag v*"),
            ("push", "push main"),
            ("tag", "tag v*"),
            ("daily 02:00", "schedule daily 02:00"),
            ("psh main", "push main"),
            ("tag v[0", "tag v[0]"),
        ] {
            assert_eq!(
                Trigger::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
    }
}
