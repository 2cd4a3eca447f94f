//! Content on its way to the disk and back: digested, sealed, and in the order in which clients can bear it.

use crate::digest::{Digests, Sum, hex};
use crate::door::{File, Folder};
use crate::refusal::Refusal;
use crate::seal::{CHUNK, FileSeal, Seal, TAG};
use aws_lc_rs::rand;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use s3s::StdError;
use s3s::dto::StreamingBlob;
use s3s::stream::{ByteStream, RemainingLength};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::task::JoinHandle;

/// So much is written or read at once: much for the disk, little for memory.
const BATCH: usize = 512 * 1024;

/// A stretch of a file that is a stretch of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) file: String,
    pub(crate) length: u64,
    pub(crate) sealed: bool,
}

/// Content that is whole, on the disk, and in no row yet.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) piece: Piece,
    pub(crate) tag: [u8; 16],
    pub(crate) sum: Sum,
}

/// What is being written. A file that is not kept is removed when this is dropped.
struct Sink {
    folder: Arc<Folder>,
    name: String,
    file: File,
    seal: Option<FileSeal>,
    waiting: Vec<u8>,
    chunks: u64,
    length: u64,
    digests: Digests,
    kept: bool,
}

/// A name that nothing else has.
pub(crate) fn new_name() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system always has random numbers");
    hex(&bytes)
}

impl Sink {
    fn new(folder: Arc<Folder>, seal: Option<&Seal>, algorithm: Option<&str>) -> io::Result<Sink> {
        let name = new_name();
        Ok(Sink {
            file: folder.make(&name)?,
            seal: seal.map(|seal| seal.of(&name)),
            folder,
            name,
            waiting: Vec::new(),
            chunks: 0,
            length: 0,
            digests: Digests::new(algorithm),
            kept: false,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digests.update(bytes);
        self.length += bytes.len() as u64;
        if self.seal.is_none() {
            return self.file.write_all(bytes);
        }
        self.waiting.extend_from_slice(bytes);
        self.close_chunks(false)
    }

    /// Seals the chunks that are full, and what is left where it is the end.
    fn close_chunks(&mut self, at_end: bool) -> io::Result<()> {
        let Some(seal) = &self.seal else { return Ok(()) };
        let size = usize::try_from(CHUNK).unwrap_or(usize::MAX);
        let waiting = std::mem::take(&mut self.waiting);
        let mut out = Vec::with_capacity(waiting.len() + 64);
        for part in waiting.chunks(size) {
            let mut chunk = part.to_vec();
            if chunk.len() < size && !at_end {
                self.waiting = chunk;
                break;
            }
            seal.close(self.chunks, &mut chunk)?;
            self.chunks += 1;
            out.append(&mut chunk);
        }
        self.file.write_all(&out)
    }

    /// Everything is on the disk; nothing is promised yet.
    fn finish(&mut self) -> io::Result<()> {
        self.close_chunks(true)?;
        self.file.sync_all()
    }

    fn keep(mut self, digested: ([u8; 16], Sum)) -> io::Result<Kept> {
        self.folder.keep(&self.name)?;
        self.kept = true;
        let (tag, sum) = digested;
        let piece = Piece {
            file: self.name.clone(),
            length: self.length,
            sealed: self.seal.is_some(),
        };
        Ok(Kept { piece, tag, sum })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.kept {
            self.folder.give_up(&self.name);
        }
    }
}

/// What content is compared with before it is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Promised {
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) length: Option<u64>,
    pub(crate) most: u64,
}

/// Where content is kept, and how.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) folder: Arc<Folder>,
    pub(crate) seal: Option<Seal>,
}

