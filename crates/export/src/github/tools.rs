//! Languages and package managers that a runner has to have, and what is kept of them from one run to the next.

use super::pins;
use crate::yaml::{Table, Value, given};

/// A tool with the versions of it that are wanted: `node 22`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) versions: Vec<String>,
}

/// Tools from their words. What an earlier list says of a tool holds; a later one adds further tools.
pub(super) fn tools<'a>(lists: impl IntoIterator<Item = &'a [String]>) -> Vec<Tool> {
    let mut all: Vec<Tool> = Vec::new();
    for list in lists {
        let known = all.len();
        for word in list {
            let (name, version) = word
                .trim()
                .split_once(char::is_whitespace)
                .unwrap_or((word.trim(), ""));
            let name = name.to_ascii_lowercase();
            let version = version.trim().to_owned();
            match all.iter().position(|tool| tool.name == name) {
                Some(nth) if nth < known => {}
                Some(nth) if version.is_empty() || all[nth].versions.contains(&version) => {}
                Some(nth) => all[nth].versions.push(version),
                None => all.push(Tool {
                    name,
                    versions: (!version.is_empty()).then_some(version).into_iter().collect(),
                }),
            }
        }
    }
    all
}

/// Where the version of a tool comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The matrix has a row for each.
    Matrix,
    /// The first one that is wanted.
    First,
}

impl Tool {
    fn version(&self, from: By) -> Option<Value> {
        let first = self.versions.first()?;
        Some(match from {
            By::Matrix if self.has_row() => given(&format!("matrix.{}", self.name)),
            By::Matrix | By::First => first.as_str().into(),
        })
    }

    /// Whether a matrix can have a row of its versions: an expression has to be able to name it.
    pub(super) fn has_row(&self) -> bool {
        let is_plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        let starts = self.name.starts_with(|letter: char| letter.is_ascii_lowercase());
        starts && self.name.bytes().all(is_plain) && !self.versions.is_empty()
    }

    /// The step that sees to it that a runner has it.
    pub(super) fn step(&self, from: By) -> Table {
        let with = |pin: pins::Pin, key: &str| {
            let step = pin.step(None);
            match self.version(from) {
                Some(version) => step.put("with", Table::new().put(key, version)),
                None => step,
            }
        };
        match self.name.as_str() {
            "node" => with(pins::NODE, "node-version"),
            "python" => with(pins::PYTHON, "python-version"),
            "go" => with(pins::GO, "go-version"),
            "rust" => self.run(
                from,
                "Install Rust",
                "rustup toolchain install \"${VERSION:-stable}\" --profile minimal --component clippy,rustfmt\n\
                 rustup default \"${VERSION:-stable}\"",
            ),
            "uv" => self.run(from, "Install uv", "pipx install \"uv${VERSION:+==$VERSION}\""),
            "pnpm" | "yarn" => self.run(
                from,
                &format!("Install {}", self.name),
                &format!(
                    "command -v corepack >/dev/null || npm install --global corepack\n\
                     corepack enable\n\
                     if [ -n \"$VERSION\" ]; then corepack prepare \"{}@$VERSION\" --activate; fi",
                    self.name
                ),
            ),
            // What is not known here is the image's own, or comes by the script of the repository.
            other => self.run(
                from,
                &format!("Look for {other}"),
                &format!(
                    "command -v {} || {{ echo \"::error::{} is not on this runner: install it in .github/towpath/setup.sh\"; exit 1; }}",
                    word(other),
                    word(other),
                ),
            ),
        }
    }

    fn run(&self, from: By, name: &str, lines: &str) -> Table {
        let version = self.version(from).unwrap_or_else(|| "".into());
        let step = Table::new()
            .put("name", name)
            .put("run", Value::Lines(lines.to_owned()));
        match lines.contains("VERSION") {
            true => step.put("env", Table::new().put("VERSION", version)),
            false => step,
        }
    }

    /// Whether the step that sees to it only looks.
    pub(super) fn is_looked_for(&self) -> bool {
        !["node", "python", "go", "rust", "uv", "pnpm", "yarn"].contains(&self.name.as_str())
    }
}

/// A name of a tool that can stand in a shell's line.
fn word(name: &str) -> String {
    let keep = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    name.chars().filter(keep).collect()
}

