//! The tools that a product needs on this machine: which are missing, and how they are installed.
//!
//! A tool that is missing can be installed by the package manager of the system. One that is there in another version
//! cannot, most often: the system has the version that it has. That is told, and things go on: whether the other version
//! will do is for the build to say.

use crate::door::processes::{self, Question};
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::view::paint;
use towpath_decide::launch::tools::{Requirement, Verdict, judge};
use towpath_resource::{postgres, redis};

/// A tool that is needed, and how it is here.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    /// What is needed.
    pub(crate) need: &'a Requirement,
    /// How it is.
    pub(crate) verdict: Verdict,
}

impl Look<'_> {
    /// As it is written: `python 3.12`.
    pub(crate) fn name(&self) -> String {
        match &self.need.version {
            Some(version) => format!("{} {version}", self.need.tool),
            None => self.need.tool.clone(),
        }
    }
}

/// Looks for all of them at once. Where no version is asked for, it is enough that the tool is there.
pub(crate) fn look(needs: &[Requirement]) -> Vec<Look<'_>> {
    let questions: Vec<Option<Question<'_>>> = needs
        .iter()
        .map(|need| need.version.as_ref().map(|_| need.question()))
        .collect();
    let answers = processes::ask_all(&questions);
    needs
        .iter()
        .zip(answers)
        .map(|(need, answer)| {
            let (command, _) = need.question();
            let there = || is_there(&need.tool, command).then(String::new);
            let said = if need.version.is_some() { answer } else { there() };
            Look {
                need,
                verdict: judge(need, said.as_deref()),
            }
        })
        .collect()
}

/// Whether a tool is on this machine. Servers of data are often where no PATH leads.
fn is_there(tool: &str, command: &str) -> bool {
    match tool {
        "postgres" => !postgres::installed().is_empty(),
        "pgbouncer" => postgres::is_pooler_here(),
        "redis" => !redis::installed().is_empty(),
        _ => processes::is_program(command),
    }
}

/// The commands that install what is missing; those that we know no command for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Installation {
    /// What is typed.
    pub(crate) command: Option<String>,
    /// Tools that have to be installed by hand, with the way.
    pub(crate) by_hand: Vec<String>,
}

