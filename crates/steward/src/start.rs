//! Starting: everything that the core needs, side by side where it can be.

use crate::addresses::Addresses;
use crate::artifacts::ARTIFACTS;
use crate::ask::Asker;
use crate::core::{Core, Message};
use crate::credentials::Credentials;
use crate::door::{clock, sockets};
use crate::dress::{RESOURCES, Wardrobe};
use crate::errors::StewardError;
use crate::front::Front;
use crate::idle::Presence;
use crate::keep::Ledger;
use crate::make::{Maker, Rounds};
use crate::probe::Probes;
use crate::serve as desk;
use crate::sleep::Naps;
use crate::tell::Onlookers;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use towpath_api::{LogArgs, LogLine};
use towpath_decide::maintenance::Closed;
use towpath_decide::tend::Tended;
use towpath_edge::EdgeError;
use towpath_edge::apart::{self, End, Remote};
use towpath_engine::Engine;
use towpath_engine::process::{self, Process};
use towpath_keeper::give_back_memory;
use towpath_model::run::Seen;
use towpath_store::{Artifacts, Keys, Store, StoreError, Vault};

/// How long one that was killed may hold the store: the system closes one file after the other.
const LAST_BREATH: std::time::Duration = std::time::Duration::from_secs(1);

/// How soon it is tried again.
const MOMENT: std::time::Duration = std::time::Duration::from_millis(5);

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
    /// What seals secrets.
    pub keys: Keys,
    /// How long it stays with nothing to look after, when nobody asks for anything.
    pub patience: Duration,
}

/// The file in the state folder with a line a request; what is older stands in one with `.1` behind its name.
pub const REQUESTS: &str = "requests.log";

/// The key of the edge, in the state folder.
pub(crate) const EDGE_KEY: &str = "edge.key";

/// Looks after a product whose instances are processes of this machine.
pub async fn serve_processes(config: Config, ready: impl FnOnce()) -> Result<(), StewardError> {
    // Whoever holds the lock of the store is the only one who starts anything here. That there is somebody who would start
    // it harms nobody, so that one is made ready meanwhile.
    let opening = {
        let (state, program, name) = (config.state.clone(), config.program.clone(), group(&config));
        tokio::task::spawn_blocking(move || Process::open(&state, program, &name))
    };
    // So is whoever answers visitors: one that was started and is never asked for anything ends with us.
    let (edge_events, from_edge) = unbounded_channel();
    let front = {
        let (config, events) = (config.clone(), edge_events.clone());
        tokio::spawn(async move { Front::open(&config, events).await })
    };
    let store = opened(&config).await;
    let engine = opening.await.map_err(|error| StewardError::System {
        doing: "making ready to start something",
        subject: config.state.display().to_string(),
        source: std::io::Error::other(error),
    })?;
    match store {
        Ok(store) => serve(config, store, engine?, (front, from_edge), ready).await,
        Err(refusal) => {
            // The groups that it would take away are those of whoever holds the lock.
            std::mem::forget(engine);
            Err(refusal.into())
        }
    }
}

/// Opens the store. One that dies holds it for a moment longer than it answers.
async fn opened(config: &Config) -> Result<Store, StoreError> {
    let until = clock::now() + LAST_BREATH;
    loop {
        match Store::open(&config.state, config.since).await {
            Err(StoreError::Held { .. }) if clock::now() < until => tokio::time::sleep(MOMENT).await,
            opened => return opened,
        }
    }
}

/// What runs in a state folder, whoever looks after it, or nobody. Who looks changes nothing.
pub async fn observe(config: &Config) -> Result<Vec<Seen>, StewardError> {
    Ok(process::look(&config.state).await?)
}

/// What was said in a state folder, where nobody looks after it who could be asked.
pub async fn logs(config: &Config, args: LogArgs) -> Result<Receiver<LogLine>, StewardError> {
    Ok(desk::told_lines(process::said(&config.state, desk::query(args))?))
}

/// The name of the group of everything that runs here. Two products of one name may lie in two folders.
fn group(config: &Config) -> String {
    let digest = blake3::hash(config.state.as_os_str().as_encoded_bytes()).to_hex();
    format!("{}-{}", config.environment, &digest[..8])
}

