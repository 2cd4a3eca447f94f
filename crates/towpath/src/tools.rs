//! The tools that a manifest needs on this machine: which are missing, and how they are installed.
//!
//! A tool that is missing can be installed by the package manager of the system. One that is there in another version
//! cannot, most often: the system has the version that it has. That is told, and things go on: whether the other version
//! will do is for the build to say.

use crate::door::processes::{self, Question};
use crate::door::terminal::Terminal;
use crate::failure::{Failure, Kind};
use crate::view::paint;

/// A tool that we know how to ask and to install.
struct Tool {
    /// As manifests call it.
    names: &'static [&'static str],
    /// What tells its version.
    ask: Question,
    /// The packages of Debian and Ubuntu that it is in.
    packages: &'static [&'static str],
    /// What else has to be done, where packages are not enough.
    then: Option<&'static str>,
}

const fn tool(names: &'static [&'static str], ask: Question, packages: &'static [&'static str]) -> Tool {
    Tool {
        names,
        ask,
        packages,
        then: None,
    }
}

const fn tool_then(
    names: &'static [&'static str],
    ask: Question,
    packages: &'static [&'static str],
    then: &'static str,
) -> Tool {
    Tool {
        names,
        ask,
        packages,
        then: Some(then),
    }
}

const VERSION: &[&str] = &["--version"];

const TOOLS: &[Tool] = &[
    tool(&["python", "python3"], ("python3", VERSION), &["python3", "python3-venv", "python3-pip"]),
    tool(&["pip", "pip3"], ("pip3", VERSION), &["python3-pip"]),
    tool_then(&["uv"], ("uv", VERSION), &["pipx"], "pipx install uv"),
    tool_then(&["poetry"], ("poetry", VERSION), &["pipx"], "pipx install poetry"),
    tool(&["node", "nodejs"], ("node", VERSION), &["nodejs", "npm"]),
    tool(&["npm", "npx"], ("npm", VERSION), &["npm"]),
    tool_then(&["pnpm"], ("pnpm", VERSION), &["npm"], "npm install --global pnpm"),
    tool_then(&["yarn"], ("yarn", VERSION), &["npm"], "npm install --global yarn"),
    tool(&["rust", "rustc"], ("rustc", VERSION), &["rustc", "cargo"]),
    tool(&["cargo"], ("cargo", VERSION), &["cargo"]),
    tool(&["go", "golang"], ("go", &["version"]), &["golang-go"]),
    tool(&["ruby"], ("ruby", VERSION), &["ruby"]),
    tool(&["bundler", "bundle"], ("bundle", VERSION), &["ruby-bundler"]),
    tool(&["php"], ("php", VERSION), &["php-cli"]),
    tool(&["composer"], ("composer", VERSION), &["composer"]),
    tool(&["java", "jdk"], ("java", &["-version"]), &["default-jdk-headless"]),
    tool(&["maven", "mvn"], ("mvn", VERSION), &["maven"]),
    tool(&["elixir"], ("elixir", VERSION), &["elixir"]),
    tool(&["perl"], ("perl", VERSION), &["perl"]),
    tool(&["make"], ("make", VERSION), &["make"]),
    tool(&["cmake"], ("cmake", VERSION), &["cmake"]),
    tool(&["gcc", "cc", "c"], ("cc", VERSION), &["gcc", "libc6-dev"]),
    tool(&["g++", "c++"], ("c++", VERSION), &["g++"]),
    tool(&["clang"], ("clang", VERSION), &["clang"]),
    tool(&["git"], ("git", VERSION), &["git"]),
    tool(&["curl"], ("curl", VERSION), &["curl"]),
    tool(&["jq"], ("jq", VERSION), &["jq"]),
    tool(&["sqlite", "sqlite3"], ("sqlite3", VERSION), &["sqlite3"]),
    tool(&["psql"], ("psql", VERSION), &["postgresql-client"]),
    tool(&["redis"], ("redis-server", VERSION), &["redis-server"]),
    tool(&["docker"], ("docker", VERSION), &["docker.io"]),
    tool(&["deno"], ("deno", VERSION), &[]),
    tool(&["bun"], ("bun", VERSION), &[]),
    tool(&["zip"], ("zip", &["-v"]), &["zip"]),
];