impl Place {
    /// Takes content in. `sum` is asked for the check sum that was promised, once all of the content is here, because it may
    /// come behind it.
    pub(crate) async fn take(
        &self,
        mut body: StreamingBlob,
        sealed: bool,
        algorithm: Option<&'static str>,
        promised: Promised,
        sum: impl FnOnce() -> Result<Option<String>, Refusal>,
    ) -> Result<Kept, Refusal> {
        let place = self.clone();
        let mut writing: JoinHandle<io::Result<Sink>> = tokio::task::spawn_blocking(move || {
            let seal = place.seal.as_ref().filter(|_| sealed);
            Sink::new(place.folder, seal, algorithm)
        });
        let (mut batch, mut size, mut length) = (Vec::new(), 0, 0_u64);
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(Refusal::Body)?;
            size += bytes.len();
            length += bytes.len() as u64;
            if length > promised.most {
                return Err(Refusal::TooLarge);
            }
            batch.push(bytes);
            if size >= BATCH {
                let (mut sink, full) = (written(writing).await?, std::mem::take(&mut batch));
                size = 0;
                writing = tokio::task::spawn_blocking(move || {
                    full.iter().try_for_each(|bytes| sink.write(bytes))?;
                    Ok(sink)
                });
            }
        }
        if promised.length.is_some_and(|promised| promised != length) {
            return Err(Refusal::Incomplete);
        }
        let (mut sink, promised_sum) = (written(writing).await?, sum()?);
        let last = tokio::task::spawn_blocking(move || {
            batch.iter().try_for_each(|bytes| sink.write(bytes))?;
            let digests = std::mem::replace(&mut sink.digests, Digests::new(None));
            let (tag, sum) = digests.finish();
            if promised.md5.is_some_and(|promised| promised != tag) {
                return Err(Refusal::BadDigest("the Content-MD5 is that of other content"));
            }
            if promised_sum.is_some_and(|promised| promised != sum.value) {
                return Err(Refusal::BadDigest("the check sum is that of other content"));
            }
            sink.finish()?;
            Ok(sink.keep((tag, sum))?)
        });
        last.await.map_err(|_| Refusal::Broken)?
    }

    /// A stream of a stretch of an object's content. The lease keeps the files where they are until the stream is dropped.
    pub(crate) fn give(&self, pieces: &[Piece], from: u64, to: u64, lease: Lease) -> StreamingBlob {
        let source = Source {
            folder: Arc::clone(&self.folder),
            seal: self.seal.clone(),
            stretches: stretches(pieces, from, to),
            open: None,
            _lease: lease,
        };
        StreamingBlob::new(Reading {
            remaining: usize::try_from(to - from).unwrap_or(usize::MAX),
            next: (from < to).then(|| tokio::task::spawn_blocking(|| source.read())),
        })
    }
}

async fn written(writing: JoinHandle<io::Result<Sink>>) -> Result<Sink, Refusal> {
    Ok(writing.await.map_err(|_| Refusal::Broken)??)
}

/// A part of a file that is to be read.
#[derive(Debug, PartialEq, Eq)]
struct Stretch {
    piece: Piece,
    from: u64,
    to: u64,
}

fn stretches(pieces: &[Piece], from: u64, to: u64) -> VecDeque<Stretch> {
    let mut begin = 0;
    let mut stretches = VecDeque::new();
    for piece in pieces {
        let end = begin + piece.length;
        // A part may be empty, and then nothing of it is read.
        if piece.length > 0 && begin < to && from < end {
            stretches.push_back(Stretch {
                piece: piece.clone(),
                from: from.saturating_sub(begin),
                to: to.min(end) - begin,
            });
        }
        begin = end;
    }
    stretches
}

/// What is being read.
struct Source {
    folder: Arc<Folder>,
    seal: Option<Seal>,
    stretches: VecDeque<Stretch>,
    open: Option<(File, Option<FileSeal>)>,
    _lease: Lease,
}

impl Source {
    /// The next bytes, and the source for those that come after.
    fn read(mut self) -> io::Result<(Source, Bytes)> {
        let Some(stretch) = self.stretches.front_mut() else {
            return Ok((self, Bytes::new()));
        };
        let (file, seal) = match self.open.take() {
            Some(open) => open,
            None => open_piece(&self.folder, self.seal.as_ref(), &stretch.piece)?,
        };
        let bytes = match &seal {
            None => plain(&file, stretch)?,
            Some(seal) => unsealed(&file, seal, stretch)?,
        };
        stretch.from += bytes.len() as u64;
        if stretch.from < stretch.to {
            self.open = Some((file, seal));
        } else {
            self.stretches.pop_front();
        }
        Ok((self, bytes.into()))
    }
}

