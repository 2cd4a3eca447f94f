//! Headers: whether what a visitor really gets is what the manifest asks for.
//!
//! **What it decides.** The edge adds headers where an answer has not said them; what the component says itself stays. So a
//! framework that sets a policy of its own takes the place of a strict one, and nobody notices. After each change a public
//! component is asked once, by its real name, and what is weaker than what was asked for is told.
//!
//! **What is weaker.** A header that is not there. A policy that says nothing of what the wanted one bounds, or lets in what
//! that one does not. A shorter time, a looser word. What is merely different, and what is stricter, is the component's own business.
//!
//! **When it refuses to judge.** Where something else than the component has answered: a redirect, a sign-in, an error.

use std::fmt;

/// Something that a visitor does not get as the manifest asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// The header is not there.
    Missing {
        /// Its name.
        header: String,
    },
    /// The header is there, and lets more pass.
    Weaker {
        /// Its name.
        header: String,
        /// What it lets pass.
        because: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Missing { header } => write!(f, "{header} is not there"),
            Finding::Weaker { header, because } => write!(f, "{header} {because}"),
        }
    }
}

/// An answer, as a visitor gets it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Its headers, by their names.
    pub headers: &'a [(String, String)],
    /// It came over HTTPS, under a name that browsers insist on it for.
    pub insists: bool,
}

/// What is not as it is asked for; nothing where somebody else than the component has answered.
pub fn judge(wanted: &[(String, String)], answer: Answer<'_>) -> Option<Vec<Finding>> {
    if !matches!(answer.status, 200..=299 | 404) {
        return None;
    }
    let said = |name: &str| {
        let mut rows = answer.headers.iter();
        rows.find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let bounds_frames =
        said("Content-Security-Policy").is_some_and(|policy| policy.contains("frame-ancestors"));
    let rows = wanted
        .iter()
        .filter(|(name, _)| match name.to_ascii_lowercase().as_str() {
            "strict-transport-security" => answer.insists,
            "x-frame-options" => !bounds_frames,
            _ => true,
        });
    let found = rows.filter_map(|(name, wanted)| {
        let header = name.clone();
        match said(name) {
            None => Some(Finding::Missing { header }),
            Some(said) => weaker(name, wanted, said).map(|because| Finding::Weaker { header, because }),
        }
    });
    Some(found.collect())
}

/// What a header lets pass that the wanted one does not.
fn weaker(name: &str, wanted: &str, said: &str) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        "content-security-policy" => policy(wanted, said),
        "strict-transport-security" => {
            let age = |text: &str| -> Option<u64> {
                let mut parts = text.split(';').map(str::trim);
                parts.find_map(|part| part.strip_prefix("max-age=")?.parse().ok())
            };
            let (wanted, said) = (age(wanted)?, age(said).unwrap_or(0));
            (said < wanted).then(|| format!("holds for {said} seconds instead of {wanted}"))
        }
        "referrer-policy" => {
            let (wanted, said) = (rank(wanted)?, rank(said).unwrap_or(0));
            (said < wanted).then(|| "tells other sites more of where a visitor came from".to_owned())
        }
        "permissions-policy" => permissions(wanted, said),
        "x-frame-options" => {
            let is_looser = wanted.eq_ignore_ascii_case("deny") && !said.eq_ignore_ascii_case("deny");
            is_looser.then(|| format!("says {}", short(said)))
        }
        "x-content-type-options" => {
            (!said.eq_ignore_ascii_case("nosniff")).then(|| format!("says {}", short(said)))
        }
        _ => None,
    }
}

/// Referrer policies by how little they tell; of several the last one that is known counts.
fn rank(text: &str) -> Option<usize> {
    const FROM_LOOSE: [&str; 8] = [
        "unsafe-url",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "strict-origin",
        "same-origin",
        "no-referrer",
    ];
    let mut words = text.rsplit(',').map(str::trim);
    words.find_map(|word| {
        FROM_LOOSE
            .iter()
            .position(|known| word.eq_ignore_ascii_case(known))
    })
}

/// The directives of a policy with their sources. Of one that is said twice the first counts.
fn directives(policy: &str) -> Vec<(String, Vec<&str>)> {
    let mut all: Vec<(String, Vec<&str>)> = Vec::new();
    for part in policy.split(';') {
        let mut words = part.split_ascii_whitespace();
        if let Some(name) = words.next().map(str::to_ascii_lowercase)
            && !all.iter().any(|(known, _)| *known == name)
        {
            all.push((name, words.collect()));
        }
    }
    all
}

fn policy(wanted: &str, said: &str) -> Option<String> {
    let (wanted, said) = (directives(wanted), directives(said));
    let find = |name: &str| {
        said.iter()
            .find(|(known, _)| known == name)
            .map(|(_, sources)| sources)
    };
    let mut because = Vec::new();
    for (name, sources) in &wanted {
        if matches!(name.as_str(), "report-uri" | "report-to") {
            continue;
        }
        let falls_back = name.ends_with("-src").then(|| find("default-src")).flatten();
        match find(name).or(falls_back) {
            None => because.push(format!("says nothing of {name}")),
            Some(said) => {
                // Every source that is a secret of this answer alone lets in nothing else.
                let is_new = |source: &&&str| {
                    let is_none = source.eq_ignore_ascii_case("'none'");
                    let is_own = source.starts_with("'nonce-") || source.starts_with("'sha");
                    !is_none && !is_own && !sources.contains(source) && !sources.contains(&"*")
                };
                let new: Vec<&str> = said.iter().filter(is_new).copied().collect();
                if !new.is_empty() {
                    because.push(format!("lets {} into {name}", short(&new.join(" "))));
                }
            }
        }
    }
    // What the wanted one leaves to its default may be said here more loosely.
    let default = wanted.iter().find(|(name, _)| name == "default-src");
    for (name, sources) in &said {
        let is_bounded = wanted.iter().any(|(known, _)| known == name);
        if let Some((_, bound)) = default.filter(|_| name.ends_with("-src") && !is_bounded) {
            let loose = ["*", "'unsafe-inline'", "'unsafe-eval'", "http:", "https:"];
            let is_loose = |source: &&&str| loose.contains(*source) && !bound.contains(*source);
            let new: Vec<&str> = sources.iter().filter(is_loose).copied().collect();
            if !new.is_empty() {
                because.push(format!("lets {} into {name}", new.join(" ")));
            }
        }
    }
    (!because.is_empty()).then(|| because.join(", "))
}

