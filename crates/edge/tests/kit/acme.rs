//! A certificate authority of our own, Debian's Pebble, and a DNS that says that every name is this machine.
//!
//! It rejects one nonce of twenty as it always does.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What is there as long as it runs. Both processes end with it.
pub(crate) struct Pebble {
    folder: PathBuf,
    port: u16,
    names: Child,
    authority: Option<Child>,
}

/// Ports that nobody has now.
fn ports<const N: usize>() -> [u16; N] {
    let taken: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    taken.map(|listener| listener.local_addr().expect("an address").port())
}

pub(crate) fn is_here() -> bool {
    let found = Command::new("pebble")
        .arg("-h")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok()
}

impl Pebble {
    /// Starts one, which is ready a moment later, that looks at these ports whether a domain is ours, and hands out certificates for so many seconds.
    pub(crate) fn start(folder: &Path, (http, https): (u16, u16), lasts: u32) -> Pebble {
        let folder = folder.join("pebble");
        fs::create_dir(&folder).expect("a folder");
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        let own = own.expect("a certificate");
        fs::write(folder.join("cert.pem"), own.cert.pem()).expect("a file");
        fs::write(folder.join("key.pem"), own.signing_key.serialize_pem()).expect("a file");
        let [port, management, dns, other] = ports();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": folder.join("cert.pem"),
            "privateKey": folder.join("key.pem"),
            "httpPort": http,
            "tlsPort": https,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": lasts,
        } });
        fs::write(folder.join("config.json"), config.to_string()).expect("a file");
        fs::write(folder.join("dns"), dns.to_string()).expect("a file");
        let names = Command::new("pebble-challtestsrv")
            .args([
                "-defaultIPv4",
                "127.0.0.1",
                "-defaultIPv6",
                "",
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
            ])
            .args([
                "-dns01",
                &format!("127.0.0.1:{dns}"),
                "-management",
                &format!("127.0.0.1:{other}"),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it comes with pebble");
        let mut pebble = Pebble {
            folder,
            port,
            names,
            authority: None,
        };
        pebble.begin();
        pebble
    }

    /// Starts the authority again. It remembers nobody.
    pub(crate) fn begin(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .expect("a log");
        let dns = fs::read_to_string(self.folder.join("dns")).expect("it is there");
        let authority = Command::new("pebble")
            .args(["-config", &self.folder.join("config.json").display().to_string()])
            .args(["-dnsserver", &format!("127.0.0.1:{dns}")])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("it is there");
        self.authority = Some(authority);
    }

    /// Whether it takes connections.
    pub(crate) fn is_ready(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }

    /// Ends the authority.
    pub(crate) fn end(&mut self) {
        if let Some(mut authority) = self.authority.take() {
            authority.kill().expect("it runs");
            authority.wait().expect("it ends");
        }
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    pub(crate) fn root(&self) -> String {
        self.folder.join("cert.pem").display().to_string()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.end();
        let _ = self.names.kill();
        let _ = self.names.wait();
    }
}
