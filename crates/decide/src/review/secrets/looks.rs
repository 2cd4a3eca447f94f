//! What a secret looks like.
//!
//! Keys of well-known services begin with letters of their own, so they are told from any other text wherever they
//! stand. Others are only told by the name that they stand under, and by looking random. What is plainly made up for
//! development or as an example is nobody's secret.

use std::collections::BTreeMap;

/// Beginnings of keys, what they are, and how many letters follow at the least.
const BEGINNINGS: &[(&str, &str, usize)] = &[
    ("ghp_", "a GitHub token", 30),
    ("gho_", "a GitHub token", 30),
    ("ghu_", "a GitHub token", 30),
    ("ghs_", "a GitHub token", 30),
    ("ghr_", "a GitHub token", 30),
    ("github_pat_", "a GitHub token", 40),
    ("glpat-", "a GitLab token", 18),
    ("xoxb-", "a Slack token", 20),
    ("xoxp-", "a Slack token", 20),
    ("xoxa-", "a Slack token", 20),
    ("xoxs-", "a Slack token", 20),
    ("xapp-", "a Slack token", 20),
    ("sk_live_", "a Stripe key", 20),
    ("rk_live_", "a Stripe key", 20),
    ("sk_test_", "a Stripe key", 20),
    ("whsec_", "a webhook's signing key", 20),
    ("sk-ant-", "an Anthropic key", 20),
    ("sk-proj-", "an OpenAI key", 20),
    ("AIza", "a Google API key", 30),
    ("npm_", "an npm token", 30),
    ("pypi-", "a PyPI token", 40),
    ("hf_", "a Hugging Face token", 30),
    ("dop_v1_", "a DigitalOcean token", 40),
    ("shpat_", "a Shopify token", 28),
    ("SG.", "a SendGrid key", 40),
    ("hvs.", "a Vault token", 20),
    ("AGE-SECRET-KEY-", "an age key", 40),
];

/// Addresses that are secrets by themselves: whoever knows one may write there.
const WEBHOOKS: &[&str] = &[
    "hooks.slack.com/services/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
];

/// Words of values that are made up.
const MADE_UP: &[&str] = &[
    "example",
    "sample",
    "dummy",
    "fake",
    "test",
    "local",
    "dev",
    "change",
    "replace",
    "insecure",
    "placeholder",
    "your",
    "xxxx",
    "todo",
    "none",
    "disabled",
];

/// No private key and no webhook's address is as short as this; most texts are, and need not be searched for them.
const LONGEST_PLAIN: usize = 26;

/// What a text is if it holds a key that is known by its looks.
pub(super) fn known(text: &str) -> Option<&'static str> {
    // Nothing shorter is worth keeping secret by itself, and most values are.
    if text.len() < 16 {
        return None;
    }
    let long = text.len() > LONGEST_PLAIN;
    if long && text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let webhook = WEBHOOKS
        .iter()
        .filter(|_| long)
        .find_map(|part| Some(&text[text.find(part)? + part.len()..]));
    if webhook.is_some_and(|rest| is_random(rest, 16)) {
        return Some("a webhook's address");
    }
    if has_password(text) {
        return Some("an address with a password");
    }
    let apart = |letter: char| !(letter.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&letter));
    text.split(apart).find_map(token)
}

/// What one word is.
fn token(word: &str) -> Option<&'static str> {
    if word.len() < 16 {
        return None;
    }
    if let Some((start, what, least)) = BEGINNINGS.iter().find(|(start, ..)| word.starts_with(start)) {
        let rest = &word[start.len()..];
        return (rest.len() >= *least && is_random(rest, 12)).then_some(*what);
    }
    let access = word.strip_prefix("AKIA").or_else(|| word.strip_prefix("ASIA"));
    if let Some(rest) = access {
        let plain = rest.len() == 16
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        return (plain && !rest.ends_with("EXAMPLE")).then_some("an AWS access key");
    }
    let parts: Vec<&str> = word.split('.').collect();
    match parts.as_slice() {
        [head, body, signature] if head.starts_with("eyJ") && body.starts_with("eyJ") => {
            (signature.len() >= 20).then_some("a signed token (JWT)")
        }
        // The id of the bot, a time and a signature, each in base64.
        [id, time, signature] => (id.starts_with(['M', 'N', 'O'])
            && (23..=28).contains(&id.len())
            && time.len() == 6
            && (27..=45).contains(&signature.len()))
        .then_some("a Discord bot token"),
        _ => None,
    }
}

