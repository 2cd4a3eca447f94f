//! An instance that writes down what it gets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// An instance that writes down what it gets, word for word, and answers with what it has been told to.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    got: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Option<&'static [u8]>>>,
}

impl Recorder {
    pub(crate) async fn start() -> (Recorder, SocketAddr) {
        let recorder = Recorder::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let records = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let records = records.clone();
                tokio::spawn(async move { records.serve(stream).await });
            }
        });
        (recorder, at)
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let request = read_request(&mut stream).await?;
            let is_probe = request.starts_with("GET /probe");
            let is_head = request.starts_with("HEAD ");
            let told = *self.answer.lock().expect("it is not held");
            let answer = match told {
                _ if is_probe => &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nprobe"[..],
                Some(answer) => answer,
                None if is_head => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
                None => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            };
            if !is_probe {
                self.got.lock().expect("it is not held").push(request);
            }
            stream.get_mut().write_all(answer).await.ok()?;
            if told.is_some() && !is_probe {
                return None;
            }
        }
    }

    /// From now on it answers so, and hangs up.
    #[allow(dead_code, reason = "not each test has it say something else")]
    pub(crate) fn answers(&self, answer: &'static [u8]) {
        *self.answer.lock().expect("it is not held") = Some(answer);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.got.lock().expect("it is not held"))
    }
}

/// A request in one line: its first line, its headers but for those that every request gets, and its body.
async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    if stream.read_line(&mut first).await.ok()? == 0 {
        return None;
    }
    let mut said = first.trim_end().trim_end_matches("HTTP/1.1").to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let line = line.strip_suffix("\r\n").unwrap_or(&line);
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        match name {
            "content-length" => length = value.parse().ok()?,
            "transfer-encoding" => chunked = true,
            _ => {}
        }
        let is_usual =
            name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-request-id" | "traceparent");
        if !is_usual && line != "host: web.hello.localhost" {
            said.push_str(&format!("{{{line}}} "));
        }
    }
    let body = if chunked {
        read_chunks(stream).await?
    } else {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        String::from_utf8_lossy(&body).into_owned()
    };
    if !body.is_empty() {
        said.push_str(&format!("[{body}]"));
    }
    Some(said.trim_end().to_owned())
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut body = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let size = usize::from_str_radix(line.trim_end(), 16).ok()?;
        let mut chunk = vec![0; size];
        stream.read_exact(&mut chunk).await.ok()?;
        body.push_str(&String::from_utf8_lossy(&chunk));
        if size > 0 {
            stream.read_line(&mut line).await.ok()?;
            continue;
        }
        loop {
            let mut trailer = String::new();
            stream.read_line(&mut trailer).await.ok()?;
            match trailer.trim_end() {
                "" => return Some(body),
                trailer => body.push_str(&format!("|{trailer}")),
            }
        }
    }
}
