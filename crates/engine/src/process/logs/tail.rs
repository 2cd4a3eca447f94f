//! One log that is read line by line, and several that are read as one, by time.

use super::door::LogFile;
use crate::{LogLine, Stream};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use towpath_keeper::{Layout, Record, Source};
use towpath_model::run::InstanceId;

/// How often a log is opened again that is rotated just then: it takes megabytes to come so far.
const TRIES: usize = 5;

/// A log, with what was read of it and not handed out.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) id: InstanceId,
    file: LogFile,
    bytes: Vec<u8>,
    /// How much of the bytes was handed out.
    done: usize,
}

impl Tail {
    /// Opens the log of an instance, the older part of it first, each at its beginning or where its last lines begin. A
    /// log that is rotated just then is opened again, so that no part is missed.
    pub(super) fn both_parts(layout: &Layout, id: &InstanceId, last: Option<usize>) -> Vec<Tail> {
        let (newer_path, older_path) = (layout.log(id), layout.older_log(id));
        let mut parts = Vec::new();
        for _ in 0..TRIES {
            let older = Tail::open(id, &older_path, last);
            let newer = Tail::open(id, &newer_path, last);
            let is_rotated = match &older {
                Some(older) => older.file.is_replaced(&older_path),
                None => LogFile::open(&older_path).is_some(),
            };
            parts = older.into_iter().chain(newer).collect();
            if !is_rotated {
                break;
            }
        }
        parts
    }

    fn open(id: &InstanceId, path: &Path, last: Option<usize>) -> Option<Self> {
        let mut file = LogFile::open(path)?;
        if let Some(last) = last {
            file.skip_to_last(last).ok()?;
        }
        Some(Tail {
            id: id.clone(),
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

    /// What was written after this one was rotated. It may have happened twice since: then the older part is not this one.
    pub(super) fn successors(&self, layout: &Layout) -> Vec<Tail> {
        if !self.file.is_replaced(&layout.log(&self.id)) {
            return Vec::new();
        }
        let mut parts = Tail::both_parts(layout, &self.id, None);
        parts.retain(|part| !part.file.is_same(&self.file));
        parts
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
