//! The client: one connection a question.

use crate::message::Problem;
use crate::remote::Remote;
use crate::token::{Pin, Token};
use bytes::Bytes;
use http::request::Builder;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::fs::{Mode, OFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::pin::Pin as Pinned;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// Asks the steward whose socket this is, or the one of an environment on a machine elsewhere.
#[derive(Debug, Clone)]
pub struct Client {
    place: Place,
}

/// Where the steward is.
#[derive(Debug, Clone)]
enum Place {
    /// Behind a socket of this machine.
    Socket(PathBuf),
    /// Behind another machine.
    Elsewhere(Arc<Remote>),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no steward is running")]
    Nobody,
    /// Somebody listens, and we may not speak to them.
    #[error("the steward behind {} cannot be spoken to", .socket.display())]
    Closed {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        why: io::Error,
    },
    /// A machine elsewhere cannot be connected to.
    #[error("{place} cannot be reached")]
    Unreachable {
        /// The machine.
        place: String,
        /// Why.
        #[source]
        why: io::Error,
    },
    /// A machine elsewhere is not the one that the token is for.
    #[error("{place} shows the key {shown}, and the token is for the one with {pinned}")]
    OtherKey {
        /// The machine.
        place: String,
        /// The key that the token names.
        pinned: Pin,
        /// The key that was shown.
        shown: Pin,
    },
    /// It said no.
    #[error("{}", .0.message)]
    Refused(Problem),
    /// It went away before it had said everything.
    #[error("the steward went away while it answered")]
    Cut,
    /// It said something that cannot be understood: it is of another version.
    #[error("the steward is of another version: it said something that cannot be understood")]
    Garbled(#[source] serde_json::Error),
}

/// So much of what is brought is read at once.
const PIECE: usize = 64 * 1024;

/// Bytes that are brought as they are read: however many there are, few of them are in memory.
struct Pieces<R> {
    from: R,
    left: u64,
}

impl<R: AsyncRead + Unpin> Body for Pieces<R> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pinned<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let most = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; most];
        let mut read = ReadBuf::new(&mut piece);
        ready!(Pinned::new(&mut self.from).poll_read(context, &mut read))?;
        let filled = read.filled().len();
        if filled == 0 {
            let cut = "it is shorter than it was";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut))));
        }
        self.left -= filled as u64;
        piece.truncate(filled);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// An answer that comes line by line.
#[derive(Debug)]
pub struct Answer {
    body: Incoming,
    rest: Vec<u8>,
}

impl Answer {
    /// The next object; nothing when it has ended.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line)
                    .map(Some)
                    .map_err(ClientError::Garbled);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(more) = frame.into_data() {
                        self.rest.extend_from_slice(&more);
                    }
                }
                Some(Err(_)) => return Err(ClientError::Cut),
                None => return Ok(None),
            }
        }
    }
}

