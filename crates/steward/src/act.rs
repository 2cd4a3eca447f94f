//! Acting: what was decided is made exact, written down, and done beside the core.

use crate::core::{Core, Message};
use crate::door::{listeners, sockets};
use crate::errors::told;
use serde_json::json;
use std::sync::Arc;
use towpath_decide::converge::Because;
use towpath_decide::tend::{Act, Did, Fact, NoPort};
use towpath_engine::{Engine, EngineError};
use towpath_model::run::{Build, Component, InstanceId, Seen, Stop};
use towpath_model::unit::Name;
use towpath_store::{Entry, Seq};

/// Why something is made. A new steward does not know whether anything has changed: its build does, when it is asked.
const MAKES: &str = "what it is made of may have changed since it was made";

/// Something that is about to be done, with nothing left to choose.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    /// Starts an instance.
    Start {
        id: InstanceId,
        digest: String,
        component: Arc<Component>,
        port: Option<u16>,
        because: Because,
    },
    /// Stops an instance.
    Stop {
        id: InstanceId,
        how: Stop,
        because: Because,
    },
    /// Restarts an instance.
    Restart {
        id: InstanceId,
        how: Stop,
        because: Because,
    },
    /// Forgets an instance.
    Forget { id: InstanceId },
    /// Builds.
    Build(Arc<Build>),
    /// Packs.
    Pack(Name),
}

impl Prepared {
    /// Makes an act exact. What is no act upon the world is handed back.
    pub(crate) fn of(act: Act, port: Option<u16>) -> Result<Prepared, Act> {
        Ok(match act {
            Act::Start {
                id,
                digest,
                component,
                because,
            } => Prepared::Start {
                id,
                digest,
                component,
                port,
                because,
            },
            Act::Stop { id, how, because } => Prepared::Stop { id, how, because },
            Act::Restart { id, how, because } => Prepared::Restart { id, how, because },
            Act::Forget { id } => Prepared::Forget { id },
            Act::Build(build) => Prepared::Build(build),
            Act::Pack(name) => Prepared::Pack(name),
            other => return Err(other),
        })
    }

    /// Whether it ends something.
    pub(crate) fn stops(&self) -> bool {
        matches!(self, Prepared::Stop { .. } | Prepared::Forget { .. })
    }

    /// The port that it was given, where that is not the component's own.
    pub(crate) fn given_port(&self) -> Option<u16> {
        match self {
            Prepared::Start { component, port, .. } => {
                let own = component.listens.as_ref().and_then(|listens| listens.port);
                port.filter(|_| own.is_none() && component.resource.is_none())
            }
            _ => None,
        }
    }

    /// What is learned when it is not done after all.
    pub(crate) fn withdrawn(&self) -> Option<Fact> {
        let (id, did) = match self {
            Prepared::Start { id, .. } => (id, Did::Start),
            Prepared::Stop { id, .. } => (id, Did::Stop),
            Prepared::Restart { id, .. } => (id, Did::Restart),
            Prepared::Forget { id } => (id, Did::Forget),
            Prepared::Build(_) | Prepared::Pack(_) => return None,
        };
        Some(Fact::Withdrawn { id: id.clone(), did })
    }

    /// What the journal says of it.
    pub(crate) fn entry(&self) -> Option<Entry> {
        let (what, subject, body, because) = match self {
            Prepared::Start {
                id,
                digest,
                port,
                because,
                ..
            } => (
                "start",
                id.to_string(),
                json!({ "digest": digest, "port": port }),
                because.to_string(),
            ),
            Prepared::Stop { id, how, because } => {
                let body = json!({ "signal": how.signal, "within": how.within });
                ("stop", id.to_string(), body, because.to_string())
            }
            Prepared::Restart { id, because, .. } => {
                ("restart", id.to_string(), json!({}), because.to_string())
            }
            Prepared::Forget { id } => ("forget", id.to_string(), json!({}), Because::Over.to_string()),
            Prepared::Build(build) => (
                "build",
                build.name.to_string(),
                json!({ "command": build.command }),
                MAKES.to_owned(),
            ),
            Prepared::Pack(name) => ("pack", name.to_string(), json!({}), MAKES.to_owned()),
        };
        Some(Entry {
            what: what.to_owned(),
            subject,
            body,
            because,
            intent: true,
        })
    }
}

