//! Full TLS handshakes, one connection each, and nothing after them.

use crate::peer::Proxy;
use crate::place::Place;
use crate::visitor;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Handshakes at once.
const AT_ONCE: usize = 32;

const LASTS: Duration = Duration::from_secs(1);

/// How many handshakes were done.
pub(crate) fn run(place: &Place, proxy: &Proxy) -> Result<u64, String> {
    let connector = visitor::connector(place)?;
    let until = Instant::now() + LASTS;
    let port = proxy.https;
    visitor::runtime()?.block_on(async {
        let each = |connector| async move {
            let mut count = 0;
            while Instant::now() < until {
                one(port, &connector).await.map_err(|why| why.to_string())?;
                count += 1;
            }
            Ok(count)
        };
        let all: Vec<_> = (0..AT_ONCE)
            .map(|_| tokio::spawn(each(connector.clone())))
            .collect();
        let mut count = 0;
        for one in all {
            let done: Result<u64, String> = one.await.map_err(|why| why.to_string())?;
            count += done?;
        }
        Ok(count)
    })
}

/// A handshake. It is over when the other side has closed, too: then it has read everything.
async fn one(port: u16, connector: &tokio_rustls::TlsConnector) -> std::io::Result<()> {
    let mut stream = visitor::secure(port, connector).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4_096];
    // Whoever closes without saying so has closed as well.
    while matches!(stream.read(&mut rest).await, Ok(count) if count > 0) {}
    Ok(())
}
