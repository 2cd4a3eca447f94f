//! The local certificate authority, and the certificates that it signs.
//!
//! A root is made once and kept in a folder of its owner; all products on the machine share it, so that it is trusted once.
//! It may sign names below `localhost` and addresses of this machine and nothing else: whoever steals its key can pretend
//! to be nobody but this machine. Certificates are made when a name is first asked for, all with one key that lives as long
//! as the process, and made anew before they end.

mod leaf;
pub(crate) mod root;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;

use crate::EdgeError;

/// The name of the root.
const NAME: &str = "Towpath local authority";

/// The local certificate authority.
pub(crate) struct Authority {
    leaves: leaf::Leaves,
}

impl Authority {
    /// Opens the authority in a folder, and makes it where there is none.
    pub(crate) fn open(folder: &Path) -> Result<Authority, EdgeError> {
        let unusable = |why: String| EdgeError::Authority {
            folder: folder.display().to_string(),
            why,
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let root = root::open(folder, NAME, &provider).map_err(unusable)?;
        Ok(Authority {
            leaves: leaf::Leaves::new(root.issuer, provider),
        })
    }

    /// The file with the certificate of the root.
    pub(crate) fn certificate(folder: &Path) -> PathBuf {
        folder.join(root::CERTIFICATE)
    }

    /// The certificate of a name of this machine; that of the machine itself where nobody has named one.
    pub(crate) fn of(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        self.leaves.of(name)
    }
}
