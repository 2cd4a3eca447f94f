//! Files that are sent.
#![allow(clippy::disallowed_methods, reason = "this is the door to files")]

use std::io;
use std::path::Path;
use tokio::io::AsyncReadExt;

/// What stands in a file, which may have so many bytes.
pub(crate) async fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let file = tokio::fs::File::open(path).await?;
    if file.metadata().await?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes).await?;
    match bytes.len() as u64 > largest {
        true => Err(io::Error::other(format!("it is larger than {largest} bytes"))),
        false => Ok(bytes),
    }
}
