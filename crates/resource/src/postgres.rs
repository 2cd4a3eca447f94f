//! Postgres: a cluster of its own in a folder, and everything that has to be true before its server takes our place.
//!
//! A cluster is made beside its place and gets its name when it is whole and on the disk, role, database and extensions
//! included. So there is none or a whole one, whenever we are killed, and one that is there is never made again: what cannot
//! be used is told, and left as it is.
//!
//! The superuser has no password and nobody can log in as it. What only it may do is done by the server in its single-user
//! mode, while nobody is connected: at first, and whenever the order says something else than the cluster was made for.

mod ask;
mod cluster;
mod configuration;
mod identity;
mod pool;
mod servers;
mod statements;

pub use ask::{ask, judge};
pub use pool::{BEFORE_POOLER_INSTALLATION, POOLER_PACKAGES, PoolOrder, is_pooler_here, prepare_pool};

use crate::door::{files, processes};
use crate::{Exec, ResourceError, ground};
use std::path::{Path, PathBuf};
use towpath_model::Sealed;

/// What stops the server: INT lets nobody finish and loses nothing (TERM would wait until every client has left).
pub const STOP_SIGNAL: &str = "INT";

/// What is installed where there is none, and what a shell has to do before: Debian makes a cluster of its own beside ours and
/// starts it on the port that everybody knows, unless it is told not to.
pub const PACKAGES: &[&str] = &["postgresql"];
pub const BEFORE_INSTALLATION: &str = "mkdir -p /etc/postgresql-common/createcluster.d && \
     echo \"create_main_cluster = false\" > /etc/postgresql-common/createcluster.d/towpath.conf";

/// A cluster that is wanted.
#[derive(Debug, Clone)]
pub struct PostgresOrder {
    /// The folder that is its own.
    pub folder: PathBuf,
    /// The port of 127.0.0.1.
    pub port: u16,
    /// The database.
    pub database: String,
    /// Its owner, as whom everybody connects.
    pub user: String,
    /// The owner's password.
    pub password: Sealed<String>,
    /// Extensions to have.
    pub extensions: Vec<String>,
    /// The version that is wanted, as it is written: `16`. Without it, the one that the cluster has, or the newest.
    pub version: Option<String>,
    /// The memory that it may use, in bytes.
    pub memory: Option<u64>,
    /// The most connections.
    pub connections: u32,
}

impl PostgresOrder {
    /// Where the cluster is.
    fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    fn named(&self) -> String {
        self.folder.display().to_string()
    }
}

/// Makes everything ready, and says what is to be started. It blocks, and it may change who this process is: it is for a
/// process that has one thread and does nothing else but become the server.
pub fn prepare(order: &PostgresOrder) -> Result<Exec, ResourceError> {
    statements::check(order)?;
    files::make_folder(&order.folder).map_err(ResourceError::files("making the folder", &order.folder))?;
    let kept = cluster::kept(order)?;
    let server = servers::choose(&servers::find(), order, kept)?;
    identity::take_on(&order.folder, &order.cluster())?;
    let lock = ground::lock(&order.folder, || postmaster(&order.cluster()))?;
    end_of_the_last_one(order)?;
    ground::port_is_free(order.port)?;
    ground::has_room(&order.folder)?;
    if kept.is_some() {
        cluster::settle(order, &server)?;
    } else {
        cluster::make(order, &server)?;
    }
    let configuration = configuration::write(order)?;
    Ok(Exec {
        program: server.program("postgres"),
        name: server.program("postgres").into(),
        arguments: vec![
            "-D".into(),
            order.cluster().into(),
            "-c".into(),
            format!("config_file={}", configuration.display()).into(),
        ],
        environment: processes::environment(),
        folder: order.folder.clone(),
        lock,
    })
}

/// The versions that are on this machine, the newest first.
pub fn installed() -> Vec<String> {
    servers::find().into_iter().map(|server| server.version).collect()
}

/// The process that a cluster says it is served by.
fn postmaster(cluster: &Path) -> Option<u32> {
    let text = files::read(&cluster.join("postmaster.pid")).ok()??;
    text.lines().next()?.trim().parse().ok()
}

/// Removes the mark of a server that is no more. Postgres takes any process that has its number now for itself, and does not
/// start; after a restart of the machine that is often one. We hold the lock, so that no server of ours lives. One that a
/// person has started by hand works in the folder, and is left alone.
fn end_of_the_last_one(order: &PostgresOrder) -> Result<(), ResourceError> {
    let cluster = order.cluster();
    let Some(pid) = postmaster(&cluster) else {
        return Ok(());
    };
    match processes::works_in(pid, &cluster) {
        Some(true) => Err(ResourceError::Live {
            folder: order.named(),
            pid: Some(pid),
        }),
        Some(false) => {
            let mark = cluster.join("postmaster.pid");
            files::remove_file(&mark).map_err(ResourceError::files("removing an old mark", &mark))
        }
        // It decides by itself.
        None => Ok(()),
    }
}

/// What a program of the server said was wrong.
fn failed(doing: &str, folder: &Path, complained: &str) -> ResourceError {
    let folder = folder.display().to_string();
    if complained.contains("No space left on device") || complained.contains("Disk quota exceeded") {
        return ResourceError::Full { folder };
    }
    let lines = || complained.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_said = |line: &&str| {
        ["FATAL:", "ERROR:", "PANIC:", "error:"]
            .iter()
            .any(|word| line.contains(word))
    };
    let said = lines().find(is_said).or_else(|| lines().next_back());
    let said = said.unwrap_or("it said nothing");
    let said = said.rsplit_once("  ").map_or(said, |(_, said)| said);
    ResourceError::Program {
        doing: doing.to_owned(),
        folder,
        said: said.to_owned(),
    }
}
