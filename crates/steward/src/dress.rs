//! What a process is given: its environment, put together from what the manifest says and what is known here.

use crate::addresses::Addresses;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use towpath_engine::Start;
use towpath_model::desired::component::Restart;
use towpath_model::desired::secret::Delivery;
use towpath_model::run::{Component, InstanceId, Kind, Part, Product, Resource, Value, Variable, Variables};
use towpath_model::sealed::Sealed;
use towpath_model::unit::Name;

/// The variable that says to our own program which server it becomes, as JSON.
pub const RESOURCE: &str = "TOWPATH_RESOURCE";
/// The variable that says where that keeps what it keeps.
pub const RESOURCE_FOLDER: &str = "TOWPATH_RESOURCE_FOLDER";
/// The folder of all resources, in that of the state.
pub const RESOURCES: &str = "resources";

/// The variable that says which making of the environment its store is to be empty for.
pub const RESOURCE_MAKING: &str = "TOWPATH_RESOURCE_MAKING";

/// The making of an environment: it was brought up when nothing of it ran. It lasts until nothing of it runs again and
/// somebody brings it up anew; a steward that dies and a server that is restarted change nothing about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Making {
    /// What it is called: no other one is called so.
    pub(crate) name: String,
    /// The stores of ours, and whether each begins empty. What was said first holds until the next making, so that nobody
    /// loses by a changed word what they have kept since.
    pub(crate) stores: BTreeMap<Name, bool>,
}

impl Making {
    /// Learns of the stores of a product that it has not heard of. Whether there were any, and which of them begin empty.
    pub(crate) fn learn(&mut self, product: &Product) -> (bool, Vec<Name>) {
        let (mut news, mut empty) = (false, Vec::new());
        for (name, component) in &product.components {
            let Some(resource) = component
                .resource
                .as_ref()
                .filter(|_| !self.stores.contains_key(name))
            else {
                continue;
            };
            self.stores.insert(name.clone(), resource.fresh);
            news = true;
            if resource.fresh {
                empty.push(name.clone());
            }
        }
        (news, empty)
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Everything that values are made of.
#[derive(Debug, Default)]
pub(crate) struct Wardrobe {
    /// What every process gets: `PATH`, `HOME`, and their like.
    pub(crate) base: BTreeMap<String, String>,
    /// The sealed values.
    pub(crate) values: Variables,
    /// Our own program, which becomes the servers of resources; and where those keep what they keep.
    pub(crate) program: PathBuf,
    pub(crate) resources: PathBuf,
    /// The making of the environment that holds now.
    pub(crate) making: Making,
    /// The product and its environment.
    pub(crate) product: String,
    pub(crate) environment: String,
    /// Where people reach a component.
    pub(crate) public: BTreeMap<Name, String>,
    /// The folder of certificates.
    pub(crate) certificates: PathBuf,
    /// Those that are called over TLS.
    pub(crate) mutual: BTreeSet<Name>,
}

/// Variables, and those of them that are delivered as files.
pub(crate) type Dress = (Vec<(String, Sealed<String>)>, Vec<(String, Sealed<String>)>);

impl Wardrobe {
    /// The value of a variable; nothing where what it is made of is not known.
    fn value(&self, value: &Value, port: Option<u16>, addresses: &Addresses) -> Option<Sealed<String>> {
        let plain = match value {
            Value::Text(text) => text.clone(),
            Value::Sealed(name) => return self.values.get(name).cloned(),
            Value::Port => port?.to_string(),
            Value::Address { of, part } => {
                let port = addresses.inside(of)?;
                match part {
                    Part::Url if self.mutual.contains(of) => format!("https://127.0.0.1:{port}"),
                    Part::Url => format!("http://127.0.0.1:{port}"),
                    Part::Host => "127.0.0.1".to_owned(),
                    Part::Port => port.to_string(),
                }
            }
            Value::Public(name) => self.public.get(name)?.clone(),
            Value::Credential { of, which } => {
                let file = towpath_edge::credential(&self.certificates, of.as_str(), *which);
                file.to_string_lossy().into_owned()
            }
            Value::Joined(parts) => {
                let parts = parts.iter().map(|part| self.value(part, port, addresses));
                let parts: Option<Vec<Sealed<String>>> = parts.collect();
                parts?.iter().map(|part| part.open().as_str()).collect()
            }
        };
        Some(Sealed::new(plain))
    }

    /// The variables of a build or of a component without an instance.
    pub(crate) fn variables(
        &self,
        env: &BTreeMap<String, Variable>,
        port: Option<u16>,
        addresses: &Addresses,
    ) -> Dress {
        let mut all: BTreeMap<String, Sealed<String>> = self
            .base
            .iter()
            .map(|(name, value)| (name.clone(), Sealed::new(value.clone())))
            .collect();
        let mut files = Vec::new();
        for (name, variable) in env {
            let Some(value) = self.value(&variable.value, port, addresses) else {
                continue;
            };
            match variable.deliver {
                Delivery::Variable => {
                    all.insert(name.clone(), value);
                }
                Delivery::File => files.push((name.clone(), value)),
            }
        }
        (all.into_iter().collect(), files)
    }

    /// What our own program is told that becomes the server of a resource, or a client of it.
    pub(crate) fn order(&self, name: &Name, resource: &Resource) -> Vec<(String, Sealed<String>)> {
        let folder = self.resources.join(name.as_str());
        let order = serde_json::to_string(resource).unwrap_or_default();
        let mut told = vec![
            (RESOURCE.to_owned(), Sealed::new(order)),
            (
                RESOURCE_FOLDER.to_owned(),
                Sealed::new(folder.to_string_lossy().into_owned()),
            ),
        ];
        // Both have to say it: who takes the word out again keeps what is there.
        if resource.fresh && self.making.stores.get(name) == Some(&true) {
            told.push((RESOURCE_MAKING.to_owned(), Sealed::new(self.making.name.clone())));
        }
        told
    }

    /// Exactly what is started.
    pub(crate) fn start(
        &self,
        id: InstanceId,
        digest: String,
        component: &Component,
        port: Option<u16>,
        addresses: &Addresses,
    ) -> Start {
        let (mut env, files) = self.variables(&component.env, port, addresses);
        let is_job = component.kind == Kind::Job;
        env.push(("TOWPATH_INSTANCE".to_owned(), Sealed::new(id.to_string())));
        let command = match &component.resource {
            Some(resource) => {
                env.extend(self.order(&component.name, resource));
                format!("{} resource", quoted(&self.program.to_string_lossy()))
            }
            None => component.command.clone().unwrap_or_default(),
        };
        Start {
            lease: component.single.then(|| component.name.clone()),
            id,
            digest,
            command,
            dir: component.dir.clone(),
            env,
            files,
            port,
            limits: component.limits,
            // A job's next try is a decision of its own: it waits longer each time, and ends.
            restart: if is_job { Restart::Never } else { component.restart },
            stop: component.stop.clone(),
            timeout: component
                .timeout
                .filter(|_| component.kind == towpath_model::run::Kind::Job),
        }
    }
}
