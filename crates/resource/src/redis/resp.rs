//! Just enough of the protocol to look at a server and to fill it: commands out, answers in.

use crate::connect::Place;
use crate::{Kind, ResourceError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest answer that is read: the longest of ours are a few KiB.
const LONGEST: usize = 16 * 1024 * 1024;

/// An answer of Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Nothing is there.
    Nothing,
    /// Several answers.
    List(Vec<Reply>),
    /// It will not, and why.
    Refusal(String),
}

impl Reply {
    /// The first refusal in it, wherever it stands.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            Reply::Refusal(said) => Some(said),
            Reply::List(replies) => replies.iter().find_map(Reply::refusal),
            Reply::Text(_) | Reply::Number(_) | Reply::Nothing => None,
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection to a server that has let us in.
pub(crate) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    at: String,
}

impl Connection {
    /// Connects and says who we are.
    pub(crate) async fn open(place: &Place, bound: Duration) -> Result<Self, ResourceError> {
        let at = place.to_string();
        let opened = tokio::time::timeout(bound, Connection::open_slowly(place)).await;
        opened.unwrap_or_else(|_| {
            Err(ResourceError::Unreachable {
                at,
                why: format!("no answer within {bound:?}"),
            })
        })
    }

    async fn open_slowly(place: &Place) -> Result<Self, ResourceError> {
        let at = place.to_string();
        let unreachable = |why: String| ResourceError::Unreachable { at: at.clone(), why };
        let stream = TcpStream::connect((place.host.as_str(), place.port))
            .await
            .map_err(|refusal| unreachable(refusal.to_string()))?;
        let stream: Box<dyn Stream> = if place.tls {
            let name =
                ServerName::try_from(place.host.clone()).map_err(|why| unreachable(why.to_string()))?;
            let encrypted = connector().connect(name, stream).await;
            Box::new(encrypted.map_err(|refusal| unreachable(refusal.to_string()))?)
        } else {
            Box::new(stream)
        };
        let mut connection = Connection {
            stream: BufReader::new(stream),
            at: at.clone(),
        };
        connection.greet(place).await?;
        Ok(connection)
    }

    async fn greet(&mut self, place: &Place) -> Result<(), ResourceError> {
        if !place.password.open().is_empty() {
            let mut words = vec!["AUTH"];
            words.extend((!place.user.is_empty()).then_some(place.user.as_str()));
            words.push(place.password.open());
            self.say(&words).await?;
        }
        if !place.name.is_empty() && place.name != "0" {
            self.say(&["SELECT", &place.name]).await?;
        }
        self.say(&["PING"]).await.map(|_| ())
    }

    /// Says something before we are let in, where a refusal means that we are not.
    async fn say(&mut self, words: &[&str]) -> Result<Reply, ResourceError> {
        match self.call(words).await? {
            Reply::Refusal(said) => Err(ResourceError::Refused {
                at: self.at.clone(),
                said,
            }),
            reply => Ok(reply),
        }
    }

    /// Sends a command and reads its answer, which may be a refusal.
    pub(crate) async fn call<T: AsRef<[u8]>>(&mut self, words: &[T]) -> Result<Reply, ResourceError> {
        let mut message = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            let word = word.as_ref();
            message.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            message.extend_from_slice(word);
            message.extend_from_slice(b"\r\n");
        }
        let answered = async {
            self.stream.write_all(&message).await?;
            self.stream.flush().await?;
            self.read().await
        };
        let answered: std::io::Result<Reply> = answered.await;
        answered.map_err(|refusal| ResourceError::Unreachable {
            at: self.at.clone(),
            why: refusal.to_string(),
        })
    }

    /// Sends a command that may not be refused.
    pub(crate) async fn must(&mut self, doing: &str, words: &[&str]) -> Result<Reply, ResourceError> {
        let reply = self.call(words).await?;
        match reply.refusal() {
            None => Ok(reply),
            Some(said) => Err(ResourceError::Store {
                doing: doing.to_owned(),
                at: self.at.clone(),
                said: said.to_owned(),
            }),
        }
    }

    async fn read(&mut self) -> std::io::Result<Reply> {
        // The lists that are still open, each with how many of its answers are missing.
        let mut open: Vec<(usize, Vec<Reply>)> = Vec::new();
        loop {
            let mut reply = match self.one().await? {
                One::Reply(reply) => reply,
                One::List(0) => Reply::List(Vec::new()),
                One::List(count) => {
                    open.push((count, Vec::new()));
                    continue;
                }
            };
            loop {
                let Some((missing, replies)) = open.last_mut() else {
                    return Ok(reply);
                };
                replies.push(reply);
                *missing -= 1;
                if *missing > 0 {
                    break;
                }
                reply = Reply::List(open.pop().map(|(_, replies)| replies).unwrap_or_default());
            }
        }
    }

    async fn one(&mut self) -> std::io::Result<One> {
        let mut line = Vec::new();
        let limit = LONGEST as u64;
        (&mut self.stream)
            .take(limit)
            .read_until(b'\n', &mut line)
            .await?;
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r\n").ok_or_else(strange)?).into_owned();
        let (kind, rest) = line.split_at_checked(1).ok_or_else(strange)?;
        let number = || rest.parse::<i64>().map_err(|_| strange());
        Ok(match kind {
            "+" => One::Reply(Reply::Text(rest.to_owned())),
            "-" => One::Reply(Reply::Refusal(rest.to_owned())),
            ":" => One::Reply(Reply::Number(number()?)),
            "*" if number()? < 0 => One::Reply(Reply::Nothing),
            "*" => One::List(length(number()?)?),
            "$" if number()? < 0 => One::Reply(Reply::Nothing),
            "$" => {
                let mut text = vec![0; length(number()?)? + 2];
                self.stream.read_exact(&mut text).await?;
                text.truncate(text.len() - 2);
                One::Reply(Reply::Text(String::from_utf8_lossy(&text).into_owned()))
            }
            _ => return Err(strange()),
        })
    }
}

/// The start of an answer: all of it, or how many follow.
enum One {
    Reply(Reply),
    List(usize),
}

fn length(number: i64) -> std::io::Result<usize> {
    let length = usize::try_from(number).map_err(|_| strange())?;
    if length > LONGEST {
        Err(strange())
    } else {
        Ok(length)
    }
}

fn strange() -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        format!("this is not {}", Kind::Redis),
    )
}

fn connector() -> TlsConnector {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the versions that are the default")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}
