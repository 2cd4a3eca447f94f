//! What is found, in words: the shape that answers of all kinds of reports have.

use super::{NAMED, Report};
use towpath_model::finding::is_unseen;
use towpath_model::run::{Evidence, Exit, Found, Verdict};
use towpath_model::unit::Duration;

/// The letters of a text of somebody else that stand in an answer.
const LONGEST: usize = 300;

/// The name of the evidence that says that a release may come into a first environment, and no further.
const NO_FURTHER: &str = "goes no further";

/// Something about a report that makes it no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where in it: a line and a column, or a JSON pointer.
    pub(super) at: Option<String>,
    /// What is wrong there.
    pub(super) what: String,
    /// What to do.
    pub(super) next: String,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Fault {
            at: None,
            what: what.into(),
            next: next.into(),
        }
    }

    pub(super) fn at(mut self, at: impl Into<String>) -> Self {
        self.at = Some(at.into());
        self
    }

    /// As what was found.
    pub(super) fn found(self, report: &Report<'_>, bound: &str) -> Found {
        let place = self.at.map(|at| format!(", {at}")).unwrap_or_default();
        let why = format!("{}{place}: {}; {}", report.file, self.what, self.next);
        failed(
            shown(&why),
            None,
            bound,
            vec![file(report, "it cannot be judged by")],
        )
    }
}

/// How a command ended that a gate has run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// How.
    pub exit: Exit,
    /// How long it ran.
    pub took: Duration,
    /// Its last lines.
    pub last: Vec<String>,
}

/// Why there is nothing to judge by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// There is no such file.
    Missing,
    /// It is something else than a file: `a folder`.
    NoFile(String),
    /// It has so many bytes.
    TooLarge(u64),
    /// The system says no, and why.
    Refused(String),
    /// It is there, and this command has not written it.
    Stale(String),
}

/// What is found where a report cannot be read, after this command where there is one that makes it.
pub fn unread(file: &str, why: &Unread, run: Option<&str>) -> Found {
    let make = match run {
        Some(run) => format!("look whether `{run}` writes it there"),
        None => "have it made before the gate is asked, or say with `run` what makes it".to_owned(),
    };
    let text = match why {
        Unread::Missing => format!("{file}: is not there; {make}"),
        Unread::NoFile(kind) => format!("{file}: is {kind} and no file; name the report itself"),
        Unread::TooLarge(bytes) => format!(
            "{file}: has {bytes} bytes, and at most {} are read; have its maker leave out what nobody judges by, or split it",
            super::MOST
        ),
        Unread::Refused(error) => format!("{file}: cannot be read: {error}; let whoever asks read it"),
        Unread::Stale(run) => {
            format!(
                "{file}: was not written by `{run}`, it is from before; look where that writes its report"
            )
        }
    };
    failed(shown(&text), None, "a report that can be read", Vec::new())
}

/// What is found where the command of a gate did not end well, which says more than any report that it may have left.
pub fn stopped(run: &str, ended: &Ended) -> Found {
    failed(
        shown(&format!("`{run}` {}", end(&ended.exit))),
        Some(measured(ended)),
        "a command that ends with 0",
        lines(run, ended),
    )
}

/// How a command ended, behind its name.
fn end(exit: &Exit) -> String {
    match exit {
        Exit::Code { .. } => exit.to_string(),
        other => format!("was {other}"),
    }
}

/// How a command ended, and how long it ran.
pub(super) fn measured(ended: &Ended) -> String {
    format!("after {} it {}", ended.took, end(&ended.exit))
}

/// The last lines of a command.
pub(super) fn lines(run: &str, ended: &Ended) -> Vec<Evidence> {
    if ended.last.is_empty() {
        return Vec::new();
    }
    vec![Evidence {
        name: format!("the last lines of `{run}`"),
        text: ended.last.join("\n"),
        digest: None,
    }]
}

/// A report as evidence.
pub(super) fn file(report: &Report<'_>, text: impl Into<String>) -> Evidence {
    Evidence {
        name: report.file.to_owned(),
        text: text.into(),
        digest: Some(blake3::hash(report.bytes).to_hex().to_string()),
    }
}

pub(super) fn passed(measured: String, bound: &str, evidence: Vec<Evidence>) -> Found {
    Found {
        verdict: Verdict::Pass,
        measured: Some(measured),
        bound: Some(bound.to_owned()),
        evidence,
    }
}

pub(super) fn failed(why: String, measured: Option<String>, bound: &str, evidence: Vec<Evidence>) -> Found {
    Found {
        verdict: Verdict::Fail(why),
        measured,
        bound: Some(bound.to_owned()),
        evidence,
    }
}

/// What says, among the evidence of an answer, that the release goes no further than its first environment.
pub(super) fn no_further(why: &str) -> Evidence {
    Evidence {
        name: NO_FURTHER.to_owned(),
        text: why.to_owned(),
        digest: None,
    }
}

/// Why a release may not come from its first environment into another, though this was no reason to refuse it there.
pub fn goes_no_further(found: &Found) -> Option<&str> {
    let mut evidence = found.evidence.iter();
    evidence
        .find(|one| one.name == NO_FURTHER)
        .map(|one| one.text.as_str())
}

/// A text of somebody else in one line of bounded length, without what a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut letters = 0_usize;
    let mut spaced = true;
    for letter in text.chars() {
        if letters == LONGEST {
            shown.push('…');
            break;
        }
        let is_space = letter.is_whitespace() || letter.is_control();
        if is_unseen(letter) || is_space && spaced {
            continue;
        }
        spaced = is_space;
        shown.push(if is_space { ' ' } else { letter });
        letters += 1;
    }
    shown.trim_end().to_owned()
}

/// The first of some names, and how many more there are.
pub(super) fn first(names: &[String], of: usize) -> String {
    let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = of.saturating_sub(named.len());
    match (named.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => named.join(", "),
        (false, more) => format!("{} and {more} more", named.join(", ")),
    }
}

/// `1 test`, `3 tests`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", grouped(count)),
    }
}

/// `1,204`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
