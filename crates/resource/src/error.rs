//! Why a store could not be prepared, reached or changed.

use std::io;
use std::time::Duration;

/// Why it did not work. What failed below stands in the source, or in `said` where a server said it.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// There is no server on this machine, or none of the version that is wanted.
    #[error("{}", no_server(kind, wanted.as_deref(), found))]
    NoServer {
        /// `Postgres`, `Redis`.
        kind: String,
        /// The version that is wanted.
        wanted: Option<String>,
        /// What there is instead, each with its place.
        found: Vec<String>,
        /// The package of Debian that has it.
        package: String,
    },
    /// What is kept was written by another version.
    #[error("{folder} was written by Postgres {kept}, and {wanted} is what would read it now")]
    OtherVersion {
        /// The folder.
        folder: String,
        /// The version that wrote it.
        kept: String,
        /// The version that is wanted, or the only one here.
        wanted: String,
    },
    /// A server lives on the folder.
    #[error("{folder} is in use{}", by(*pid))]
    Live {
        /// The folder.
        folder: String,
        /// Its process, where that is known.
        pid: Option<u32>,
    },
    /// Something else listens on the port.
    #[error("port {port} of 127.0.0.1 is taken")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The disk is full.
    #[error("the disk is full: {folder} cannot be written")]
    Full {
        /// The folder.
        folder: String,
    },
    /// Postgres does not run as root, and nobody else can reach the folder.
    #[error("Postgres refuses to run as root, and no other user can reach {folder}: {why}")]
    Root {
        /// The folder.
        folder: String,
        /// What stands in the way.
        why: String,
    },
    /// The folder belongs to somebody else.
    #[error("{folder} belongs to user {owner}, and this is user {us}")]
    Owner {
        /// The folder.
        folder: String,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// There is something that is no store.
    #[error("{folder} is there and is no whole cluster: {why}")]
    Damaged {
        /// The folder.
        folder: String,
        /// What it lacks.
        why: String,
    },
    /// A setting cannot be handed on.
    #[error("{what} cannot be {value:?}: {why}")]
    Setting {
        /// Which.
        what: &'static str,
        /// As it is written; nothing secret.
        value: String,
        /// Why not.
        why: &'static str,
    },
    /// A program of the server failed.
    #[error("{doing} failed in {folder}: {said}")]
    Program {
        /// What was being done.
        doing: String,
        /// Where.
        folder: String,
        /// What it said last.
        said: String,
    },
    /// The file system refused.
    #[error("{doing} failed at {path}")]
    Files {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An address says nothing that we understand. The address itself may hold a password, and is not shown.
    #[error("the address of a {kind} cannot be read: {why}")]
    Address {
        /// Of what.
        kind: String,
        /// Why.
        why: String,
    },
    /// Nobody answers there.
    #[error("{at} cannot be reached: {why}")]
    Unreachable {
        /// Host and port.
        at: String,
        /// Why.
        why: String,
    },
    /// Somebody answers, and does not let us in.
    #[error("{at} refuses: {said}")]
    Refused {
        /// Host and port.
        at: String,
        /// What it said.
        said: String,
    },
    /// It is there in another version.
    #[error("{at} is {kind} {found}, and {wanted} is wanted")]
    Version {
        /// Host and port.
        at: String,
        /// Of what.
        kind: String,
        /// The version that it has.
        found: String,
        /// The version that is wanted.
        wanted: String,
    },
    /// It did not do what it was asked.
    #[error("{doing} failed at {at}: {said}")]
    Store {
        /// What was being done.
        doing: String,
        /// Host and port.
        at: String,
        /// What it said.
        said: String,
    },
    /// Somebody holds a lock for longer than we are to wait.
    #[error("{what} waited {waited:?} for a lock that {holder} holds")]
    Locked {
        /// Who waited.
        what: String,
        /// How long.
        waited: Duration,
        /// Who holds it.
        holder: String,
    },
    /// Files of migrations that cannot be read as such; each says its name and what is wrong.
    #[error("{}", problems.join("\n"))]
    Unread {
        /// A line each.
        problems: Vec<String>,
    },
    /// Files that ran here say something else now.
    #[error("{} ran here and has been changed since", names.join(", "))]
    Changed {
        /// Which.
        names: Vec<String>,
    },
    /// A statement of a file failed.
    #[error("{file}:{line}: {said}")]
    Statement {
        /// The file.
        file: String,
        /// The line that the server points at, or that of the statement.
        line: u32,
        /// What the server said.
        said: String,
        /// What of the file stays: nothing, or everything before the statement.
        stays: Stays,
    },
    /// A command failed.
    #[error("`{command}` {ended}")]
    Command {
        /// The command as it is written.
        command: String,
        /// How it ended: `ended with exit code 1`.
        ended: String,
    },
}

/// What a file that failed leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stays {
    /// Nothing: it ran in a transaction.
    Nothing,
    /// So many statements are done, and are not run again.
    Statements(u32),
    /// Everything else of it: this store takes nothing back.
    AllOthers,
}

