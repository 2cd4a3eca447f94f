//! Migrations: how a schema moves, written down in the database itself.
//!
//! Files run once, in the order of their numbers, each in a transaction together with the line that says that it ran: so it
//! ran and is written down, or neither. Everybody who migrates holds one lock of the database, and waits for it no longer
//! than the manifest allows; the same time holds for locks on tables, because who waits for one makes everybody else wait.
//!
//! A phase that may not run yet holds back everything after it. Files of a later number may build on it, and nobody can
//! tell; a schema that is a little old is well, one in an order that was never tried is not.

mod decide;
mod file;
mod history;
mod run;
pub(crate) mod split;

pub use decide::{Next, Plan, Waiting, decide};
pub use file::{Migration, parse};
pub use history::{Ran, Unfinished};
pub use run::{Report, command, dry, is_new, ran, run};

pub(crate) use file::ends_transaction;
pub(crate) use history::History;
pub(crate) use run::statements;

pub use crate::door::commands::Command;

use crate::ResourceError;
use crate::door::files;
use std::path::Path;
use std::time::Duration;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until there is a lock: `migrate.lock`.
    pub lock: Duration,
}

/// Is told what happens, a line at a time.
pub type Tell<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Reads a folder of migrations, in the order in which they run. Everything that is wrong with them is told at once.
pub fn read(folder: &Path) -> Result<Vec<Migration>, ResourceError> {
    if !files::is_there(folder) {
        let problem = format!("{} is not there", folder.display());
        return Err(ResourceError::Unread {
            problems: vec![problem],
        });
    }
    let names = files::names(folder).map_err(ResourceError::files("reading", folder))?;
    let (mut migrations, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        let path = folder.join(&name);
        if !file::is_meant(&name) {
            continue;
        }
        let text = files::read(&path).map_err(ResourceError::files("reading", &path))?;
        match parse(&name, &text.unwrap_or_default()) {
            Ok(migration) => migrations.push(migration),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        migrations.sort_by(|one, other| one.place().cmp(&other.place()));
        Ok(migrations)
    } else {
        Err(ResourceError::Unread { problems })
    }
}
