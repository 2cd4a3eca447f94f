//! Short texts with a rule of their own: commands, regions, headers, columns.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;

/// Declares a unit that keeps its text, with the rule that the text has to keep.
macro_rules! text_unit {
    ($(#[doc = $about:literal])+ $name:ident, $what:literal, $examples:expr, $rule:expr) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            text: String,
        }

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl Unit for $name {
            const WHAT: &'static str = $what;
            const EXAMPLES: &'static [&'static str] = $examples;

            fn parse(text: &str) -> Result<Self, Misread> {
                let rule: fn(&str) -> Result<(), Misread> = $rule;
                rule(text)?;
                Ok($name { text: text.to_owned() })
            }
        }
    };
}

text_unit! {
    /// A command, as it is typed in a shell.
    Command, "a command", &["target/release/api", "python -m synapse.bot"], |text| {
        const LONGEST: usize = 8 * 1024;
        if text.trim().is_empty() {
            return Err(Misread::new("is empty"));
        }
        if text.len() > LONGEST {
            return Err(Misread::new("is longer than 8 KiB; put it into a script and name that"));
        }
        if text.contains('\0') {
            return Err(Misread::new("has a NUL byte in it"));
        }
        let mut open = None;
        let mut escaped = false;
        for letter in text.chars() {
            match (open, letter) {
                _ if escaped => escaped = false,
                (None | Some('"'), '\\') => escaped = true,
                (None, '"' | '\'') => open = Some(letter),
                (Some(mark), letter) if mark == letter => open = None,
                _ => {}
            }
        }
        match open {
            Some(mark) => Err(Misread::new(format!("has a quotation mark {mark} that is not closed"))),
            None => Ok(()),
        }
    }
}

text_unit! {
    /// A region, as the provider calls it.
    Region, "a region", &["sin", "eu-central-1", "westeurope"], |text| {
        bounded(text)?;
        let fine = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if text.is_empty() {
            return Err(Misread::new("is empty"));
        }
        if !text.chars().all(fine) {
            let meant: String = text.trim().to_lowercase().replace([' ', '_'], "-");
            return Err(Misread::new("has something else than lower-case letters, digits and hyphens in it").meant(meant));
        }
        Ok(())
    }
}

text_unit! {
    /// The name of an HTTP header.
    HeaderName, "a header", &["X-Robots-Tag", "Idempotency-Key"], |text| {
        bounded(text)?;
        let fine = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
        if text.is_empty() {
            return Err(Misread::new("is empty"));
        }
        if !text.chars().all(fine) {
            let meant = text.trim().trim_end_matches(':').replace(' ', "-");
            return Err(Misread::new("has a letter in it that a header cannot have").meant(meant));
        }
        Ok(())
    }
}

text_unit! {
    /// A column of a database.
    Column, "a column", &["users.email", "public.users.email"], |text| {
        bounded(text)?;
        let parts: Vec<&str> = text.split('.').collect();
        let fine = |part: &&str| {
            !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(fine) {
            return Err(Misread::new("is not written as table.column"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_closes_its_quotation_marks() {
        assert!(Command::parse("sh -c 'echo \"hi\"'").is_ok());
        assert!(Command::parse(r#"echo it\'s"#).is_ok());
        assert!(Command::parse("echo 'hi").is_err());
        assert!(Command::parse("  ").is_err());
    }

    #[test]
    fn a_region_in_capitals_is_proposed_in_small_letters() {
        let misread = Region::read("West Europe").expect_err("it has capitals");
        assert_eq!(misread.meant.as_deref(), Some("west-europe"));
    }

    #[test]
    fn a_column_names_its_table() {
        assert!(Column::parse("users.email").is_ok());
        assert!(Column::parse("email").is_err());
        assert!(Column::parse("a.b.c.d").is_err());
    }
}
