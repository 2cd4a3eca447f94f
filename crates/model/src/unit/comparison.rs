//! What must hold of a measured value: `p95 < 250ms`, `status = 200`, `body contains ok`.

use super::quantity::{Quantity, text};
use super::scan::bounded;
use super::{Glob, Misread, Unit};
use std::cmp::Ordering;
use std::fmt;

/// How the measured value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    Lt,
    Le,
    Eq,
    Ne,
    Ge,
    Gt,
    /// The measured text has this text in it.
    Contains,
    /// The measured text is like this pattern, in which `*` stands for anything.
    Matches,
}

impl Op {
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Ge => ">=",
            Self::Gt => ">",
            Self::Contains => "contains",
            Self::Matches => "matches",
        }
    }

    /// Whether it asks which of two is larger.
    pub const fn is_order(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Ge | Self::Gt)
    }

    /// Whether it holds for a measured value that stands so to the bound.
    pub const fn holds(self, measured: Ordering) -> bool {
        match self {
            Self::Lt => measured.is_lt(),
            Self::Le => measured.is_le(),
            Self::Eq => measured.is_eq(),
            Self::Ne => measured.is_ne(),
            Self::Ge => measured.is_ge(),
            Self::Gt => measured.is_gt(),
            Self::Contains | Self::Matches => false,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sign())
    }
}

/// What must hold: the subject (empty for the measured value itself), how, and the bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Comparison {
    pub subject: String,
    pub op: Op,
    pub value: Quantity,
}

impl Comparison {
    /// Whether the measured value keeps it; nothing if the two cannot be compared.
    pub fn holds(&self, measured: &Quantity) -> Option<bool> {
        match (self.op, measured, &self.value) {
            (Op::Contains, Quantity::Text(measured), Quantity::Text(part)) => {
                Some(measured.contains(part.as_str()))
            }
            (Op::Matches, Quantity::Text(measured), Quantity::Text(pattern)) => {
                Some(Glob::loose(pattern).is_match(measured))
            }
            (Op::Contains | Op::Matches, ..) => None,
            (Op::Eq | Op::Ne, Quantity::Text(_), Quantity::Text(_)) => {
                Some((measured == &self.value) == (self.op == Op::Eq))
            }
            _ => measured
                .partial_cmp(&self.value)
                .map(|order| self.op.holds(order)),
        }
    }
}

/// The signs, longer ones first where one begins another.
const SIGNS: &[(&str, Op)] = &[
    ("<=", Op::Le),
    (">=", Op::Ge),
    ("==", Op::Eq),
    ("!=", Op::Ne),
    ("=~", Op::Matches),
    ("≤", Op::Le),
    ("≥", Op::Ge),
    ("≠", Op::Ne),
    ("<", Op::Lt),
    (">", Op::Gt),
    ("=", Op::Eq),
    ("~", Op::Matches),
    (" contains ", Op::Contains),
    (" matches ", Op::Matches),
];

/// Signs that people write by mistake, and what they mean.
const MISTAKES: &[(&str, Op)] = &[("=<", Op::Le), ("=>", Op::Ge), ("<>", Op::Ne), ("=!", Op::Ne)];

/// Words for signs.
const WORDS: &[(&str, Op)] = &[
    (" is less than ", Op::Lt),
    (" less than ", Op::Lt),
    (" is below ", Op::Lt),
    (" below ", Op::Lt),
    (" under ", Op::Lt),
    (" more than ", Op::Gt),
    (" is above ", Op::Gt),
    (" above ", Op::Gt),
    (" over ", Op::Gt),
    (" at most ", Op::Le),
    (" at least ", Op::Ge),
    (" equals ", Op::Eq),
    (" is not ", Op::Ne),
    (" is ", Op::Eq),
    (" includes ", Op::Contains),
];

/// The sign that stands first in the text: before it, itself, behind it.
fn split<'t>(text: &'t str, lower: &str, signs: &[(&str, Op)]) -> Option<(&'t str, Op, &'t str)> {
    let first = lower.char_indices().find_map(|(at, _)| {
        let here = &lower[at..];
        let found = signs.iter().find(|(sign, _)| here.starts_with(sign));
        found.map(|(sign, op)| (at, sign.len(), *op))
    });
    let (at, length, op) = first?;
    Some((text[..at].trim(), op, text[at + length..].trim()))
}