fn open_piece(folder: &Folder, seal: Option<&Seal>, piece: &Piece) -> io::Result<(File, Option<FileSeal>)> {
    let file = folder.read(&piece.file)?;
    if !piece.sealed {
        return Ok((file, None));
    }
    let seal = seal.ok_or_else(|| io::Error::other("the content is encrypted, and its key is not here"))?;
    Ok((file, Some(seal.of(&piece.file))))
}

fn plain(file: &File, stretch: &Stretch) -> io::Result<Vec<u8>> {
    let size = usize::try_from(stretch.to - stretch.from)
        .unwrap_or(BATCH)
        .min(BATCH);
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, stretch.from)?;
    Ok(bytes)
}

/// Reads the chunks that the stretch begins with, and leaves out what is before and behind it.
fn unsealed(file: &File, seal: &FileSeal, stretch: &Stretch) -> io::Result<Vec<u8>> {
    let first = stretch.from / CHUNK;
    let last = ((stretch.to - 1) / CHUNK).min(first + BATCH as u64 / CHUNK - 1);
    let end = ((last + 1) * CHUNK).min(stretch.piece.length);
    let sealed = end - first * CHUNK + (last - first + 1) * TAG;
    let mut raw = vec![0; usize::try_from(sealed).unwrap_or(0)];
    file.read_exact_at(&mut raw, first * (CHUNK + TAG))?;
    let mut bytes = Vec::with_capacity(raw.len());
    let size = usize::try_from(CHUNK + TAG).unwrap_or(usize::MAX);
    for (number, chunk) in (first..).zip(raw.chunks(size)) {
        let mut chunk = chunk.to_vec();
        seal.open(number, &mut chunk)?;
        bytes.append(&mut chunk);
    }
    bytes.truncate(usize::try_from(stretch.to.min(end) - first * CHUNK).unwrap_or(0));
    Ok(bytes.split_off(usize::try_from(stretch.from - first * CHUNK).unwrap_or(0)))
}

/// A stream of content that reads ahead by one batch.
struct Reading {
    remaining: usize,
    next: Option<JoinHandle<io::Result<(Source, Bytes)>>>,
}

impl Stream for Reading {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(next) = &mut self.next else {
            return Poll::Ready(None);
        };
        let read = match Pin::new(next).poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(Ok(read))) => read,
            Poll::Ready(Ok(Err(refusal))) => {
                self.next = None;
                return Poll::Ready(Some(Err(Box::new(refusal))));
            }
            Poll::Ready(Err(broken)) => {
                self.next = None;
                return Poll::Ready(Some(Err(Box::new(broken))));
            }
        };
        let (source, bytes) = read;
        self.remaining = self.remaining.saturating_sub(bytes.len());
        self.next = (self.remaining > 0).then(|| tokio::task::spawn_blocking(|| source.read()));
        Poll::Ready(Some(Ok(bytes)))
    }
}

impl ByteStream for Reading {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(self.remaining)
    }
}

/// Which files are being read. What nothing refers to any more is removed when its last reader has gone, and at once where
/// there is none.
#[derive(Debug)]
pub(crate) struct Readers {
    folder: Arc<Folder>,
    state: Mutex<Leased>,
}

#[derive(Debug, Default)]
struct Leased {
    readers: HashMap<String, usize>,
    doomed: HashSet<String>,
}

/// As long as this lives, these files stay.
#[derive(Debug)]
pub(crate) struct Lease {
    readers: Arc<Readers>,
    files: Vec<String>,
}

impl Readers {
    pub(crate) fn new(folder: Arc<Folder>) -> Arc<Self> {
        Arc::new(Readers {
            folder,
            state: Mutex::default(),
        })
    }

    /// To be called while the rows are held that name the pieces, so that nobody can remove them in between.
    pub(crate) fn lease(self: &Arc<Self>, pieces: &[Piece]) -> Lease {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let files: Vec<String> = pieces.iter().map(|piece| piece.file.clone()).collect();
        for file in &files {
            *state.readers.entry(file.clone()).or_default() += 1;
        }
        Lease {
            readers: Arc::clone(self),
            files,
        }
    }

