//! What stands around the parts of a product: the opening, secrets, environments, and what was left.

use super::{Row, comment, listed, quote, table};
use crate::init::found::{Found, Part};
use towpath_model::desired::component::ComponentKind;

pub(super) fn opening(found: &Found) -> String {
    let mut sources: Vec<&str> = Vec::new();
    let parts = found.parts.iter().flat_map(|part| &part.from);
    for source in parts.chain(found.stores.iter().flat_map(|store| &store.from)) {
        if !sources.contains(&source.as_str()) {
            sources.push(source);
        }
    }
    const SHOWN: usize = 6;
    let from = match sources.len() {
        0 => String::new(),
        count if count > SHOWN => format!(
            " from {} and {} more files",
            listed(&sources[..SHOWN - 1], ","),
            count + 1 - SHOWN
        ),
        _ => format!(" from {}", listed(&sources, "and")),
    };
    let mut text = String::new();
    comment(&mut text, &format!("Written by `towpath init`{from}."));
    comment(&mut text, "From now on it is yours: nothing writes it again.");
    text.push_str("#\n");
    comment(&mut text, "towpath check          tells what is wrong with it");
    comment(
        &mut text,
        "towpath plan prod      tells what it takes to get into prod",
    );
    comment(
        &mut text,
        "towpath explain WORD   tells what a word means, service.web.health for example",
    );
    text.push('\n');
    text
}

pub(super) fn secrets(text: &mut String, found: &Found) {
    if found.secrets.is_empty() {
        return;
    }
    text.push('\n');
    comment(
        text,
        "Names only: a value never stands here. Each environment has its own.",
    );
    text.push_str("[secret]\n");
    let rows: Vec<Row> = found
        .secrets
        .keys()
        .map(|name| {
            let about = format!("about = {}", quote(&spoken(name)));
            let made = [
                "SECRET_KEY",
                "SECRET_KEY_BASE",
                "SESSION_SECRET",
                "SESSION_KEY",
                "JWT_SECRET",
                "COOKIE_SECRET",
                "APP_KEY",
                "APP_SECRET",
                "AUTH_SECRET",
                "NEXTAUTH_SECRET",
            ];
            let value = if made.contains(&name.as_str()) {
                format!("{{ {about}, generate = \"hex\" }}")
            } else {
                format!("{{ {about} }}")
            };
            (name.clone(), value, None)
        })
        .collect();
    table(text, &rows);
}

/// `STRIPE_API_KEY` as people say it.
fn spoken(name: &str) -> String {
    const LETTERS: &[&str] = &[
        "API", "AWS", "DB", "DSN", "HMAC", "ID", "JWT", "SID", "SMTP", "SSH", "TLS", "URL",
    ];
    let words: Vec<String> = name
        .split('_')
        .filter(|word| !word.is_empty())
        .enumerate()
        .map(|(index, word)| match (LETTERS.contains(&word), index) {
            (true, _) => word.to_owned(),
            (_, 0) => word
                .chars()
                .take(1)
                .chain(word.chars().skip(1).map(|letter| letter.to_ascii_lowercase()))
                .collect(),
            _ => word.to_ascii_lowercase(),
        })
        .collect();
    words.join(" ")
}

pub(super) fn environments(text: &mut String, found: &Found) {
    let contained = found.parts.iter().any(Part::is_contained);
    let engine = || {
        (
            "engine".to_owned(),
            quote("docker"),
            Some("instances are containers; without it they are processes".to_owned()),
        )
    };
    text.push_str("\n[environment.dev]\n");
    let mut rows: Vec<Row> = Vec::new();
    if contained {
        rows.push(engine());
    }
    if !found.secrets.is_empty() {
        rows.push((
            "secrets".to_owned(),
            quote("dotenv"),
            Some("their values are read from .env, which git must not track".to_owned()),
        ));
    }
    table(text, &rows);
    text.push_str("\n[environment.prod]\n");
    let mut rows: Vec<Row> = vec![(
        "on".to_owned(),
        quote("tag v*"),
        Some("a tag like v1.0 brings a change here".to_owned()),
    )];
    if contained {
        rows.push(engine());
    }
    table(text, &rows);
    let public = |part: &Part| part.public || part.kind == ComponentKind::Site;
    if found.parts.is_empty() || found.parts.iter().any(public) {
        comment(
            text,
            "domain = \"example.com\"  # the names of public components are put in front of it",
        );
    }
}

pub(super) fn ending(text: &mut String, found: &Found) {
    if !found.broken.is_empty() {
        text.push('\n');
        for broken in &found.broken {
            comment(text, &format!("Not read: {broken}"));
        }
    }
    if !found.left.is_empty() {
        text.push('\n');
        for left in &found.left {
            comment(text, &format!("Not taken over: {left}"));
        }
    }
}