impl Unit for Comparison {
    const WHAT: &'static str = "a comparison";
    const EXAMPLES: &'static [&'static str] = &[
        "p95 < 250ms",
        "status = 200",
        "error rate < 1%",
        "< 5%",
        "progress = 100%",
        "hash = stable",
        "evictions > 0",
        "body contains ok",
        "size <= 20MB",
        "bundle < 500KB",
        "lcp < 2.5s",
        "p95 ≤ 1s",
        "status == 200",
        "status != 500",
        "path matches /api/*",
        "cost <= $5",
        "body contains \"200\"",
    ];

    fn parse(written: &str) -> Result<Self, Misread> {
        let written = bounded(written)?;
        // A sign is found by its bytes in lower case, which only ASCII letters change here.
        let padded = format!(" {written} ");
        let lower = padded.to_ascii_lowercase();
        let Some((subject, op, value)) = split(&padded, &lower, SIGNS) else {
            return Err(without_sign(written, &padded, &lower));
        };
        if let Some((subject, op, value)) = split(&padded, &lower, MISTAKES)
            && split(subject, &subject.to_ascii_lowercase(), SIGNS).is_none()
        {
            let misread = Misread::new(format!("has a sign that is written `{op}`"));
            return Err(match read(subject, op, value) {
                Ok(read) => misread.meant(read),
                Err(_) => misread,
            });
        }
        read(subject, op, value)
    }
}

fn read(subject: &str, op: Op, value: &str) -> Result<Comparison, Misread> {
    let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let sign = |word: &str| ["contains", "matches"].contains(&word.to_ascii_lowercase().as_str());
    if subject.split(' ').any(sign) {
        let because = format!("has two signs that compare, one of them in `{subject}`");
        return Err(Misread::new(because));
    }
    if value.is_empty() {
        return Err(Misread::new(format!("has nothing behind `{op}`")));
    }
    let value = match op {
        Op::Contains | Op::Matches => Quantity::Text(text(value)?),
        _ => Quantity::parse(value)?,
    };
    if op.is_order() && matches!(value, Quantity::Text(_)) {
        let because = format!("asks by size for `{value}`, which is neither a number nor another quantity");
        return Err(Misread::new(because));
    }
    Ok(Comparison { subject, op, value })
}

fn without_sign(written: &str, padded: &str, lower: &str) -> Misread {
    let misread = Misread::new("has no sign that compares, such as `<` or `=`");
    if let Some((subject, op, value)) = split(padded, lower, WORDS)
        && let Ok(read) = read(subject, op, value)
    {
        return misread.meant(read);
    }
    match Quantity::parse(written) {
        Ok(Quantity::Text(_)) | Err(_) => misread,
        Ok(bound @ Quantity::Count(_)) => misread.meant(format!("= {bound}")),
        Ok(bound) => misread.meant(format!("< {bound}")),
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.subject.is_empty() {
            write!(f, "{} ", self.subject)?;
        }
        write!(f, "{} {}", self.op, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(text: &str) -> Comparison {
        Comparison::parse(text).expect(text)
    }

    #[test]
    fn comparisons_are_read_as_people_write_them() {
        for (text, canonical) in [
            ("p95<250ms", "p95 < 250ms"),
            ("error  rate ≤ 1 %", "error rate <= 1%"),
            ("status==200", "status = 200"),
            ("<5%", "< 5%"),
            ("body CONTAINS ok", "body contains ok"),
            ("body contains a < b", "body contains a < b"),
            ("contains ok", "contains ok"),
            ("body contains 200", "body contains \"200\""),
            ("x =~ v*", "x matches v*"),
        ] {
            let read = comparison(text);
            assert_eq!(read.to_string(), canonical, "{text}");
            assert_eq!(comparison(canonical), read);
        }
    }

    #[test]
    fn a_misread_comparison_offers_a_right_one() {
        for (text, meant) in [
            ("p95 =< 250ms", "p95 <= 250ms"),
            ("p95 => 1s", "p95 >= 1s"),
            ("status <> 200", "status != 200"),
            ("p95 below 250ms", "p95 < 250ms"),
            ("status is 200", "status = 200"),
            ("250ms", "< 250ms"),
        ] {
            assert_eq!(
                Comparison::parse(text).expect_err(text).meant.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for text in [
            "p95 <",
            "fast",
            "p95 < fast",
            "=",
            "",
            "p95 < 5 parsecs",
            "contains=1",
        ] {
            assert!(Comparison::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_comparison_holds_or_not_or_cannot_be_told() {
        let measured = |text: &str| Quantity::parse(text).expect(text);
        assert_eq!(comparison("p95 < 250ms").holds(&measured("200ms")), Some(true));
        assert_eq!(comparison("p95 < 250ms").holds(&measured("250ms")), Some(false));
        assert_eq!(comparison("p95 < 250ms").holds(&measured("200")), None);
        assert_eq!(comparison("hash != stable").holds(&measured("moved")), Some(true));
        assert_eq!(
            comparison("body contains ok").holds(&measured("it is ok so")),
            Some(true)
        );
        assert_eq!(
            comparison("path matches /api/*").holds(&measured("/api/a/b")),
            Some(true)
        );
    }
}