/// How a tool that is needed is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// In a version that will do.
    Well(String),
    /// In this version, which is another one than is wanted.
    Other(String),
    /// Not at all.
    Missing,
    /// Nobody knows how to ask it.
    Unknown,
}

/// A tool that is needed, and how it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// As it is written: `python 3.12`.
    pub(crate) need: String,
    /// How it is.
    pub(crate) found: Found,
}

/// Looks for all of them at once.
pub(crate) fn look(needs: &[String]) -> Vec<Look> {
    let mut needs: Vec<&String> = needs.iter().collect();
    needs.sort();
    needs.dedup();
    let questions: Vec<Question> = needs.iter().filter_map(|need| Some(known(need)?.ask)).collect();
    let mut answers = processes::ask_all(&questions).into_iter();
    needs
        .into_iter()
        .map(|need| Look {
            need: need.clone(),
            found: match known(need) {
                Some(_) => judge(wanted(need), answers.next().flatten().as_deref()),
                None => Found::Unknown,
            },
        })
        .collect()
}

fn known(need: &str) -> Option<&'static Tool> {
    let name = name(need);
    TOOLS.iter().find(|tool| tool.names.contains(&name.as_str()))
}

/// `Python 3.12`, `python@3.12` and `python-3.12` are all Python.
fn name(need: &str) -> String {
    let end = need.find([' ', '@', '=', '>', '<', '~', '^']).unwrap_or(need.len());
    need[..end].trim().to_lowercase()
}

/// The version that is wanted: its numbers.
fn wanted(need: &str) -> Option<Vec<u64>> {
    let end = need.find([' ', '@', '=', '>', '<', '~', '^'])?;
    version(&need[end..])
}

/// The first version in what a tool says.
fn version(said: &str) -> Option<Vec<u64>> {
    let from = said.find(|letter: char| letter.is_ascii_digit())?;
    let text = &said[from..];
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let numbers: Vec<u64> = text[..end].split('.').filter_map(|part| part.parse().ok()).collect();
    Some(numbers)
}

fn judge(wanted: Option<Vec<u64>>, said: Option<&str>) -> Found {
    let Some(said) = said else {
        return Found::Missing;
    };
    let here = version(said).unwrap_or_default();
    let shown = here.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    match wanted {
        Some(wanted) if !here.starts_with(&wanted) => Found::Other(shown),
        _ => Found::Well(shown),
    }
}

/// The commands that install what is missing; those that we know no command for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Installation {
    /// As they are typed.
    pub(crate) commands: Vec<String>,
    /// Tools that have to be installed by hand.
    pub(crate) by_hand: Vec<String>,
}

/// How the missing ones are installed.
pub(crate) fn installation(looks: &[Look], root: bool, apt: bool) -> Installation {
    let mut installation = Installation::default();
    let (mut packages, mut then) = (Vec::new(), Vec::new());
    for look in looks.iter().filter(|look| look.found == Found::Missing) {
        match known(&look.need) {
            Some(tool) if apt && !tool.packages.is_empty() => {
                packages.extend_from_slice(tool.packages);
                then.extend(tool.then);
            }
            _ => installation.by_hand.push(look.need.clone()),
        }
    }
    packages.sort_unstable();
    packages.dedup();
    let sudo = if root { "" } else { "sudo " };
    if !packages.is_empty() {
        let packages = packages.join(" ");
        installation.commands.push(format!("{sudo}apt-get install --yes {packages}"));
    }
    installation.commands.extend(then.into_iter().map(|command| {
        let sudo = if command.contains("--global") { sudo } else { "" };
        format!("{sudo}{command}")
    }));
    installation
}

