//! What a program is told by its environment variables.

use std::env;
use std::path::PathBuf;

/// A variable that has to be there.
pub(crate) fn needed(name: &str) -> Result<String, String> {
    match env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(format!(
            "{name} is not set; `towpath up` sets it as towpath.toml says"
        )),
    }
}

/// The port to listen on.
pub(crate) fn port() -> Result<u16, String> {
    let text = needed("PORT")?;
    text.parse()
        .map_err(|_| format!("PORT is `{text}`, which is no port"))
}

/// The folder in which the canal is kept between two starts.
pub(crate) fn state_folder() -> Result<PathBuf, String> {
    needed("STATE").map(PathBuf::from)
}

/// How much faster than usual everything goes: 1 where nothing is said.
pub(crate) fn pace() -> Result<u64, String> {
    match env::var("PACE") {
        Err(_) => Ok(1),
        Ok(text) => match text.parse() {
            Ok(pace @ 1..=20) => Ok(pace),
            _ => Err(format!(
                "PACE is `{text}`; a whole number from 1 to 20 is expected"
            )),
        },
    }
}
