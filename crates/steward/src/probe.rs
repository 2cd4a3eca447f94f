//! Probing: after a change a public component is asked once by its real name, and what a visitor gets is compared with the
//! headers that the manifest asks for (`decide::headers`).
//!
//! Only what instances answer is asked for: to a file the edge itself adds every header. One that sleeps is not woken for it.

use crate::core::{Core, Message};
use crate::listens::from_here;
use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use towpath_api::Tone;
use towpath_decide::headers::{Answer, Finding, judge};
use towpath_decide::tend::Part;
use towpath_engine::Engine;
use towpath_model::run::Rules;
use towpath_model::unit::Name;

/// How long an answer may take. One that takes longer says nothing of headers.
const ANSWERS: Duration = Duration::from_secs(10);

/// What was asked, and what is not as it should be.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// The newest instance that was asked, by component.
    asked: BTreeMap<Name, (u64, Vec<(String, String)>)>,
    /// What is told of components.
    told: BTreeMap<Name, String>,
}

impl Probes {
    /// What is told of all of them.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.told.values().cloned()
    }

    /// Whether a component has to be asked: its newest instance, or what its answers should have, is another one.
    fn is_due(&mut self, name: &Name, newest: u64, wanted: &[(String, String)]) -> bool {
        let now = (newest, wanted.to_vec());
        self.asked.insert(name.clone(), now.clone()) != Some(now)
    }
}

/// The rules of what is asked for at the root of a component.
fn at_root(part: &Part) -> Option<&Rules> {
    let listens = part
        .component
        .as_ref()?
        .listens
        .as_ref()
        .filter(|listens| listens.public)?;
    let root = listens.routes.iter().find(|route| route.path == "/");
    Some(root.map_or(&listens.rules, |route| &route.rules))
}

impl<E: Engine> Core<E> {
    /// Asks those of these that have changed and are well, each in a task of its own.
    pub(crate) fn probe(&mut self, names: &[Name]) {
        let (Some((_, port)), Some(product)) = (self.edge_ports, &self.product) else {
            return;
        };
        let product = product.product.clone();
        let listening = self.edge.as_ref().and_then(|edge| edge.listening());
        let at = SocketAddr::new(from_here(listening.as_ref()), port);
        for name in names {
            let Some(part) = self.tended.parts().get(name) else {
                self.probes.asked.remove(name);
                self.probes.told.remove(name);
                continue;
            };
            let newest = part
                .standing
                .iter()
                .filter(|one| one.serves())
                .map(|one| one.seen.id.number);
            let (true, Some(newest), Some(rules)) = (part.state.is_well(), newest.max(), at_root(part))
            else {
                continue;
            };
            let wanted = rules.headers.clone();
            if !self.probes.is_due(name, newest, &wanted) {
                continue;
            }
            if wanted.is_empty() {
                self.probes.told.remove(name);
                continue;
            }
            let host = format!("{name}.{product}.localhost");
            let (inbox, name) = (self.inbox.clone(), name.clone());
            tokio::spawn(async move {
                if let Ok(Some((status, headers))) = timeout(ANSWERS, ask(at, &host)).await {
                    let answer = Answer {
                        status,
                        headers: &headers,
                        // It was asked over plain HTTP, under a name of this machine.
                        insists: false,
                    };
                    if let Some(found) = judge(&wanted, answer) {
                        // That nobody hears it means that we are ending.
                        let _ = inbox.send(Message::Probed(name, found));
                    }
                }
            });
        }
    }

    /// A component was asked. What is weaker than it should be is written down, and told once.
    pub(crate) fn probed(&mut self, name: Name, found: &[Finding]) {
        if found.is_empty() {
            self.probes.told.remove(&name);
            return;
        }
        let kind = self
            .tended
            .parts()
            .get(&name)
            .and_then(|part| Some(part.component.as_ref()?.kind));
        let all: Vec<String> = found.iter().map(ToString::to_string).collect();
        let text = format!(
            "{name} answers with weaker headers than the manifest asks for: {}; take them out of {name}, or say what is meant in `headers` of [{}.{name}]",
            all.join("; "),
            kind.map_or("service", |kind| kind.word()),
        );
        self.ledger.happened(
            "headers",
            name.as_str(),
            serde_json::json!({ "found": all }),
            &text,
        );
        if self.probes.told.insert(name, text.clone()).as_ref() != Some(&text) {
            self.note(Tone::Warning, text);
        }
    }
}

/// Asks the edge for the root of a host, as a visitor does: the status, and the headers.
async fn ask(at: SocketAddr, host: &str) -> Option<(u16, Vec<(String, String)>)> {
    let stream = TcpStream::connect(at).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = tokio::spawn(connection);
    let request = http::Request::get("/")
        .header(HOST, host)
        .header(USER_AGENT, concat!("towpath/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "text/html,*/*")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    let headers = response.headers().iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let answer = (response.status().as_u16(), headers.collect());
    // What it says is of no interest, and may have no end.
    connection.abort();
    Some(answer)
}