/// `scheme://user:password@host`, where the host is not this machine and the password is not left to somebody else.
fn has_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let end = rest
            .find(|letter: char| letter.is_whitespace() || ['/', '?', '#', '"', '\''].contains(&letter))
            .unwrap_or(rest.len());
        let Some((user, host)) = rest[..end].rsplit_once('@') else {
            return false;
        };
        let Some((user, password)) = user.split_once(':') else {
            return false;
        };
        let host = host.split(':').next().unwrap_or(host);
        let here = ["localhost", "127.0.0.1", "[", "host.docker.internal"];
        let left_open = password.len() < 4
            || password.starts_with(['$', '<', '{', '*'])
            || password == user
            || password.eq_ignore_ascii_case("password");
        !left_open && !here.contains(&host) && !is_made_up(password)
    })
}

/// Whether a variable is one that nobody should be shown, by its name or by the looks of its value. It says yes sooner than
/// the rules do, which accuse somebody.
pub fn looks_secret(name: &str, value: &str) -> bool {
    is_secret_name(name) || known(value).is_some()
}

/// Whether a name says that what stands under it is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let open = ["PUBLIC", "PUBLISHABLE", "ANON", "EXAMPLE"];
    if upper.split('_').any(|part| open.contains(&part)) {
        return false;
    }
    let last = upper.rsplit('_').next().unwrap_or(&upper);
    matches!(
        last,
        "SECRET"
            | "TOKEN"
            | "PASSWORD"
            | "PASSWD"
            | "PASSPHRASE"
            | "KEY"
            | "APIKEY"
            | "CREDENTIALS"
            | "COOKIE"
    )
}

/// Whether a value under a name that says so is a secret, and not a word for one.
pub(super) fn is_secret_value(name: &str, value: &str) -> bool {
    let value = value.strip_prefix("Bearer ").unwrap_or(value);
    let elsewhere = [
        "secret:", "from:", "flag:", "http://", "https://", "$", "<", "{", "/", "./",
    ];
    if value.contains(char::is_whitespace)
        || elsewhere.iter().any(|start| value.starts_with(start))
        || is_made_up(value)
    {
        return false;
    }
    let password = name.to_ascii_uppercase().contains("PASS");
    let mixed = value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    if password {
        return value.len() >= 7 && mixed;
    }
    value.len() >= 16 && mixed && is_random(value, 10)
}

/// Whether a value was plainly made up for development or as an example.
pub(super) fn is_made_up(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    // A long random text holds short words by chance.
    lower.len() < 40 && MADE_UP.iter().any(|word| lower.contains(word))
}

/// Whether a text has at least so many different letters, and none of them very often.
fn is_random(text: &str, least: usize) -> bool {
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    for letter in text.chars() {
        *counts.entry(letter).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or_default();
    counts.len() >= least && most * 3 <= text.chars().count().max(12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_well_known_services_are_known_wherever_they_stand() {
        let github = format!("ghp_{}", "1aB2cD3eF4gH5iJ6kL7mN8oP9qR0sT1uV2wX");
        assert_eq!(known(&github), Some("a GitHub token"));
        assert_eq!(
            known(&format!("curl -H 'Authorization: Bearer {github}' x")),
            Some("a GitHub token")
        );
        let aws = format!("AKIA{}", "J5T3KQZ7W2LMN4PV");
        assert_eq!(known(&aws), Some("an AWS access key"));
        assert_eq!(known("-----BEGIN RSA PRIVATE KEY-----\nx"), Some("a private key"));
        assert_eq!(
            known("postgres://app:s3cr3t-pa55@db.example.com:5432/app"),
            Some("an address with a password")
        );
        let jwt = format!(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}",
            "dBjftJeZ4CVPmB92K27uhbUJU1p1r"
        );
        assert_eq!(known(&jwt), Some("a signed token (JWT)"));
    }

    #[test]
    fn what_only_looks_a_little_like_a_secret_is_none() {
        for text in [
            "secret:GITHUB_TOKEN",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "postgres://postgres:postgres@localhost:5432/app",
            "postgres://app:$PASSWORD@db.example.com/app",
            "https://example.com/a@b:c",
            "sk_live_",
            "ghcr.io/acme/api",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            assert_eq!(known(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_and_a_random_value_together_make_a_secret() {
        let random = "9f86d081884c7d659a2feaa0c55ad015";
        assert!(is_secret_name("JWT_SECRET") && is_secret_value("JWT_SECRET", random));
        assert!(is_secret_value("DB_PASSWORD", "hunter22"));
        assert!(!is_secret_name("SUPABASE_ANON_KEY"));
        assert!(!is_secret_name("TOKEN_TTL"));
        for value in [
            "secret:JWT_SECRET",
            "dev-secret-123456789",
            "changeme",
            "/run/secrets/jwt",
            "sort by user id",
        ] {
            assert!(!is_secret_value("JWT_SECRET", value), "{value}");
        }
    }
}
