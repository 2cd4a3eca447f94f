//! A component that was started: where it is asked, and what it was given.

use crate::known::{Known, Well};
use crate::outside::{BOUND, wait_for};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a component was given, and where it is reached.
pub(crate) struct Part {
    pub(crate) known: &'static Known,
    /// Nothing where nobody asks it.
    pub(crate) at: Option<Address>,
    pub(crate) env: BTreeMap<String, String>,
}

/// A port of this machine, and the name that is asked for there.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) host: String,
}

impl Address {
    /// Of this machine itself.
    pub(crate) fn of(port: u16) -> Address {
        Address {
            port,
            host: format!("127.0.0.1:{port}"),
        }
    }

    /// The status that a path is answered with.
    fn get(&self, path: &str) -> Option<u16> {
        let patience = Duration::from_secs(10);
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut stream = TcpStream::connect_timeout(&address, patience).ok()?;
        stream.set_read_timeout(Some(patience)).ok()?;
        let host = &self.host;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).ok()?;
        std::str::from_utf8(&head[9..]).ok()?.parse().ok()
    }
}

impl Part {
    /// Waits until it is well.
    pub(crate) fn wait(&self, folder: &Path) -> Result<(), String> {
        let what = format!("{} is well", self.known.name);
        wait_for(&what, BOUND, || self.is_well(folder))
    }

    fn is_well(&self, folder: &Path) -> bool {
        let get = |path: &str| self.at.as_ref().and_then(|at| at.get(path));
        match self.known.well {
            Well::Path(path) => get(path) == Some(200),
            Well::Answers => get("/").is_some(),
            Well::Asked(command) => {
                let status = Command::new("sh")
                    .args(["-c", &format!("exec ../target/debug/{command}")])
                    .current_dir(folder)
                    .env_clear()
                    .envs(&self.env)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                status.is_ok_and(|status| status.success())
            }
            Well::Runs => true,
        }
    }
}
