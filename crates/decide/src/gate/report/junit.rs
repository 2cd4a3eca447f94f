//! JUnit: every test ran or was left out on purpose, and none failed.
//!
//! Tests are counted where they stand, in suites of suites however deep, and not by what suites say of themselves. Where a
//! suite says that more has failed than can be found in it, it is believed: some tools count what they do not write down. A
//! test that was skipped is one that did not run: `at_least` counts those that did.

use super::Report;
use super::outcome::{Fault, counted, failed, file, first, grouped, passed, shown};
use super::xml::{Document, Element, Piece};
use towpath_model::desired::gate::Junit;
use towpath_model::run::Found;

/// What other tools call their roots, and what they are.
const OTHERS: &[(&str, &str)] = &[
    ("assemblies", "a report of xUnit.net"),
    ("test-run", "a report of NUnit"),
    ("TestRun", "a report of Visual Studio (TRX)"),
    ("coverage", "a report of coverage"),
    ("html", "a page"),
    ("checkstyle", "a report of Checkstyle"),
];

/// What a JUnit report says.
pub fn junit(asked: &Junit, report: Report<'_>) -> Found {
    let bound = format!(
        "no failure, and at least {} that ran",
        counted(u64::from(asked.at_least), "test")
    );
    match count(&report) {
        Ok(tally) => judge(&tally, asked, &report, &bound),
        Err(fault) => fault.found(&report, &bound),
    }
}

/// What was counted.
#[derive(Debug, Default)]
struct Tally {
    tests: u64,
    failed: u64,
    skipped: u64,
    /// Failures that suites say they have and nobody finds.
    unnamed: u64,
    /// The first tests that failed.
    names: Vec<String>,
    /// The same, with what they say.
    lines: Vec<String>,
}

fn judge(tally: &Tally, asked: &Junit, report: &Report<'_>, bound: &str) -> Found {
    let ran = tally.tests - tally.skipped.min(tally.tests);
    let bad = tally.failed + tally.unnamed;
    let skipped = match tally.skipped {
        0 => String::new(),
        count => format!(", {} skipped", grouped(count)),
    };
    if bad > 0 {
        let words = format!(
            "{} of {} failed{skipped}",
            grouped(bad),
            counted(ran.max(bad), "test")
        );
        let named = match first(&tally.names, usize::try_from(bad).unwrap_or(usize::MAX)) {
            names if names.is_empty() => "the report does not name them".to_owned(),
            names => names,
        };
        let evidence = vec![file(report, tally.lines.join("\n"))];
        return failed(shown(&format!("{words}: {named}")), Some(words), bound, evidence);
    }
    let words = format!("{} passed{skipped}", counted(ran, "test"));
    let evidence = vec![file(report, words.clone())];
    if ran < u64::from(asked.at_least) {
        let why = format!(
            "{}: {} ran{skipped}, and at least {} have to; look whether all were found, or lower `at_least`",
            report.file,
            counted(ran, "test"),
            asked.at_least
        );
        return failed(shown(&why), Some(words), bound, evidence);
    }
    passed(words, bound, evidence)
}

/// An element that is open.
enum Open {
    /// A suite: what it says has failed in it, and what had been found when it began.
    Suite { claims: u64, before: u64, name: String },
    /// A test.
    Case(Case),
    /// What a test failed by, or a suite: its text is read where nothing else says it.
    Failure,
    /// What nobody judges by.
    Other,
}

#[derive(Default)]
struct Case {
    name: String,
    failed: bool,
    skipped: bool,
    message: String,
}

fn count(report: &Report<'_>) -> Result<Tally, Fault> {
    let mut document = Document::open(report.bytes)?;
    let mut reading = Reading::default();
    while let Some(piece) = document.next()? {
        match piece {
            Piece::Begin(element) => reading.begin(&element, &document)?,
            Piece::Text(text) => reading.text(&text),
            Piece::End => reading.end(),
        }
    }
    Ok(reading.tally)
}

#[derive(Default)]
struct Reading {
    open: Vec<Open>,
    tally: Tally,
    /// Elements that say that something has failed, with what suites claim beyond them.
    marks: u64,
}