    /// Removes files that no row names any more.
    pub(crate) fn remove(&self, files: Vec<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for file in files {
            if state.readers.contains_key(&file) {
                state.doomed.insert(file);
            } else {
                self.folder.remove(&file);
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.readers.state.lock().unwrap_or_else(PoisonError::into_inner);
        for file in &self.files {
            let left = state.readers.get(file).map_or(0, |readers| readers - 1);
            if left > 0 {
                state.readers.insert(file.clone(), left);
            } else {
                state.readers.remove(file);
                if state.doomed.remove(file) {
                    self.readers.folder.remove(file);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_model::sealed::Sealed;

    fn place(path: &std::path::Path) -> Place {
        let folder = Folder::open(path).unwrap().unwrap();
        Place {
            folder: Arc::new(folder),
            seal: Some(Seal::new(Sealed::new([3; 32]))),
        }
    }

    async fn take(place: &Place, content: &[u8], sealed: bool) -> Result<Kept, Refusal> {
        let body = StreamingBlob::from(s3s::Body::from(content.to_vec()));
        let promised = Promised {
            most: 1 << 20,
            ..Promised::default()
        };
        place.take(body, sealed, None, promised, || Ok(None)).await
    }

    async fn read(place: &Place, readers: &Arc<Readers>, pieces: &[Piece], from: u64, to: u64) -> Vec<u8> {
        let mut stream = place.give(pieces, from, to, readers.lease(pieces));
        let mut content = Vec::new();
        while let Some(bytes) = stream.next().await {
            content.extend_from_slice(&bytes.unwrap());
        }
        content
    }

    #[tokio::test]
    async fn every_stretch_of_pieces_sealed_and_not_is_what_was_written() {
        let path = tempfile::tempdir().unwrap();
        let place = place(path.path());
        let readers = Readers::new(Arc::clone(&place.folder));
        let whole: Vec<u8> = (0..400_000_u32)
            .map(|number| number.to_be_bytes()[3] ^ number.to_be_bytes()[2])
            .collect();
        let edges = [0, 65_536, 65_537, 65_537, 265_000, 400_000];
        let mut pieces = Vec::new();
        for (number, edge) in edges.windows(2).enumerate() {
            let kept = take(&place, &whole[edge[0]..edge[1]], number % 2 == 0)
                .await
                .unwrap();
            pieces.push(kept.piece);
        }
        let marks = [
            0, 1, 65_535, 65_536, 65_537, 131_073, 264_999, 265_000, 399_999, 400_000,
        ];
        for from in marks {
            for to in marks.into_iter().filter(|to| *to >= from) {
                let found = read(&place, &readers, &pieces, from as u64, to as u64).await;
                assert!(found == whole[from..to], "{from} to {to}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_refused_leaves_no_file() {
        let path = tempfile::tempdir().unwrap();
        let place = place(path.path());
        assert!(matches!(
            take(&place, &[0; (1 << 20) + 1], true).await,
            Err(Refusal::TooLarge)
        ));
        let promised = Promised {
            md5: Some([0; 16]),
            most: 10,
            ..Promised::default()
        };
        let body = StreamingBlob::from(s3s::Body::from(b"x".to_vec()));
        let refused = place.take(body, false, None, promised, || Ok(None)).await;
        assert!(matches!(refused, Err(Refusal::BadDigest(_))));
        assert_eq!(place.folder.clear_making().unwrap(), 0);
    }

    #[tokio::test]
    async fn a_file_that_is_being_read_goes_when_its_last_reader_has_gone() {
        let path = tempfile::tempdir().unwrap();
        let place = place(path.path());
        let readers = Readers::new(Arc::clone(&place.folder));
        let piece = take(&place, b"a boat", false).await.unwrap().piece;
        let leases = [0, 1].map(|_| readers.lease(std::slice::from_ref(&piece)));
        readers.remove(vec![piece.file.clone()]);
        for lease in leases {
            assert!(place.folder.read(&piece.file).is_ok());
            drop(lease);
        }
        assert!(place.folder.read(&piece.file).is_err());
    }
}
