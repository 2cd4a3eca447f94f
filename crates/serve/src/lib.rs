//! The daemon of a machine: all environments of its products, who may ask for what, and which steward answers.
//!
//! It owns nothing that runs. Each environment has a steward of its own, which lives in a process of its own with its own state,
//! ports and credentials; this one starts those that are missing and passes questions on to them. When it ends, everything goes
//! on without it. Whoever comes through its own socket is its owner and may do everything; whoever comes over TLS shows a token.

mod ask;
mod audit;
mod brake;
mod desk;
mod door;
mod exchange;
mod identity;
mod issuers;
mod listen;
mod pass;
mod proof;
mod stewards;
mod tokens;
mod trusts;
mod turns;

pub use identity::Files;
pub use stewards::Outside;

use audit::Audit;
use brake::Brake;
use desk::Desk;
use door::disk;
use http::StatusCode;
use identity::Identity;
use issuers::Issuers;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use stewards::Stewards;
use tokens::Tokens;
use tokio::net::TcpListener;
use towpath_api::{Pin, Problem};

/// The name of the socket in the folder of a machine.
pub const SOCKET: &str = "serve.socket";

const LOCK: &str = "serve.lock";
const TOKENS: &str = "tokens.json";
const LOG: &str = "serve.log";

/// What a machine has to know before anybody asks it for anything.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of everything that is on it: a folder a product.
    pub home: PathBuf,
    /// Where it listens for those who come from elsewhere.
    pub listen: Option<SocketAddr>,
    /// Its certificate, where it comes from elsewhere.
    pub files: Option<Files>,
    /// The version that it tells.
    pub version: &'static str,
}

/// Where a machine can be asked.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its own socket.
    pub socket: PathBuf,
    /// Where it listens for those who come from elsewhere.
    pub listen: Option<SocketAddr>,
    /// The key that it shows them.
    pub pin: Pin,
}

/// Why a machine cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another one does it already.
    #[error("another `towpath serve` looks after {}", .home.display())]
    Held {
        /// The folder.
        home: PathBuf,
    },
    /// Something of the system failed.
    #[error("{doing} {} failed", .subject.display())]
    System {
        /// What was being done.
        doing: &'static str,
        /// With what.
        subject: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An address cannot be listened on.
    #[error("{at} cannot be listened on")]
    Listen {
        /// The address.
        at: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A certificate cannot be shown.
    #[error("the certificate in {} cannot be shown: {why}", .file.display())]
    Certificate {
        /// Its file.
        file: PathBuf,
        /// Why.
        why: String,
    },
}

/// An error with everything behind it.
pub fn told(error: &ServeError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Serves a machine until it is to end. Calls `ready` once clients can ask. What runs goes on.
pub async fn serve(
    config: Config,
    outside: Arc<dyn Outside>,
    ready: impl FnOnce(&Open),
    ends: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let home = config.home.as_path();
    let failed = |doing, subject: &Path| {
        let subject = subject.to_path_buf();
        move |source| ServeError::System {
            doing,
            subject,
            source,
        }
    };
    disk::make_private_folder(home).map_err(failed("making", home))?;
    let lock = disk::hold(&home.join(LOCK)).map_err(failed("locking", &home.join(LOCK)))?;
    let Some(_held) = lock else {
        return Err(ServeError::Held {
            home: home.to_path_buf(),
        });
    };
    let tokens = home.join(TOKENS);
    let stewards = Stewards::new(home.to_path_buf(), Arc::clone(&outside));
    let desk = Arc::new(Desk {
        version: config.version,
        tokens: Tokens::open(tokens.clone()).map_err(failed("reading", &tokens))?,
        identity: Identity::open(home, config.files.clone(), config.listen)?,
        stewards: Arc::clone(&stewards),
        outside,
        brake: Brake::default(),
        issuers: Issuers::default(),
        refused: Mutex::new(exchange::told_at_most()),
        audit: Arc::new(Audit::new(home.join(LOG))),
    });
    let afar = match config.listen {
        Some(at) => Some(
            TcpListener::bind(at)
                .await
                .map_err(|source| ServeError::Listen { at, source })?,
        ),
        None => None,
    };
    let socket = home.join(SOCKET);
    let here = disk::listen(home, SOCKET).map_err(failed("listening on", &socket))?;
    stewards.begin();
    ready(&Open {
        socket,
        listen: afar.as_ref().and_then(|listener| listener.local_addr().ok()),
        pin: desk.identity.pin(),
    });
    let here = listen::here(Arc::clone(&desk), here);
    let afar = async {
        match afar {
            Some(listener) => listen::afar(Arc::clone(&desk), listener).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = here => {}
        () = afar => {}
        () = ends => {}
    }
    Ok(())
}

/// Why somebody does not get what they ask for.
pub(crate) fn problem(status: StatusCode, code: &str, message: &str, hint: Option<&str>) -> Box<Problem> {
    Box::new(Problem {
        status: status.as_u16(),
        code: code.to_owned(),
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    })
}
