//! What runs next: by the files, by what ran here, and by the phases that may run now. Pure.

use super::file::Migration;
use super::history::{self, Ran};
use crate::ResourceError;
use std::collections::BTreeMap;
use towpath_model::desired::resource::Phase;

/// What is to be done, and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What runs, in this order.
    pub run: Vec<Next>,
    /// What may not run yet.
    pub waiting: Vec<Waiting>,
    /// What ran here and is no file any more.
    pub missing: Vec<String>,
    /// How many of the files ran here before.
    pub done: usize,
}

/// A file that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The file.
    pub migration: Migration,
    /// How many of its statements are done: it was interrupted, and is resumed.
    pub done: u32,
    /// Whether one of a later number ran before it.
    pub late: bool,
}

/// A file that may not run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The file.
    pub name: String,
    /// Its phase.
    pub phase: Phase,
    /// The file that it waits behind; nothing for the one whose phase may not run.
    pub behind: Option<String>,
}

/// Decides. A file that ran and has been changed is refused, and so are two with one number while one of them is to run:
/// which of them is the first is then a matter of luck.
pub fn decide(files: &[Migration], ran: &[Ran], allowed: &[Phase]) -> Result<Plan, ResourceError> {
    let known: BTreeMap<&str, &Ran> = ran.iter().map(|ran| (ran.name.as_str(), ran)).collect();
    let is_changed = |file: &&Migration| {
        let ran = known.get(file.name.as_str());
        ran.is_some_and(|ran| !is_the_same(file, ran))
    };
    let changed: Vec<String> = files
        .iter()
        .filter(is_changed)
        .map(|file| file.name.clone())
        .collect();
    if !changed.is_empty() {
        return Err(ResourceError::Changed { names: changed });
    }
    let is_done = |file: &Migration| {
        let ran = known.get(file.name.as_str());
        ran.is_some_and(|ran| ran.unfinished.is_none())
    };
    same_numbers(files, &is_done)?;
    let newest = files
        .iter()
        .filter(|file| is_done(file))
        .map(Migration::place)
        .max();
    let mut plan = Plan {
        run: Vec::new(),
        waiting: Vec::new(),
        missing: Vec::new(),
        done: files.iter().filter(|file| is_done(file)).count(),
    };
    for file in files.iter().filter(|file| !is_done(file)) {
        let held = plan.waiting.first().map(|first| first.name.clone());
        if held.is_some() || !allowed.contains(&file.phase) {
            plan.waiting.push(Waiting {
                name: file.name.clone(),
                phase: file.phase,
                behind: held,
            });
            continue;
        }
        let unfinished = known
            .get(file.name.as_str())
            .and_then(|ran| ran.unfinished.as_ref());
        plan.run.push(Next {
            migration: file.clone(),
            done: unfinished.map_or(0, |unfinished| unfinished.done),
            late: newest.is_some_and(|newest| file.place() < newest),
        });
    }
    let is_there = |ran: &&Ran| files.iter().any(|file| file.name == ran.name);
    let missing = ran.iter().filter(|ran| !is_there(ran));
    plan.missing = missing.map(|ran| ran.name.clone()).collect();
    Ok(plan)
}

/// Of one that was interrupted only what is done has to be as it was: the rest may be what was wrong with it.
fn is_the_same(file: &Migration, ran: &Ran) -> bool {
    match &ran.unfinished {
        None => ran.digest == file.digest,
        Some(unfinished) => {
            let statements = file.statements();
            let done = usize::try_from(unfinished.done).unwrap_or(usize::MAX);
            done <= statements.len() && history::digest_of(&statements[..done]) == ran.digest
        }
    }
}

