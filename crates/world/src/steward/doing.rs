//! What a steward is about to do, made exact, written down, and done.

use super::{Around, Message, Steward};
use crate::machine::{Call, Machine, Order, Reply, Token, What};
use crate::product::Product;
use crate::secrets::dress;
use serde_json::json;
use std::sync::Arc;
use towpath_decide::converge::Because;
use towpath_decide::tend::{Act, Did, Fact, Wish};
use towpath_model::run::{Component, InstanceId, Kind, Stop};
use towpath_model::unit::Name;
use towpath_store::{Entry, Seq};

/// Something that a person asks a steward for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Something else is wanted from now on; with `up`, all of it is to run.
    Product(Product, bool),
    /// Something of a component.
    Wish(Name, Wish),
    /// Something about releases.
    Course(towpath_decide::rollout::Wish),
    /// A request has come for it.
    Request(Name),
    /// Nobody has asked for it for long.
    Quiet(Name),
    /// Everything is to stop.
    Down {
        /// Without asking first.
        at_once: bool,
    },
}

/// Something that is about to be done, with nothing left to choose.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    Start(Order, Because),
    Stop(InstanceId, Stop, Because),
    Restart(InstanceId, Stop, Because),
    Forget(InstanceId),
    Build(Name),
    Pack(Name),
}

impl Prepared {
    /// What it does to which instance.
    pub(super) fn instance(&self) -> Option<(InstanceId, Did)> {
        match self {
            Prepared::Start(order, _) => Some((order.id.clone(), Did::Start)),
            Prepared::Stop(id, ..) => Some((id.clone(), Did::Stop)),
            Prepared::Restart(id, ..) => Some((id.clone(), Did::Restart)),
            Prepared::Forget(id) => Some((id.clone(), Did::Forget)),
            Prepared::Build(_) | Prepared::Pack(_) => None,
        }
    }

    /// Whether it ends something.
    pub(super) fn stops(&self) -> bool {
        matches!(self, Prepared::Stop(..) | Prepared::Forget(_))
    }

    /// What the journal says of it; with all that something is started with only where a rule is broken on purpose.
    pub(super) fn entry(&self, tells_all: bool) -> Entry {
        let (what, subject, body, because) = match self {
            Prepared::Start(order, because) => {
                let mut body = json!({ "digest": order.digest, "port": order.port });
                for (name, value) in order.env.iter().filter(|_| tells_all) {
                    body[name] = json!(value.open());
                }
                ("start", order.id.to_string(), body, because.to_string())
            }
            Prepared::Stop(id, how, because) => (
                "stop",
                id.to_string(),
                json!({ "within": how.within }),
                because.to_string(),
            ),
            Prepared::Restart(id, _, because) => ("restart", id.to_string(), json!({}), because.to_string()),
            Prepared::Forget(id) => ("forget", id.to_string(), json!({}), Because::Over.to_string()),
            Prepared::Build(name) => ("build", name.to_string(), json!({}), Because::Changed.to_string()),
            Prepared::Pack(name) => ("pack", name.to_string(), json!({}), Because::Changed.to_string()),
        };
        Entry {
            what: what.to_owned(),
            subject,
            body,
            because,
            intent: true,
        }
    }
}

impl Steward {
    pub(super) fn learn_wanted(&mut self, wanted: Wanted) {
        let fact = match wanted {
            Wanted::Product(product, up) => {
                let record = ("product".to_owned(), "current".to_owned(), Some(product.record()));
                self.batch.records.push(record);
                Fact::Applied(product.applied(up))
            }
            Wanted::Wish(name, wish) => Fact::Wished { name, wish },
            Wanted::Request(name) => Fact::Wanted(name),
            Wanted::Quiet(name) => Fact::Quiet(name),
            Wanted::Course(_) => return,
            Wanted::Down { at_once } => Fact::Down { at_once },
        };
        self.tended.learn(fact);
    }

    /// Makes an act exact.
    pub(super) fn prepare(&mut self, act: Act, machine: &Machine) -> Option<Prepared> {
        Some(match act {
            Act::Start {
                id,
                digest,
                component,
                because,
            } => {
                let order = Order {
                    id,
                    digest,
                    port: self.port(&component, machine),
                    env: dress(&component),
                    restart: component.restart,
                    is_job: component.kind == Kind::Job,
                };
                Prepared::Start(order, because)
            }
            Act::Stop { id, how, because } => Prepared::Stop(id, how, because),
            Act::Restart { id, how, because } => Prepared::Restart(id, how, because),
            Act::Forget { id } => Prepared::Forget(id),
            Act::Build(build) => Prepared::Build(build.name.clone()),
            Act::Pack(name) => Prepared::Pack(name),
            Act::Face(_) | Act::Remember(..) | Act::Tell(_) | Act::Missed { .. } => return None,
        })
    }

    fn port(&mut self, component: &Arc<Component>, machine: &Machine) -> Option<u16> {
        let fixed = component.listens.as_ref()?.port;
        fixed.or_else(|| {
            while self.ports.contains(&self.next_port) || !machine.is_free(self.next_port) {
                self.next_port += 1;
            }
            self.ports.insert(self.next_port);
            Some(self.next_port)
        })
    }

    /// Begins what was written down.
    pub(super) fn perform(&mut self, prepared: Prepared, seq: Seq, around: &mut Around<'_>) {
        let (call, what) = match prepared {
            Prepared::Start(order, _) => {
                let what = What::Instance(order.id.clone(), Did::Start);
                around.laws.starts(&order, around.journal);
                (Call::Start(order), what)
            }
            Prepared::Stop(id, how, _) => {
                let known = self.course();
                around.laws.stops(
                    &id,
                    around.shore,
                    (around.machine, around.clock.steady),
                    &self.tended,
                    known.map(|(course, ..)| course),
                    known.and_then(|(.., rows)| rows),
                );
                (Call::Stop(id.clone(), how), What::Instance(id, Did::Stop))
            }
            Prepared::Restart(id, how, _) => {
                (Call::Restart(id.clone(), how), What::Instance(id, Did::Restart))
            }
            Prepared::Forget(id) => (Call::Forget(id.clone()), What::Instance(id, Did::Forget)),
            Prepared::Build(name) => (Call::Build(name.clone()), What::Build(name)),
            Prepared::Pack(name) => (Call::Pack, What::Pack(name)),
        };
        let token = Token {
            steward: self.number,
            seq,
            what,
        };
        around.machine.call(call, token, around.clock.steady);
    }
}

/// An answer of the machine as a message.
pub(super) fn done(token: Token, reply: Reply) -> Message {
    let outcome = reply.as_ref().map(|_| ()).map_err(Clone::clone);
    let fact = match token.what {
        What::Instance(id, did) => Fact::Did {
            id,
            did,
            result: reply,
        },
        What::Build(build) => Fact::Built {
            build,
            result: reply.map(|_| Vec::new()),
        },
        What::Pack(name) => Fact::Packed {
            name,
            result: reply.map(|_| ()),
        },
    };
    Message::Done {
        seq: token.seq,
        fact,
        outcome,
    }
}
