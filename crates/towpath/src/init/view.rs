//! What is there to look at: the names of files in a folder, and the texts of those that say something.

use std::collections::{BTreeMap, BTreeSet};

/// A folder as it was found. All names are relative to it, with `/` between their parts.
#[derive(Debug, Default, Clone)]
pub struct View {
    /// What the folder itself is called.
    pub name: String,
    /// The files that were seen, those whose text was read and others.
    pub names: BTreeSet<String>,
    /// The texts that were read.
    pub texts: BTreeMap<String, String>,
    /// What could not be read, or was left out because there is too much, in a sentence each.
    pub unread: Vec<String>,
}

/// Names whose text is worth reading, wherever they lie.
const TOLD: &[&str] = &[
    "Cargo.toml",
    "Gemfile",
    "Pipfile",
    "Procfile",
    "app.py",
    "bot.py",
    "compose.yaml",
    "compose.yml",
    "crontab",
    "docker-compose.yaml",
    "docker-compose.yml",
    "fly.toml",
    "go.mod",
    "main.py",
    "manifest.json",
    "package.json",
    "pyproject.toml",
    "requirements.txt",
    "server.py",
];

/// Endings of a `.env` file that holds names and no secrets.
pub(super) const CONTRACTS: &[&str] = &[
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    "env.example",
];

/// Folders that hold what tools made or fetched, and nothing that a person wrote.
const FOREIGN: &[&str] = &[
    "__pycache__",
    "bower_components",
    "build",
    "coverage",
    "dist",
    "node_modules",
    "out",
    "site-packages",
    "target",
    "test",
    "tests",
    "vendor",
    "venv",
];

/// Whether the text of a file is worth reading, by its name alone.
pub fn is_telling(name: &str) -> bool {
    let file = file_name(name);
    TOLD.contains(&file)
        || CONTRACTS.contains(&file)
        || is_dockerfile(file)
        || file.starts_with("next.config.")
}

/// Whether a folder is worth looking into, by its name alone.
pub fn is_own(folder: &str) -> bool {
    !folder.starts_with('.') && !FOREIGN.contains(&folder)
}

pub(super) fn is_dockerfile(file: &str) -> bool {
    file == "Dockerfile" || file == "Containerfile"
}

/// The last part of a name.
pub(super) fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The folder that a file lies in; empty for the one that is looked at.
pub(super) fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A name below a folder.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

impl View {
    /// Every text of a file that is called so, with the folder that it lies in.
    pub(super) fn called<'a>(&'a self, file: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts
            .iter()
            .filter(move |(name, _)| file_name(name) == file)
            .map(|(name, text)| (folder_of(name), text.as_str()))
    }

    pub(super) fn text(&self, folder: &str, name: &str) -> Option<&str> {
        self.texts.get(&join(folder, name)).map(String::as_str)
    }

    pub(super) fn has(&self, folder: &str, name: &str) -> bool {
        self.names.contains(&join(folder, name))
    }

    /// The files below a folder, relative to it.
    pub(super) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.names.iter().filter_map(move |name| {
            if folder.is_empty() {
                Some(name.as_str())
            } else {
                name.strip_prefix(folder)?.strip_prefix('/')
            }
        })
    }
}
