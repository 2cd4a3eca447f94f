//! The log of an instance: what it writes becomes records, and nothing that could not be written is lost in silence.

use crate::door::clock;
use crate::door::log::LogFile;
use crate::lines::{Cutter, Record, Source};
use std::io;

/// A log is rotated when it is as long as this; one older file is kept. Twice this an instance is a day of a chatty one.
pub const ROTATED_AT: u64 = 8 * 1024 * 1024;
/// So many logs of a component's instances are kept besides those of living ones.
pub const KEPT_LOGS: usize = 10;
/// The beginning of a line is written after this time although its end has not come: a question waits for its answer there.
pub(crate) const PATIENCE: u64 = 200;
/// How often a log that could not be written is tried again while nothing is written to it.
pub(crate) const TRY_AGAIN: u64 = 1000;

/// The log of one instance.
#[derive(Debug)]
pub(crate) struct Logbook {
    file: LogFile,
    out: Begun,
    err: Begun,
    lost: Option<Lost>,
}

/// What was written to one stream, and the line in it that has no end yet.
#[derive(Debug, Default)]
struct Begun {
    cutter: Cutter,
    /// When the beginning of that line was read.
    since: Option<u64>,
}

impl Begun {
    fn feed(&mut self, bytes: &[u8], batch: &mut Batch, source: Source) {
        let before = batch.lines;
        self.cutter.feed(bytes, |line| batch.add(source, line));
        // Each line has its own time: one that has just begun is not as old as those before it.
        let is_another = batch.lines > before || self.since.is_none();
        if !self.cutter.is_begun() {
            self.since = None;
        } else if is_another {
            self.since = Some(clock::moment());
        }
    }

    fn flush(&mut self, batch: &mut Batch, source: Source) {
        self.cutter.flush(|line| batch.add(source, line));
        self.since = None;
    }

    fn due(&self) -> Option<u64> {
        self.since.map(|since| since + PATIENCE)
    }
}

/// Lines that could not be written.
#[derive(Debug)]
struct Lost {
    lines: u64,
    because: String,
    next_try: u64,
}

impl Logbook {
    pub(crate) fn new(file: LogFile) -> Self {
        Logbook {
            file,
            out: Begun::default(),
            err: Begun::default(),
            lost: None,
        }
    }

    /// Takes what the instance has written.
    pub(crate) fn take(&mut self, source: Source, bytes: &[u8]) {
        let mut batch = Batch::new();
        let stream = match source {
            Source::Err => &mut self.err,
            Source::Out | Source::Keeper => &mut self.out,
        };
        stream.feed(bytes, &mut batch, source);
        self.write(&batch);
    }

    /// Says something about the instance, after everything that it has written.
    pub(crate) fn say(&mut self, text: &str) {
        let mut batch = self.flushed();
        for line in text.lines() {
            batch.add(Source::Keeper, line.as_bytes());
        }
        self.write(&batch);
    }

    /// When it has to be looked at again.
    pub(crate) fn next_moment(&self) -> Option<u64> {
        let retry = self.lost.as_ref().map(|lost| lost.next_try);
        [self.out.due(), self.err.due(), retry]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what has become due.
    pub(crate) fn tick(&mut self, moment: u64) {
        let is_due = |due: Option<u64>| due.is_some_and(|due| due <= moment);
        let mut batch = Batch::new();
        if is_due(self.out.due()) {
            self.out.flush(&mut batch, Source::Out);
        }
        if is_due(self.err.due()) {
            self.err.flush(&mut batch, Source::Err);
        }
        if batch.lines > 0 || is_due(self.lost.as_ref().map(|lost| lost.next_try)) {
            self.write(&batch);
        }
    }

    fn flushed(&mut self) -> Batch {
        let mut batch = Batch::new();
        self.out.flush(&mut batch, Source::Out);
        self.err.flush(&mut batch, Source::Err);
        batch
    }

    /// Writes records, behind a word about those that were lost before them.
    fn write(&mut self, batch: &Batch) {
        let mut bytes = Vec::new();
        if let Some(lost) = &self.lost {
            let text = match lost.lines {
                1 => format!("1 line was lost: {}", lost.because),
                many => format!("{many} lines were lost: {}", lost.because),
            };
            record(Source::Keeper, text.as_bytes(), &mut bytes);
        } else if batch.bytes.is_empty() {
            return;
        }
        bytes.extend_from_slice(&batch.bytes);
        match self.file.append(&bytes, ROTATED_AT) {
            Ok(()) => self.lost = None,
            Err(error) => self.lose(batch.lines, &error),
        }
    }

    fn lose(&mut self, lines: u64, error: &io::Error) {
        let before = self.lost.as_ref().map_or(0, |lost| lost.lines);
        self.lost = Some(Lost {
            lines: before + lines,
            because: spoken(error),
            next_try: clock::moment() + TRY_AGAIN,
        });
    }
}

/// Why nothing can be written, in words.
fn spoken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the quota of the disk is used up".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk cannot be written".to_owned(),
        _ => error.to_string(),
    }
}

/// Records that are written together.
struct Batch {
    bytes: Vec<u8>,
    lines: u64,
}

impl Batch {
    fn new() -> Self {
        Batch {
            bytes: Vec::new(),
            lines: 0,
        }
    }

    fn add(&mut self, source: Source, line: &[u8]) {
        record(source, line, &mut self.bytes);
        self.lines += 1;
    }
}

fn record(source: Source, text: &[u8], to: &mut Vec<u8>) {
    Record {
        at: clock::now(),
        source,
        text,
    }
    .write(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_old_as_its_own_beginning() {
        let mut begun = Begun::default();
        let mut batch = Batch::new();
        begun.feed(b"first\nsecond is cu", &mut batch, Source::Out);
        begun.since = Some(0);
        begun.feed(b"t\nand so is the thi", &mut batch, Source::Out);
        assert!(begun.since > Some(0), "the third line has only just begun");
        begun.since = Some(0);
        begun.feed(b"rd", &mut batch, Source::Out);
        assert_eq!(begun.since, Some(0), "it is still the same line");
        begun.feed(b"\n", &mut batch, Source::Out);
        assert_eq!((begun.due(), batch.lines), (None, 3));
    }
}
