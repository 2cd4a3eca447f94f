//! Load by `h2load`: HTTP/2 over TLS.

use crate::peer::Proxy;
use crate::place::{Place, launched};
use crate::serve::DOMAIN;
use crate::wrk::cookies;
use std::process::Stdio;

/// Streams of a connection at once.
const STREAMS: u32 = 100;

/// How many requests were answered within so many seconds.
pub(crate) fn run(place: &Place, proxy: &Proxy, seconds: u32) -> Result<u64, String> {
    let host = format!("component-0.{DOMAIN}");
    let cookies = cookies(proxy.http, &host)?;
    let output = launched(&place.load)?
        .args(["h2load", "-c1", "-t1"])
        .args((!cookies.is_empty()).then(|| format!("--header=cookie: {cookies}")))
        .arg(format!("-m{STREAMS}"))
        .arg(format!("-D{seconds}"))
        .arg(format!("--connect-to=127.0.0.1:{}", proxy.https))
        .arg(format!("https://{host}:{}/", proxy.https))
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("h2load: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("requests: "));
    let line = line.ok_or_else(|| format!("h2load ended without a count: {}", text.trim()))?;
    let count = |word: &str| -> u64 {
        let part = line.split(", ").find_map(|part| part.strip_suffix(word));
        part.and_then(|count| count.trim().parse().ok())
            .unwrap_or_default()
    };
    let (well, badly) = (count("succeeded"), count("failed") + count("errored"));
    if well == 0 || badly > well / 100 {
        return Err(format!("h2load: {line}"));
    }
    Ok(well)
}