/// Sees to it that everything that is needed is here, or says what to type.
pub(crate) fn supply(terminal: Terminal, needs: &[String], yes: bool) -> Result<(), Failure> {
    let looks = look(needs);
    for look in &looks {
        if let Found::Other(here) = &look.found {
            let warning = paint::yellow("warning");
            terminal.tell(&format!("{warning}: {} is wanted, and {here} is here\n", look.need));
        }
    }
    let missing: Vec<&str> = missing(&looks);
    if missing.is_empty() {
        return Ok(());
    }
    let installation = installation(&looks, processes::is_root(), processes::is_program("apt-get"));
    let failure = |hint: String| {
        let are = if missing.len() == 1 { "is" } else { "are" };
        Failure::new(Kind::Remote, format!("{} {are} missing on this machine", missing.join(", "))).hint(hint)
    };
    if !installation.by_hand.is_empty() {
        let by_hand = installation.by_hand.join(", ");
        let then = match installation.commands.as_slice() {
            [] => String::new(),
            commands => format!("; then run: {}", commands.join(" && ")),
        };
        return Err(failure(format!("install {by_hand} by the means of your system{then}")));
    }
    let command = installation.commands.join(" && ");
    if !yes {
        if !terminal.answers {
            return Err(failure(format!("run: {command}\n        or let `towpath up --yes` do it")));
        }
        terminal.tell(&format!("missing on this machine: {}\nthis will run:\n  {command}\n", missing.join(", ")));
        if !terminal.agrees("install it now?") {
            return Err(failure(format!("run: {command}")));
        }
    } else {
        terminal.tell(&format!("installing {}:\n  {command}\n", missing.join(", ")));
    }
    processes::run_agreed(&command)?;
    let left = look(needs);
    let left = self::missing(&left);
    if left.is_empty() {
        return Ok(());
    }
    let message = format!("{} still cannot be found after it was installed", left.join(", "));
    Err(Failure::new(Kind::Remote, message).hint("open a new shell, so that its PATH is read again"))
}

fn missing(looks: &[Look]) -> Vec<&str> {
    let missing = looks.iter().filter(|look| look.found == Found::Missing);
    missing.map(|look| look.need.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_that_of_its_first_numbers() {
        let found = |need: &str, said: Option<&str>| judge(wanted(need), said);
        assert_eq!(found("python 3.12", Some("Python 3.12.7\n")), Found::Well("3.12.7".to_owned()));
        assert_eq!(found("python 3.12", Some("Python 3.11.2\n")), Found::Other("3.11.2".to_owned()));
        assert_eq!(found("node 22", Some("v22.11.0\n")), Found::Well("22.11.0".to_owned()));
        assert_eq!(found("node 2", Some("v22.11.0\n")), Found::Other("22.11.0".to_owned()));
        assert_eq!(found("uv", Some("uv 0.5.1 (f399a5271)\n")), Found::Well("0.5.1".to_owned()));
        assert_eq!(found("go@1.23", Some("go version go1.23.4 linux/amd64")), Found::Well("1.23.4".to_owned()));
        assert_eq!(found("node 22", None), Found::Missing);
    }

    #[test]
    fn what_is_missing_is_installed_at_once() {
        let look = |need: &str| Look {
            need: need.to_owned(),
            found: Found::Missing,
        };
        let looks = [look("uv"), look("node 22"), look("npm"), look("pnpm 9")];
        assert_eq!(
            installation(&looks, false, true).commands,
            [
                "sudo apt-get install --yes nodejs npm pipx",
                "pipx install uv",
                "sudo npm install --global pnpm"
            ]
        );
        assert_eq!(installation(&looks[1..2], true, true).commands, ["apt-get install --yes nodejs npm"]);
        assert_eq!(installation(&looks[1..2], true, false).by_hand, ["node 22"]);
        assert_eq!(installation(&[look("bun 1.2")], true, true).by_hand, ["bun 1.2"]);
    }

    #[test]
    fn a_tool_is_known_by_one_name_only() {
        let mut names: Vec<&str> = TOOLS.iter().flat_map(|tool| tool.names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
