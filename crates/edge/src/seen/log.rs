//! The log of requests: which of them get a line, and how lines come to the disk without a request waiting for it.
//!
//! Requests that failed, broke off or were slow always get one. Of the others a share does, and no more than so many a second:
//! under load a line for each would cost more than the request, and tell nothing that counts do not. Lines are handed to one
//! task; where that does not keep up they are lost, and that is counted and said in the log.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::line::{Ended, Line, time};
use super::snapshot::Lines;
use crate::door::clock;
use crate::door::lines::LinesFile;

/// So many lines wait for the disk; all of them together have some megabytes.
const WAITING: usize = 4_096;
/// So many are written in one go.
const TOGETHER: usize = 512;
/// How long the first of them waits for others: opening the file and asking for its lock costs more than a line.
const GATHERS: Duration = Duration::from_millis(100);
/// How long the end waits for what has not been written.
const LAST: Duration = Duration::from_millis(500);

/// A log of requests that is to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestLog {
    /// The file. An older part of it is kept beside it, with `.1` behind its name.
    pub path: PathBuf,
    /// Of requests in which nothing is odd this share is written, from 0 to 1. Those of one trace are, or are not, together.
    pub share: f64,
    /// And of them no more than so many a second.
    pub most: u32,
    /// Requests that take so long are always written.
    pub slow: Duration,
    /// Addresses of visitors are written as a whole, and not only the network that they are from.
    pub whole_addresses: bool,
}

impl RequestLog {
    /// A log at this path, as one wants it who has not said otherwise.
    pub fn at(path: PathBuf) -> RequestLog {
        RequestLog {
            path,
            share: 1.0,
            most: 200,
            slow: Duration::from_secs(1),
            whole_addresses: false,
        }
    }
}

/// The log of requests, for those who write to it.
#[derive(Debug, Clone)]
pub(crate) struct Log(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    share: f64,
    most: u64,
    slow: Duration,
    to: mpsc::Sender<Message>,
    /// The second, and how many lines without anything odd have been taken in it.
    second: AtomicU64,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    passed_over: AtomicU64,
    lost: AtomicU64,
    /// Why the last lines could not be written.
    because: Mutex<Option<String>>,
}

enum Message {
    Line(Box<Line>),
    /// Everything before this has been written when it is answered.
    Written(oneshot::Sender<()>),
}

impl Log {
    pub(crate) fn begin(kept: RequestLog) -> Log {
        let (to, lines) = mpsc::channel(WAITING);
        let counts = Arc::<Counts>::default();
        let writer = Writer {
            file: LinesFile::new(kept.path),
            whole_addresses: kept.whole_addresses,
            counts: Arc::clone(&counts),
            told: 0,
        };
        tokio::spawn(writer.write_all(lines));
        Log(Arc::new(Kept {
            share: kept.share,
            most: u64::from(kept.most),
            slow: kept.slow,
            to,
            second: AtomicU64::new(0),
            counts,
        }))
    }

    /// Whether a request gets a line.
    pub(crate) fn wants(&self, ended: &Ended, trace: u128) -> bool {
        let wants = ended.is_odd(self.0.slow)
            || (is_in_share(self.0.share, trace) && self.has_room(clock::millis() / 1_000));
        if !wants {
            self.0.counts.passed_over.fetch_add(1, Ordering::Relaxed);
        }
        wants
    }

    /// Whether one more line may be taken in this second. Two that ask at its very beginning may both be its first.
    fn has_room(&self, now: u64) -> bool {
        let packed = self.0.second.load(Ordering::Relaxed);
        if packed >> 32 != now {
            self.0.second.store(now << 32 | 1, Ordering::Relaxed);
            return self.0.most > 0;
        }
        packed & 0xFFFF_FFFF < self.0.most
            && self.0.second.fetch_add(1, Ordering::Relaxed) & 0xFFFF_FFFF < self.0.most
    }

