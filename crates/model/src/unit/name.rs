//! Names of the things in a manifest, and of environment variables.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;

/// What a label of a host name may have: a name becomes one.
const LONGEST_NAME: usize = 63;

/// The name of a component, resource or environment: `web`, `score-worker`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    text: String,
}

impl Name {
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.text
    }
}

/// The words of a text in lower case with hyphens between them, if there is a letter to start with.
fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let from = slug.find(|c: char| c.is_ascii_lowercase())?;
    let cut = &slug[from..slug.len().min(from + LONGEST_NAME)];
    Some(cut.trim_end_matches('-').to_owned())
}

impl Unit for Name {
    const WHAT: &'static str = "a name";
    const EXAMPLES: &'static [&'static str] = &["web", "score-worker", "db2"];

    fn parse(text: &str) -> Result<Self, Misread> {
        // Spaces around a name are refused as well: it stands as a key, where nobody trims them.
        bounded(text)?;
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let because = if !text.bytes().all(fine) {
            "has something else than lower-case letters, digits and hyphens in it"
        } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            "does not start with a letter"
        } else if text.len() > LONGEST_NAME {
            "is longer than 63 letters"
        } else if text.ends_with('-') {
            "ends with a hyphen"
        } else {
            return Ok(Self {
                text: text.to_owned(),
            });
        };
        let misread = Misread::new(because);
        Err(match slug(text) {
            Some(slug) => misread.meant(slug),
            None => misread,
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Checks the rule of environment variables.
fn variable(text: &str) -> Result<String, Misread> {
    bounded(text)?;
    let fine = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let because = if !text.bytes().all(fine) {
        "has something else than upper-case letters, digits and underscores in it"
    } else if text.starts_with(|c: char| c.is_ascii_digit()) {
        "starts with a digit"
    } else {
        return Ok(text.to_owned());
    };
    let trimmed = text.trim().trim_start_matches('$');
    let upper = trimmed
        .to_ascii_uppercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let upper = match upper.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{upper}"),
        false => upper,
    };
    let misread = Misread::new(because);
    Err(match upper.contains(|c: char| c.is_ascii_alphanumeric()) {
        true => misread.meant(upper),
        false => misread,
    })
}

macro_rules! variable {
    ($(#[$doc:meta])* $name:ident, $what:literal, $examples:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            text: String,
        }

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.text
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.text
            }
        }

        impl Unit for $name {
            const WHAT: &'static str = $what;
            const EXAMPLES: &'static [&'static str] = $examples;

            fn parse(text: &str) -> Result<Self, Misread> {
                variable(text).map(|text| Self { text })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }
    };
}

variable!(
    /// The name of an environment variable: `DATABASE_URL`.
    VarName,
    "the name of an environment variable",
    &["DATABASE_URL", "PORT", "_X1"]
);

variable!(
    /// The name of a secret, which is given to a component as an environment variable.
    SecretName,
    "the name of a secret",
    &["SESSION_KEY", "PROBE_COOKIE"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_offered_as_a_slug() {
        for (text, meant) in [
            ("Score Worker", "score-worker"),
            ("my_db", "my-db"),
            ("2web", "web"),
            ("web-", "web"),
        ] {
            let misread = Name::parse(text).expect_err(text);
            assert_eq!(misread.meant.as_deref(), Some(meant), "{text}");
            assert!(Name::parse(meant).is_ok());
        }
        let long = Name::parse(&"a".repeat(64)).expect_err("long");
        assert_eq!(long.meant, Some("a".repeat(63)));
        assert_eq!(Name::parse("漢字").expect_err("no letter").meant, None);
    }

    #[test]
    fn a_variable_in_lower_case_is_offered_in_upper_case() {
        for (text, meant) in [
            ("database_url", "DATABASE_URL"),
            ("API-KEY", "API_KEY"),
            ("2FA", "_2FA"),
            ("$HOME", "HOME"),
        ] {
            assert_eq!(
                VarName::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
            assert!(SecretName::parse(meant).is_ok());
        }
        assert!(VarName::parse("").is_err());
    }
}
