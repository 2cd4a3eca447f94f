//! Reports: from the bytes of a file, or the end of a command, to what a gate has found.
//!
//! **Nothing that cannot be read is a pass.** A report that is missing, empty, cut off, too large, too old, nested without
//! end, in another encoding or of another format fails its gate, with the name of the file, the place in it (a line and a
//! column, or a JSON pointer) and what to do. A report that can be read and says nothing about the question (no test in it,
//! no scan, no request) fails it as well: that nothing was found wrong shows something only where something was looked at.
//!
//! **How much is read.** At most `MOST` bytes, into memory, by whoever reads the file; nesting ends at `DEEPEST`, and a
//! document type of XML is refused, since entities are all that it is good for here and they can be bombs.
//!
//! **What a plain number means** depends on what it is held against, and is said here once: against a duration it counts
//! milliseconds, against a size bytes, against a share it is a part of one (`0.05` is 5 %), against money it is of that
//! currency. A number with its unit (`"1.2s"`, `"340us"`, `"5%"`) means what it says. Reports of tools that are known to
//! measure in something else (`oha` in seconds, `vegeta` in nanoseconds) are read as they are meant.

mod command;
mod dig;
mod junit;
mod load;
mod number;
mod outcome;
mod performance;
mod sarif;
mod size;
mod text;
mod xml;

#[cfg(test)]
pub(super) mod tests;

pub use command::command;
pub use junit::junit;
pub use load::load;
pub use outcome::{Ended, Unread, goes_no_further, stopped, unread};
pub use performance::performance;
pub use sarif::sarif;
pub use size::{size, weight};

/// The most bytes of a report that are read. GitHub takes 10 MB of packed SARIF, ten thousand tests are a few megabytes of
/// JUnit, and a document of JSON takes up to ten times its size in memory: what is larger is no summary any more.
pub const MOST: u64 = 32 * 1024 * 1024;

/// How deeply a report may be nested. Suites of suites are seldom five deep; `serde_json` stops at the same depth.
const DEEPEST: usize = 128;

/// So many names, or sentences, stand in an answer; how many more there are is said.
const NAMED: usize = 10;

/// A report as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// Its path, as the manifest has it.
    pub file: &'a str,
    /// What stands in it: no more than `MOST` bytes.
    pub bytes: &'a [u8],
}