/// What instances are dressed with, before anything is wanted.
fn wardrobe(config: &Config) -> Wardrobe {
    Wardrobe {
        program: config.program.clone(),
        resources: config.state.join(RESOURCES),
        ..Wardrobe::default()
    }
}

/// Where clients ask.
fn listener(config: &Config) -> Result<tokio::net::UnixListener, StewardError> {
    sockets::listen(&config.state).map_err(|source| failed("listening on a socket", config, source))
}

/// What releases are made of, and the secrets that they are started with.
fn kept(config: &Config, store: &Arc<Store>) -> (Artifacts, Arc<Vault>) {
    let vault = Vault::new(store, &config.environment, config.keys.clone());
    (Artifacts::open(&config.state.join(ARTIFACTS)), Arc::new(vault))
}

/// Looks after a product until it is down. Calls `ready` once clients can ask.
async fn serve<E: Engine>(
    config: Config,
    store: Store,
    engine: E,
    (front, from_edge): (
        JoinHandle<Result<Front, EdgeError>>,
        UnboundedReceiver<towpath_edge::Event>,
    ),
    ready: impl FnOnce(),
) -> Result<(), StewardError> {
    let (inbox, messages) = unbounded_channel::<Message>();
    let engine = Arc::new(engine);
    let changes = engine.changes().unwrap_or_else(|| unbounded_channel().1);
    let listener = listener(&config)?;
    tell_when_gone(&config.state, inbox.clone());
    let rounds = Rounds::default();
    let store = Arc::new(store);
    let presence = Presence::new();
    let (artifacts, vault) = kept(&config, &store);
    desk::open(
        listener,
        inbox.clone(),
        Arc::clone(&engine),
        artifacts.clone(),
        Arc::clone(&vault),
        rounds.clone(),
        Arc::clone(&presence),
    );
    ready();
    let front = front
        .await
        .map_err(|error| failed("starting the edge", &config, std::io::Error::other(error)))??;
    let core = Core {
        tended: Tended::default(),
        product: None,
        helm: None,
        artifacts,
        vault,
        engine,
        ledger: Ledger::new(store),
        edge: None,
        front,
        lagging: BTreeSet::new(),
        credentials: Credentials::default(),
        edge_ports: None,
        listen: None,
        addresses: Addresses::of(&config.folder.to_string_lossy()),
        wardrobe: wardrobe(&config),
        asker: Asker::start(inbox.clone()),
        asked: HashMap::new(),
        naps: Naps::default(),
        probes: Probes::default(),
        maker: Maker::new(&config, inbox.clone(), rounds),
        inbox,
        onlookers: Onlookers::default(),
        pending: Vec::new(),
        write_again: None,
        flush_at: None,
        look_again: None,
        notes: BTreeMap::new(),
        left: None,
        observed: None,
        presence,
        restored: false,
        from_nothing: false,
        vanished: false,
        force_builds: false,
        closed: Closed::default(),
        signed_out: BTreeMap::new(),
        attics: BTreeMap::new(),
        untidy: false,
        starting: HashMap::new(),
        config,
    };
    let folder = core.config.state.clone();
    if core.run(messages, changes, from_edge).await {
        return Err(StewardError::Vanished(folder));
    }
    Ok(())
}

fn failed(doing: &'static str, config: &Config, source: std::io::Error) -> StewardError {
    StewardError::System {
        doing,
        subject: config.state.display().to_string(),
        source,
    }
}

/// Says when the folder of the state has gone.
fn tell_when_gone(state: &Path, inbox: UnboundedSender<Message>) {
    // Where the system does not tell, it is as it was for those who look.
    if let Ok(gone) = sockets::gone(state) {
        tokio::spawn(async move {
            gone.await;
            // That nobody hears it means that we are ending.
            let _ = inbox.send(Message::Vanished);
        });
    }
}

/// Whether an edge is there, whoever looks after it, or nobody.
pub async fn edge_is_there(config: &Config) -> bool {
    Remote::is_there(&config.state).await
}

/// Is the edge of a state folder. A steward starts it.
pub async fn serve_edge(state: &Path) -> Result<End, StewardError> {
    apart::serve(state, give_back_memory)
        .await
        .map_err(|source| StewardError::System {
            doing: "being the edge",
            subject: state.display().to_string(),
            source,
        })
}

/// Now, for whoever starts a steward.
pub fn now() -> Timestamp {
    clock::today()
}
