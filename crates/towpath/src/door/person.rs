//! The person who has started us: their environment, and what no two of them have alike.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the door to the environment and to chance"
)]

use super::files::refused;
use crate::failure::Failure;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// The environment that we were started in. What is no text in it is left out: no variable of ours could hold it.
pub(crate) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What the person is called here.
pub(crate) fn name() -> String {
    let named = ["USER", "LOGNAME"].into_iter();
    let mut named = named.filter_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let number = || format!("user {}", rustix::process::getuid().as_raw());
    named.next().unwrap_or_else(number)
}

/// The file with the passphrase that secrets are sealed by, where somebody has named one, or the system hands one over.
pub(crate) fn passphrase_file() -> Option<PathBuf> {
    let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(named) = said("TOWPATH_PASSPHRASE_FILE") {
        return Some(PathBuf::from(named));
    }
    let handed = PathBuf::from(said("CREDENTIALS_DIRECTORY")?).join("towpath-passphrase");
    super::files::exists(&handed).then_some(handed)
}

/// Bytes that nobody can guess.
pub(crate) fn chance() -> Result<[u8; 32], Failure> {
    const SOURCE: &str = "/dev/urandom";
    let mut bytes = [0; 32];
    File::open(SOURCE)
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|error| refused(SOURCE, "read", &error))?;
    Ok(bytes)
}
