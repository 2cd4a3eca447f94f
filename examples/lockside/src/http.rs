//! HTTP/1.1 by hand, as much of it as small services behind an edge need: keep-alive, bounded requests, streams.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The most connections at a time; more are told to come back.
const CONNECTIONS: usize = 256;

/// The most bytes of a request's line and headers.
const HEAD: u64 = 16 * 1024;

/// The most bytes of a body.
const BODY: usize = 16 * 1024;

/// How long a connection may lie still between two requests, or in the middle of one.
const STILL: Duration = Duration::from_secs(75);

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: String,
    headers: Vec<(String, String)>,
    /// The caller keeps the connection.
    keeps: bool,
}

impl Request {
    /// A header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&header.1)
    }
}

/// What is answered.
pub(crate) enum Answer {
    /// A status, a type and all of the body.
    Whole(u16, &'static str, String),
    /// Server-sent events: each call waits for the next text, and nothing ends it.
    Events(Box<dyn FnMut() -> Option<String>>),
}

impl Answer {
    /// A line of text.
    pub(crate) fn text(status: u16, text: impl Into<String>) -> Answer {
        Answer::Whole(status, "text/plain; charset=utf-8", text.into() + "\n")
    }

    /// JSON.
    pub(crate) fn json(text: String) -> Answer {
        Answer::Whole(200, "application/json", text)
    }

    /// Fields, as forms have them.
    pub(crate) fn fields(text: String) -> Answer {
        Answer::Whole(200, "application/x-www-form-urlencoded", text)
    }
}

/// Why no request was read.
enum Unread {
    /// The caller has gone, or says nothing any more.
    Gone,
    /// What it says is no request that is answered here: a status and why.
    Wrong(u16, &'static str),
}

impl From<io::Error> for Unread {
    fn from(_: io::Error) -> Self {
        Unread::Gone
    }
}

/// Answers on a port of this machine until the process ends.
pub(crate) fn serve(port: u16, answer: fn(&Request) -> Answer) -> Result<(), String> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|why| format!("port {port}: {why}"))?;
    println!("listening on 127.0.0.1:{port}");
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        // The caller has gone before it was its turn.
        let Ok(stream) = stream else { continue };
        let slot = Slot::take(&open);
        if open.load(Ordering::Relaxed) > CONNECTIONS {
            let _ = write_whole(&stream, false, false, 503, "text/plain", "too many connections\n");
            continue;
        }
        std::thread::spawn(move || {
            let _slot = slot;
            // A caller that goes away in the middle of an answer is nobody's fault.
            let _ = converse(&stream, answer);
        });
    }
    Ok(())
}

/// A place among the connections, given back when it goes out of use.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(open: &Arc<AtomicUsize>) -> Slot {
        open.fetch_add(1, Ordering::Relaxed);
        Slot(Arc::clone(open))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers one request after the other on a connection.
fn converse(stream: &TcpStream, answer: fn(&Request) -> Answer) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STILL))?;
    stream.set_write_timeout(Some(STILL))?;
    let mut reader = BufReader::new(stream);
    loop {
        let request = match read(&mut reader) {
            Ok(request) => request,
            Err(Unread::Gone) => return Ok(()),
            Err(Unread::Wrong(status, why)) => {
                return write_whole(stream, false, false, status, "text/plain", &format!("{why}\n"));
            }
        };
        let bare = request.method == "HEAD";
        match answer(&request) {
            Answer::Whole(status, kind, body) => {
                write_whole(stream, request.keeps, bare, status, kind, &body)?;
            }
            Answer::Events(next) => return write_events(stream, bare, next),
        }
        if !request.keeps {
            return Ok(());
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Result<Request, Unread> {
    let mut head = reader.by_ref().take(HEAD);
    let line = read_line(&mut head)?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Unread::Wrong(400, "this is no request"));
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Err(Unread::Wrong(400, "this is no request of HTTP/1.1"));
    }
    let mut headers = Vec::new();
    loop {
        let line = read_line(&mut head)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(Unread::Wrong(400, "a header has no colon"));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body: String::new(),
        headers,
        keeps: version == "HTTP/1.1",
    };
    if let Some(word) = request.header("connection") {
        request.keeps = request.keeps && !word.eq_ignore_ascii_case("close");
    }
    request.body = read_body(reader, &request)?;
    Ok(request)
}

/// A line without its end. A head that ends before it is over was too long, or its caller has gone.
fn read_line(head: &mut impl BufRead) -> Result<String, Unread> {
    let mut line = Vec::new();
    head.read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\n") {
        Some(line) => {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            String::from_utf8(line.to_vec()).map_err(|_| Unread::Wrong(400, "a header is no text"))
        }
        None if line.is_empty() => Err(Unread::Gone),
        None => Err(Unread::Wrong(431, "the headers are too long")),
    }
}

fn read_body(reader: &mut impl Read, request: &Request) -> Result<String, Unread> {
    if request.header("transfer-encoding").is_some() {
        return Err(Unread::Wrong(411, "a body needs a Content-Length"));
    }
    let Some(length) = request.header("content-length") else {
        return Ok(String::new());
    };
    match length.parse::<usize>() {
        Ok(length) if length <= BODY => {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            String::from_utf8(body).map_err(|_| Unread::Wrong(400, "the body is no text"))
        }
        Ok(_) => Err(Unread::Wrong(413, "the body is too long")),
        Err(_) => Err(Unread::Wrong(400, "Content-Length is no number")),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

fn write_whole(
    mut stream: &TcpStream,
    keeps: bool,
    bare: bool,
    status: u16,
    kind: &str,
    body: &str,
) -> io::Result<()> {
    let mut out = format!(
        "HTTP/1.1 {status} {}\r\ncache-control: no-store\r\n",
        reason(status)
    );
    if status != 204 {
        out.push_str(&format!(
            "content-type: {kind}\r\ncontent-length: {}\r\n",
            body.len()
        ));
    }
    out.push_str(if keeps {
        "\r\n"
    } else {
        "connection: close\r\n\r\n"
    });
    if !bare && status != 204 {
        out.push_str(body);
    }
    stream.write_all(out.as_bytes())
}

/// Writes each text as a chunk, as soon as it is there.
fn write_events(
    mut stream: &TcpStream,
    bare: bool,
    mut next: Box<dyn FnMut() -> Option<String>>,
) -> io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\
          connection: close\r\ntransfer-encoding: chunked\r\n\r\n",
    )?;
    if bare {
        return Ok(());
    }
    while let Some(text) = next() {
        stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())?;
    }
    stream.write_all(b"0\r\n\r\n")
}
