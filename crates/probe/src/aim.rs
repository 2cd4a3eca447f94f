//! What a probe is aimed at, and what it may use on its way.

use crate::unasked;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use towpath_decide::gate::probe::{Broken, Value, Veil};
use towpath_model::Sealed;
use towpath_resource::reached;

/// Where a component is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The address of an instance, or of the edge in front of it.
    pub at: SocketAddr,
    /// Over TLS.
    pub tls: bool,
    /// By which name it is asked; the address itself, where that says nothing to it.
    pub host: String,
}

impl Base {
    /// An instance, which is asked by its own address.
    pub fn instance(at: SocketAddr) -> Base {
        Base {
            at,
            tls: false,
            host: at.to_string(),
        }
    }

    /// An edge, which is asked for a host.
    pub fn edge(at: SocketAddr, tls: bool, host: &str) -> Base {
        let host = host.to_owned();
        Base { at, tls, host }
    }

    /// `http://127.0.0.1:4711`
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }
}

/// What a probe is aimed at.
#[derive(Debug, Clone, Default)]
pub struct Aim {
    /// Where its component is asked; the runs go round. None: nothing of it runs.
    pub at: Vec<Base>,
    /// Where other components are reached, for `tcp`.
    pub reached: BTreeMap<String, SocketAddr>,
    /// The addresses of stores, by their names: `postgres://user:password@host:port/name`, `redis://:password@host:port/0`.
    pub resources: BTreeMap<String, Sealed<String>>,
    /// The values of secrets.
    pub secrets: BTreeMap<String, Sealed<String>>,
    /// Further values that nobody may be told.
    pub hidden: Vec<Sealed<String>>,
    /// All environment variables of commands.
    pub env: Vec<(String, Sealed<String>)>,
    /// The folder of commands.
    pub folder: PathBuf,
    /// The folder of files that are sent.
    pub files: PathBuf,
    /// Authorities that are believed besides those of the system, as PEM.
    pub authorities: Vec<String>,
    /// The digest of the release that runs, for a fixture that is to stay as it is.
    pub stable: Option<String>,
    /// Now, for signatures.
    pub now: Timestamp,
}

impl Aim {
    /// What hides everything that is secret here.
    pub fn veil(&self) -> Veil {
        let passwords: Vec<Sealed<String>> = self
            .resources
            .values()
            .filter_map(|address| Some(reached(address).ok()?.password))
            .collect();
        let addresses = self.resources.values();
        // As it stands in an address, a password may be written otherwise.
        let written = addresses.filter_map(|address| {
            let (before, _) = address.open().rsplit_once('@')?;
            before.rsplit_once(':').map(|(_, password)| password)
        });
        let sealed = self.secrets.values().chain(&self.hidden).chain(&passwords);
        Veil::over(sealed.map(|value| value.open().as_str()).chain(written))
    }

    /// A value that a request carries.
    pub(crate) fn value(&self, value: &Value) -> Result<Sealed<String>, Broken> {
        match value {
            Value::Plain(text) => Ok(Sealed::new(text.clone())),
            Value::Secret(name) => self.secret(name),
        }
    }

    /// The value of a secret.
    pub(crate) fn secret(&self, name: &str) -> Result<Sealed<String>, Broken> {
        let value = self.secrets.get(name).filter(|value| !value.open().is_empty());
        value.cloned().ok_or_else(|| {
            unasked(format!(
                "the secret `{name}` has no value here; `towpath secrets set` gives it one"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_hidden_as_they_are_and_as_they_are_written() {
        let sealed = |text: &str| Sealed::new(text.to_owned());
        let aim = Aim {
            resources: BTreeMap::from([("db".to_owned(), sealed("postgres://u:pass%20word@h:1/d"))]),
            secrets: BTreeMap::from([("KEY".to_owned(), sealed("hunter2"))]),
            hidden: vec![sealed("hidden-value")],
            ..Aim::default()
        };
        assert_eq!(
            aim.veil()
                .text("pass word, pass%20word, hunter2, hidden-value, u"),
            "[sealed], [sealed], [sealed], [sealed], u"
        );
    }

    #[test]
    fn a_secret_without_a_value_is_told_by_its_name() {
        let told = Aim::default().value(&Value::Secret("KEY".to_owned()));
        let Err(Broken::Unknown(why)) = told else {
            panic!("it has a value")
        };
        assert!(why.contains("`KEY`"), "{why}");
    }
}
