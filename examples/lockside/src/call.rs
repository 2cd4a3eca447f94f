//! Calls to the service: one request, one connection.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long connecting, and each read, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of an answer.
const MOST: u64 = 256 * 1024;

/// Where the service is, and what opens it.
pub(crate) struct Service {
    host: String,
    key: String,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Service {
    /// The canal, as the environment names it.
    pub(crate) fn canal() -> Result<Service, String> {
        let url = crate::setting::needed("CANAL_URL")?;
        let Some(host) = url.strip_prefix("http://") else {
            return Err(format!(
                "CANAL_URL is `{url}`; an address that begins with http:// is expected"
            ));
        };
        let host = host.split('/').next().unwrap_or(host);
        Ok(Service {
            host: host.to_owned(),
            key: crate::setting::needed("CANAL_KEY")?,
        })
    }

    /// Asks for something.
    pub(crate) fn get(&self, path: &str) -> io::Result<Answer> {
        self.call("GET", path, "")
    }

    /// Tells something.
    pub(crate) fn post(&self, path: &str, body: &str) -> io::Result<Answer> {
        self.call("POST", path, body)
    }

    fn call(&self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let mut stream = connect(&self.host, 80)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.host,
            self.key,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        stream.take(MOST).read_to_end(&mut bytes)?;
        parse(&String::from_utf8_lossy(&bytes))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "what was answered is no HTTP"))
    }
}

/// Connects to `host:port`, or to a port of its own where the host names none.
pub(crate) fn connect(host: &str, usual: u16) -> io::Result<TcpStream> {
    let named = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let whole = if named {
        host.to_owned()
    } else {
        format!("{host}:{usual}")
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{whole} has no address"));
    for address in whole.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let head = head.to_ascii_lowercase();
    let chunked = head.contains("\r\ntransfer-encoding: chunked");
    let body = if chunked {
        unchunked(body)?
    } else {
        body.to_owned()
    };
    Some(Answer { status, body })
}

/// The chunks of a body as one.
fn unchunked(mut text: &str) -> Option<String> {
    let mut out = String::new();
    loop {
        let (length, rest) = text.split_once("\r\n")?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(out);
        }
        out.push_str(rest.get(..length)?);
        text = rest.get(length..)?.strip_prefix("\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_in_chunks() {
        let whole = parse("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok").unwrap();
        assert_eq!((whole.status, whole.body.as_str()), (201, "ok"));
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\nat\r\n0\r\n\r\n";
        assert_eq!(parse(chunks).unwrap().body, "boat");
    }

    #[test]
    fn half_an_answer_is_none() {
        assert!(parse("HTTP/1.1 200 OK\r\ncontent-le").is_none());
        assert!(parse("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nbo").is_none());
    }
}
