//! Steps that several workflows have: the sources, the tools, towpath itself, what is asked of the machine.

use super::pins;
use super::tools::{By, Fetcher, Tool};
use crate::yaml::{Table, Value, given};

/// The script by which a repository installs what runners lack.
const SETUP: &str = ".github/towpath/setup.sh";

/// How long it takes to fetch what was fetched before, and towpath itself, at the very most.
pub(super) const GRACE: u64 = 30;

/// How much of the history is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    Last,
    Whole,
}

/// The sources. No step is left with a token that could push.
pub(super) fn sources(history: History) -> Table {
    let with = Table::new().put("persist-credentials", false);
    let with = match history {
        History::Last => with,
        History::Whole => with.put("fetch-depth", 0_u64),
    };
    pins::CHECKOUT.step(None).put("with", with)
}

/// The tools, and what is fetched by them.
pub(super) fn tooling(tools: &[Tool], fetchers: &[Fetcher], by: By) -> Vec<Table> {
    let (looked_for, installed): (Vec<&Tool>, Vec<&Tool>) =
        tools.iter().partition(|tool| tool.is_looked_for());
    let mut steps: Vec<Table> = installed.iter().map(|tool| tool.step(by)).collect();
    for fetcher in fetchers {
        let is_named = installed.iter().any(|tool| tool.name == fetcher.name);
        // Besides the language, these have to be brought: no image has them.
        if !is_named && matches!(fetcher.name, "pnpm" | "yarn" | "uv") {
            let tool = Tool {
                name: fetcher.name.to_owned(),
                versions: Vec::new(),
            };
            steps.push(tool.step(By::First));
        }
    }
    let setup = Table::new()
        .put("name", "Install what else is needed")
        .because(format!(
            "What runners lack, this repository installs by a script of its own: {SETUP}."
        ))
        .put("if", given(&format!("hashFiles('{SETUP}') != ''")))
        .put("run", Value::Lines(format!("bash \"$GITHUB_WORKSPACE/{SETUP}\"")));
    steps.push(setup);
    steps.extend(looked_for.iter().map(|tool| tool.step(by)));
    steps.extend(fetchers.iter().flat_map(|fetcher| fetcher.steps()));
    steps
}

/// Towpath itself, by the digest of what it has to be.
pub(super) fn towpath() -> Table {
    let lines = "\
        : \"${TOWPATH_URL:?is missing among the variables of this repository: where the program for this runner lies}\"\n\
        : \"${TOWPATH_SHA256:?is missing among the variables of this repository: the SHA-256 of that program}\"\n\
        curl --fail --silent --show-error --location --retry 3 --output \"$RUNNER_TEMP/towpath\" \"$TOWPATH_URL\"\n\
        echo \"$TOWPATH_SHA256  $RUNNER_TEMP/towpath\" | sha256sum --check --quiet\n\
        install -D \"$RUNNER_TEMP/towpath\" \"$HOME/.local/bin/towpath\"\n\
        echo \"$HOME/.local/bin\" >> \"$GITHUB_PATH\"";
    let env = Table::new()
        .put("TOWPATH_URL", given("vars.TOWPATH_URL"))
        .put("TOWPATH_SHA256", given("vars.TOWPATH_SHA256"));
    Table::new()
        .put("name", "Install towpath")
        .because(
            "Two variables of this repository say which program this is: TOWPATH_URL and TOWPATH_SHA256. One that has \
             another digest is not run.",
        )
        .put("run", Value::Lines(lines.to_owned()))
        .put("env", env)
}

/// A step that asks the machine, which knows the job by its identity.
pub(super) fn ask(name: &str, lines: &str, env: Table) -> Table {
    let host = "\
        : \"${TOWPATH_HOST:?is missing among the variables of this repository or environment: HOST[:PORT] of towpath serve}\"\n";
    Table::new()
        .put("name", name)
        .put("run", Value::Lines(format!("{host}{lines}")))
        .put("env", env.put("TOWPATH_HOST", given("vars.TOWPATH_HOST")))
}

/// What a job that asks the machine may do.
pub(super) fn known() -> Table {
    Table::new().put("contents", "read").put("id-token", "write")
}

/// A list of steps as it stands in a job.
pub(super) fn listed(steps: Vec<Table>) -> Value {
    Value::from(steps)
}
