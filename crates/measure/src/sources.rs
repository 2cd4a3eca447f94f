//! Where everything is that a metric may be read from. Whoever runs the product fills it in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use towpath_model::Sealed;
use towpath_model::desired::metric::Metric;
use towpath_model::unit::Duration;
use url::Url;

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The databases, by the names of their resources.
    pub postgres: BTreeMap<String, Store>,
    /// The Redis servers, by the names of their resources.
    pub redis: BTreeMap<String, Store>,
    /// The components, by their names.
    pub components: BTreeMap<String, Component>,
    /// The hosts that something is asked of, by their names.
    pub hosts: BTreeMap<String, Host>,
    /// The host that is asked PromQL where a metric names none: `telemetry.metrics`.
    pub prometheus: Option<String>,
    /// The values of secrets, by their names.
    pub secrets: BTreeMap<String, Sealed<String>>,
    /// Where commands run.
    pub folder: PathBuf,
    /// All of their environment.
    pub environment: Vec<(String, Sealed<String>)>,
    /// Authorities that are trusted besides those of the system: certificates as DER.
    pub authorities: Vec<Vec<u8>>,
    /// How long one answer may take.
    pub bound: Duration,
}

impl Default for Sources {
    fn default() -> Self {
        Sources {
            postgres: BTreeMap::new(),
            redis: BTreeMap::new(),
            components: BTreeMap::new(),
            hosts: BTreeMap::new(),
            prometheus: None,
            secrets: BTreeMap::new(),
            folder: PathBuf::from("/"),
            environment: Vec::new(),
            authorities: Vec::new(),
            // A scrape of Prometheus has as long.
            bound: Duration::from_secs(10),
        }
    }
}

/// A resource.
#[derive(Debug, Clone)]
pub struct Store {
    /// How one gets in: `postgres://user:password@host:port/name`, `redis://:password@host:port/0`.
    pub address: Sealed<String>,
}

/// A component.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// The page of metrics of each of its instances.
    pub pages: Vec<Page>,
    /// The resources that it uses.
    pub uses: Vec<String>,
    /// The queues that it takes jobs from.
    pub queues: Vec<String>,
    /// The queue in which jobs lie that failed for good.
    pub dead_letter: Option<String>,
}

/// The page of metrics of one instance.
#[derive(Debug, Clone)]
pub struct Page {
    /// Whose it is: a name that no later life of an instance has again, such as its number.
    pub by: String,
    /// Its address.
    pub address: String,
}

/// A host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its address.
    pub url: String,
    /// The name of the secret that opens it.
    pub secret: Option<String>,
}

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Redis,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Postgres => "postgres",
            Kind::Redis => "redis",
        })
    }
}

impl Sources {
    fn of(&self, kind: Kind) -> &BTreeMap<String, Store> {
        match kind {
            Kind::Postgres => &self.postgres,
            Kind::Redis => &self.redis,
        }
    }

    /// The resource that a metric is read from: the one that it names, the only one that the component that it names uses, or
    /// the only one there is.
    pub(crate) fn store(&self, kind: Kind, metric: &Metric) -> Result<&Store, String> {
        let all = self.of(kind);
        let of = metric.of.as_ref().map(towpath_model::word::Ref::as_str);
        let candidates: Vec<(&String, &Store)> = match of {
            Some(of) => {
                if let Some(store) = all.get(of) {
                    return Ok(store);
                }
                let Some(component) = self.components.get(of) else {
                    return Err(format!(
                        "there is no {kind} `{of}` here; is it declared and provided?"
                    ));
                };
                let used = |name: &String| component.uses.contains(name);
                all.iter().filter(|(name, _)| used(name)).collect()
            }
            None => all.iter().collect(),
        };
        let about = of.map_or_else(String::new, |of| format!(" that `{of}` uses"));
        match candidates.as_slice() {
            [(_, store)] => Ok(store),
            [] => Err(format!(
                "there is no {kind}{about}; write of = \"NAME\" with the name of one"
            )),
            several => {
                let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
                Err(format!(
                    "there is more than one {kind}{about} ({}); write of = \"{}\"",
                    names.join(", "),
                    names[0]
                ))
            }
        }
    }

    /// The value of a secret.
    pub(crate) fn secret(&self, name: &str) -> Result<&Sealed<String>, String> {
        let value = self.secrets.get(name);
        value.ok_or_else(|| format!("secret `{name}` has no value here; set it: towpath secret set {name}"))
    }

