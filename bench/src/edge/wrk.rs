//! Load by `wrk`.

use crate::peer::Proxy;
use crate::place::{BOUND, Place, write};
use crate::serve::DOMAIN;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// How many hosts are asked for, in turn. They lie evenly in the table, and few enough that connections to their instances
/// stay in use: the others have one upstream.
pub(crate) const HOSTS: usize = 8;

/// The component that a host stands for.
pub(crate) fn host(turn: usize, targets: usize) -> usize {
    turn * targets / HOSTS
}

/// It connects to one address, whatever else `localhost` may be, and makes its request beforehand. Each of its threads is a
/// visitor, who asks one host on all of its connections, and brings the cookies that it has been given there.
const SCRIPT: &str = r#"
local visitors = 0
function setup(thread)
  thread.addr = wrk.lookup("127.0.0.1", wrk.port)[1]
  thread:set("visitor", visitors)
  visitors = visitors + 1
end
function init(args)
  wrk.path = args[1]
  if args[2] == "close" then wrk.headers["Connection"] = "close" end
  local at = 3 + visitor % ((#args - 2) / 2) * 2
  wrk.headers["Host"] = args[at]
  if args[at + 1] ~= "" then wrk.headers["Cookie"] = args[at + 1] end
  ready = wrk.format()
end
function request()
  return ready
end
function done(summary)
  local e = summary.errors
  io.write(string.format("done %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
    e.connect, e.read, e.write, e.timeout, e.status))
end
"#;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) secure: bool,
    /// A new connection for each request.
    pub(crate) close: bool,
    pub(crate) path: &'a str,
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
}

impl Load<'_> {
    pub(crate) const PLAIN: Load<'static> = Load {
        secure: false,
        close: false,
        path: "/",
        connections: 64,
        seconds: 1,
    };
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// Connections that were refused or closed, and answers that never came.
    pub(crate) lost: u64,
    /// Answers with another status than 2xx or 3xx.
    pub(crate) refused: u64,
}

/// The names that are asked for.
pub(crate) fn names(targets: usize) -> Vec<String> {
    let mut turns: Vec<usize> = (0..HOSTS).map(|turn| host(turn, targets)).collect();
    turns.dedup();
    turns
        .iter()
        .map(|turn| format!("component-{turn}.{DOMAIN}"))
        .collect()
}

/// The cookies that a visitor gets who comes for the first time, as it brings them from then on.
pub(crate) fn cookies(port: u16, host: &str) -> Result<String, String> {
    let failed = |why: std::io::Error| format!("asking {host} on {port}: {why}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    stream.set_read_timeout(Some(BOUND)).map_err(failed)?;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let text = String::from_utf8_lossy(&answer);
    let given = text.lines().take_while(|line| !line.is_empty());
    let given = given.filter_map(|line| line.split_once(": "));
    let given = given.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs: Vec<&str> = given.filter_map(|(_, cookie)| cookie.split(';').next()).collect();
    Ok(pairs.join("; "))
}

/// The command of a load, to be started when it is time.
pub(crate) fn command(
    place: &Place,
    proxy: &Proxy,
    load: Load<'_>,
    hosts: &[String],
) -> Result<Command, String> {
    let script = place.folder.join("load.lua");
    write(&script, SCRIPT.as_bytes())?;
    let (scheme, port) = if load.secure {
        ("https", proxy.https)
    } else {
        ("http", proxy.http)
    };
    let mut command = crate::place::launched(&place.load)?;
    command
        .args(["wrk", "--timeout", "10s"])
        .arg(format!("-t{HOSTS}"))
        .arg(format!("-c{}", load.connections))
        .arg(format!("-d{}s", load.seconds))
        .arg("-s")
        .arg(script)
        .arg(format!("{scheme}://localhost:{port}/"))
        .arg("--")
        .args([load.path, if load.close { "close" } else { "keep" }]);
    for host in hosts {
        command.args([host.as_str(), &cookies(proxy.http, host)?]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

/// Loads a proxy, and waits until that is over.
pub(crate) fn run(place: &Place, proxy: &Proxy, load: Load<'_>) -> Result<Done, String> {
    let mut command = command(place, proxy, load, &names(proxy.targets))?;
    let output = command.output().map_err(|why| format!("wrk: {why}"))?;
    read(&output)
}

/// What it printed at its end.
pub(crate) fn read(output: &std::process::Output) -> Result<Done, String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("done "));
    let counts: Vec<u64> = line
        .unwrap_or_default()
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [requests, duration, connect, read, write, timeout, status] = counts[..] else {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "wrk ended without a count: {}{}",
            text.trim(),
            said.trim()
        ));
    };
    Ok(Done {
        requests,
        seconds: duration as f64 / 1e6,
        lost: connect + read + write + timeout,
        refused: status,
    })
}
