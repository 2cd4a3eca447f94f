//! Paths of files beside the manifest, and patterns of names.

use super::scan::bounded;
use super::{Misread, Unit};
use std::fmt;

/// The path of a file or folder, with `/` between its parts; a relative one starts at the manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: String,
}

impl Path {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_absolute(&self) -> bool {
        self.text.starts_with('/')
    }

    /// The last part, without the folders before it.
    pub fn file_name(&self) -> &str {
        self.text
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(&self.text)
    }
}

impl Unit for Path {
    const WHAT: &'static str = "a path";
    const EXAMPLES: &'static [&'static str] = &[
        "seed.sql",
        "migrations/run",
        "./dist",
        "/etc/ssl/site.pem",
        "a b/c",
    ];

    fn parse(text: &str) -> Result<Self, Misread> {
        if text.contains('\0') {
            return Err(Misread::new("has a NUL in it"));
        }
        let text = bounded(text)?;
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        let fixed = text.trim_start_matches("../").trim_start_matches("/..");
                        let misread = Misread::new("leads out of the folder of the manifest");
                        return Err(match fixed {
                            "" | ".." | "/" => misread,
                            fixed => misread.meant(fixed),
                        });
                    }
                }
                part => parts.push(part),
            }
        }
        let root = if text.starts_with('/') { "/" } else { "" };
        if parts.last().is_some_and(|last| last.trim_end() != *last) {
            return Err(Misread::new("has a part that ends with a space"));
        }
        let text = match format!("{root}{}", parts.join("/")) {
            text if text.is_empty() => ".".to_owned(),
            text if text.starts_with(char::is_whitespace) => format!("./{text}"),
            text => text,
        };
        Ok(Self { text })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A pattern of names: `*` and `?` stop at `/`, `**` does not, `[a-z]` is one of these. `a/**/b` is like `a/b`, too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    text: String,
}

impl Glob {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is one name and no pattern.
    pub fn is_plain(&self) -> bool {
        !self.text.contains(['*', '?', '['])
    }

    /// Whether the name is like the pattern.
    pub fn is_match(&self, name: &str) -> bool {
        matches(&tokens(&self.text), name)
    }

    /// The pattern in which `*` does not stop at `/`, for texts that are no paths.
    pub(super) fn loose(text: &str) -> Self {
        Self {
            text: text.replace('*', "**"),
        }
    }
}

enum Token {
    Letter(char),
    One,
    Some,
    Any,
    /// The `**/` that follows may be missing altogether.
    Maybe,
    Set(bool, Vec<(char, char)>),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    let mut starts_part = true;
    while let Some(letter) = chars.next() {
        let started = std::mem::replace(&mut starts_part, letter == '/');
        let token = match letter {
            '?' => Token::One,
            '*' => {
                let mut token = Token::Some;
                while chars.next_if_eq(&'*').is_some() {
                    token = Token::Any;
                }
                if started && matches!(token, Token::Any) && chars.peek() == Some(&'/') {
                    tokens.push(Token::Maybe);
                }
                token
            }
            '[' => {
                let not = chars.next_if(|c| matches!(c, '!' | '^')).is_some();
                let inner: Vec<char> = chars.by_ref().take_while(|c| *c != ']').collect();
                Token::Set(not, ranges(&inner))
            }
            letter => Token::Letter(letter),
        };
        tokens.push(token);
    }
    tokens
}

fn ranges(inner: &[char]) -> Vec<(char, char)> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < inner.len() {
        let to = if at + 2 < inner.len() && inner[at + 1] == '-' {
            at + 2
        } else {
            at
        };
        ranges.push((inner[at], inner[to]));
        at = to + 1;
    }
    ranges
}

/// One row of reachable places a letter, so that no pattern takes more than its length times the name's.
fn matches(tokens: &[Token], name: &str) -> bool {
    let mut row = vec![false; tokens.len() + 1];
    row[0] = true;
    skip_stars(tokens, &mut row);
    let mut next = vec![false; tokens.len() + 1];
    for letter in name.chars() {
        next.fill(false);
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| row[*at]) {
            match token {
                Token::Any => next[at] = true,
                Token::Some if letter != '/' => next[at] = true,
                Token::One if letter != '/' => next[at + 1] = true,
                Token::Letter(wanted) if *wanted == letter => next[at + 1] = true,
                Token::Set(not, ranges) => {
                    let inside = ranges.iter().any(|(from, to)| (*from..=*to).contains(&letter));
                    next[at + 1] |= inside != *not && letter != '/';
                }
                _ => {}
            }
        }
        std::mem::swap(&mut row, &mut next);
        skip_stars(tokens, &mut row);
    }
    row[tokens.len()]
}

/// A star may stand for nothing.
fn skip_stars(tokens: &[Token], row: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        if row[at] && matches!(token, Token::Some | Token::Any | Token::Maybe) {
            row[at + 1] = true;
        }
        if row[at] && matches!(token, Token::Maybe) {
            row[at + 3] = true;
        }
    }
}

impl Unit for Glob {
    const WHAT: &'static str = "a pattern";
    const EXAMPLES: &'static [&'static str] = &["v*", "main", "src/**/*.rs", "feature/*", "v[0-9]*"];

    fn parse(text: &str) -> Result<Self, Misread> {
        let text = bounded(text)?;
        let mut open = None;
        for (at, letter) in text.char_indices() {
            match (letter, open) {
                ('[', None) => open = Some(at),
                (']', None) => return Err(Misread::new("has a `]` without its `[`")),
                (']', Some(from)) => {
                    if text[from + 1..at].trim_start_matches(['!', '^']).is_empty() {
                        return Err(Misread::new("has brackets with nothing in them"));
                    }
                    open = None;
                }
                _ => {}
            }
        }
        if open.is_some() {
            return Err(Misread::new("has a `[` without its `]`").meant(format!("{text}]")));
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside_the_folder_of_the_manifest() {
        for (text, canonical) in [
            ("./a//b/", "a/b"),
            ("a/../b", "b"),
            ("/x/./y", "/x/y"),
            (".", "."),
            ("a/..", "."),
        ] {
            assert_eq!(
                Path::parse(text).map(|p| p.to_string()),
                Ok(canonical.into()),
                "{text}"
            );
        }
        assert_eq!(
            Path::parse("../seed.sql").expect_err("out").meant.as_deref(),
            Some("seed.sql")
        );
        for text in ["", "a/../../b", "a\0b", "/.."] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_stops_at_a_slash_and_two_do_not() {
        let like = |glob: &str, name: &str| Glob::parse(glob).expect(glob).is_match(name);
        assert!(like("v*", "v1.2.3") && !like("v*", "v1/2") && !like("v*", "w1"));
        assert!(like("src/**/*.rs", "src/a/b/c.rs") && !like("src/**/*.rs", "src/a/b/c.js"));
        assert!(like("src/**/*.rs", "src/a.rs") && like("**/a.rs", "a.rs") && like("**/a.rs", "b/a.rs"));
        assert!(
            !like("src/**/a.rs", "src/ba.rs") && !like("src/**/a.rs", "srca.rs") && !like("src**/a", "srca")
        );
        assert!(like("v[0-9].?", "v1.x") && !like("v[!0-9]", "v1"));
        assert!(!like(&"*a".repeat(200), &"a".repeat(150)));
    }

    #[test]
    fn brackets_come_in_pairs() {
        assert_eq!(
            Glob::parse("v[0-9").expect_err("open").meant.as_deref(),
            Some("v[0-9]")
        );
        for text in ["v]", "v[]", "", "v[!]"] {
            assert!(Glob::parse(text).is_err(), "{text}");
        }
    }
}