/// How the missing ones are installed.
pub(crate) fn installation(looks: &[Look<'_>], root: bool, apt: bool) -> Installation {
    let mut installation = Installation::default();
    let mut packages = Vec::new();
    for look in looks.iter().filter(|look| look.verdict == Verdict::Missing) {
        match (look.need.packages(), look.need.known) {
            (own, _) if apt && !own.is_empty() => packages.extend_from_slice(own),
            (_, Some(known)) if !known.otherwise.is_empty() => {
                installation
                    .by_hand
                    .push(format!("{} ({})", look.name(), known.otherwise));
            }
            _ => installation.by_hand.push(look.name()),
        }
    }
    packages.sort_unstable();
    packages.dedup();
    if !packages.is_empty() {
        let sudo = if root { "" } else { "sudo " };
        // A fresh image has no lists of packages, and finds none until it has fetched them.
        // Debian would start servers of its own beside ours.
        let before: String = [
            (postgres::PACKAGES, postgres::BEFORE_INSTALLATION),
            (postgres::POOLER_PACKAGES, postgres::BEFORE_POOLER_INSTALLATION),
        ]
        .into_iter()
        .filter(|(of, _)| of.iter().any(|package| packages.contains(package)))
        .map(|(_, before)| match root {
            true => format!("{before} && "),
            false => format!("sudo sh -c '{before}' && "),
        })
        .collect();
        installation.command = Some(format!(
            "{before}{sudo}apt-get update && {sudo}apt-get install --yes {}",
            packages.join(" ")
        ));
    }
    installation
}

/// Sees to it that everything that is needed is here, or says what to type.
pub(crate) fn supply(terminal: Terminal, needs: &[Requirement], yes: bool) -> Result<(), Failure> {
    let looks = look(needs);
    for look in &looks {
        if let Verdict::Other { found } = &look.verdict {
            let warning = paint::yellow("warning");
            let by = wanted_by(look.need);
            terminal.tell(&format!(
                "{warning}: {} is wanted by {by}, and {found} is here\n",
                look.name()
            ));
        }
    }
    let missing = missing(&looks);
    if missing.is_empty() {
        return Ok(());
    }
    let installation = installation(&looks, processes::is_root(), processes::is_program("apt-get"));
    let command = agreed(terminal, &missing, &installation, yes)?;
    processes::run_agreed(&command)?;
    let left = self::missing(&look(needs));
    if left.is_empty() {
        return Ok(());
    }
    let message = format!("{} still cannot be found after it was installed", left.join(", "));
    Err(Failure::new(Kind::Remote, message).hint("open a new shell, so that its PATH is read again"))
}

/// The command that installs what is missing, once somebody has agreed to it.
fn agreed(
    terminal: Terminal,
    missing: &[String],
    installation: &Installation,
    yes: bool,
) -> Result<String, Failure> {
    let failure = |hint: String| {
        let are = if missing.len() == 1 { "is" } else { "are" };
        Failure::new(
            Kind::Remote,
            format!("{} {are} missing on this machine", missing.join(", ")),
        )
        .hint(hint)
    };
    if !installation.by_hand.is_empty() {
        let by_hand = installation.by_hand.join(", ");
        let then = installation
            .command
            .iter()
            .map(|command| format!("; then run: {command}"));
        return Err(failure(format!("install {by_hand}{}", then.collect::<String>())));
    }
    let command = installation.command.clone().unwrap_or_default();
    if yes {
        terminal.tell(&format!(
            "missing on this machine: {}\nrunning:\n  {command}\n",
            missing.join(", ")
        ));
        return Ok(command);
    }
    if !terminal.answers {
        return Err(failure(format!(
            "run: {command}\n        or let `towpath up --yes` do it"
        )));
    }
    terminal.tell(&format!(
        "missing on this machine: {}\nthis will run:\n  {command}\n",
        missing.join(", ")
    ));
    if terminal.agrees("install it now?") {
        Ok(command)
    } else {
        Err(failure(format!("run: {command}")))
    }
}

fn wanted_by(need: &Requirement) -> String {
    towpath_model::finding::listed(need.wanted_by.iter(), "and")
}

fn missing(looks: &[Look<'_>]) -> Vec<String> {
    let missing = looks.iter().filter(|look| look.verdict == Verdict::Missing);
    missing.map(Look::name).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use towpath_decide::launch::tools::{Why, find};

    pub(crate) fn need(tool: &str, version: Option<&str>) -> Requirement {
        Requirement {
            tool: tool.to_owned(),
            version: version.map(str::to_owned),
            known: find(tool),
            wanted_by: BTreeSet::new(),
            why: Why::Named,
        }
    }

    pub(crate) fn seen(need: &Requirement, verdict: Verdict) -> Look<'_> {
        Look { need, verdict }
    }

    #[test]
    fn what_is_missing_is_installed_at_once() {
        let needs = [
            need("node", Some("22")),
            need("npm", None),
            need("bun", Some("1.2")),
            need("odd", None),
        ];
        let looks: Vec<Look<'_>> = needs.iter().map(|need| seen(need, Verdict::Missing)).collect();
        let some = installation(&looks[..2], false, true);
        assert_eq!(
            some.command.as_deref(),
            Some("sudo apt-get update && sudo apt-get install --yes nodejs npm")
        );
        assert!(some.by_hand.is_empty());
        let all = installation(&looks, true, true);
        assert_eq!(
            all.command.as_deref(),
            Some("apt-get update && apt-get install --yes nodejs npm")
        );
        assert_eq!(all.by_hand, ["bun 1.2 (npm install --global bun)", "odd"]);
        assert_eq!(installation(&looks[1..2], true, false).by_hand, ["npm"]);
    }

    #[test]
    fn a_tool_without_a_version_only_has_to_be_there() {
        let needs = [need("sh", None), need("no-such-tool-anywhere", None)];
        let verdicts: Vec<Verdict> = look(&needs).into_iter().map(|look| look.verdict).collect();
        assert_eq!(verdicts, [Verdict::Fits, Verdict::Missing]);
    }
}