/// What is forbidden by the wanted one and not by this one.
fn permissions(wanted: &str, said: &str) -> Option<String> {
    let rows = |text: &str| -> Vec<(String, String)> {
        let pairs = text.split(',').filter_map(|part| part.trim().split_once('='));
        pairs
            .map(|(name, who)| (name.trim().to_owned(), who.trim().to_owned()))
            .collect()
    };
    let said = rows(said);
    let is_open = |name: &String| !said.iter().any(|(known, who)| known == name && who == "()");
    let forbidden = rows(wanted)
        .into_iter()
        .filter(|(_, who)| who == "()")
        .map(|(name, _)| name);
    let open: Vec<String> = forbidden.filter(is_open).collect();
    (!open.is_empty()).then(|| format!("does not forbid {}", open.join(" ")))
}

/// What a component says may be long.
fn short(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.len() > LONGEST {
        true => format!("{}…", &text[..text.floor_char_boundary(LONGEST)]),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [(&str, &str); 6] = [
        (
            "Content-Security-Policy",
            "default-src 'self'; object-src 'none'; frame-ancestors 'none'; report-uri /r; report-to towpath",
        ),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Permissions-Policy", "camera=(), usb=()"),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
    ];

    fn rows(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        rows.iter().map(owned).collect()
    }

    /// What is found where an answer differs from what is wanted by these headers; one without a value is not there.
    fn found(changes: &[(&str, &str)]) -> Vec<String> {
        let mut headers = rows(&WANTED);
        for (name, value) in changes {
            headers.retain(|(known, _)| known != name);
            if !value.is_empty() {
                headers.push((name.to_lowercase(), (*value).to_owned()));
            }
        }
        let answer = Answer {
            status: 200,
            headers: &headers,
            insists: true,
        };
        let found = judge(&rows(&WANTED), answer).expect("the component has answered");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_as_it_is_asked_for_or_stricter_is_nothing_to_tell() {
        assert_eq!(found(&[]), [""; 0]);
        assert_eq!(
            found(&[
                (
                    "Content-Security-Policy",
                    "default-src 'none'; script-src 'self' 'nonce-abc'; frame-ancestors 'none'",
                ),
                ("Strict-Transport-Security", "includeSubDomains; max-age=63072000"),
                ("Referrer-Policy", "unsafe-url, no-referrer"),
                ("Permissions-Policy", "usb=(), camera=(), midi=()"),
                ("X-Frame-Options", ""),
            ]),
            [""; 0]
        );
    }

    #[test]
    fn what_is_missing_or_lets_more_pass_is_told_by_what_it_lets_pass() {
        for (name, value, wanted) in [
            (
                "X-Content-Type-Options",
                "",
                "X-Content-Type-Options is not there",
            ),
            (
                "X-Content-Type-Options",
                "sniff",
                "X-Content-Type-Options says sniff",
            ),
            (
                "Content-Security-Policy",
                "default-src 'self' https:; frame-ancestors 'none'",
                "Content-Security-Policy lets https: into default-src, lets 'self' https: into object-src",
            ),
            (
                "Content-Security-Policy",
                "script-src 'unsafe-inline'; default-src 'self'; object-src 'none'; frame-ancestors 'none'",
                "Content-Security-Policy lets 'unsafe-inline' into script-src",
            ),
            (
                "Content-Security-Policy",
                "img-src 'self'; frame-ancestors 'none'",
                "Content-Security-Policy says nothing of default-src, says nothing of object-src",
            ),
            (
                "Strict-Transport-Security",
                "max-age=60",
                "Strict-Transport-Security holds for 60 seconds instead of 31536000",
            ),
            (
                "Referrer-Policy",
                "unsafe-url",
                "Referrer-Policy tells other sites more of where a visitor came from",
            ),
            (
                "Permissions-Policy",
                "camera=*, usb=()",
                "Permissions-Policy does not forbid camera",
            ),
        ] {
            assert_eq!(found(&[(name, value)]), [wanted], "{name}: {value}");
        }
        let framed = [
            ("Content-Security-Policy", "default-src 'self'; object-src 'none'"),
            ("X-Frame-Options", "SAMEORIGIN"),
        ];
        assert_eq!(
            found(&framed),
            [
                "Content-Security-Policy says nothing of frame-ancestors",
                "X-Frame-Options says SAMEORIGIN"
            ]
        );
    }

    #[test]
    fn what_the_edge_has_answered_is_not_judged_and_nobody_insists_under_a_name_of_this_machine() {
        let answer = |status, headers| Answer {
            status,
            headers,
            insists: false,
        };
        for status in [301, 401, 403, 429, 500, 503] {
            assert_eq!(judge(&rows(&WANTED), answer(status, &[])), None);
        }
        let wanted = rows(&[("Strict-Transport-Security", "max-age=1")]);
        assert_eq!(judge(&wanted, answer(404, &[])), Some(Vec::new()));
    }
}