impl<E: Engine> Core<E> {
    /// The port of an instance that is about to be started, where it listens; or why there is none. A port that the manifest
    /// names is tried first: whoever has it would answer in place of the instance.
    pub(crate) fn port_for(&mut self, act: &Act) -> Result<Option<u16>, Box<Fact>> {
        let Act::Start { id, component, .. } = act else {
            return Ok(None);
        };
        let refuse = |why| {
            let id = id.clone();
            Err(Box::new(Fact::NoPort { id, why }))
        };
        if component.resource.is_some() {
            return match self.own_port(&component.name) {
                Some(port) => Ok(Some(port)),
                None => refuse(NoPort::NoneFree),
            };
        }
        match component.listens.as_ref().map(|listens| listens.port) {
            None => Ok(None),
            Some(Some(port)) if sockets::is_held(port) => refuse(NoPort::Held {
                port,
                by: listeners::holder(port),
            }),
            Some(Some(port)) => Ok(Some(port)),
            Some(None) => match self.addresses.free() {
                Some(port) => Ok(Some(port)),
                None => refuse(NoPort::NoneFree),
            },
        }
    }

    /// The port of a resource, at which it is reached as long as it lives: another one where somebody else has taken it.
    fn own_port(&mut self, name: &Name) -> Option<u16> {
        let port = self
            .addresses
            .inside(name)
            .filter(|port| !sockets::is_held(*port));
        if port.is_none() {
            self.move_to_another_port(name);
        }
        self.addresses.inside(name)
    }

    /// Does what has been written down.
    pub(crate) fn perform(&mut self, prepared: Prepared, seq: Seq) {
        if let (Prepared::Start { id, .. }, Some(port)) = (&prepared, prepared.given_port()) {
            self.starting.insert(id.clone(), port);
        }
        let engine = Arc::clone(&self.engine);
        match prepared {
            Prepared::Start {
                id,
                digest,
                component,
                port,
                ..
            } => {
                let order = self
                    .wardrobe
                    .start(id.clone(), digest, &component, port, &self.addresses);
                self.beside(
                    seq,
                    id,
                    Did::Start,
                    async move { engine.start(order).await.map(Some) },
                );
            }
            Prepared::Stop { id, how, because } => {
                let of = id.clone();
                // Where others serve, it may end first what it has begun.
                let is_spare = matches!(because, Because::Replaced | Because::TooMany);
                let edge = self.edge.clone().filter(|_| is_spare);
                self.beside(seq, id, Did::Stop, async move {
                    if let Some(edge) = edge {
                        let name = of.component.as_str();
                        edge.has_left(name, &of.to_string(), how.drain.to_std()).await;
                    }
                    gone_is_fine(engine.stop(&of, how).await)
                });
            }
            Prepared::Restart { id, how, .. } => {
                let of = id.clone();
                self.beside(seq, id, Did::Restart, async move {
                    gone_is_fine(engine.restart(&of, how).await)
                });
            }
            Prepared::Forget { id } => {
                let of = id.clone();
                let forgotten = async move {
                    match engine.forget(&of).await {
                        Ok(()) | Err(EngineError::Unknown(_)) => Ok(None),
                        Err(error) => Err(error),
                    }
                };
                self.beside(seq, id, Did::Forget, forgotten);
            }
            Prepared::Build(build) => self.build(seq, &build),
            Prepared::Pack(name) => self.pack(seq, name),
        }
    }

    /// Does something to an instance beside the core, and comes back with a fact.
    fn beside(
        &self,
        seq: Seq,
        id: InstanceId,
        did: Did,
        doing: impl Future<Output = Result<Option<Seen>, EngineError>> + Send + 'static,
    ) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let result = doing.await.map_err(|error| told(&error));
            let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
            let fact = Fact::Did { id, did, result };
            // That nobody listens any more means that we are ending, and our successor will see what became of it.
            let _ = inbox.send(Message::Done { seq, fact, outcome });
        });
    }
}

/// What is not there has been stopped.
fn gone_is_fine(result: Result<Seen, EngineError>) -> Result<Option<Seen>, EngineError> {
    match result {
        Ok(seen) => Ok(Some(seen)),
        Err(EngineError::Unknown(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
