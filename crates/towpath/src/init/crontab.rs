//! `crontab`: one job a line.

use super::found::{Found, Part};
use super::text::{command, slug};
use super::view::{View, folder_of, join};
use std::collections::BTreeSet;
use towpath_model::desired::component::ComponentKind;
use towpath_model::unit::{Schedule, Unit};

pub(super) fn find(view: &View, found: &mut Found) {
    for (folder, text) in view.called("crontab") {
        let file = join(folder, "crontab");
        let home = if folder == "cron" {
            folder_of(folder)
        } else {
            folder
        };
        let mut names = BTreeSet::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .take(100)
        {
            let Some((schedule, run)) = entry(line) else {
                found.leave(format!("a line of {file} that is no schedule with a command"));
                continue;
            };
            let Some(name) = name_of(&run, &mut names) else {
                continue;
            };
            let mut part = Part::new(ComponentKind::Job, &name, home, &file);
            part.explicit = true;
            part.run = Some(run);
            part.cron = Some(schedule);
            found.parts.push(part);
        }
    }
}

/// The schedule and the command of a line.
fn entry(line: &str) -> Option<(String, String)> {
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let mut rest = line;
    for _ in 0..fields {
        rest = rest.split_once(char::is_whitespace)?.1.trim_start();
    }
    let when = line[..line.len() - rest.len()].trim();
    let when = match when {
        "@hourly" => "hourly".to_owned(),
        "@daily" | "@midnight" => "daily".to_owned(),
        "@weekly" => "weekly".to_owned(),
        "@monthly" => "monthly".to_owned(),
        other => other.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    // A system's crontab names the user first.
    let rest = rest.strip_prefix("root ").unwrap_or(rest);
    Schedule::parse(&when).ok()?;
    Some((when, command(rest)?))
}

/// A name out of the command: `python scripts/send_digest.py` sends a digest.
fn name_of(run: &str, names: &mut BTreeSet<String>) -> Option<String> {
    let told = run.split_whitespace().find(|word| {
        let tool = [
            "python", "python3", "node", "ruby", "sh", "bash", "bundle", "rake", "exec", "cd", "&&", "php",
            "npx", "npm", "run", "/bin/sh", "-c", "-m",
        ];
        !tool.contains(word) && !word.starts_with(['-', '$', '>'])
    })?;
    let file = told.trim_matches(['"', '\'']).rsplit('/').next()?;
    let stem = file
        .split('.')
        .next()
        .filter(|stem| !stem.is_empty())
        .unwrap_or(file);
    let name = slug(stem).unwrap_or_else(|| "job".to_owned());
    let free = (1..)
        .map(|number: u32| {
            if number == 1 {
                name.clone()
            } else {
                format!("{name}-{number}")
            }
        })
        .find(|name| !names.contains(name))?;
    names.insert(free.clone());
    Some(free)
}