impl Client {
    /// A client of the steward with this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Client {
            place: Place::Socket(socket.into()),
        }
    }

    /// A client of the steward of an environment on a machine elsewhere.
    pub fn elsewhere(remote: Remote) -> Self {
        Client {
            place: Place::Elsewhere(Arc::new(remote)),
        }
    }

    /// What is shown to a machine elsewhere; nothing where it is this one.
    pub fn token(&self) -> Option<&Token> {
        match &self.place {
            Place::Socket(_) => None,
            Place::Elsewhere(remote) => Some(remote.token()),
        }
    }

    /// Whether somebody listens. A machine elsewhere starts a steward where there is none.
    pub async fn is_there(&self) -> Result<bool, ClientError> {
        let connected = match &self.place {
            Place::Socket(socket) => connect(socket).await.map(drop),
            Place::Elsewhere(remote) => remote.connect().await.map(drop),
        };
        match connected {
            Ok(()) => Ok(true),
            Err(ClientError::Nobody) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks, and reads the whole answer.
    pub async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        question: &Q,
    ) -> Result<A, ClientError> {
        let body = self.send(method, path, question).await?;
        let whole = body.collect().await.map_err(|_| ClientError::Cut)?.to_bytes();
        serde_json::from_slice(&whole).map_err(ClientError::Garbled)
    }

    /// Asks for something that is answered in text.
    pub async fn text(&self, path: &str) -> Result<String, ClientError> {
        let body = self.send(Method::GET, path, &()).await?;
        let whole = body.collect().await.map_err(|_| ClientError::Cut)?.to_bytes();
        Ok(String::from_utf8_lossy(&whole).into_owned())
    }

    /// Asks for something that is answered line by line.
    pub async fn follow<Q: Serialize>(
        &self,
        method: Method,
        path: &str,
        question: &Q,
    ) -> Result<Answer, ClientError> {
        let body = self.send(method, path, question).await?;
        Ok(Answer {
            body,
            rest: Vec::new(),
        })
    }

    /// Brings so many bytes.
    pub async fn put<R, A>(&self, path: &str, from: R, bytes: u64) -> Result<A, ClientError>
    where
        R: AsyncRead + Unpin + Send + 'static,
        A: DeserializeOwned,
    {
        let body = self
            .request(Method::PUT, path, Pieces { from, left: bytes })
            .await?;
        let whole = body.collect().await.map_err(|_| ClientError::Cut)?.to_bytes();
        serde_json::from_slice(&whole).map_err(ClientError::Garbled)
    }

    async fn send<Q: Serialize>(
        &self,
        method: Method,
        path: &str,
        question: &Q,
    ) -> Result<Incoming, ClientError> {
        let text = serde_json::to_vec(question).map_err(ClientError::Garbled)?;
        self.request(method, path, Full::new(Bytes::from(text))).await
    }

    async fn request<B>(&self, method: Method, path: &str, body: B) -> Result<Incoming, ClientError>
    where
        B: Body + Send + Unpin + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let request = Request::builder().method(method);
        let request = match &self.place {
            Place::Socket(_) => request.uri(path).header(http::header::HOST, "towpath"),
            Place::Elsewhere(remote) => asked_of(remote, request, path),
        };
        let request = request.body(body).map_err(|_| ClientError::Cut)?;
        match &self.place {
            Place::Socket(socket) => said(send(connect(socket).await?, request).await?).await,
            Place::Elsewhere(remote) => said(send(remote.connect().await?, request).await?).await,
        }
    }
}

/// What was answered; the refusal, where it is one.
pub(crate) async fn said(answer: http::Response<Incoming>) -> Result<Incoming, ClientError> {
    if answer.status().is_success() {
        return Ok(answer.into_body());
    }
    let whole = answer
        .into_body()
        .collect()
        .await
        .map_err(|_| ClientError::Cut)?
        .to_bytes();
    Err(match serde_json::from_slice(&whole) {
        Ok(problem) => ClientError::Refused(problem),
        Err(error) => ClientError::Garbled(error),
    })
}

/// A question to a machine elsewhere.
fn asked_of(remote: &Remote, request: Builder, path: &str) -> Builder {
    request
        .uri(format!("{}{path}", remote.base()))
        .header(http::header::HOST, remote.place())
        .header(http::header::AUTHORIZATION, remote.bearer())
}

/// Asks over a connection of its own.
pub(crate) async fn send<S, B>(
    stream: S,
    request: Request<B>,
) -> Result<http::Response<Incoming>, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| ClientError::Cut)?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|_| ClientError::Cut)
}

