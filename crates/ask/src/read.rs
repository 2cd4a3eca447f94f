//! Reading a report: no more of it than a report has, and not the one of the last time.

use crate::door::files::{self, Kind, Stamp};
use std::path::Path;
use towpath_decide::gate::report::{MOST, Unread};

/// File systems stamp files by a clock that is a little behind the one that we read: some milliseconds, on some disks a
/// second. A report that is older than the run of its command by more than this is from before.
const BEHIND: i64 = 1_000_000_000;

/// What stood there before the command was run that is to write it.
pub(crate) struct Before {
    /// The file itself, where there was one.
    pub(crate) stamp: Option<Stamp>,
    /// When the command was started, in nanoseconds.
    pub(crate) began: i64,
}

/// The bytes of a report, or why there are none. With `before` it has to have been written since.
pub(crate) fn read(path: &Path, before: Option<&Before>) -> Result<Vec<u8>, Unread> {
    let stamp = files::stamp(path).ok_or(Unread::Missing)?;
    match stamp.kind {
        Kind::File => {}
        Kind::Folder => return Err(Unread::NoFile("a folder".to_owned())),
        Kind::Other => return Err(Unread::NoFile("a device or a pipe".to_owned())),
    }
    if let Some(before) = before
        && (before.stamp == Some(stamp) || stamp.modified < before.began.saturating_sub(BEHIND))
    {
        return Err(Unread::Stale(String::new()));
    }
    if stamp.size > MOST {
        return Err(Unread::TooLarge(stamp.size));
    }
    let bytes = files::read(path, MOST).map_err(|error| Unread::Refused(error.to_string()))?;
    match bytes.len() as u64 {
        size if size > MOST => Err(Unread::TooLarge(size)),
        _ => Ok(bytes),
    }
}
