//! The upstream: a server of a few lines that answers every request with one kilobyte, and who it is.
//!
//! One that is called `narrow` has few workers that take their time, so that ten times of what it carries can be asked for.
//!
//! It reads no more of a request than where it ends, so that it costs less than any proxy in front of it.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const BODY: usize = 1_024;

/// The upstream with few workers, how many it has, and how long each is busy with an answer.
pub(crate) const NARROW: &str = "narrow";
pub(crate) const WORKERS: usize = 8;
pub(crate) const BUSY: Duration = Duration::from_millis(20);

/// The end of a head. Nobody here sends a body.
const END: &[u8] = b"\r\n\r\n";

/// Serves until it is killed.
pub(crate) fn serve(port: &str, name: &str) -> Result<(), String> {
    let failed = |why: std::io::Error| format!("the upstream: {why}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let answer: &[u8] = answer(name).leak();
    let workers = (name == NARROW).then(|| Arc::new(Semaphore::new(WORKERS)));
    runtime.block_on(async {
        let port = port.parse().unwrap_or_default();
        let listener = listen(port).map_err(failed)?;
        loop {
            // Being out of descriptors shows as requests that are lost.
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(requests(stream, answer, workers.clone()));
            }
        }
    })
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    socket.listen(16_384)
}

fn answer(name: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {BODY}\r\nx-upstream: {name}\r\n\r\n"
    );
    let mut answer = head.into_bytes();
    answer.resize(answer.len() + BODY, b'x');
    answer
}

async fn requests(mut stream: TcpStream, answer: &[u8], workers: Option<Arc<Semaphore>>) {
    let _ = stream.set_nodelay(true);
    let mut read = vec![0; 8_192];
    let mut has = 0;
    loop {
        match stream.read(&mut read[has..]).await {
            Ok(0) | Err(_) => return,
            Ok(count) => has += count,
        }
        while let Some(end) = read[..has].windows(END.len()).position(|part| part == END) {
            if let Some(workers) = &workers {
                let _worker = workers.acquire().await;
                tokio::time::sleep(BUSY).await;
            }
            if stream.write_all(answer).await.is_err() {
                return;
            }
            read.copy_within(end + END.len()..has, 0);
            has -= end + END.len();
        }
        if has == read.len() {
            return;
        }
    }
}
