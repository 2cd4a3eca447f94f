//! Host names, web addresses and mail addresses.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;

/// A host name in lower case, perhaps with a star for its first label: `*.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain {
    name: String,
}

impl Domain {
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether a star stands for the first label.
    pub fn is_wildcard(&self) -> bool {
        self.name.starts_with("*.")
    }

    /// Whether the host is this one, or one label below a star.
    pub fn covers(&self, host: &str) -> bool {
        match self.name.strip_prefix('*') {
            Some(parent) => {
                let label = host.len().checked_sub(parent.len()).filter(|n| *n > 0);
                let split = label.and_then(|n| host.get(..n).zip(host.get(n..)));
                split.is_some_and(|(label, rest)| rest.eq_ignore_ascii_case(parent) && !label.contains('.'))
            }
            None => self.name.eq_ignore_ascii_case(host),
        }
    }
}

/// What is wrong with a host name in lower case.
fn fault(name: &str) -> Option<String> {
    if name.len() > 253 {
        return Some("is longer than 253 letters".to_owned());
    }
    for label in name.strip_prefix("*.").unwrap_or(name).split('.') {
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if label.is_empty() {
            return Some("has two dots, or a dot at an end".to_owned());
        }
        if label.len() > 63 {
            return Some("has a label that is longer than 63 letters".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some(format!("has the label `{label}`, with a hyphen at an end"));
        }
        if !label.bytes().all(fine) {
            return Some(format!(
                "has the label `{label}`, with more than letters, digits and hyphens"
            ));
        }
    }
    let numbers = name
        .split('.')
        .all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    numbers.then(|| "is an address, not a name".to_owned())
}

impl Unit for Domain {
    const WHAT: &'static str = "a host name";
    const EXAMPLES: &'static [&'static str] =
        &["example.com", "*.example.com", "App.Example.com", "localhost"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let lower = text.to_ascii_lowercase();
        let Some(because) = fault(&lower) else {
            return Ok(Self { name: lower });
        };
        let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().trim_matches('.');
        if fault(host).is_some() {
            return Err(Misread::new(because));
        }
        let because = match lower.contains(['/', '@', ':']) {
            true => "has more in it than a host".to_owned(),
            false => because,
        };
        Err(Misread::new(because).meant(host))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A web address: a scheme, a host, and what is behind it.
///
/// Debug leaves out the password, which should not be in one in the first place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    text: String,
}

impl Url {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// In lower case.
    pub fn scheme(&self) -> &str {
        self.text.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Everything between `://` and the path.
    fn authority(&self) -> &str {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }

    fn user_and_password(&self) -> Option<&str> {
        self.authority().rsplit_once('@').map(|(user, _)| user)
    }

    pub fn user(&self) -> Option<&str> {
        let user = self.user_and_password()?;
        Some(user.split_once(':').map_or(user, |(user, _)| user))
    }

    /// The password, if somebody wrote one into the address.
    pub fn password(&self) -> Option<&str> {
        self.user_and_password()?
            .split_once(':')
            .map(|(_, password)| password)
    }

    /// The host without port; the brackets around an IPv6 address stay.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        match host.find(']') {
            Some(end) => &host[..=end],
            None => host.split(':').next().unwrap_or_default(),
        }
    }

    pub fn port(&self) -> Option<u16> {
        let authority = self.authority();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let behind = host.rsplit_once(']').map_or(host, |(_, port)| port);
        behind.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
    }

    /// From the first slash behind the host; `/` if there is none.
    pub fn path(&self) -> &str {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        match rest.find(['/', '?', '#']) {
            Some(at) if rest[at..].starts_with('/') => {
                let end = rest[at..].find(['?', '#']).map_or(rest.len(), |n| at + n);
                &rest[at..end]
            }
            _ => "/",
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.user_and_password().zip(self.password()) {
            Some((both, password)) => {
                let user = &both[..both.len() - password.len()];
                let safe = self.text.replacen(both, &format!("{user}[sealed]"), 1);
                write!(f, "Url({safe:?})")
            }
            None => write!(f, "Url({:?})", self.text),
        }
    }
}

impl Unit for Url {
    const WHAT: &'static str = "a web address";
    const EXAMPLES: &'static [&'static str] = &[
        "https://example.com",
        "http://localhost:8080/healthz",
        "wss://example.com/ws?x=1",
        "postgres://app@db.internal:5432/app",
        "https://[::1]:8443/",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        if text.contains(char::is_whitespace) {
            let fixed = text.split_whitespace().collect::<Vec<_>>().join("%20");
            let misread = Misread::new("has a space in it");
            return Err(if text.contains("://") {
                misread.meant(fixed)
            } else {
                misread
            });
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let misread = Misread::new("has no scheme, such as `https://`");
            let host = text.split(['/', ':', '?', '#']).next().unwrap_or_default();
            let scheme = if host == "localhost" { "http" } else { "https" };
            let plausible = Domain::parse(host).is_ok() && (host.contains('.') || host == "localhost");
            return Err(if plausible {
                misread.meant(format!("{scheme}://{text}"))
            } else {
                misread
            });
        };
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        let letter = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !letter || !scheme.bytes().all(fine) {
            return Err(Misread::new(format!("has the scheme `{scheme}`, which is none")));
        }
        let read = Self {
            text: format!("{}://{rest}", scheme.to_ascii_lowercase()),
        };
        if read.host().is_empty() {
            return Err(Misread::new("has no host"));
        }
        let authority = read.authority();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let port = host.strip_prefix(read.host()).unwrap_or_default();
        if !port.is_empty() && read.port().is_none() {
            return Err(Misread::new(format!(
                "has `{port}` behind its host, which is no port"
            )));
        }
        Ok(read)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A mail address; the part behind the at sign in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email {
    text: String,
}

impl Email {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is behind the at sign.
    pub fn domain(&self) -> &str {
        self.text.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl Unit for Email {
    const WHAT: &'static str = "a mail address";
    const EXAMPLES: &'static [&'static str] = &["ops@example.com", "on-call+prod@example.com"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let inner = text.split_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
        let inner = inner.or_else(|| text.strip_prefix("mailto:"));
        if let Some(address) = inner.and_then(|inner| Self::parse(inner).ok()) {
            return Err(Misread::new("has more in it than the address").meant(address));
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(Misread::new("has no `@`"));
        };
        let fine = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b);
        let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if local.is_empty() || local.len() > 64 || dots || !local.bytes().all(fine) {
            return Err(Misread::new(format!(
                "has `{local}` before the `@`, which is no mailbox"
            )));
        }
        let domain = Domain::parse(domain).map_err(|misread| Misread {
            because: format!("has a host that {}", misread.because),
            meant: misread.meant.map(|domain| format!("{local}@{domain}")),
        })?;
        if domain.is_wildcard() || !domain.as_str().contains('.') {
            return Err(Misread::new(format!(
                "has `{domain}` behind the `@`, where no mail arrives"
            )));
        }
        Ok(Self {
            text: format!("{local}@{domain}"),
        })
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_a_host_and_no_more() {
        for (text, meant) in [
            ("https://x.com/", "x.com"),
            ("X.com:443", "x.com"),
            ("x.com.", "x.com"),
            ("https://u:p@x.com/a?b", "x.com"),
        ] {
            assert_eq!(
                Domain::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in [
            "-x.com",
            "x_y.com",
            "a..b",
            "1.2.3.4",
            "*",
            "x.*.com",
            "münchen.de",
            "*.",
            "a b.com",
        ] {
            assert!(Domain::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let star = Domain::parse("*.example.com").expect("a star");
        assert!(star.covers("A.example.com") && !star.covers("a.b.example.com"));
        assert!(!star.covers("example.com") && !star.covers(".example.com") && !star.covers("é"));
    }

    #[test]
    fn a_web_address_is_taken_apart() {
        let url = Url::parse("Postgres://app:s3cret@db.internal:5432/app?x=1").expect("an address");
        assert_eq!(
            (url.scheme(), url.host(), url.port(), url.path()),
            ("postgres", "db.internal", Some(5432), "/app")
        );
        assert_eq!((url.user(), url.password()), (Some("app"), Some("s3cret")));
        assert!(!format!("{url:?}").contains("s3cret"));
        assert_eq!(
            Url::parse("https://[::1]:8443").map(|u| (u.host().to_owned(), u.port())),
            Ok(("[::1]".into(), Some(8443)))
        );
        assert_eq!(
            Url::parse("example.com/x").expect_err("scheme").meant.as_deref(),
            Some("https://example.com/x")
        );
        for text in [
            "https://",
            "https:///x",
            "://x",
            "1a://x",
            "https://a b",
            "https://x:y",
            "x",
            "https://u@/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mail_address_has_a_mailbox_and_a_host() {
        assert_eq!(
            Email::parse("Ops@Example.COM").map(|e| e.to_string()),
            Ok("Ops@example.com".into())
        );
        assert_eq!(
            Email::parse("Ops <ops@example.com>")
                .expect_err("name")
                .meant
                .as_deref(),
            Some("ops@example.com")
        );
        for text in [
            "ops",
            "@example.com",
            "ops@",
            "a b@example.com",
            "ops@localhost",
            "a@b@c.com",
            "ops@*.x.com",
            "<<<>>>",
        ] {
            assert!(Email::parse(text).is_err(), "{text}");
        }
    }
}