/// What fetches packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fetcher {
    pub(super) name: &'static str,
    /// The words that commands begin with where it is used.
    words: &'static [&'static str],
    /// The tool that brings it, besides itself.
    pub(super) tool: &'static str,
    /// The files that say which packages.
    locks: &'static [&'static str],
    /// Where it keeps what it has fetched.
    folders: &'static [&'static str],
    /// Fetches all that the locks say, where there are any.
    fetch: &'static str,
}

const FETCHERS: &[Fetcher] = &[
    Fetcher {
        name: "pnpm",
        words: &["pnpm"],
        tool: "node",
        locks: &["**/pnpm-lock.yaml"],
        folders: &["~/.local/share/pnpm/store", "~/Library/pnpm/store"],
        fetch: "pnpm install --frozen-lockfile",
    },
    Fetcher {
        name: "yarn",
        words: &["yarn"],
        tool: "node",
        locks: &["**/yarn.lock"],
        folders: &["~/.yarn/berry/cache", "~/.cache/yarn", "~/Library/Caches/Yarn"],
        fetch: "yarn install --immutable",
    },
    Fetcher {
        name: "npm",
        words: &["npm", "npx"],
        tool: "node",
        locks: &["**/package-lock.json"],
        folders: &["~/.npm", "~/AppData/Local/npm-cache"],
        fetch: "if [ -f package-lock.json ]; then npm ci; fi",
    },
    Fetcher {
        name: "uv",
        words: &["uv", "uvx"],
        tool: "python",
        locks: &["**/uv.lock"],
        folders: &["~/.cache/uv", "~/AppData/Local/uv/cache"],
        fetch: "uv sync --locked",
    },
    Fetcher {
        name: "pip",
        words: &["pip", "pytest", "python", "python3"],
        tool: "python",
        locks: &["**/requirements*.txt", "**/pyproject.toml"],
        folders: &[
            "~/.cache/pip",
            "~/Library/Caches/pip",
            "~/AppData/Local/pip/Cache",
        ],
        fetch: "if [ -f requirements.txt ]; then pip install --requirement requirements.txt; fi",
    },
    Fetcher {
        name: "cargo",
        words: &["cargo"],
        tool: "rust",
        locks: &["**/Cargo.lock"],
        folders: &["~/.cargo/registry", "~/.cargo/git"],
        fetch: "",
    },
    Fetcher {
        name: "go",
        words: &["go"],
        tool: "go",
        locks: &["**/go.sum"],
        folders: &["~/go/pkg/mod"],
        fetch: "",
    },
];

/// What fetches the packages of these commands. With pnpm or yarn in it nothing is npm's, which they bring along.
pub(super) fn fetchers<'a>(commands: impl Iterator<Item = &'a str>) -> Vec<Fetcher> {
    let firsts: Vec<&str> = commands
        .flat_map(|command| command.split("&&"))
        .filter_map(|command| command.split_whitespace().next())
        .collect();
    let used = |fetcher: &&Fetcher| firsts.iter().any(|first| fetcher.words.contains(first));
    let mut found: Vec<Fetcher> = FETCHERS.iter().filter(used).copied().collect();
    let has = |found: &[Fetcher], name: &str| found.iter().any(|one| one.name == name);
    if has(&found, "pnpm") || has(&found, "yarn") {
        found.retain(|one| one.name != "npm");
    }
    if has(&found, "uv") {
        found.retain(|one| one.name != "pip");
    }
    found
}

impl Fetcher {
    /// The steps that keep what it has fetched, and fetch what is missing.
    pub(super) fn steps(self) -> Vec<Table> {
        let locks: Vec<String> = self.locks.iter().map(|lock| format!("'{lock}'")).collect();
        let key = Value::Expression(format!(
            "{}-${{{{ runner.os }}}}-${{{{ hashFiles({}) }}}}",
            self.name,
            locks.join(", ")
        ));
        let before = Value::Expression(format!("{}-${{{{ runner.os }}}}-", self.name));
        let path = match self.folders {
            [only] => Value::from(*only),
            several => Value::Lines(several.join("\n")),
        };
        let with = Table::new()
            .put("path", path)
            .put("key", key)
            .put("restore-keys", before);
        let name = format!("Keep what {} has fetched", self.name);
        let mut steps = vec![pins::CACHE.step(Some(&name)).put("with", with)];
        if !self.fetch.is_empty() {
            steps.push(
                Table::new()
                    .put("name", format!("Fetch packages with {}", self.name))
                    .put("run", self.fetch),
            );
        }
        steps
    }
}
