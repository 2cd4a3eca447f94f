//! What browsers refuse to do for a page because its policy forbids it, as they tell it: by `report-uri`, and by the Reporting
//! API, which newer ones have.
//!
//! Anybody may tell anything. So what is counted by comes from a list, of an address only what has no secret in it is kept,
//! and no more than a few of the last ones.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use http::Uri;
use serde::Deserialize;

use super::snapshot::{LAST, Violation, Violations};
use crate::door::clock;

/// The parts of a policy (CSP, level 3); what is none of them is `other`.
const DIRECTIVES: [&str; 23] = [
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "worker-src",
];

/// Longer addresses are cut off: what says who it is stands at their beginning.
const LONGEST: usize = 200;

/// The most that are taken from one message.
const MOST: usize = 20;

/// One that a browser tells, and the host of its page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) host: String,
    pub(crate) page: String,
    directive: &'static str,
    blocked: String,
    only_told: bool,
}

/// One, as both ways of telling write it: with dashes, and without.
#[derive(Deserialize)]
struct Written {
    #[serde(alias = "document-uri", alias = "documentURL")]
    document: String,
    #[serde(default, alias = "effective-directive", alias = "effectiveDirective")]
    effective: String,
    #[serde(default, rename = "violated-directive")]
    violated: String,
    #[serde(default, alias = "blocked-uri", alias = "blockedURL")]
    blocked: Option<String>,
    #[serde(default)]
    disposition: String,
}

#[derive(Deserialize)]
struct Old {
    #[serde(rename = "csp-report")]
    report: Written,
}

#[derive(Deserialize)]
struct New {
    #[serde(rename = "type")]
    kind: String,
    body: serde_json::Value,
}

/// What a browser tells, in either way; nothing where it is neither.
pub(crate) fn read(body: &[u8]) -> Option<Vec<Told>> {
    if let Ok(old) = serde_json::from_slice::<Old>(body) {
        return Some(told(old.report).into_iter().collect());
    }
    let all: Vec<New> = serde_json::from_slice(body).ok()?;
    let ours = all
        .into_iter()
        .filter(|one| one.kind == "csp-violation")
        .take(MOST);
    let ours = ours.filter_map(|one| serde_json::from_value(one.body).ok());
    Some(ours.filter_map(told).collect())
}

fn told(written: Written) -> Option<Told> {
    let document: Uri = written.document.split(['?', '#']).next()?.parse().ok()?;
    let said = match written.effective.is_empty() {
        false => &written.effective,
        // Older browsers say the whole part, with its sources.
        true => &written.violated,
    };
    let said = said.split_ascii_whitespace().next().unwrap_or_default();
    let known = DIRECTIVES.iter().find(|known| **known == said);
    Some(Told {
        host: document.host()?.to_ascii_lowercase(),
        page: cut(document.path()).to_owned(),
        directive: known.copied().unwrap_or("other"),
        blocked: without_secrets(written.blocked.as_deref().unwrap_or_default()),
        only_told: written.disposition == "report",
    })
}

/// What was refused, without what may be a secret in it: of an address neither the query nor who signs in, of what is
/// written into an address the kind alone.
fn without_secrets(blocked: &str) -> String {
    match blocked.split_once(':') {
        Some((_, rest)) if rest.starts_with("//") => {
            let Ok(address) = blocked
                .split(['?', '#'])
                .next()
                .unwrap_or_default()
                .parse::<Uri>()
            else {
                return "an address that cannot be read".to_owned();
            };
            let (scheme, host) = (
                address.scheme_str().unwrap_or_default(),
                address.host().unwrap_or_default(),
            );
            let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
            cut(&format!("{scheme}://{host}{port}{}", address.path())).to_owned()
        }
        Some((scheme, _)) => cut(scheme).to_owned(),
        None if blocked
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            cut(blocked).to_owned()
        }
        None => String::new(),
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// All that was told. The components are those that there are, so counts are bounded.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    counts: BTreeMap<(String, &'static str), u64>,
    last: VecDeque<Violation>,
}

impl Kept {
    pub(super) fn count(&self, component: &str, told: Told) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (component.to_owned(), told.directive);
        *kept.counts.entry(key).or_default() += 1;
        if kept.last.len() == LAST {
            kept.last.pop_front();
        }
        kept.last.push_back(Violation {
            at: u64::try_from(clock::since_epoch().as_millis()).unwrap_or(u64::MAX),
            component: component.to_owned(),
            directive: told.directive.to_owned(),
            blocked: told.blocked,
            page: told.page,
            only_told: told.only_told,
        });
    }

    pub(super) fn read(&self) -> Violations {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = kept.counts.iter();
        Violations {
            counts: counts
                .map(|((component, directive), count)| (component.clone(), (*directive).to_owned(), *count))
                .collect(),
            last: kept.last.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_telling_are_read_and_no_secret_is_kept() {
        let old = br#"{"csp-report": {"document-uri": "https://Web.shop.localhost:8443/orders?token=HUSH#HUSH",
            "violated-directive": "script-src 'self'", "blocked-uri": "https://me:HUSH@evil.example:1/x.js?key=HUSH",
            "script-sample": "HUSH", "disposition": "enforce"}}"#;
        let new = br#"[{"type": "deprecation", "body": {}}, {"type": "csp-violation", "age": 1, "url": "x", "body":
            {"documentURL": "https://web.shop.localhost/", "effectiveDirective": "made-up", "blockedURL": "data:HUSH",
            "disposition": "report", "sample": "HUSH"}}]"#;
        let all: Vec<Told> = [&old[..], &new[..]]
            .into_iter()
            .flat_map(|body| read(body).expect("it is told"))
            .collect();
        let row = |told: &Told| {
            let Told {
                host,
                page,
                directive,
                blocked,
                only_told,
            } = told;
            format!("{host} {page} {directive} {blocked} {only_told}")
        };
        assert_eq!(
            all.iter().map(row).collect::<Vec<_>>(),
            [
                "web.shop.localhost /orders script-src https://evil.example:1/x.js false",
                "web.shop.localhost / other data true"
            ]
        );
        for wrong in ["", "{}", r#"{"csp-report": {}}"#, "[1]"] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn counts_go_on_and_the_last_few_are_kept() {
        let kept = Kept::default();
        for turn in 0..LAST + 5 {
            let told = Told {
                host: "web".to_owned(),
                page: format!("/{turn}"),
                directive: "img-src",
                blocked: "inline".to_owned(),
                only_told: false,
            };
            kept.count("web", told);
        }
        let mut read = kept.read();
        assert_eq!(
            read.counts,
            [("web".to_owned(), "img-src".to_owned(), LAST as u64 + 5)]
        );
        assert_eq!((read.last.len(), read.last[0].page.as_str()), (LAST, "/5"));
        read.add(&kept.read());
        assert_eq!((read.counts[0].2, read.last.len()), (2 * (LAST as u64 + 5), LAST));
    }
}