    /// Every text that must not be shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let stores = self.postgres.values().chain(self.redis.values());
        let environment = self.environment.iter().map(|(_, value)| value.open().as_str());
        let secrets = self.secrets.values().map(|value| value.open().as_str());
        environment
            .chain(secrets)
            .chain(stores.map(|store| store.address.open().as_str()))
    }

    /// The address that a metric is asked at, and what opens it: `written` may be all of an address, or a path at the host
    /// that the metric names or on the first instance of its component.
    pub(crate) fn address(
        &self,
        metric: &Metric,
        written: &str,
    ) -> Result<(Url, Option<&Sealed<String>>), String> {
        let from = metric.from.as_ref().map(towpath_model::word::Ref::as_str);
        let host = from.and_then(|from| self.hosts.get(from));
        let own = metric.secret.as_ref().map(towpath_model::word::Ref::as_str);
        let secret = own.or(host.and_then(|host| host.secret.as_deref()));
        let secret = secret.map(|name| self.secret(name)).transpose()?;
        if !written.starts_with('/') {
            return Ok((url(written)?, secret));
        }
        if let Some(host) = host {
            let base = host.url.trim_end_matches('/');
            return Ok((url(&format!("{base}{written}"))?, secret));
        }
        if let Some(from) = from {
            return Err(format!(
                "host `{from}` has no address; write url = \"https://...\" at [host.{from}]"
            ));
        }
        let of = metric.of.as_ref().map(towpath_model::word::Ref::as_str);
        let Some(of) = of else {
            return Err(format!(
                "`{written}` is only a path; write all of the address, or from = \"HOST\""
            ));
        };
        let page = self
            .components
            .get(of)
            .and_then(|component| component.pages.first());
        let page = page.ok_or_else(|| nobody(of))?;
        let joined = url(&page.address)?.join(written);
        Ok((
            joined.map_err(|why| format!("`{written}` is no path: {why}"))?,
            secret,
        ))
    }
}

pub(crate) fn nobody(of: &str) -> String {
    format!("no instance of `{of}` that could be asked is running")
}

pub(crate) fn url(text: &str) -> Result<Url, String> {
    let wrong = |why: String| format!("`{}` is no address: {why}", place_of(text));
    let url = Url::parse(text).map_err(|why| wrong(why.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it begins with neither https:// nor http://".to_owned()));
    }
    Ok(url)
}

/// An address for people: without who asks, and without what stands behind its `?`.
fn place_of(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => text.to_owned(),
    }
}

/// The same of one that was read.
pub(crate) fn place(url: &Url) -> String {
    place_of(url.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::metric;

    fn store() -> Store {
        Store {
            address: Sealed::new("postgres://app:hunter2@127.0.0.1/shop".to_owned()),
        }
    }

    fn of(name: &str) -> Metric {
        metric(&format!(r#"{{"of": "{name}"}}"#))
    }

    #[test]
    fn a_component_stands_for_the_only_database_that_it_uses() {
        let two = [("db".to_owned(), store()), ("other".to_owned(), store())];
        let component = Component {
            uses: vec!["other".to_owned(), "cache".to_owned()],
            ..Component::default()
        };
        let sources = Sources {
            postgres: two.into(),
            components: [("api".to_owned(), component)].into(),
            ..Sources::default()
        };
        assert!(sources.store(Kind::Postgres, &of("db")).is_ok());
        assert!(sources.store(Kind::Postgres, &of("api")).is_ok());
        let told = |metric: &Metric, kind| sources.store(kind, metric).map(|_| ()).unwrap_err();
        assert_eq!(
            told(&metric("{}"), Kind::Postgres),
            "there is more than one postgres (db, other); write of = \"db\""
        );
        assert_eq!(
            told(&of("api"), Kind::Redis),
            "there is no redis that `api` uses; write of = \"NAME\" with the name of one"
        );
        assert_eq!(
            told(&of("gone"), Kind::Redis),
            "there is no redis `gone` here; is it declared and provided?"
        );
        assert!(!format!("{sources:?}").contains("hunter2"));
    }

    #[test]
    fn an_address_is_shown_without_what_is_nobodys_business() {
        let shown = |text: &str| place(&url(text).unwrap());
        assert_eq!(
            shown("https://me:hunter2@a.example/x?token=hunter2#y"),
            "https://a.example/x"
        );
        for text in [
            "ftp://me:hunter2@a.example/",
            "https://me:hunter2@",
            "hunter2?x",
            "",
        ] {
            let told = url(text).unwrap_err();
            assert!(!told.contains("me:hunter2"), "{told}");
        }
    }

    #[test]
    fn a_path_is_asked_of_the_host_or_of_an_instance() {
        let page = Page {
            by: "1".to_owned(),
            address: "http://127.0.0.1:4000/metrics".to_owned(),
        };
        let component = Component {
            pages: vec![page],
            ..Component::default()
        };
        let host = Host {
            url: "https://stats.example.com/api/".to_owned(),
            secret: Some("KEY".to_owned()),
        };
        let mut sources = Sources {
            components: [("api".to_owned(), component)].into(),
            hosts: [("stats".to_owned(), host)].into(),
            secrets: [("KEY".to_owned(), Sealed::new("k".to_owned()))].into(),
            ..Sources::default()
        };
        let from = metric(r#"{"from": "stats"}"#);
        let (at, secret) = sources.address(&from, "/events").unwrap();
        assert_eq!(at.as_str(), "https://stats.example.com/api/events");
        assert!(secret.is_some());
        let (at, secret) = sources.address(&of("api"), "/stats").unwrap();
        assert_eq!(
            (at.as_str(), secret.is_some()),
            ("http://127.0.0.1:4000/stats", false)
        );
        assert!(
            sources
                .address(&metric("{}"), "/stats")
                .unwrap_err()
                .contains("only a path")
        );
        sources.secrets.clear();
        let told = sources.address(&from, "/events").unwrap_err();
        assert_eq!(
            told,
            "secret `KEY` has no value here; set it: towpath secret set KEY"
        );
    }
}
