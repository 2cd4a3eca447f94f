//! Secrets, as they may be shown: names, versions, when and by whom; never a value.

use super::measure::counted;
use super::paint::{dim, yellow};
use super::tame;
use crate::columns::{Align, columns};
use crate::door::clock;
use jiff::Timestamp;
use std::collections::BTreeMap;
use towpath_api::Secret;

/// A secret that the manifest names.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    /// A value is made up where nobody gives one.
    pub(crate) is_made_up: bool,
}

/// What there is, and what is missing.
pub(crate) fn listed(there: &[Secret], named: &[Named], env: &str, title: &str) -> String {
    if there.is_empty() && named.is_empty() {
        return format!("there are no secrets of {}\n", tame::plain(title));
    }
    let mut rows = vec![
        ["secret", "version", "since", "by", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    let known: BTreeMap<&str, &Secret> = there.iter().map(|one| (one.name.as_str(), one)).collect();
    let mut missing = Vec::new();
    for one in named {
        let shown = known.get(one.name.as_str());
        if shown.is_none_or(|secret| !secret.is_set) && !one.is_made_up {
            missing.push(one);
        }
        rows.push(row(&one.name, shown.copied(), Some(one)));
    }
    let is_named = |secret: &&Secret| named.iter().any(|one| one.name == secret.name);
    for secret in there.iter().filter(|secret| !is_named(secret)) {
        rows.push(row(&secret.name, Some(secret), None));
    }
    let mut text = columns(
        &rows,
        &[Align::Left, Align::Right, Align::Left, Align::Left, Align::Left],
    );
    if let Some(first) = missing.first() {
        let about = first
            .about
            .as_ref()
            .map_or(String::new(), |about| format!(" ({about})"));
        text.push_str(&format!(
            "{}: `towpath secrets set {env} {}` sets it{}\n",
            match missing.len() {
                1 => "one is missing".to_owned(),
                many => format!("{many} are missing, {} among them", tame::plain(&first.name)),
            },
            tame::plain(&first.name),
            tame::plain(&about)
        ));
    }
    text
}

fn row(name: &str, secret: Option<&Secret>, named: Option<&Named>) -> Vec<String> {
    let name = tame::plain(name);
    let Some(secret) = secret else {
        let is_made_up = named.is_some_and(|one| one.is_made_up);
        let what = if is_made_up {
            dim("made up when a release needs it")
        } else {
            yellow("missing")
        };
        return vec![name, "-".to_owned(), what, String::new(), String::new()];
    };
    let mut remarks = Vec::new();
    if !secret.is_set {
        remarks.push(yellow("unset"));
    }
    if named.is_none() {
        remarks.push(dim("not in the manifest"));
    }
    let by = tame::plain(&secret.by);
    vec![
        name,
        secret.version.to_string(),
        at(secret.at),
        by,
        remarks.join(", "),
    ]
}

fn at(at: Timestamp) -> String {
    at.to_zoned(clock::zone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// What came of setting one.
pub(crate) fn added(name: &str, version: Option<u64>, env: &str) -> String {
    match version {
        Some(version) => format!("{name} is set in {env} (version {version})\n"),
        None => format!("{name} has this value in {env} already\n"),
    }
}

/// What came of setting many.
pub(crate) fn imported(news: &BTreeMap<String, u64>, all: usize, env: &str) -> String {
    let mut text = String::new();
    for (name, version) in news {
        text.push_str(&added(name, Some(*version), env));
    }
    let same = all.saturating_sub(news.len());
    if same > 0 {
        text.push_str(&format!(
            "{} had the same value already\n",
            counted(same, "secret")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, version: u64, is_set: bool) -> Secret {
        Secret {
            name: name.to_owned(),
            version,
            is_set,
            at: Timestamp::UNIX_EPOCH,
            by: "ana".to_owned(),
        }
    }

    fn named(name: &str, is_made_up: bool) -> Named {
        Named {
            name: name.to_owned(),
            about: Some("what the bot signs in with".to_owned()),
            is_made_up,
        }
    }

    #[test]
    fn what_is_missing_is_said_with_how_to_set_it() {
        let there = [secret("OLD", 4, true), secret("GONE", 2, false)];
        let wanted = [named("TOKEN", false), named("KEY", true), named("GONE", false)];
        let text = listed(&there, &wanted, "prod", "shop in prod");
        let text = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6, "{text}");
        assert!(
            lines[1].contains("TOKEN") && lines[1].contains("missing"),
            "{text}"
        );
        assert!(lines[2].contains("KEY") && lines[2].contains("made up"), "{text}");
        assert!(lines[3].contains("GONE") && lines[3].ends_with("unset"), "{text}");
        assert!(
            lines[4].contains("OLD") && lines[4].ends_with("not in the manifest"),
            "{text}"
        );
        assert_eq!(
            lines[5],
            "2 are missing, TOKEN among them: `towpath secrets set prod TOKEN` sets it (what the bot signs in with)"
        );
        assert_eq!(
            listed(&[], &[], "prod", "shop in prod"),
            "there are no secrets of shop in prod\n"
        );
    }

    #[test]
    fn what_was_set_is_told_with_its_version() {
        assert_eq!(added("A", Some(3), "prod"), "A is set in prod (version 3)\n");
        let news = BTreeMap::from([("A".to_owned(), 1)]);
        assert_eq!(
            imported(&news, 3, "prod"),
            "A is set in prod (version 1)\n2 secrets had the same value already\n"
        );
    }
}
