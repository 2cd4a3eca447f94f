//! Issuers that all the world shares: behind them, a trust has to say whose jobs it means.

use std::collections::BTreeMap;
use towpath_model::unit::{Glob, Unit};

use super::LOOKED_AT;

/// The issuer of GitHub Actions.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Those who issue identities to everybody who has an account, and the claims that say whose it is: the claim, and what has
/// to stand in it as it is, before anything may be a pattern: so many parts with a slash behind each, or all of it.
const SHARED: &[(&str, &[(&str, Plain)])] = &[
    (
        GITHUB,
        &[
            ("repository", Plain::Owner),
            ("repository_owner", Plain::Whole),
            ("repository_id", Plain::Whole),
            ("repository_owner_id", Plain::Whole),
            ("sub", Plain::Owner),
        ],
    ),
    (
        "https://gitlab.com",
        &[
            ("project_path", Plain::Owner),
            ("namespace_path", Plain::Whole),
            ("project_id", Plain::Whole),
            ("namespace_id", Plain::Whole),
            ("sub", Plain::Owner),
        ],
    ),
];

/// What of GitHub's claims says from where in a repository a job comes.
const BRANCHES: &[&str] = &["ref", "environment", "workflow_ref", "sub"];

/// How much of a claim has to stand there as it is.
#[derive(Debug, Clone, Copy)]
enum Plain {
    /// All of it.
    Whole,
    /// What comes before the first slash, with its slash.
    Owner,
}

/// Why nobody may be trusted by these claims; nothing where that is fine.
pub fn unsafe_claims(issuer: &str, claims: &BTreeMap<String, Vec<String>>) -> Option<String> {
    for (claim, patterns) in claims {
        if LOOKED_AT.contains(&claim.as_str()) {
            return Some(format!("`{claim}` is looked at by itself, whatever a trust says"));
        }
        if claim.is_empty() || claim.chars().any(char::is_control) {
            return Some("a claim has a name, on one line".to_owned());
        }
        if patterns.is_empty() {
            return Some(format!("it is not said what `{claim}` has to be like"));
        }
        for pattern in patterns {
            if let Err(misread) = Glob::parse(pattern) {
                return Some(format!("`{pattern}` of `{claim}` {misread}"));
            }
        }
    }
    let Some((_, owners)) = SHARED.iter().find(|(shared, _)| *shared == issuer) else {
        let says = claims
            .values()
            .any(|patterns| patterns.iter().all(|one| begins(one)));
        let why = "it lets in everybody whom that issuer knows: say what a claim has to be like";
        return (!says).then(|| why.to_owned());
    };
    let says = owners.iter().any(|(claim, plain)| {
        let patterns = claims.get(*claim);
        patterns.is_some_and(|patterns| patterns.iter().all(|one| is_plain(claim, one, *plain)))
    });
    let names: Vec<&str> = owners.iter().map(|(claim, _)| *claim).collect();
    (!says).then(|| {
        format!(
            "everybody may have an identity of that issuer: say whose with one of `{}`, and the owner without a pattern",
            names.join("`, `")
        )
    })
}

/// Whether jobs of GitHub from any branch, tag and pull request are let in.
pub fn is_any_branch(issuer: &str, claims: &BTreeMap<String, Vec<String>>) -> bool {
    issuer == GITHUB && !BRANCHES.iter().any(|claim| claims.contains_key(*claim))
}

/// Whether something stands before the first thing that may be anything.
fn begins(pattern: &str) -> bool {
    !plain(pattern).is_empty()
}

fn is_plain(claim: &str, pattern: &str, wanted: Plain) -> bool {
    let plain = plain(pattern);
    // `repo:acme/shop:ref:refs/heads/main`, `project_path:acme/shop:ref_type:branch:ref:main`
    let owned = match claim {
        "sub" => plain.split_once(':').map_or("", |(_, rest)| rest),
        _ => plain,
    };
    match wanted {
        Plain::Whole => plain == pattern,
        Plain::Owner => owned.find('/').is_some_and(|at| at > 0),
    }
}

/// What stands in a pattern before anything that may be anything.
fn plain(pattern: &str) -> &str {
    pattern.split(['*', '?', '[']).next().unwrap_or_default()
}
