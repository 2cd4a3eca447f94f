//! Which files are left alone: what ignore files name, and what no person edits.
//!
//! Ignore files hold in their folder and below it, a deeper one over a higher one, and `.ignore` over `.gitignore`; above
//! all of them stand what the repository excludes and what the person excludes everywhere. They are honoured in a folder
//! that is no repository, too. A file or folder that a rule names without stars counts whatever an ignore file says: whoever
//! writes `path = ".env"` means it, although git must never see it.

use crate::door::files;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;
use std::sync::Arc;

/// Folders whose files no person edits: what tools keep, and what builds make.
const ALWAYS: &[&str] = &[
    ".git",
    ".hg",
    ".jj",
    ".svn",
    ".towpath",
    "__pycache__",
    "node_modules",
    "target",
];

/// The names of ignore files, the stronger one first.
const FILES: &[&str] = &[".ignore", ".gitignore"];

/// An ignore file that is larger than this was not written by a person.
const LONGEST_FILE: u64 = 1024 * 1024;

/// What is ignored in a folder and below it.
#[derive(Debug, Default)]
pub(crate) struct Ignores {
    above: Option<Arc<Ignores>>,
    here: Vec<Gitignore>,
}

impl Ignores {
    /// What holds for a file or folder that a rule names: the ignore files of the folders above it, from its repository on
    /// or from the base folder, as long as they do not ignore what is named.
    pub(crate) fn above(named: &Path, base: &Path) -> Arc<Ignores> {
        let is_repository = |folder: &&Path| files::stat(&folder.join(".git")).is_some();
        let top = named.ancestors().find(is_repository).unwrap_or(base);
        let mut ignores = Arc::new(Ignores::everywhere(top));
        let mut way: Vec<&Path> = named
            .ancestors()
            .skip(1)
            .take_while(|up| up.starts_with(top))
            .collect();
        way.reverse();
        for folder in way {
            if ignores.ignores(folder, true) {
                ignores = Arc::default();
            }
            ignores = ignores.enter(folder);
        }
        let is_folder = files::stat_through(named).is_some_and(|stat| stat.kind == files::Kind::Folder);
        // `dist/*` ignores `dist` without naming it.
        let hides = |ignores: &Ignores| {
            ignores.ignores(named, is_folder) || is_folder && ignores.ignores(&named.join("whatever"), false)
        };
        if hides(&ignores) { Arc::default() } else { ignores }
    }

    /// What a repository and its person exclude everywhere.
    fn everywhere(top: &Path) -> Ignores {
        let excluded = parse(top, &top.join(".git/info/exclude"));
        let (global, _) = GitignoreBuilder::new(top).build_global();
        let here = excluded
            .into_iter()
            .chain([global])
            .filter(|file| !file.is_empty())
            .collect();
        Ignores { above: None, here }
    }

    /// What holds in a folder: the same, and what its own ignore files say.
    pub(crate) fn enter(self: &Arc<Self>, folder: &Path) -> Arc<Ignores> {
        let here: Vec<Gitignore> = FILES
            .iter()
            .filter_map(|name| parse(folder, &folder.join(name)))
            .collect();
        if here.is_empty() {
            return Arc::clone(self);
        }
        Arc::new(Ignores {
            above: Some(Arc::clone(self)),
            here,
        })
    }

    /// Whether a name in one of these folders is left alone.
    pub(crate) fn ignores(&self, path: &Path, is_folder: bool) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if if is_folder {
            ALWAYS.contains(&&*name)
        } else {
            is_left_by_an_editor(&name)
        } {
            return true;
        }
        let mut level = Some(self);
        while let Some(ignores) = level {
            for file in &ignores.here {
                let found = file.matched(path, is_folder);
                if !found.is_none() {
                    return found.is_ignore();
                }
            }
            level = ignores.above.as_deref();
        }
        false
    }
}

/// Whether the name is that of an ignore file.
pub(crate) fn is_ignore_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    FILES.iter().any(|file| name == *file)
}

/// Reads an ignore file; lines that cannot be understood are no lines, as git has it.
fn parse(folder: &Path, path: &Path) -> Option<Gitignore> {
    let text = files::text(path, LONGEST_FILE)?;
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.lines() {
        let _ = builder.add_line(None, line);
    }
    builder.build().ok().filter(|file| !file.is_empty())
}

/// What editors put beside a file that they save: backups, swap files, locks, and the file `4913` with which vim tries
/// whether it may write.
fn is_left_by_an_editor(name: &str) -> bool {
    let is_swap = |name: &str| {
        name.starts_with('.')
            && [".swp", ".swo", ".swx", ".kate-swp"]
                .iter()
                .any(|end| name.ends_with(end))
    };
    name.ends_with('~')
        || name == "4913"
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || name.ends_with("___jb_tmp___")
        || name.ends_with("___jb_old___")
        || is_swap(name)
}
