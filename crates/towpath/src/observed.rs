//! What runs though no steward looks after it, as the keepers of the instances tell it.

use crate::here::Here;
use std::collections::BTreeMap;
use towpath_api::{Component, Instance, Status};
use towpath_decide::converge::Because;
use towpath_model::run::{Exit, Kind, Life, Seen, State};

/// Why something is stopped of which the manifest tells and no keeper.
const NOTHING_RUNS: &str = "nothing of it runs, and no steward is there to start it";

/// How everything is, as far as the manifest and keepers know. Keepers know whether a process runs, and not whether it is
/// well.
pub(crate) fn status(here: &Here, seen: Vec<Seen>) -> Status {
    let known = here.known();
    let stopped = known.iter().flat_map(|product| product.components.values());
    let stopped = stopped.map(|one| Component {
        name: one.name.to_string(),
        kind: one.kind,
        state: State::Stopped,
        because: NOTHING_RUNS.to_owned(),
        url: None,
        inside: None,
        requests: 0,
        lately: None,
        vitals: BTreeMap::new(),
        instances: Vec::new(),
        schedule: None,
        keeps: None,
    });
    let mut components: BTreeMap<String, Component> = stopped.map(|one| (one.name.clone(), one)).collect();
    for one in seen {
        let name = one.id.component.to_string();
        let instance = instance(one);
        let component = components.entry(name).or_insert_with_key(|name| Component {
            name: name.clone(),
            kind: kind(here.names.table(name)),
            state: instance.state,
            because: instance.because.clone(),
            url: None,
            inside: None,
            requests: 0,
            lately: None,
            vitals: BTreeMap::new(),
            instances: Vec::new(),
            schedule: None,
            keeps: None,
        });
        // What is worst of its instances is told of a component.
        if component.instances.is_empty() || rank(instance.state) > rank(component.state) {
            component.state = instance.state;
            component.because = instance.because.clone();
        }
        component.instances.push(instance);
    }
    Status {
        product: here.product(),
        environment: here.environment.clone(),
        steward: None,
        components: components.into_values().collect(),
        edge: None,
        notes: Vec::new(),
        certificates: Vec::new(),
    }
}

fn kind(table: Option<&str>) -> Kind {
    let named = Kind::ALL.iter().find(|kind| Some(kind.word()) == table);
    match (named, table) {
        (Some(kind), _) => *kind,
        (None, Some("external")) => Kind::StandIn,
        // It was taken out of the manifest while it ran.
        (None, _) => Kind::Service,
    }
}

fn rank(state: State) -> u8 {
    match state {
        State::Ready => 0,
        State::Done => 1,
        State::Stopping => 2,
        State::Starting => 3,
        State::Looping => 4,
        _ => 5,
    }
}

fn instance(seen: Seen) -> Instance {
    let (state, because) = told(&seen.life);
    Instance {
        pid: seen.life.pid(),
        id: seen.id,
        state,
        because,
        restarts: seen.restarts,
        memory_bytes: 0,
        cpu_percent: 0.0,
        since: seen.since,
        left_out: None,
    }
}

fn told(life: &Life) -> (State, String) {
    match life {
        Life::Running { .. } => (State::Ready, "it runs; nobody asks whether it is well".to_owned()),
        Life::Resting { after, looping, .. } => {
            let state = if *looping { State::Looping } else { State::Starting };
            (state, format!("{after}; it is started again"))
        }
        Life::Stopping { .. } => (State::Stopping, "it was asked to stop".to_owned()),
        Life::Ended { exit } => (over(exit), exit.to_string()),
        Life::Silent { keeper } => (State::Unwell, Because::KeeperSilent(*keeper).to_string()),
        Life::Lost => (State::Failed, "its keeper has died, and it with it".to_owned()),
    }
}

fn over(exit: &Exit) -> State {
    if exit.is_success() {
        State::Done
    } else {
        State::Failed
    }
}

/// Whether anything of it runs.
pub(crate) fn lives(seen: &[Seen]) -> bool {
    seen.iter().any(|one| !one.life.is_over())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::status::tests::at;
    use towpath_model::run::InstanceId;
    use towpath_model::unit::{Bytes, Name, Unit};

    #[test]
    fn keepers_tell_what_runs_in_words() {
        let seen = |number, life| Seen {
            id: InstanceId::new(&Name::parse("web").expect("it is a name"), number),
            digest: String::new(),
            port: None,
            life,
            restarts: 0,
            since: at(0),
        };
        let limit = Bytes::parse("256MiB").expect("it is a size");
        let exit = Exit::OutOfMemory { limit };
        let all = [
            seen(1, Life::Running { pid: 7 }),
            seen(2, Life::Ended { exit: exit.clone() }),
            seen(3, Life::Lost),
        ];
        let shown: Vec<String> = all
            .iter()
            .map(|one| {
                let told = instance(one.clone());
                format!("{} {}: {}", told.id, told.state, told.because)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "web.1 ready: it runs; nobody asks whether it is well",
                "web.2 failed: killed: out of memory at 256MiB",
                "web.3 failed: its keeper has died, and it with it"
            ]
        );
        assert!(lives(&all));
        assert!(!lives(&all[1..]));
    }
}
