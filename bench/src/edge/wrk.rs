//! Load by `wrk`.

use crate::peer::Proxy;
use crate::place::{Place, write};
use crate::serve::DOMAIN;
use std::process::{Command, Stdio};

/// How many hosts are asked for, in turn. They lie evenly in the table, and few enough that connections to their instances
/// stay in use: the others have one upstream.
pub(crate) const HOSTS: usize = 10;

/// The component that a host stands for.
pub(crate) fn host(turn: usize, targets: usize) -> usize {
    turn * targets / HOSTS
}

/// It connects to one address, whatever else `localhost` may be, and makes its requests beforehand.
const SCRIPT: &str = r#"
function setup(thread)
  thread.addr = wrk.lookup("127.0.0.1", wrk.port)[1]
end
function init(args)
  requests, at = {}, 0
  wrk.path = args[1]
  if args[2] == "close" then wrk.headers["Connection"] = "close" end
  for turn = 3, #args do
    wrk.headers["Host"] = args[turn]
    requests[#requests + 1] = wrk.format()
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
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
        .args(["wrk", "-t1", "--timeout", "10s"])
        .arg(format!("-c{}", load.connections))
        .arg(format!("-d{}s", load.seconds))
        .arg("-s")
        .arg(script)
        .arg(format!("{scheme}://localhost:{port}/"))
        .arg("--")
        .args([load.path, if load.close { "close" } else { "keep" }])
        .args(hosts);
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
