//! `cargo xtask tidy`: the rules of the house that a program can check, all findings at once.

use crate::tree::Tree;
use crate::{disk, out};

mod budgets;
mod doors;
mod floors;
mod inherited;
mod leftovers;
mod machine_paths;
mod names;
mod opening;
mod papers;
mod pure;
mod readable;
mod safe;
mod unused;
mod versions;

/// Something that a rule has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// The first line is 1; 0 is the file as a whole.
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) next: String,
    pub(crate) weight: Weight,
}

/// Whether a finding fails the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Fault,
    Note,
}

impl Finding {
    fn new(file: &str, line: usize, what: String, next: &str) -> Finding {
        Finding {
            file: file.to_owned(),
            line,
            what,
            next: next.to_owned(),
            weight: Weight::Fault,
        }
    }

    fn note(file: &str, line: usize, what: String, next: &str) -> Finding {
        Finding {
            weight: Weight::Note,
            ..Finding::new(file, line, what, next)
        }
    }
}

/// A rule: its name, why it is one, and how it is checked.
struct Rule {
    name: &'static str,
    why: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "readable",
        why: readable::WHY,
        check: readable::check,
    },
    Rule {
        name: "floors",
        why: floors::WHY,
        check: floors::check,
    },
    Rule {
        name: "pure",
        why: pure::WHY,
        check: pure::check,
    },
    Rule {
        name: "unused",
        why: unused::WHY,
        check: unused::check,
    },
    Rule {
        name: "versions",
        why: versions::WHY,
        check: versions::check,
    },
    Rule {
        name: "inherited",
        why: inherited::WHY,
        check: inherited::check,
    },
    Rule {
        name: "opening",
        why: opening::WHY,
        check: opening::check,
    },
    Rule {
        name: "budgets",
        why: budgets::WHY,
        check: budgets::check,
    },
    Rule {
        name: "names",
        why: names::WHY,
        check: names::check,
    },
    Rule {
        name: "doors",
        why: doors::WHY,
        check: doors::check,
    },
    Rule {
        name: "safe",
        why: safe::WHY,
        check: safe::check,
    },
    Rule {
        name: "leftovers",
        why: leftovers::WHY,
        check: leftovers::check,
    },
    Rule {
        name: "machine-paths",
        why: machine_paths::WHY,
        check: machine_paths::check,
    },
    Rule {
        name: "papers",
        why: papers::WHY,
        check: papers::check,
    },
];

/// Checks every rule, prints what was found, and says whether the house is tidy.
pub(crate) fn run(with_notes: bool) -> Result<bool, disk::Failure> {
    let tree = Tree::new(disk::files(&disk::root())?);
    let mut faults = 0;
    for rule in RULES {
        let found = (rule.check)(&tree);
        faults += found
            .iter()
            .filter(|finding| finding.weight == Weight::Fault)
            .count();
        if let Some(text) = render(rule, &found, with_notes) {
            out::line(&text);
        }
    }
    out::line(&match faults {
        0 => format!("tidy: {} rules hold in {} files", RULES.len(), tree.texts.len()),
        1 => "tidy: 1 finding".to_owned(),
        many => format!("tidy: {many} findings"),
    });
    Ok(faults == 0)
}

/// The findings of one rule below its name and its reason, or nothing when there is nothing to show.
fn render(rule: &Rule, found: &[Finding], with_notes: bool) -> Option<String> {
    let shown: Vec<&Finding> = found
        .iter()
        .filter(|finding| with_notes || finding.weight == Weight::Fault)
        .collect();
    if shown.is_empty() {
        return None;
    }
    let mut text = format!("{}: {}\n", rule.name, rule.why);
    for finding in shown {
        let place = match finding.line {
            0 => finding.file.clone(),
            line => format!("{}:{line}", finding.file),
        };
        let note = if finding.weight == Weight::Note {
            "note: "
        } else {
            ""
        };
        text.push_str(&format!(
            "  {place}: {note}{}\n    {}\n",
            finding.what, finding.next
        ));
    }
    Some(text)
}

/// The findings in a tree of a few files, for the tests of the rules: place and message.
#[cfg(test)]
fn found(check: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    let findings = check(&Tree::of(files));
    findings
        .into_iter()
        .map(|finding| format!("{}:{} {}", finding.file, finding.line, finding.what))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        name: "floors",
        why: "one direction",
        check: |_| Vec::new(),
    };

    #[test]
    fn findings_stand_below_their_rule_and_its_reason() {
        let found = [
            Finding::new("a.rs", 3, "it is wrong".into(), "right it"),
            Finding::new("b", 0, "gone".into(), "write it"),
        ];
        let text = render(&RULE, &found, false).unwrap();
        assert_eq!(
            text,
            "floors: one direction\n  a.rs:3: it is wrong\n    right it\n  b: gone\n    write it\n"
        );
    }

    #[test]
    fn notes_are_shown_when_asked_for() {
        let found = [Finding::note("a.rs", 1, "long".into(), "split it")];
        assert_eq!(render(&RULE, &found, false), None);
        assert!(render(&RULE, &found, true).unwrap().contains("note: long"));
    }

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_reason() {
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        assert!(RULES.iter().all(|rule| !rule.why.is_empty()));
    }
}
