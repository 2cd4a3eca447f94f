//! Calls of components that show each other who they are: the inside port of one that wants to know speaks TLS, with a
//! certificate of the product's own authority on both sides.
//!
//! **Who is let in** decides `towpath_decide::calls`, for each request: the connection has shown once who calls, and what the
//! manifest says about that may change while it is open.
//!
//! **Nothing is resumed.** A connection that was taken up again would bring a certificate of an earlier one, which may have
//! ended meanwhile. A handshake between processes of one machine is a third of a millisecond, and connections are kept.
//!
//! **A connection ends** when the certificate does that it was begun with: what is being answered is answered, and the next
//! request comes by a new one.

mod issue;
pub mod people;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, StatusCode, Version};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, version};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use towpath_decide::calls::{Because, Caller, may_call};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Event;
use crate::door::{clock, disk};
use crate::ending::Part;
use crate::first::First;
use crate::pages::Page;
use crate::serve::{self, HANDSHAKE, TLS, tells};
use crate::state::State;
use crate::table::Aim;
use crate::visit::{Entry, Visit};
use issue::{OwnAuthority, domain};
pub use issue::{credential, keep_credentials};

/// How long the certificate lasts that the edge itself shows; it is made anew after half of that.
const LASTS: Duration = Duration::from_secs(24 * 60 * 60);

/// The name of the component that calls, as the one that is called is told.
#[derive(Debug, Clone)]
pub(crate) struct CalledBy(pub(crate) HeaderValue);

/// What components show who they are to, once the first one has come.
#[derive(Default)]
pub(crate) struct Inner(tokio::sync::Mutex<Option<Made>>);

struct Made {
    folder: PathBuf,
    /// The authority's certificate, as the disk tells one from another.
    stamp: disk::Stamp,
    at: Duration,
    config: Arc<ServerConfig>,
}

impl Inner {
    async fn acceptor(&self, state: &State) -> Result<TlsAcceptor, String> {
        let folder = state.trust.certificates.facing().folder.clone();
        let now = clock::since_epoch();
        let mut made = self.0.lock().await;
        if let Some(made) = made.as_ref()
            && made.folder == folder
            && (made.at..made.at + LASTS / 2).contains(&now)
            && stamp(&folder) == Some(made.stamp)
        {
            return Ok(TlsAcceptor::from(Arc::clone(&made.config)));
        }
        let product = state.product.clone();
        let make = move || make(folder, &product, now);
        let new = tokio::task::spawn_blocking(make)
            .await
            .map_err(|error| error.to_string())??;
        let acceptor = TlsAcceptor::from(Arc::clone(&new.config));
        *made = Some(new);
        Ok(acceptor)
    }
}

fn stamp(folder: &Path) -> Option<disk::Stamp> {
    match disk::glance(&issue::authority(folder)) {
        disk::Seen::File(stamp) => Some(stamp),
        disk::Seen::Folder | disk::Seen::Nothing => None,
    }
}

/// What answers handshakes of components. It reads files.
fn make(folder: PathBuf, product: &str, now: Duration) -> Result<Made, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let authority = OwnAuthority::open(&folder, product)?;
    let stamp = stamp(&folder).ok_or("the authority's certificate has gone")?;
    let (chain, key) = authority.of_edge(product, now, LASTS)?;
    let mut roots = RootCertStore::empty();
    roots
        .add(authority.certificate().clone())
        .map_err(|error| error.to_string())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| error.to_string())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .expect("the provider has suites for both versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Made {
        folder,
        stamp,
        at: now,
        config: Arc::new(config),
    })
}

/// Whether components show who they are at a port.
pub(crate) fn is_at(state: &State, port: u16) -> bool {
    state
        .table()
        .inside(port)
        .is_some_and(|aim| aim.target.mutual.is_some())
}