fn same_numbers(files: &[Migration], is_done: &impl Fn(&Migration) -> bool) -> Result<(), ResourceError> {
    let problems: Vec<String> = files
        .windows(2)
        .filter(|pair| pair[0].number == pair[1].number && !(is_done(&pair[0]) && is_done(&pair[1])))
        .map(|pair| {
            format!(
                "{} and {} have the same number: give one that has not run yet the next free one",
                pair[0].name, pair[1].name
            )
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ResourceError::Unread { problems })
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::Unfinished;
    use super::*;
    use crate::migrate::parse;

    const EARLY: &[Phase] = &[Phase::Expand, Phase::Backfill];

    fn files(names: &[&str]) -> Vec<Migration> {
        names
            .iter()
            .map(|name| parse(name, "SELECT 1;\nSELECT 2;").unwrap())
            .collect()
    }

    fn done(file: &Migration) -> Ran {
        Ran {
            name: file.name.clone(),
            digest: file.digest.clone(),
            unfinished: None,
        }
    }

    fn told(files: &[Migration], ran: &[Ran], allowed: &[Phase]) -> String {
        let plan = match decide(files, ran, allowed) {
            Ok(plan) => plan,
            Err(error) => return error.to_string(),
        };
        let run = plan.run.iter().map(|next| {
            let late = if next.late { " late" } else { "" };
            format!("run {} from {}{late}", next.migration.name, next.done)
        });
        let waiting = plan.waiting.iter().map(|waiting| match &waiting.behind {
            None => format!("{} may not {}", waiting.name, waiting.phase),
            Some(behind) => format!("{} waits behind {behind}", waiting.name),
        });
        let missing = plan.missing.iter().map(|name| format!("{name} is missing"));
        run.chain(waiting).chain(missing).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_has_not_run_runs_in_order() {
        let files = files(&["1_a.sql", "2_b.backfill.sql", "3_c.sql"]);
        insta::assert_snapshot!(told(&files, &[done(&files[0])], EARLY), @r"
        run 2_b.backfill.sql from 0
        run 3_c.sql from 0
        ");
        assert_eq!(
            told(&files, &files.iter().map(done).collect::<Vec<_>>(), EARLY),
            ""
        );
    }

    #[test]
    fn a_phase_that_may_not_run_holds_what_comes_after_it() {
        let files = files(&["1_a.sql", "2_b.contract.sql", "3_c.sql"]);
        insta::assert_snapshot!(told(&files, &[], EARLY), @r"
        run 1_a.sql from 0
        2_b.contract.sql may not contract
        3_c.sql waits behind 2_b.contract.sql
        ");
        insta::assert_snapshot!(told(&files, &[], Phase::ALL), @r"
        run 1_a.sql from 0
        run 2_b.contract.sql from 0
        run 3_c.sql from 0
        ");
        insta::assert_snapshot!(told(&files[1..], &[], &[]), @r"
        2_b.contract.sql may not contract
        3_c.sql waits behind 2_b.contract.sql
        ");
    }

    #[test]
    fn what_ran_may_not_change_and_may_be_gone() {
        let files = files(&["1_a.sql", "2_b.sql"]);
        let mut changed = done(&files[0]);
        changed.digest = "other".to_owned();
        assert_eq!(
            told(&files, &[changed], EARLY),
            "1_a.sql ran here and has been changed since"
        );
        let ran = [done(&files[0]), done(&files[1])];
        assert_eq!(told(&files[1..], &ran, EARLY), "1_a.sql is missing");
    }

    #[test]
    fn one_that_comes_late_runs_and_says_so() {
        let files = files(&["1_a.sql", "2_b.sql", "3_c.sql"]);
        let ran = [done(&files[0]), done(&files[2])];
        assert_eq!(told(&files, &ran, EARLY), "run 2_b.sql from 0 late");
    }

    #[test]
    fn two_of_one_number_are_refused_while_one_is_to_run() {
        let files = files(&["1_a.sql", "1_b.sql"]);
        assert_eq!(
            told(&files, &[done(&files[0])], EARLY),
            "1_a.sql and 1_b.sql have the same number: give one that has not run yet the next free one"
        );
        assert_eq!(told(&files, &[done(&files[0]), done(&files[1])], EARLY), "");
    }

    #[test]
    fn one_that_was_interrupted_goes_on_where_it_was() {
        let top = "-- towpath: no transaction\n";
        let file = |text: &str| vec![parse("1_a.sql", &format!("{top}{text}")).unwrap()];
        let first = file("SELECT 1; SELEC 2;");
        let ran = [Ran {
            name: "1_a.sql".to_owned(),
            digest: history::digest_of(&first[0].statements()[..1]),
            unfinished: Some(Unfinished { done: 1 }),
        }];
        assert_eq!(told(&first, &ran, EARLY), "run 1_a.sql from 1");
        assert_eq!(
            told(&file("SELECT 1; SELECT 2; SELECT 3"), &ran, EARLY),
            "run 1_a.sql from 1"
        );
        assert_eq!(
            told(&file("SELECT 0; SELECT 2"), &ran, EARLY),
            "1_a.sql ran here and has been changed since"
        );
    }
}
