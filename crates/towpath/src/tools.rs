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

/// What somebody may do who installs something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Means {
    /// We are root.
    pub(crate) root: bool,
    /// We can become root.
    pub(crate) sudo: bool,
    /// The system takes its packages from Debian's kind of archive.
    pub(crate) apt: bool,
}

impl Means {
    /// Those that there are here.
    pub(crate) fn here() -> Means {
        Means {
            root: processes::is_root(),
            sudo: processes::is_program("sudo"),
            apt: processes::is_program("apt-get"),
        }
    }

    /// Whether a command for root can be run at all.
    fn suffice(self) -> bool {
        self.root || self.sudo
    }

    fn by_sudo(self) -> bool {
        !self.root && self.sudo
    }

    /// A command as it is typed to be run by root.
    pub(crate) fn as_root(self, command: &str) -> String {
        match self.by_sudo() {
            true => format!("sudo {command}"),
            false => command.to_owned(),
        }
    }
}

/// The commands that install what is missing; those that we know no command for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Installation {
    /// What is typed.
    pub(crate) command: Option<String>,
    /// Only somebody else can type it: we are not root, and there is no sudo.
    pub(crate) only_root: bool,
    /// Tools that have to be installed by hand, with the way.
    pub(crate) by_hand: Vec<String>,
}

/// How the missing ones are installed.
pub(crate) fn installation(looks: &[Look<'_>], means: Means) -> Installation {
    let mut installation = Installation::default();
    let mut packages = Vec::new();
    for look in looks.iter().filter(|look| look.verdict == Verdict::Missing) {
        match (look.need.packages(), look.need.known) {
            (own, _) if means.apt && !own.is_empty() => packages.extend_from_slice(own),
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
        installation.command = Some(commands(&packages, means));
        installation.only_root = !means.suffice();
    }
    installation
}

/// What is typed to install packages.
fn commands(packages: &[&str], means: Means) -> String {
    let mut all = Vec::new();
    // Debian would start servers of its own beside ours.
    for (of, before) in [
        (postgres::PACKAGES, postgres::BEFORE_INSTALLATION),
        (postgres::POOLER_PACKAGES, postgres::BEFORE_POOLER_INSTALLATION),
    ] {
        if !of.iter().any(|package| packages.contains(package)) {
            continue;
        }
        all.push(match means.by_sudo() {
            true => means.as_root(&format!("sh -c '{before}'")),
            false => before.to_owned(),
        });
    }
    // A fresh image has no lists of packages, and finds none until it has fetched them.
    all.push(means.as_root("apt-get update"));
    // Nothing that they bring along may ask for a time zone, and what is only recommended to them stays away: a server of
    // data would bring one of mail.
    let install = format!(
        "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    );
    all.push(means.as_root(&install));
    all.join(" && ")
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
    let installation = installation(&looks, Means::here());
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
    if installation.only_root {
        return Err(failure(format!(
            "there is no sudo here, so root has to run: {command}"
        )));
    }
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
    use crate::cli::Color;
    use std::collections::BTreeSet;
    use towpath_decide::launch::tools::{Why, find};

    pub(crate) const ROOT: Means = Means {
        root: true,
        sudo: false,
        apt: true,
    };

    pub(crate) const SUDOER: Means = Means {
        root: false,
        sudo: true,
        apt: true,
    };

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
        let some = installation(&looks[..2], SUDOER);
        assert_eq!(
            some.command.as_deref(),
            Some(
                "sudo apt-get update && sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends nodejs npm"
            )
        );
        assert!(some.by_hand.is_empty());
        let all = installation(&looks, ROOT);
        assert_eq!(
            all.command.as_deref(),
            Some(
                "apt-get update && env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends nodejs npm"
            )
        );
        assert_eq!(all.by_hand, ["bun 1.2 (npm install --global bun)", "odd"]);
        let elsewhere = Means { apt: false, ..ROOT };
        assert_eq!(installation(&looks[1..2], elsewhere).by_hand, ["npm"]);
    }

    #[test]
    fn debian_starts_no_postgres_of_its_own() {
        let needs = [need("postgres", None)];
        let looks = [seen(&needs[0], Verdict::Missing)];
        let typed = |means| installation(&looks, means).command.unwrap_or_default();
        insta::assert_snapshot!(typed(ROOT), @r#"mkdir -p /etc/postgresql-common/createcluster.d && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/towpath.conf && apt-get update && env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql"#);
        insta::assert_snapshot!(typed(SUDOER), @r#"sudo sh -c 'mkdir -p /etc/postgresql-common/createcluster.d && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/towpath.conf' && sudo apt-get update && sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql"#);
    }

    #[test]
    fn whoever_cannot_become_root_is_told_what_root_has_to_type() {
        let needs = [need("redis", None)];
        let looks = [seen(&needs[0], Verdict::Missing)];
        let terminal = Terminal::new(Color::Never);
        let nobody = Means { root: false, ..ROOT };
        for yes in [false, true] {
            let refused = agreed(terminal, &missing(&looks), &installation(&looks, nobody), yes);
            let refused = refused.expect_err("nobody may");
            insta::allow_duplicates! {
                insta::assert_snapshot!(format!("{}\n{}", refused.message, refused.hint.unwrap_or_default()), @r"
                redis is missing on this machine
                there is no sudo here, so root has to run: apt-get update && env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends redis-tools
                ");
            }
        }
    }

    #[test]
    fn a_tool_without_a_version_only_has_to_be_there() {
        let needs = [need("sh", None), need("no-such-tool-anywhere", None)];
        let verdicts: Vec<Verdict> = look(&needs).into_iter().map(|look| look.verdict).collect();
        assert_eq!(verdicts, [Verdict::Fits, Verdict::Missing]);
    }
}
