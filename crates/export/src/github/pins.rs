//! The actions that workflows use, each pinned by the commit of a version.
//!
//! A tag can be moved to other code by whoever gets hold of a repository; a commit cannot. So a workflow names the commit, and
//! the version behind it for people and for bots that offer a newer one.
//!
//! To renew a row, ask the action's own repository which commit a version is, and write both here:
//!
//! ```sh
//! git ls-remote https://github.com/actions/checkout 'refs/tags/v6*'
//! ```
//!
//! Where a tag is annotated there are two rows, and the one that ends in `^{}` is the commit. Then `cargo xtask generate`.

use crate::yaml::Table;

/// An action at a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pin {
    action: &'static str,
    commit: &'static str,
    version: &'static str,
}

pub(super) const CHECKOUT: Pin = Pin {
    action: "actions/checkout",
    commit: "de0fac2e4500dabe0009e67214ff5f5447ce83dd",
    version: "v6.0.2",
};

pub(super) const NODE: Pin = Pin {
    action: "actions/setup-node",
    commit: "6044e13b5dc448c55e2357c09f80417699197238",
    version: "v6.2.0",
};

pub(super) const PYTHON: Pin = Pin {
    action: "actions/setup-python",
    commit: "a309ff8b426b58ec0e2a45f0f869d46889d02405",
    version: "v6.2.0",
};

pub(super) const GO: Pin = Pin {
    action: "actions/setup-go",
    commit: "7a3fe6cf4cb3a834922a1244abfce67bcef6a0c5",
    version: "v6.2.0",
};

pub(super) const CACHE: Pin = Pin {
    action: "actions/cache",
    commit: "cdf6c1fa76f9f475f3d7449005a359c84ca0f306",
    version: "v5.0.3",
};

pub(super) const UPLOAD: Pin = Pin {
    action: "actions/upload-artifact",
    commit: "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    version: "v7.0.0",
};

pub(super) const UPLOAD_SARIF: Pin = Pin {
    action: "github/codeql-action/upload-sarif",
    commit: "45cbd0c69e560cd9e7cd7f8c32362050c9b7ded2",
    version: "v4.32.2",
};

/// All of them.
#[cfg(test)]
pub(crate) const ALL: &[Pin] = &[CHECKOUT, NODE, PYTHON, GO, CACHE, UPLOAD, UPLOAD_SARIF];

impl Pin {
    /// The version whose commit it is.
    pub(crate) fn version(self) -> &'static str {
        self.version
    }

    /// A step that uses it.
    pub(super) fn step(self, name: Option<&str>) -> Table {
        Table::new()
            .maybe("name", name)
            .put("uses", self.to_string())
            .behind(self.version())
    }
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.action, self.commit)
    }
}
