//! The model: how likely it is that an address leads to a page that steals passwords, and why.
//!
//! A logistic regression over what can be seen in an address. What operators have said about other pages of the same host
//! is evidence like the rest, only stronger: that is how the model learns without being trained anew. Whoever answers at
//! once and whoever works through a backlog call the same function, so they never disagree.

use serde::{Deserialize, Serialize};

/// Which model it is. Verdicts say by which one they were made.
pub const MODEL: &str = "addresses-3";

/// Where nothing speaks for either side: one page in ten.
const BIAS: f64 = -2.2;

/// What one review of a page of the same host is worth. Two of the same kind decide, whatever the address looks like.
const REVIEW: f64 = 3.5;

/// More reviews than these say nothing new.
const MOST_REVIEWS: f64 = 3.0;

/// Words that pages use on which people are asked for a password.
const BAIT: &[&str] = &[
    "account", "confirm", "login", "password", "secure", "signin", "unlock", "update", "verify", "wallet",
];

/// Endings that look like the end of a host name, and are not.
const ENDINGS: &[&str] = &["com", "net", "org", "co", "gov", "bank"];

/// What operators have said about pages of the same host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviews {
    pub phishing: i64,
    pub harmless: i64,
}

/// What the model says about a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// How likely it is, from 0 to 1.
    pub score: f64,
    /// `phishing`, `suspicious` or `harmless`.
    pub verdict: String,
    /// What spoke for it.
    pub reasons: Vec<String>,
    /// The model that says so.
    pub model: String,
}

/// The host of a web address, in small letters; nothing where it is no web address.
pub fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None => host.split(':').next()?,
    };
    let fits = !host.is_empty() && host.len() <= 253 && !host.contains(char::is_whitespace);
    fits.then(|| host.to_ascii_lowercase())
}

/// Scores an address; nothing where it is no web address.
pub fn score(url: &str, reviews: Reviews) -> Option<Scored> {
    let host = host(url)?;
    let mut odds = BIAS;
    let mut reasons = Vec::new();
    for (weight, reason) in seen(url, &host) {
        odds += weight;
        reasons.push(reason.to_owned());
    }
    let known = (reviews.phishing - reviews.harmless) as f64;
    if known != 0.0 {
        odds += REVIEW * known.clamp(-MOST_REVIEWS, MOST_REVIEWS);
        reasons.push("what operators said about other pages there".to_owned());
    }
    let score = 1.0 / (1.0 + (-odds).exp());
    Some(Scored {
        score: (score * 1000.0).round() / 1000.0,
        verdict: verdict(score).to_owned(),
        reasons,
        model: MODEL.to_owned(),
    })
}

fn verdict(score: f64) -> &'static str {
    match score {
        score if score >= 0.8 => "phishing",
        score if score >= 0.4 => "suspicious",
        _ => "harmless",
    }
}

/// What can be seen in an address, each with its weight.
fn seen(url: &str, host: &str) -> impl Iterator<Item = (f64, &'static str)> {
    let labels: Vec<&str> = host.split('.').collect();
    let inner = labels.get(..labels.len().saturating_sub(1)).unwrap_or_default();
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.to_ascii_lowercase();
    let bait = |text: &str| BAIT.iter().any(|word| text.contains(word));
    [
        (url.starts_with("http://"), 1.0, "not encrypted"),
        (bait(host), 1.8, "bait in the host's name"),
        (bait(&path), 0.7, "bait in the path"),
        (
            inner.iter().any(|one| ENDINGS.contains(one)),
            1.9,
            "another host's name inside its own",
        ),
        (
            labels.iter().all(|one| one.parse::<u8>().is_ok()),
            2.4,
            "a number instead of a name",
        ),
        (
            labels.iter().any(|one| one.starts_with("xn--")),
            1.3,
            "letters that look like others",
        ),
        (
            authority.contains('@'),
            2.6,
            "a name before the host that is none",
        ),
        (host.matches('-').count() >= 3, 1.1, "many hyphens"),
        (labels.len() >= 5, 0.8, "many parts"),
    ]
    .into_iter()
    .filter_map(|(is_so, weight, reason)| is_so.then_some((weight, reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_of(url: &str, phishing: i64, harmless: i64) -> String {
        let reviews = Reviews { phishing, harmless };
        score(url, reviews).expect("it is a web address").verdict
    }

    #[test]
    fn pages_that_steal_passwords_are_told_from_those_that_do_not() {
        for (url, expected) in [
            ("https://login.example.com.phish.test/", "phishing"),
            ("http://203.0.113.7/secure/update", "phishing"),
            ("https://bank.example@evil.test/login", "suspicious"),
            ("https://example.org/", "harmless"),
            ("https://docs.example.org/how-to/reset-a-password", "harmless"),
            ("https://login.example.org/", "suspicious"),
        ] {
            assert_eq!(verdict_of(url, 0, 0), expected, "{url}");
        }
    }

    #[test]
    fn what_operators_say_about_a_host_decides_about_its_other_pages() {
        let page = "https://gifts.example.org/card";
        assert_eq!(verdict_of(page, 0, 0), "harmless");
        assert_eq!(verdict_of(page, 2, 0), "phishing");
        assert_eq!(
            verdict_of("https://login.example.com.phish.test/", 0, 2),
            "harmless"
        );
    }

    #[test]
    fn only_web_addresses_have_a_host() {
        assert_eq!(
            host("HTTPS://user@Example.ORG:8443/x").as_deref(),
            Some("example.org")
        );
        assert_eq!(host("http://[::1]:80/").as_deref(), Some("::1"));
        for none in [
            "",
            "example.org",
            "ftp://example.org/",
            "javascript://x",
            "https:///path",
            "https://a b/",
        ] {
            assert_eq!(host(none), None, "{none}");
        }
    }
}