/// Connects to a socket, however long its path is: the system takes 108 bytes at most, so it is reached through its folder.
pub async fn connect(socket: &Path) -> Result<UnixStream, ClientError> {
    let closed = |why: io::Error| match why.kind() {
        // A file without anybody behind it is what a steward leaves that was killed; one that dies while we connect resets.
        io::ErrorKind::NotFound
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::NotADirectory => ClientError::Nobody,
        _ => ClientError::Closed {
            socket: socket.to_path_buf(),
            why,
        },
    };
    let folder = socket.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = socket.file_name().unwrap_or(OsStr::new("."));
    let open = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder.unwrap_or(Path::new(".")), open, Mode::empty())
        .map_err(|error| closed(error.into()))?;
    let through = Path::new("/proc/self/fd")
        .join(folder.as_raw_fd().to_string())
        .join(name);
    UnixStream::connect(through).await.map_err(closed)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a real socket lies in a real folder")]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    /// Answers one question with this text, as a steward would.
    async fn answer_once(listener: UnixListener, answer: &'static str) {
        let (mut stream, _) = listener.accept().await.expect("somebody connects");
        let mut asked = vec![0; 4096];
        let read = stream.read(&mut asked).await.expect("it asks");
        assert!(read > 0, "a question has bytes");
        stream.write_all(answer.as_bytes()).await.expect("it listens");
    }

    #[tokio::test]
    async fn a_socket_is_reached_however_long_its_path_is() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let deep = root.path().join("a-long-name-of-a-folder/".repeat(8));
        std::fs::create_dir_all(&deep).expect("a folder can be made");
        let socket = deep.join("steward.sock");
        assert!(socket.as_os_str().len() > 108);
        let folder = rustix::fs::open(&deep, OFlags::PATH, Mode::empty()).expect("it is there");
        let through = format!("/proc/self/fd/{}/steward.sock", folder.as_raw_fd());
        let listener = UnixListener::bind(through).expect("it can be bound");
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"now\": true}";
        let serving = tokio::spawn(answer_once(listener, answer));
        let told: crate::DownArgs = Client::new(&socket)
            .ask(Method::GET, "/", &())
            .await
            .expect("it answers");
        assert!(told.now);
        serving.await.expect("it ends");
    }

    #[tokio::test]
    async fn what_is_brought_comes_whole_and_what_has_become_shorter_is_cut() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let socket = root.path().join("steward.sock");
        let listener = UnixListener::bind(&socket).expect("it can be bound");
        let brought = vec![7; 3 * PIECE + 5];
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody connects");
            let mut heard = Vec::new();
            while heard.iter().filter(|byte| **byte == 7).count() < 3 * PIECE + 5 {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).await.expect("it is brought");
                assert!(read > 0, "it is not all");
                heard.extend_from_slice(&piece[..read]);
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull";
            stream.write_all(answer).await.expect("it listens");
            let (mut stream, _) = listener.accept().await.expect("somebody connects");
            while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
        });
        let client = Client::new(&socket);
        let from = std::io::Cursor::new(brought.clone());
        let () = client
            .put("/artifacts/a", from, brought.len() as u64)
            .await
            .expect("it is taken");
        let cut = client
            .put::<_, ()>("/artifacts/a", std::io::Cursor::new(vec![1]), 2)
            .await;
        assert!(matches!(cut, Err(ClientError::Cut)), "{cut:?}");
        serving.await.expect("it ends");
    }

    #[tokio::test]
    async fn nobody_is_told_from_somebody_who_cannot_be_reached() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let socket = root.path().join("steward.sock");
        let client = Client::new(&socket);
        let nobody = client.ask::<_, ()>(Method::GET, "/", &()).await;
        assert!(matches!(nobody, Err(ClientError::Nobody)), "{nobody:?}");
        drop(std::os::unix::net::UnixListener::bind(&socket).expect("it can be bound"));
        let left_behind = client.ask::<_, ()>(Method::GET, "/", &()).await;
        assert!(matches!(left_behind, Err(ClientError::Nobody)), "{left_behind:?}");
    }

    #[tokio::test]
    async fn a_refusal_is_handed_on_with_its_hint() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let socket = root.path().join("steward.sock");
        let listener = UnixListener::bind(&socket).expect("it can be bound");
        let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 76\r\n\r\n\
            {\"status\":404,\"code\":\"unknown-component\",\"message\":\"no wbe\",\"hint\":\"web is\"}";
        let serving = tokio::spawn(answer_once(listener, answer));
        let refused = Client::new(&socket).ask::<_, ()>(Method::GET, "/", &()).await;
        serving.await.expect("it ends");
        let Err(ClientError::Refused(problem)) = refused else {
            panic!("it was refused: {refused:?}");
        };
        assert_eq!(
            (problem.message.as_str(), problem.hint.as_deref()),
            ("no wbe", Some("web is"))
        );
    }
}
