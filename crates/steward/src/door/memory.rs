//! Values that a command is given as files: each stands in memory while somebody holds it open, and never on a disk.
//!
//! The file has no name in any folder. It is reached through the process that holds it, by nobody but the user of that
//! process, and is gone with it, however that ends.

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use towpath_model::sealed::Sealed;

/// Files in memory, which are gone when this is.
#[derive(Debug, Default)]
pub struct Handed {
    files: Vec<super::files::File>,
    paths: Vec<(String, String)>,
}

impl Handed {
    /// Puts each value into a file of its own.
    pub fn new(values: &[(String, Sealed<String>)]) -> io::Result<Self> {
        let mut handed = Handed::default();
        for (name, value) in values {
            let held: OwnedFd = memfd_create(name.as_str(), MemfdFlags::CLOEXEC)?;
            // Programs refuse keys that others than their owner may read.
            fchmod(&held, Mode::RUSR)?;
            let mut file = super::files::File::from(held);
            file.write_all(value.open().as_bytes())?;
            let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
            handed.paths.push((name.clone(), path));
            handed.files.push(file);
        }
        Ok(handed)
    }

    /// The variables that hold the paths.
    pub fn paths(&self) -> &[(String, String)] {
        &self.paths
    }

    /// The environment of a command, with the paths in it.
    pub(crate) fn with(&self, env: &[(String, Sealed<String>)]) -> Vec<(String, Sealed<String>)> {
        let paths = self.paths.iter();
        let paths = paths.map(|(name, path)| (name.clone(), Sealed::new(path.clone())));
        env.iter().cloned().chain(paths).collect()
    }

    /// Leaves them to whatever this process becomes next: they are gone when that ends.
    pub fn stay(self) -> io::Result<()> {
        for file in self.files {
            fcntl_setfd(&file, FdFlags::empty())?;
            std::mem::forget(file);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a file is there when it can be read")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_value_is_in_a_file_that_only_its_owner_reads_until_it_is_let_go() {
        let handed =
            Handed::new(&[("KEY".to_owned(), Sealed::new("hush".to_owned()))]).expect("it can be held");
        let [(name, path)] = handed.paths() else {
            panic!("one file: {handed:?}");
        };
        assert_eq!(name, "KEY");
        assert_eq!(std::fs::read_to_string(path).expect("it is there"), "hush");
        let about = std::fs::metadata(path).expect("it is there");
        assert_eq!(
            (about.is_file(), about.permissions().mode() & 0o777),
            (true, 0o400)
        );
        let path = path.clone();
        drop(handed);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        assert_ne!(text, "hush", "it is gone with who held it");
    }
}
