//! A provider that people sign in at, and a browser, for tests.
#![allow(clippy::print_stdout, reason = "a test that is left out says so")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::kit::{self, Reply, Running};

/// A provider, a process of its own.
pub(crate) struct Issuer {
    pub(crate) url: String,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    child: Child,
}

impl Issuer {
    /// Starts one, where it is installed.
    pub(crate) fn start() -> Option<Issuer> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.join("../../target/oidc");
        if !folder.join("node_modules/oauth2-mock-server").exists() {
            println!("left out: oauth2-mock-server is not installed");
            return None;
        }
        let mut child = Command::new("node")
            .arg(here.join("tests/issuer/run.mjs"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is node");
        let said = child.stdout.take().expect("it says something");
        let mut talk = (child.stdin.take().expect("it hears"), BufReader::new(said));
        let url = line(&mut talk.1);
        Some(Issuer {
            url: url.as_str().expect("an address").to_owned(),
            talk: Mutex::new(talk),
            child,
        })
    }

    /// Wishes something of it.
    pub(crate) fn wish(&self, wish: Value) -> Value {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(talk.0, "{wish}").expect("it hears");
        line(&mut talk.1)
    }

    /// A token of a program, with other words than usual.
    pub(crate) fn token(&self, claims: Value) -> String {
        let token = self.wish(json!({ "token": claims }));
        token.as_str().expect("a token").to_owned()
    }

    pub(crate) fn port(&self) -> u16 {
        let port = self.url.rsplit(':').next().and_then(|port| port.parse().ok());
        port.expect("it has a port")
    }

    pub(crate) fn at(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port()).into()
    }
}

fn line(said: &mut impl BufRead) -> Value {
    let mut line = String::new();
    said.read_line(&mut line).expect("it says something");
    serde_json::from_str(&line).expect("it is JSON")
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser that keeps cookies.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Opens a page of `web`, and keeps its cookies.
    pub(crate) async fn open(&mut self, running: &Running, path: &str) -> Reply {
        self.open_with(running, path, &[("accept", "text/html")]).await
    }

    pub(crate) async fn open_with(
        &mut self,
        running: &Running,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Reply {
        let pairs = self.cookies.iter();
        let cookies = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>();
        let cookies = cookies.join("; ");
        let mut headers = headers.to_vec();
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        let asked = kit::request(Method::GET, &kit::host("web"), path, &headers, "");
        let reply = running.ask(asked).await;
        for set in reply.headers.get_all("set-cookie") {
            let set = set.to_str().expect("it is text");
            assert!(
                set.contains("; Path=/;") && set.contains("; HttpOnly; SameSite=Lax"),
                "{set}"
            );
            let (name, rest) = set.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            if set.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// Goes to the provider, and hands back where that sends us: a path of `web`.
    pub(crate) async fn at_provider(&self, issuer: &Issuer, sent: &Reply) -> String {
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        let location = sent.header("location");
        let path = location
            .strip_prefix(&issuer.url)
            .expect("it leads to the provider");
        let asked = kit::get(&format!("127.0.0.1:{}", issuer.port()), path);
        let back = kit::ask(issuer.at(), asked).await;
        let own = format!("http://{}", kit::host("web"));
        let back = back.header("location");
        back.strip_prefix(&own).expect("it leads back").to_owned()
    }

    /// Signs in on the way to a page, and hands back what came of it.
    pub(crate) async fn sign_in(&mut self, running: &Running, issuer: &Issuer, path: &str) -> Reply {
        let sent = self.open(running, path).await;
        let back = self.at_provider(issuer, &sent).await;
        self.open(running, &back).await
    }

    pub(crate) fn has_session(&self) -> bool {
        self.cookies
            .keys()
            .any(|name| name.starts_with("towpath-session-"))
    }
}
