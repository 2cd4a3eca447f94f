//! When the authority is opened: by the first visitor that wants an encrypted connection.
//!
//! Reading keys and making the provider ready takes longer than everything else that the edge begins with, and whoever only
//! speaks plain HTTP never needs it. Where there is no authority yet it is made at once: a person is told where its
//! certificate lies.

use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;
use tokio_rustls::TlsAcceptor;

use crate::EdgeError;
use crate::authority::Authority;
use crate::door::disk;

/// What answers handshakes, once somebody has asked for it.
pub(crate) struct Trust {
    folder: PathBuf,
    acceptor: OnceCell<TlsAcceptor>,
}

impl Trust {
    /// The trust of an authority in a folder.
    pub(crate) async fn of(folder: PathBuf) -> Result<Trust, EdgeError> {
        let trust = Trust {
            folder,
            acceptor: OnceCell::new(),
        };
        if disk::is_missing(&trust.certificate()) {
            trust.acceptor().await?;
        }
        Ok(trust)
    }

    /// The file with the certificate of the root.
    pub(crate) fn certificate(&self) -> PathBuf {
        Authority::certificate(Path::new(&self.folder))
    }

    /// What answers handshakes. Where it cannot be had it is tried again by the next one who asks: a person may have seen to
    /// it meanwhile.
    pub(crate) async fn acceptor(&self) -> Result<&TlsAcceptor, EdgeError> {
        let open = async || {
            let folder = self.folder.clone();
            let opened =
                tokio::task::spawn_blocking(move || Authority::open(&folder).map(Authority::acceptor));
            opened.await.map_err(|error| EdgeError::System {
                doing: "opening the authority",
                source: std::io::Error::other(error),
            })?
        };
        self.acceptor.get_or_try_init(open).await
    }
}
