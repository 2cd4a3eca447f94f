//! WebSockets: opened once, open over all further steps of a run.
//!
//! A task reads each of them, so that the other side hears that we live while other steps are done. What came before a step
//! that asks for something is no answer to it, and is let go when that step begins.

use crate::carry::{self, Course};
use crate::door::clock::{self, Moment};
use crate::failed;
use crate::run::Session;
use crate::stream::{Stream, open, spoken, timely};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use towpath_decide::gate::probe::{Broken, Request, Seen, Step, met};

/// The largest message. One that is larger ends the connection.
const LARGEST: usize = 256 * 1024;

/// So many messages wait to be looked at; then the other side waits.
const WAITING: usize = 64;

/// A WebSocket that is open.
pub(crate) struct Socket {
    /// What it was opened for.
    at: String,
    heard: Receiver<Heard>,
    say: Sender<String>,
    /// Why it is no longer open.
    closed: Option<String>,
    reading: JoinHandle<()>,
}

/// What came.
enum Heard {
    Message(String),
    Closed(String),
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Socket {
    /// Lets go what has come so far.
    pub(crate) fn forget(&mut self) {
        loop {
            match self.heard.try_recv() {
                Ok(Heard::Message(_)) => {}
                Ok(Heard::Closed(why)) => self.closed = Some(why),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    /// The next message; or why there is none any more.
    async fn next(&mut self) -> Result<String, String> {
        if let Some(why) = &self.closed {
            return Err(why.clone());
        }
        match self.heard.recv().await {
            Some(Heard::Message(text)) => Ok(text),
            Some(Heard::Closed(why)) => {
                self.closed = Some(why.clone());
                Err(why)
            }
            None => Err("it was closed".to_owned()),
        }
    }
}

impl Session<'_> {
    /// Opens a WebSocket where none is open, says what there is to say, and hears what is waited for.
    pub(crate) async fn hear(&mut self, step: &Step, request: &Request) -> Result<Seen, Broken> {
        let begun = clock::now();
        let bound = step.bound.to_std();
        let course = Course::of(&request.to, self.base)?;
        let at = format!("{} {}", course.peer, course.path);
        let index = match self.sockets.iter().position(|socket| socket.at == at) {
            Some(index) => index,
            None => {
                let opened = timely(begun, bound, self.open_socket(request, &course, at)).await?;
                self.sockets.push(opened);
                self.sockets.len() - 1
            }
        };
        let says = request
            .body
            .as_ref()
            .map(|body| self.aim.value(body))
            .transpose()?;
        let socket = &mut self.sockets[index];
        if let Some(text) = says {
            let said = socket.say.send(text.open().clone()).await;
            said.map_err(|_| {
                failed(
                    socket
                        .closed
                        .clone()
                        .unwrap_or_else(|| "it was closed".to_owned()),
                )
            })?;
        }
        if step.expect.is_empty() {
            return Ok(Seen {
                took: begun.elapsed(),
                ..Seen::default()
            });
        }
        wait_for(socket, step, begun, bound).await
    }

    async fn open_socket(&self, request: &Request, course: &Course, at: String) -> Result<Socket, Broken> {
        let stream = open(&course.peer, course.name.as_deref(), self.aim).await?;
        let mut headers = carry::headers(request, course, &[], self.aim, self.begun)?;
        for (name, value) in [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
        ] {
            headers.insert(name, http::HeaderValue::from_static(value));
        }
        let key = http::HeaderValue::try_from(generate_key());
        headers.insert(
            "sec-websocket-key",
            key.map_err(|_| failed("no key could be made for it"))?,
        );
        let scheme = if course.name.is_some() { "wss" } else { "ws" };
        let mut asked = http::Request::get(format!("{scheme}://{}{}", course.host, course.path))
            .body(())
            .map_err(|error| crate::unasked(format!("it cannot be asked: {error}")))?;
        *asked.headers_mut() = headers;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST))
            .max_frame_size(Some(LARGEST));
        let (stream, _) = client_async_with_config(asked, stream, Some(config))
            .await
            .map_err(|error| failed(unopened(error)))?;
        let ((tell, heard), (say, says)) = (channel(WAITING), channel(1));
        Ok(Socket {
            at,
            heard,
            say,
            closed: None,
            reading: tokio::spawn(read(stream, tell, says)),
        })
    }
}

/// Hears messages until one of them is the right one.
async fn wait_for(socket: &mut Socket, step: &Step, begun: Moment, bound: Duration) -> Result<Seen, Broken> {
    let mut last: Option<Seen> = None;
    let mut messages = 0;
    let expected = || {
        let expected = step.expect.first().map(|bound| bound.keep.to_string());
        format!(
            "`{}` is expected within {}",
            expected.unwrap_or_default(),
            spoken(bound)
        )
    };
    loop {
        let heard = tokio::time::timeout(begun.left(bound), socket.next()).await;
        let text = match heard {
            Ok(Ok(text)) => text,
            Ok(Err(why)) => return Err(failed(format!("{}, and {why}", expected()))),
            // Whoever judges says what is wrong with the last one.
            Err(_) => return last.ok_or_else(|| failed(format!("{}, and no message came", expected()))),
        };
        messages += 1;
        let seen = Seen {
            took: begun.elapsed(),
            body: text,
            messages,
            ..Seen::default()
        };
        if met(step, &seen).is_ok() {
            return Ok(seen);
        }
        last = Some(seen);
    }
}

async fn read(mut stream: WebSocketStream<Box<dyn Stream>>, tell: Sender<Heard>, mut says: Receiver<String>) {
    loop {
        let heard = tokio::select! {
            heard = stream.next() => heard,
            Some(text) = says.recv() => match stream.send(Message::text(text)).await {
                Ok(()) => continue,
                Err(error) => Some(Err(error)),
            },
        };
        let heard = match heard {
            Some(Ok(Message::Text(text))) => Heard::Message(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => Heard::Message(String::from_utf8_lossy(&bytes).into_owned()),
            Some(Ok(Message::Close(Some(frame)))) => {
                let why = [u16::from(frame.code).to_string(), frame.reason.to_string()].join(" ");
                Heard::Closed(format!("it was closed ({})", why.trim()))
            }
            Some(Ok(Message::Close(None))) | None => Heard::Closed("it was closed".to_owned()),
            Some(Ok(_)) => continue,
            Some(Err(Error::Capacity(_))) => {
                Heard::Closed(format!("a message came that is larger than {LARGEST} bytes"))
            }
            Some(Err(error)) => Heard::Closed(format!("the connection broke: {error}")),
        };
        let is_last = matches!(heard, Heard::Closed(_));
        if tell.send(heard).await.is_err() || is_last {
            return;
        }
    }
}

/// Why it did not open.
fn unopened(error: Error) -> String {
    match error {
        Error::Http(answer) => format!(
            "{} was answered in place of a WebSocket",
            answer.status().as_u16()
        ),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            "it hung up before a WebSocket was open".to_owned()
        }
        other => format!("no WebSocket was opened: {other}"),
    }
}
