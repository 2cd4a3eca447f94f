//! A rule: which files count, whom they concern, and what a change of them does.

use super::pattern::Pattern;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;
use towpath_model::desired::component::WatchAction;
use towpath_model::run::WatchRule;
use towpath_model::unit::Name;

/// What one owner wants to know.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) owner: Name,
    pub(crate) action: WatchAction,
    pattern: Pattern,
    ignored: Option<Gitignore>,
    asked: String,
}

impl Rule {
    /// Takes a rule apart. What it ignores is read as a line of an ignore file in its folder.
    pub(crate) fn new(owner: Name, rule: &WatchRule, base: &Path) -> Self {
        let pattern = Pattern::new(rule.path.as_str(), base);
        let mut ignored = GitignoreBuilder::new(pattern.base());
        for glob in &rule.ignore {
            let whole = format!("{}/", pattern.base().display());
            let line = match glob.as_str().strip_prefix(&whole) {
                Some(below) => format!("/{below}"),
                None => glob.as_str().to_owned(),
            };
            let _ = ignored.add_line(None, &line);
        }
        Rule {
            owner,
            action: rule.action,
            ignored: ignored.build().ok().filter(|ignored| !ignored.is_empty()),
            pattern,
            asked: serde_json::to_string(&(&rule.path, &rule.ignore)).unwrap_or_default(),
        }
    }

    /// The file or folder that it names without stars.
    pub(crate) fn named(&self) -> &Path {
        self.pattern.base()
    }

    /// What it asks for, as a text: what was seen for another text cannot be compared.
    pub(crate) fn asked(&self) -> &str {
        &self.asked
    }

    fn ignores(&self, path: &Path, is_folder: bool) -> bool {
        let below = |ignored: &&Gitignore| path != ignored.path() && path.starts_with(ignored.path());
        let ignored = self.ignored.as_ref().filter(below);
        ignored.is_some_and(|ignored| ignored.matched_path_or_any_parents(path, is_folder).is_ignore())
    }

    /// Whether a change of this file is one for its owner.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        self.pattern.holds(path) && !self.ignores(path, false)
    }

    /// Whether one of its files may lie in or below this folder.
    pub(crate) fn may_hold(&self, folder: &Path) -> bool {
        self.pattern.may_hold(folder) && !self.ignores(folder, true)
    }
}
