//! Why an identity gets nothing, in words: the claim, what it was, and what is wanted.

use super::{Refusal, Shown};
use std::fmt;

/// The most letters of a value that are told: they are somebody else's, and may be many.
const MOST: usize = 120;

/// The most values of a list that are told.
const SOME: usize = 5;

impl Refusal {
    /// A word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::Nobody => "nobody-trusted",
            Refusal::Issuer { .. } => "wrong-issuer",
            Refusal::Audience { .. } => "wrong-audience",
            Refusal::Untimed { .. } => "no-time",
            Refusal::Expired { .. } => "expired",
            Refusal::Early { .. } => "not-yet",
            Refusal::Lasting { .. } => "lasts-too-long",
            Refusal::Claim { .. } => "wrong-claim",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Nobody => f.write_str("no identity is trusted here"),
            Refusal::Issuer { was, wanted } => {
                write!(f, "its issuer `iss` {was}, and {} is trusted", Either(wanted))
            }
            Refusal::Audience { was, wanted } => {
                write!(f, "its audience `aud` {was}, and {} is wanted", Quoted(wanted))
            }
            Refusal::Untimed { claim, was } => write!(f, "its `{claim}` {was}, and a time is wanted"),
            Refusal::Expired { at } => write!(f, "it has expired at {at:.0} (`exp`)"),
            Refusal::Early { claim, at } => {
                write!(f, "it holds from {at:.0} on (`{claim}`), which has not come")
            }
            Refusal::Lasting { until } => {
                write!(f, "it holds until {until:.0} (`exp`), and a day is the longest")
            }
            Refusal::Claim { claim, was, wanted } => {
                write!(
                    f,
                    "its claim {} {was}, and {} is wanted",
                    Quoted(claim),
                    Either(wanted)
                )
            }
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Missing => f.write_str("is missing"),
            Shown::Other => f.write_str("is no text"),
            Shown::Values(values) => match values.as_slice() {
                [] => f.write_str("is an empty list"),
                [one] => write!(f, "is {}", Quoted(one)),
                some => {
                    f.write_str("is one of ")?;
                    for (at, one) in some.iter().take(SOME).enumerate() {
                        write!(f, "{}{}", if at > 0 { ", " } else { "" }, Quoted(one))?;
                    }
                    f.write_str(if some.len() > SOME { ", …" } else { "" })
                }
            },
        }
    }
}

/// Some that would do.
struct Either<'a>(&'a [String]);

impl fmt::Display for Either<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at > 0 { " or " } else { "" }, Quoted(one))?;
        }
        Ok(())
    }
}

/// A text of somebody else on one line, as far as it is told.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        let told: String = letters
            .by_ref()
            .take(MOST)
            .map(|letter| if is_quiet(letter) { '\u{fffd}' } else { letter })
            .collect();
        let more = if letters.next().is_some() { "…" } else { "" };
        write!(f, "`{told}{more}`")
    }
}

/// Letters that would say something to a terminal, or that would turn what stands beside them.
fn is_quiet(letter: char) -> bool {
    let turns = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns || letter == '`'
}