impl Reading {
    fn begin(&mut self, element: &Element, document: &Document<'_>) -> Result<(), Fault> {
        let fault = |what: String, next: &str| Fault::new(what, next).at(document.place(element.at));
        let open = match (self.open.last_mut(), element.name.as_str()) {
            (None, "testsuites" | "testsuite") | (Some(Open::Suite { .. }), "testsuite") => {
                let claimed = |name: &str| match element.attribute(name).map(str::trim) {
                    None | Some("") => Ok(0),
                    Some(number) => number.parse::<u64>().map_err(|_| {
                        fault(
                            format!("`{name}` is `{}` and no number", shown(number)),
                            "look what has written it",
                        )
                    }),
                };
                Open::Suite {
                    claims: claimed("failures")?.saturating_add(claimed("errors")?),
                    before: self.marks,
                    name: element.attribute("name").unwrap_or_default().to_owned(),
                }
            }
            (None, other) => {
                let known = OTHERS.iter().find(|(name, _)| *name == other);
                let what = known.map_or_else(
                    || format!("begins with <{}>", shown(other)),
                    |(_, what)| format!("is {what}"),
                );
                return Err(fault(
                    format!("{what} and no JUnit"),
                    "have it written as JUnit, or name the report that is",
                ));
            }
            (Some(Open::Suite { .. }), "testcase") => Open::Case(case(element)),
            (Some(Open::Case(case)), "failure" | "error") => {
                case.failed = true;
                self.marks += 1;
                if case.message.is_empty() {
                    case.message = element.attribute("message").unwrap_or_default().to_owned();
                }
                Open::Failure
            }
            (Some(Open::Case(case)), "skipped" | "disabled") => {
                case.skipped = true;
                Open::Other
            }
            (Some(Open::Suite { name, .. }), "failure" | "error") => {
                let name = name.clone();
                self.marks += 1;
                self.tally.unnamed += 1;
                self.tally
                    .name(&name, element.attribute("message").unwrap_or_default());
                Open::Other
            }
            _ => Open::Other,
        };
        self.open.push(open);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let [.., Open::Case(case), Open::Failure] = self.open.as_mut_slice() else {
            return;
        };
        // A trace may be long, and its first line is what is shown.
        if case.message.is_empty() {
            text.trim()
                .lines()
                .next()
                .unwrap_or_default()
                .clone_into(&mut case.message);
        }
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Suite { claims, before, .. }) => {
                let beyond = claims.saturating_sub(self.marks - before);
                self.marks = self.marks.saturating_add(beyond);
                self.tally.unnamed = self.tally.unnamed.saturating_add(beyond);
            }
            Some(Open::Case(case)) => {
                self.tally.tests += 1;
                if case.failed {
                    self.tally.failed += 1;
                    self.tally.name(&case.name, &case.message);
                } else if case.skipped {
                    self.tally.skipped += 1;
                }
            }
            _ => {}
        }
    }
}

impl Tally {
    fn name(&mut self, name: &str, message: &str) {
        if self.names.len() == super::NAMED {
            return;
        }
        let name = match shown(name) {
            name if name.is_empty() => "one without a name".to_owned(),
            name => name,
        };
        self.lines.push(match shown(message) {
            message if message.is_empty() => name.clone(),
            message => format!("{name}: {message}"),
        });
        self.names.push(name);
    }
}

/// A test as it begins. Some tools say in an attribute how it ended.
fn case(element: &Element) -> Case {
    let of = |name: &str| element.attribute(name).unwrap_or_default();
    let name = match (of("classname"), of("name")) {
        ("", name) => name.to_owned(),
        (class, name) if name.starts_with(class) => name.to_owned(),
        (class, name) => format!("{class} > {name}"),
    };
    let says = |words: &[&str]| {
        let said = |attribute: &str| words.contains(&of(attribute).to_ascii_lowercase().as_str());
        said("status") || said("result")
    };
    Case {
        name,
        failed: says(&["failed", "failure", "error", "errored"]),
        skipped: says(&["notrun", "skipped", "suppressed", "disabled"]),
        message: String::new(),
    }
}