impl ResourceError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoServer {
                found,
                wanted,
                package,
                ..
            } => match (wanted, found.is_empty()) {
                (Some(_), false) => {
                    format!("install it (apt-get install {package}), or write the version that is here")
                }
                _ => format!("install it: apt-get install {package}"),
            },
            Self::OtherVersion { kept, wanted, .. } => format!(
                "install Postgres {kept} and write version = \"{kept}\"; or dump with it (pg_dumpall), move the folder away, start with {wanted} and load the dump"
            ),
            Self::Live { pid, .. } => match pid {
                Some(pid) => format!("stop process {pid} first"),
                None => "stop the server that runs there first".to_owned(),
            },
            Self::PortTaken { port } => {
                format!("see who listens there: ss -ltnp 'sport = :{port}'")
            }
            Self::Full { .. } => "make room and start again; nothing that was kept is lost".to_owned(),
            Self::Root { .. } => {
                "start towpath as an ordinary user, or let others pass through the folder (chmod o+x)"
                    .to_owned()
            }
            Self::Owner { owner, .. } => format!("start towpath as user {owner}, who made it"),
            Self::Damaged { folder, .. } => format!("look into {folder}, and move it away to start afresh"),
            Self::Address { kind, .. } => {
                let scheme = if kind == "Redis" { "redis" } else { "postgres" };
                format!("write it as {scheme}://user:password@host:port/name")
            }
            Self::Unreachable { .. } => "is it running, and may this machine reach it?".to_owned(),
            Self::Refused { .. } => "are user, password and database right?".to_owned(),
            Self::Version { found, .. } => {
                format!("write version = \"{}\", or bind one that has it", short(found))
            }
            Self::Locked { .. } => {
                "wait until it is done, or allow more time in `migrate.lock`; nothing was changed".to_owned()
            }
            Self::Changed { .. } => {
                "bring back what ran, and write what is to be different into a new file".to_owned()
            }
            Self::Statement { stays, .. } => match stays {
                Stays::Nothing => {
                    "nothing of this file was kept: correct it, and it is tried again".to_owned()
                }
                Stays::AllOthers => {
                    "everything else of the file was kept: correct it, empty the store and start again"
                        .to_owned()
                }
                Stays::Statements(done) => {
                    format!(
                        "{done} statements before it are done and stay: correct this one, and it is tried again"
                    )
                }
            },
            Self::Setting { .. }
            | Self::Program { .. }
            | Self::Files { .. }
            | Self::Unread { .. }
            | Self::Store { .. }
            | Self::Command { .. } => return None,
        })
    }

    /// Whether the same may work later without anybody doing something about it.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Live { .. } | Self::PortTaken { .. } | Self::Unreachable { .. } | Self::Locked { .. }
        )
    }

    /// What went wrong with a file.
    pub fn files(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> ResourceError {
        let path = path.display().to_string();
        move |source| {
            if matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ) {
                ResourceError::Full { folder: path }
            } else {
                ResourceError::Files { doing, path, source }
            }
        }
    }
}

/// `16` of `16.2 (Debian 16.2-1)`: what a manifest would say.
fn short(version: &str) -> String {
    crate::major(version).map_or_else(|| version.to_owned(), |major| major.to_string())
}

fn no_server(kind: &str, wanted: Option<&str>, found: &[String]) -> String {
    match (wanted, found) {
        (None, _) => format!("there is no {kind} server on this machine"),
        (Some(wanted), []) => {
            format!("{kind} {wanted} is wanted, and there is no {kind} server on this machine")
        }
        (Some(wanted), found) => {
            format!(
                "{kind} {wanted} is wanted, and only {} is here",
                found.join(" and ")
            )
        }
    }
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
}