    /// Hands over a line. Where too many wait for the disk it is lost.
    pub(crate) fn take(&self, line: Box<Line>) {
        if self.0.to.try_send(Message::Line(line)).is_err() {
            self.0.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything has been written, and not for long.
    pub(crate) async fn is_written(&self) {
        let (written, is_written) = oneshot::channel();
        let _ = timeout(LAST, async {
            if self.0.to.send(Message::Written(written)).await.is_ok() {
                let _ = is_written.await;
            }
        })
        .await;
    }

    pub(crate) fn lines(&self) -> Lines {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &self.0.counts;
        Lines {
            written: read(&counts.written),
            passed_over: read(&counts.passed_over),
            lost: read(&counts.lost),
            because: counts
                .because
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}

/// Whether a trace belongs to a share of all traces: its last part is as good as random.
pub(super) fn is_in_share(share: f64, trace: u128) -> bool {
    share >= 1.0 || ((trace as u64) as f64) < share * u64::MAX as f64
}

/// Takes what comes within a moment, unless somebody waits until everything has been written.
async fn gather(messages: &mut Vec<Message>, lines: &mut mpsc::Receiver<Message>) {
    let waits = |messages: &[Message]| messages.iter().any(|one| matches!(one, Message::Written(_)));
    let mut over = pin!(sleep(GATHERS));
    let mut seen = 0;
    while messages.len() < TOGETHER && !waits(&messages[seen..]) {
        seen = messages.len();
        let room = TOGETHER - seen;
        tokio::select! {
            more = lines.recv_many(messages, room) => if more == 0 { return },
            () = over.as_mut() => return,
        }
    }
}

/// Who writes lines.
struct Writer {
    file: LinesFile,
    whole_addresses: bool,
    counts: Arc<Counts>,
    /// How many of the lost lines have been told of in the log.
    told: u64,
}

impl Writer {
    /// Writes until nobody can send any more.
    async fn write_all(mut self, mut lines: mpsc::Receiver<Message>) {
        let mut messages = Vec::new();
        while lines.recv_many(&mut messages, TOGETHER).await > 0 {
            gather(&mut messages, &mut lines).await;
            let batch = std::mem::take(&mut messages);
            let job = tokio::task::spawn_blocking(move || {
                self.write(batch);
                self
            });
            match job.await {
                Ok(writer) => self = writer,
                Err(_) => return,
            }
        }
    }

    fn write(&mut self, batch: Vec<Message>) {
        let mut bytes = Vec::new();
        let mut count = 0;
        let mut waiting = Vec::new();
        let lost = self.counts.lost.load(Ordering::Relaxed);
        if lost > self.told {
            self.tell(lost - self.told, &mut bytes);
        }
        for message in batch {
            match message {
                Message::Line(line) => {
                    line.write(self.whole_addresses, &mut bytes);
                    count += 1;
                }
                Message::Written(written) => waiting.push(written),
            }
        }
        match self.file.append(&bytes) {
            Ok(()) => {
                self.counts.written.fetch_add(count, Ordering::Relaxed);
                self.told = lost;
                *self.because() = None;
            }
            Err(error) => {
                self.counts.lost.fetch_add(count, Ordering::Relaxed);
                *self.because() = Some(error.to_string());
            }
        }
        for written in waiting {
            let _ = written.send(());
        }
    }

    fn because(&self) -> MutexGuard<'_, Option<String>> {
        self.counts.because.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says in the log itself what is missing from it.
    fn tell(&self, lost: u64, to: &mut Vec<u8>) {
        let because = self.because().clone();
        let because = because.as_deref().unwrap_or("more came than could be written");
        let told = serde_json::json!({
            "time": time(clock::since_epoch()),
            "lost": lost,
            "because": because,
        });
        if serde_json::to_writer(&mut *to, &told).is_ok() {
            to.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(most: u32) -> Log {
        let mut kept = RequestLog::at(PathBuf::from("never-written"));
        kept.most = most;
        Log::begin(kept)
    }

    #[tokio::test]
    async fn of_ordinary_requests_so_many_a_second_are_written() {
        let log = log(3);
        let room = |now| (0..10).filter(|_| log.has_room(now)).count();
        assert_eq!([room(1), room(1), room(2)], [3, 0, 3]);
        assert!(!super::tests::log(0).has_room(1));
    }

    #[test]
    fn a_share_takes_about_that_many_traces_and_each_always_or_never() {
        let traces = (0..10_000_u64).map(|turn| u128::from(turn.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let taken = traces.filter(|trace| is_in_share(0.25, *trace)).count();
        assert!((2_300..2_700).contains(&taken), "{taken}");
        assert!(is_in_share(1.0, u128::MAX) && !is_in_share(0.0, 0));
    }
}
