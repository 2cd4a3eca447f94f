//! Visitors that never stop, and count what they have lost.

use crate::kit::{Product, eventually};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Nothing here takes so long to be answered unless it was lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// Visitors that keep their connections, ask one thing after the other, and repeat nothing.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    pub(crate) answered: Arc<AtomicU64>,
    visitors: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    pub(crate) fn begin(product: &Product, port: u16) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let host = format!("web.{}.localhost", product.name);
        let visitors = (0..6).map(|_| {
            let (stop, answered, host) = (Arc::clone(&stop), Arc::clone(&answered), host.clone());
            thread::spawn(move || {
                let mut lost = Vec::new();
                let mut connection = None;
                while !stop.load(Ordering::Relaxed) {
                    match visit(&mut connection, port, &host) {
                        Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        Err(why) => {
                            connection = None;
                            lost.push(why);
                        }
                    }
                }
                lost
            })
        });
        let visitors = visitors.collect();
        Load {
            stop,
            answered,
            visitors,
        }
    }

    /// Waits until so many more were answered.
    pub(crate) fn goes_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        eventually("visitors are answered", || {
            (self.answered.load(Ordering::Relaxed) > before + 50).then_some(())
        });
    }

    /// What was lost of it.
    pub(crate) fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let lost = self.visitors.into_iter();
        lost.flat_map(|visitor| visitor.join().expect("a visitor ends"))
            .collect()
    }
}

/// Asks once, on the connection that is there or a new one.
pub(crate) fn visit(kept: &mut Option<TcpStream>, port: u16, host: &str) -> Result<(), String> {
    let told = |doing: &str| {
        let doing = doing.to_owned();
        move |error: std::io::Error| format!("{doing}: {error}")
    };
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => TcpStream::connect(("127.0.0.1", port)).map_err(told("connecting"))?,
    };
    stream.set_read_timeout(Some(PATIENCE)).map_err(told("waiting"))?;
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(told("asking"))?;
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).map_err(told("reading"))?;
        text.push_str(&String::from_utf8_lossy(&piece[..count]));
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body == "hello"
        {
            if !head.starts_with("HTTP/1.1 200") {
                return Err(text);
            }
            if !head.contains("connection: close") {
                *kept = Some(stream);
            }
            return Ok(());
        }
        if count == 0 {
            return Err(format!("cut off: {text}"));
        }
    }
}
