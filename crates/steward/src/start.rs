//! Starting: everything that the core needs, side by side where it can be.

use crate::addresses::Addresses;
use crate::ask::Asker;
use crate::core::{Core, Message};
use crate::door::{clock, sockets};
use crate::dress::Wardrobe;
use crate::errors::StewardError;
use crate::keep::Ledger;
use crate::make::{Maker, Rounds};
use crate::serve as desk;
use crate::sleep::Naps;
use crate::tell::Onlookers;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, unbounded_channel};
use towpath_api::{LogArgs, LogLine};
use towpath_decide::tend::Tended;
use towpath_engine::Engine;
use towpath_engine::process::Process;
use towpath_model::run::Seen;
use towpath_store::Store;

/// What a steward has to know before anybody asks it for anything.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder with everything that outlives it: journal, socket, logs.
    pub state: PathBuf,
    /// The folder of the manifest.
    pub folder: PathBuf,
    /// The folder with the certificate authority of this person.
    pub authority: PathBuf,
    /// Our own program: it reads the manifest again when it changes.
    pub program: PathBuf,
    /// The environment.
    pub environment: String,
    /// The port for HTTPS that is taken if it is free.
    pub https: u16,
    /// The same for plain HTTP.
    pub http: u16,
    /// Since when it runs.
    pub since: Timestamp,
}

/// Looks after a product whose instances are processes of this machine.
pub async fn serve_processes(config: Config, ready: impl FnOnce()) -> Result<(), StewardError> {
    // Whoever holds the lock of the store is the only one who starts anything here. That there is somebody who would start
    // it harms nobody, so that one is made ready meanwhile.
    let opening = {
        let (state, program, name) = (config.state.clone(), config.program.clone(), group(&config));
        tokio::task::spawn_blocking(move || Process::open(&state, program, &name))
    };
    let store = Store::open(&config.state, config.since).await;
    let engine = opening.await.map_err(|error| StewardError::System {
        doing: "making ready to start something",
        subject: config.state.display().to_string(),
        source: std::io::Error::other(error),
    })?;
    match store {
        Ok(store) => serve(config, store, engine?, ready).await,
        Err(refusal) => {
            // The groups that it would take away are those of whoever holds the lock.
            std::mem::forget(engine);
            Err(refusal.into())
        }
    }
}

/// What runs in a state folder, whoever looks after it, or nobody.
pub async fn observe(config: &Config) -> Result<Vec<Seen>, StewardError> {
    let engine = Process::open(&config.state, config.program.clone(), &group(config))?;
    Ok(engine.observe().await?)
}

/// What was said in a state folder, where nobody looks after it who could be asked.
pub async fn logs(config: &Config, args: LogArgs) -> Result<Receiver<LogLine>, StewardError> {
    let engine = Process::open(&config.state, config.program.clone(), &group(config))?;
    Ok(desk::lines_of(&engine, args).await?)
}

/// The name of the group of everything that runs here. Two products of one name may lie in two folders.
fn group(config: &Config) -> String {
    let digest = blake3::hash(config.state.as_os_str().as_encoded_bytes()).to_hex();
    format!("towpath-{}-{}", config.environment, &digest[..8])
}

/// Looks after a product until it is down. Calls `ready` once clients can ask.
async fn serve<E: Engine>(
    config: Config,
    store: Store,
    engine: E,
    ready: impl FnOnce(),
) -> Result<(), StewardError> {
    let (inbox, messages) = unbounded_channel::<Message>();
    let (edge_events, from_edge) = unbounded_channel();
    let engine = Arc::new(engine);
    let changes = engine.changes().unwrap_or_else(|| unbounded_channel().1);
    let listener = sockets::listen(&config.state).map_err(|source| StewardError::System {
        doing: "listening on a socket",
        subject: config.state.display().to_string(),
        source,
    })?;
    let rounds = Rounds::default();
    desk::open(listener, inbox.clone(), Arc::clone(&engine), rounds.clone());
    ready();
    let seed = config.folder.to_string_lossy().into_owned();
    let core = Core {
        tended: Tended::default(),
        product: None,
        engine,
        ledger: Ledger::new(store),
        edge: None,
        edge_events,
        edge_ports: None,
        addresses: Addresses::of(&seed),
        wardrobe: Wardrobe::default(),
        asker: Asker::start(inbox.clone()),
        asked: HashMap::new(),
        naps: Naps::default(),
        maker: Maker::new(&config, inbox.clone(), rounds),
        inbox,
        onlookers: Onlookers::default(),
        pending: Vec::new(),
        write_again: None,
        flush_at: None,
        look_again: None,
        notes: BTreeMap::new(),
        left: None,
        restored: false,
        force_builds: false,
        starting: HashMap::new(),
        config,
    };
    core.run(messages, changes, from_edge).await;
    Ok(())
}

/// Now, for whoever starts a steward.
pub fn now() -> Timestamp {
    clock::today()
}