/// Serves a connection of a component until it ends.
pub(crate) async fn connection(
    state: Arc<State>,
    stream: TcpStream,
    (from, port): (SocketAddr, u16),
    part: Part,
) {
    let Ok(Some(stream)) = timeout(state.patience.head, First::of(stream, tells)).await else {
        return;
    };
    let entry = Entry::Inside(port);
    let is_raw = serve::is_raw(&state, port);
    if stream.bytes().first() != Some(&TLS) {
        let version = match stream.bytes().starts_with(b"PRI") {
            true => Version::HTTP_2,
            false => Version::HTTP_11,
        };
        // Whoever speaks HTTP is told what is wanted.
        if !is_raw {
            serve::requests(state, Visit::new(entry, from, false), stream, version, part).await;
        }
        return;
    }
    let tls = match state.inner.acceptor(&state).await {
        Ok(tls) => tls,
        Err(why) => {
            let words = format!("the product's own authority cannot be used: {why}");
            return state.tell(Event::Untrusted(words));
        }
    };
    let within = HANDSHAKE.min(state.patience.head);
    let Ok(Ok(stream)) = timeout(within, tls.accept(stream)).await else {
        return;
    };
    let (_, shown) = stream.get_ref();
    let caller = shown
        .peer_certificates()
        .and_then(<[_]>::first)
        .and_then(|certificate| caller(certificate, &state.product));
    let Some(caller) = caller else {
        return;
    };
    if is_raw {
        if may_enter(&state, port, &caller) {
            serve::relay(&state, port, stream, part).await;
        }
        return;
    }
    let version = match shown.alpn_protocol() {
        Some(b"h2") => Version::HTTP_2,
        _ => Version::HTTP_11,
    };
    let visit = Visit::new(entry, from, true).called_by(caller);
    serve::requests(state, visit, stream, version, part).await;
}

fn may_enter(state: &State, port: u16, caller: &Caller) -> bool {
    let table = state.table();
    let mutual = table.inside(port).and_then(|aim| aim.target.mutual.as_ref());
    mutual.is_some_and(|mutual| may_call(mutual, caller, seconds()).0)
}

fn seconds() -> i64 {
    i64::try_from(clock::since_epoch().as_secs()).unwrap_or(i64::MAX)
}

/// Who a certificate names.
fn caller(certificate: &CertificateDer<'_>, product: &str) -> Option<Caller> {
    let (_, read) = X509Certificate::from_der(certificate).ok()?;
    let named = read.subject_alternative_name().ok().flatten();
    let names = named.iter().flat_map(|named| &named.value.general_names);
    let begins = format!("{}/", domain(product));
    let component = names
        .filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix(begins.as_str()),
            _ => None,
        })
        .next();
    Some(Caller {
        component: component.map(str::to_owned),
        until: read.validity().not_after.timestamp(),
    })
}

/// Why a call of a component does not go on; where it does, the one that is called is told who calls.
pub(crate) fn refusal(aim: &Aim, visit: &Visit, parts: &mut Parts) -> Option<Page> {
    let mutual = aim.target.mutual.as_ref()?;
    let called = &aim.place.name;
    let Some(caller) = &visit.caller else {
        let words = format!(
            "{called} is called over HTTPS, and callers show a certificate.\nIts address begins with https://, and \
             TOWPATH_CERTIFICATE names the file with yours."
        );
        return Some(Page::new(StatusCode::BAD_REQUEST, "This is plain HTTP", words));
    };
    match may_call(mutual, caller, seconds()) {
        (true, Because::Uses(name)) => {
            if let Ok(name) = HeaderValue::try_from(name) {
                parts.extensions.insert(CalledBy(name));
            }
            None
        }
        (_, because) => {
            let hint = match &because {
                Because::UsesNot(caller) => {
                    format!("\nSay uses = [\"{called}\"] at {caller} for it to be let in.")
                }
                _ => String::new(),
            };
            let words = format!("{called} may not be called: {because}.{hint}");
            Some(Page::new(StatusCode::FORBIDDEN, "Not for this component", words))
        }
    }
}
