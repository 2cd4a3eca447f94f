//! One log that is read line by line, and several that are read as one, by time.

use super::door::LogFile;
use crate::{LogLine, Stream};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use towpath_keeper::{Record, Source};
use towpath_model::run::InstanceId;

/// A log, with what was read of it and not handed out.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) id: InstanceId,
    path: PathBuf,
    file: LogFile,
    bytes: Vec<u8>,
    /// How much of the bytes was handed out.
    done: usize,
}

impl Tail {
    /// Opens a log at its beginning, or where its last lines begin. It may have gone meanwhile.
    pub(super) fn open(id: InstanceId, path: PathBuf, last: Option<usize>) -> Option<Self> {
        let mut file = LogFile::open(&path)?;
        if let Some(last) = last {
            file.skip_to_last(last).ok()?;
        }
        Some(Tail {
            id,
            path,
            file,
            bytes: Vec::new(),
            done: 0,
        })
    }

    /// The next line that is whole by now. What is no record was cut by a crash, and is left out.
    pub(super) fn next(&mut self) -> Option<LogLine> {
        let mut looked_at = self.done;
        loop {
            if let Some(end) = self.bytes[looked_at..].iter().position(|byte| *byte == b'\n') {
                let end = looked_at + end;
                let line = Record::read(&self.bytes[self.done..end]).map(|record| told(&self.id, &record));
                self.done = end + 1;
                looked_at = self.done;
                if line.is_some() {
                    return line;
                }
                continue;
            }
            self.bytes.drain(..self.done);
            self.done = 0;
            looked_at = self.bytes.len();
            if !self.file.read(&mut self.bytes) {
                // Nothing is kept for a log that waits: there may be thousands.
                self.bytes.shrink_to_fit();
                return None;
            }
        }
    }

    /// The log that stands in the place of this one, where this was rotated and read to its end.
    pub(super) fn successor(&self) -> Option<Tail> {
        if !self.file.is_replaced(&self.path) {
            return None;
        }
        Tail::open(self.id.clone(), self.path.clone(), None)
    }
}

fn told(id: &InstanceId, record: &Record<'_>) -> LogLine {
    LogLine {
        at: record.at,
        id: id.clone(),
        stream: match record.source {
            Source::Out => Stream::Out,
            Source::Err => Stream::Err,
            Source::Keeper => Stream::Engine,
        },
        text: String::from_utf8_lossy(record.text).into_owned(),
    }
}

/// Hands out the lines of several logs in the order of their times, as far as they go; whether to the end.
pub(super) fn merge(tails: &mut [Tail], hand_out: &mut dyn FnMut(LogLine) -> bool) -> bool {
    let mut next: Vec<Option<LogLine>> = tails.iter_mut().map(Tail::next).collect();
    let mut heads: BinaryHeap<_> = next
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some(Reverse((line.as_ref()?.at, at))))
        .collect();
    while let Some(Reverse((_, at))) = heads.pop() {
        if let Some(line) = next[at].take()
            && !hand_out(line)
        {
            return false;
        }
        next[at] = tails[at].next();
        if let Some(line) = &next[at] {
            heads.push(Reverse((line.at, at)));
        }
    }
    true
}
