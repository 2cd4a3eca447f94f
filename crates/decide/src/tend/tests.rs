//! Tending, tried with an engine that does what it is told.

use super::*;
use crate::converge::{Because, Well};
use std::collections::BTreeMap;
use towpath_model::desired::component::Restart;
use towpath_model::run::{
    Ask, Component, Exit, Health, InstanceId, Life, Limits, Listens, Need, Place, Seen, Stop,
};
use towpath_model::unit::{Unit, known};

/// A component that listens and needs these.
pub(crate) fn service(name: &str, needs: &[&str]) -> Component {
    Component {
        name: Name::parse(name).unwrap(),
        kind: Kind::Service,
        at: Place {
            file: "towpath.toml".to_owned(),
            line: 1,
        },
        command: Some("run".to_owned()),
        dir: "/product".to_owned(),
        env: BTreeMap::new(),
        build: None,
        needs: needs
            .iter()
            .map(|need| Need {
                name: Name::parse(need).unwrap(),
                optional: false,
            })
            .collect(),
        instances: 1,
        shifts: Vec::new(),
        most: 1,
        single: false,
        listens: Some(Listens {
            port: None,
            speaks: Vec::new(),
            public: true,
            private: true,
            domains: Vec::new(),
            sticky: false,
            routes: Vec::new(),
            compress: true,
            rules: std::sync::Arc::default(),
            mutual: None,
        }),
        health: Health {
            ask: Ask::Port,
            interval: known("1s"),
            timeout: known("5s"),
            deadline: known("30s"),
        },
        limits: Limits {
            memory: None,
            cpu: None,
            pids: 512,
        },
        restart: Restart::Always,
        stop: Stop {
            signal: "TERM".to_owned(),
            within: known("30s"),
            drain: known("30s"),
        },
        site: None,
        pack: None,
        idle: None,
        cron: None,
        timeout: None,
        retry: None,
        watch: Vec::new(),
        resource: None,
    }
}

/// An instance that was seen like this.
pub(crate) fn bed_seen(text: &str, digest: &str, life: Life, since: Timestamp) -> crate::converge::Standing {
    crate::converge::Standing {
        seen: Seen {
            id: id(text),
            digest: digest.to_owned(),
            port: None,
            life,
            restarts: 0,
            since,
        },
        well: Well::Yes,
        busy: None,
        robbed: false,
        stopped: false,
    }
}

fn bot(name: &str) -> Component {
    Component {
        kind: Kind::Bot,
        single: true,
        listens: None,
        health: Health {
            ask: Ask::Runs,
            ..service(name, &[]).health
        },
        ..service(name, &[])
    }
}

/// A product, an engine that does what it is told, and all that was done.
struct Bed {
    tended: Tended,
    now: Timestamp,
    done: Vec<String>,
    /// Those that do not become well by themselves.
    slow: Vec<&'static str>,
    pid: u32,
}

impl Bed {
    fn new() -> Self {
        Bed {
            tended: Tended::default(),
            now: Timestamp::from_second(1_000_000).unwrap(),
            done: Vec::new(),
            slow: Vec::new(),
            pid: 100,
        }
    }

    fn apply(&mut self, components: &[(Component, &str)], only: Option<&[&str]>) {
        let components: BTreeMap<Name, (Arc<Component>, String)> = components
            .iter()
            .map(|(component, digest)| {
                (
                    component.name.clone(),
                    (Arc::new(component.clone()), (*digest).to_owned()),
                )
            })
            .collect();
        let wake = match only {
            Some(names) => names.iter().map(|name| Name::parse(name).unwrap()).collect(),
            None => components.keys().cloned().collect(),
        };
        self.learn(Fact::Applied(Applied {
            components,
            builds: BTreeMap::new(),
            build: false,
            wake: Some(wake),
        }));
    }

    fn learn(&mut self, fact: Fact) {
        self.tended.learn(fact);
        self.settle();
    }

    fn seen(&mut self, id: &InstanceId, digest: &str, life: Life) -> Seen {
        Seen {
            id: id.clone(),
            digest: digest.to_owned(),
            port: Some(4000),
            life,
            restarts: 0,
            since: self.now,
        }
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            let acts = self.tended.decide(self.now);
            if acts.is_empty() {
                return;
            }
            for act in acts {
                self.act(act);
            }
        }
        panic!("it does not come to rest: {:?}", self.done);
    }

    fn act(&mut self, act: Act) {
        let (id, did, result) = match act {
            Act::Start { id, digest, .. } => {
                self.done.push(format!("start {id}"));
                self.pid += 1;
                let pid = self.pid;
                let seen = self.seen(&id, &digest, Life::Running { pid });
                (id, Did::Start, Some(seen))
            }
            Act::Stop { id, .. } => {
                self.done.push(format!("stop {id}"));
                let exit = Exit::Signal { signal: 15 };
                let digest = self.digest(&id);
                let seen = self.seen(&id, &digest, Life::Ended { exit });
                (id, Did::Stop, Some(seen))
            }
            Act::Restart { id, .. } => {
                self.done.push(format!("restart {id}"));
                self.pid += 1;
                let pid = self.pid;
                let digest = self.digest(&id);
                let seen = self.seen(&id, &digest, Life::Running { pid });
                (id, Did::Restart, Some(seen))
            }
            Act::Forget { id } => {
                self.done.push(format!("forget {id}"));
                (id, Did::Forget, None)
            }
            _ => return,
        };
        let runs = matches!(result.as_ref().map(|seen| &seen.life), Some(Life::Running { .. }));
        self.tended.learn(Fact::Did {
            id: id.clone(),
            did,
            result: Ok(result),
        });
        if runs && !self.slow.contains(&id.component.as_str()) {
            self.tended.learn(Fact::Answered { id, well: Well::Yes });
        }
    }

    fn digest(&self, id: &InstanceId) -> String {
        let part = &self.tended.parts()[&id.component];
        let one = part.standing.iter().find(|one| one.seen.id == *id).unwrap();
        one.seen.digest.clone()
    }

    fn state(&self, name: &str) -> State {
        self.tended.parts()[name].state
    }

    fn done(&mut self) -> String {
        std::mem::take(&mut self.done).join(", ")
    }
}

fn id(text: &str) -> InstanceId {
    InstanceId::parse(text).unwrap()
}

#[test]
fn it_starts_after_what_it_needs_and_stops_before() {
    let mut bed = Bed::new();
    bed.slow.push("core");
    bed.apply(
        &[(service("core", &[]), "a"), (service("edge", &["core"]), "a")],
        None,
    );
    assert_eq!(bed.done(), "start core.1");
    assert_eq!(bed.state("edge"), State::Waiting);
    assert!(!bed.tended.is_settled());
    bed.learn(Fact::Answered {
        id: id("core.1"),
        well: Well::Yes,
    });
    assert_eq!(bed.done(), "start edge.1");
    assert!(bed.tended.is_settled());
    bed.learn(Fact::Down { at_once: false });
    assert_eq!(
        bed.done(),
        "stop edge.1, forget edge.1, stop core.1, forget core.1"
    );
    assert!(bed.tended.is_gone());
}

#[test]
fn what_was_reached_asks_for_nothing() {
    let mut bed = Bed::new();
    let all = [(service("core", &[]), "a"), (bot("bot"), "a")];
    bed.apply(&all, None);
    bed.done();
    bed.apply(&all, None);
    assert_eq!(bed.done(), "");
}

#[test]
fn a_changed_service_is_replaced_by_one_that_is_well() {
    let mut bed = Bed::new();
    bed.apply(&[(service("web", &[]), "a")], None);
    bed.done();
    bed.slow.push("web");
    bed.apply(&[(service("web", &[]), "b")], None);
    assert_eq!(bed.done(), "start web.2");
    bed.learn(Fact::Answered {
        id: id("web.2"),
        well: Well::Yes,
    });
    assert_eq!(bed.done(), "stop web.1, forget web.1");
}

#[test]
fn a_changed_bot_stops_before_its_successor_starts() {
    let mut bed = Bed::new();
    bed.apply(&[(bot("bot"), "a")], None);
    bed.apply(&[(bot("bot"), "b")], None);
    assert_eq!(bed.done(), "start bot.1, stop bot.1, forget bot.1, start bot.2");
}

#[test]
fn what_a_person_has_stopped_stays_so_until_it_is_asked_for() {
    let mut bed = Bed::new();
    let web = Name::parse("web").unwrap();
    bed.apply(&[(service("web", &[]), "a")], None);
    bed.learn(Fact::Wished {
        name: web.clone(),
        wish: Wish::Stopped,
    });
    assert_eq!(bed.state("web"), State::Stopped);
    assert!(bed.tended.parts()["web"].remembered().stopped);
    bed.done();
    bed.learn(Fact::Wanted(web.clone()));
    assert_eq!(bed.done(), "");
    bed.apply(&[(service("web", &[]), "a")], None);
    assert_eq!(bed.done(), "start web.2");
}

#[test]
fn a_restart_leaves_the_instance_where_it_stands() {
    let mut bed = Bed::new();
    bed.apply(&[(service("web", &[]), "a")], None);
    bed.done();
    bed.learn(Fact::Wished {
        name: Name::parse("web").unwrap(),
        wish: Wish::Restart(Because::RestartedByPerson),
    });
    assert_eq!(bed.done(), "restart web.1");
    assert_eq!(bed.state("web"), State::Ready);
}

#[test]
fn numbers_follow_a_wish() {
    let mut bed = Bed::new();
    let web = Name::parse("web").unwrap();
    bed.apply(&[(service("web", &[]), "a")], None);
    bed.learn(Fact::Wished {
        name: web.clone(),
        wish: Wish::Scale(3),
    });
    bed.learn(Fact::Wished {
        name: web,
        wish: Wish::Scale(1),
    });
    assert_eq!(
        bed.done(),
        "start web.1, start web.2, start web.3, stop web.3, stop web.2, forget web.2, forget web.3"
    );
}

#[test]
fn a_lost_keeper_means_another_instance() {
    let mut bed = Bed::new();
    bed.apply(&[(service("web", &[]), "a")], None);
    bed.done();
    let lost = bed.seen(&id("web.1"), "a", Life::Lost);
    bed.learn(Fact::Changed(lost));
    assert_eq!(bed.done(), "forget web.1, start web.2");
    assert_eq!(bed.state("web"), State::Ready);
}

#[test]
fn a_lost_keeper_is_the_reason_of_the_next_start() {
    let mut bed = Bed::new();
    bed.apply(&[(service("web", &[]), "a")], None);
    let lost = bed.seen(&id("web.1"), "a", Life::Lost);
    bed.tended.learn(Fact::Changed(lost));
    let acts = bed.tended.decide(bed.now);
    let says = |act: &Act| {
        matches!(
            act,
            Act::Start {
                because: Because::KeeperLost,
                ..
            }
        )
    };
    assert!(acts.iter().any(says), "{acts:?}");
}

#[test]
fn what_is_being_restarted_is_on_its_way_however_it_was() {
    let mut bed = Bed::new();
    bed.apply(&[(service("web", &[]), "a")], None);
    let looping = Life::Resting {
        until: bed.now,
        after: Exit::Code { code: 7 },
        looping: true,
    };
    for life in [Life::Running { pid: 101 }, looping] {
        let seen = bed.seen(&id("web.1"), "a", life);
        bed.learn(Fact::Changed(seen.clone()));
        assert!(bed.tended.is_settled());
        let name = Name::parse("web").unwrap();
        let wish = Wish::Restart(Because::RestartedByPerson);
        bed.tended.learn(Fact::Wished { name, wish });
        let acts = bed.tended.decide(bed.now);
        assert!(
            acts.iter().any(|act| matches!(act, Act::Restart { .. })),
            "{acts:?}"
        );
        // Also when something is heard of it meanwhile.
        bed.tended.learn(Fact::Changed(seen));
        bed.tended.decide(bed.now);
        assert_eq!(bed.state("web"), State::Starting);
        assert!(!bed.tended.is_settled(), "whoever waits for it waits on");
        for act in acts {
            bed.act(act);
        }
        bed.settle();
        assert_eq!(bed.state("web"), State::Ready);
    }
}

#[test]
fn a_robbed_instance_gets_another_port() {
    let mut bed = Bed::new();
    bed.apply(&[(service("web", &[]), "a")], None);
    bed.done();
    bed.learn(Fact::Robbed(id("web.1")));
    assert_eq!(bed.done(), "stop web.1, forget web.1, start web.2");
}

#[test]
fn a_function_sleeps_until_somebody_asks() {
    let mut bed = Bed::new();
    let function = Component {
        kind: Kind::Function,
        instances: 0,
        idle: Some(known("5m")),
        ..service("resize", &[])
    };
    let name = function.name.clone();
    bed.apply(&[(function, "a")], None);
    assert_eq!(bed.state("resize"), State::Asleep);
    assert_eq!(bed.done(), "");
    bed.learn(Fact::Wanted(name.clone()));
    assert_eq!(bed.done(), "start resize.1");
    assert_eq!(bed.state("resize"), State::Ready);
    bed.learn(Fact::Quiet(name));
    assert_eq!(bed.done(), "stop resize.1, forget resize.1");
    assert_eq!(bed.state("resize"), State::Asleep);
}

#[test]
fn what_cannot_be_started_is_tried_again_after_a_pause() {
    let mut bed = Bed::new();
    bed.apply(&[(service("web", &[]), "a")], None);
    bed.done();
    let lost = bed.seen(&id("web.1"), "a", Life::Lost);
    bed.tended.learn(Fact::Changed(lost));
    let starts = bed.tended.decide(bed.now);
    let start = starts.iter().find_map(|act| match act {
        Act::Start { id, .. } => Some(id.clone()),
        _ => None,
    });
    bed.learn(Fact::Did {
        id: start.unwrap(),
        did: Did::Start,
        result: Err("the disk is full".to_owned()),
    });
    assert_eq!(bed.state("web"), State::Failed);
    assert_eq!(bed.done(), "");
    let look = bed.tended.next_look().unwrap();
    assert!(look > bed.now);
    bed.now = look;
    bed.settle();
    assert_eq!(bed.done(), "start web.3");
}

#[test]
fn only_those_that_are_asked_for_start() {
    let mut bed = Bed::new();
    bed.apply(
        &[(service("a", &[]), "x"), (service("b", &[]), "x")],
        Some(&["b"]),
    );
    assert_eq!(bed.done(), "start b.1");
    assert_eq!(bed.state("a"), State::Stopped);
    assert!(bed.tended.is_settled());
}

#[test]
fn what_runs_is_taken_over_by_a_steward_that_knows_nothing() {
    let mut bed = Bed::new();
    let web = bed.seen(&id("web.7"), "a", Life::Running { pid: 7 });
    let bot_seen = bed.seen(&id("bot.3"), "a", Life::Running { pid: 8 });
    let gone = bed.seen(&id("old.1"), "a", Life::Running { pid: 9 });
    bed.tended.learn(Fact::Observed(vec![web, bot_seen, gone]));
    bed.apply(&[(service("web", &[]), "a"), (bot("bot"), "a")], None);
    assert_eq!(bed.done(), "stop old.1, forget old.1");
    assert_eq!(bed.state("bot"), State::Ready);
    bed.learn(Fact::Answered {
        id: id("web.7"),
        well: Well::Yes,
    });
    assert_eq!(bed.state("web"), State::Ready);
    assert!(!bed.tended.parts().contains_key("old"));
}

#[test]
fn where_no_port_is_free_it_is_said_and_tried_again_after_pauses_that_double() {
    let mut tended = Tended::default();
    let mut now = Timestamp::from_second(1_000_000).unwrap();
    let web = service("web", &[]);
    let name = web.name.clone();
    tended.learn(Fact::Applied(Applied {
        components: BTreeMap::from([(name.clone(), (Arc::new(web), "a".to_owned()))]),
        builds: BTreeMap::new(),
        build: false,
        wake: Some([name].into()),
    }));
    let starts = |acts: Vec<Act>| {
        let mut starts = acts.into_iter().filter_map(|act| match act {
            Act::Start { id, .. } => Some(id),
            _ => None,
        });
        starts.next()
    };
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let id = starts(tended.decide(now)).expect("it is tried");
        assert_eq!(id.number, 1, "what was never begun takes no number");
        tended.learn(Fact::NoPort {
            id,
            why: NoPort::NoneFree,
        });
        assert_eq!(starts(tended.decide(now)), None);
        let part = &tended.parts()["web"];
        assert_eq!(part.state, State::Failed);
        assert!(
            part.because.to_string().contains("none is free"),
            "{}",
            part.because
        );
        let again = tended.next_look().expect("it is tried again");
        pauses.push(again.duration_since(now).as_secs());
        now = again;
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 32, 32]);
}

/// A bot that sleeps outside of these hours.
fn sleeper(when: &str) -> Component {
    Component {
        instances: 0,
        shifts: vec![towpath_model::run::Shift {
            when: known(when),
            instances: 1,
        }],
        ..bot("guard")
    }
}

/// Lets the clock reach a time of the first of March, and everything happen by then.
fn at_time(bed: &mut Bed, text: &str) {
    bed.now = format!("2026-03-01T{text}Z").parse().unwrap();
    bed.settle();
}

fn told(bed: &Bed) -> String {
    let part = bed.tended.parts().get("guard").unwrap();
    format!("{}: {}", part.state, part.because)
}

#[test]
fn a_bot_sleeps_and_wakes_by_its_schedule_and_those_that_need_it_run() {
    let mut bed = Bed::new();
    bed.now = "2026-03-01T02:00:00Z".parse().unwrap();
    let guard = sleeper("daily 07:00-23:00 UTC");
    bed.apply(&[(guard.clone(), "a"), (service("web", &["guard"]), "a")], None);
    bed.settle();
    insta::assert_snapshot!(told(&bed), @"asleep: it sleeps until 2026-03-01T07:00:00Z (schedule daily 07:00-23:00 UTC); `towpath start` wakes it before");
    assert_eq!(bed.state("web"), State::Ready);
    assert!(bed.tended.is_settled());
    assert_eq!(
        bed.tended.next_look(),
        Some("2026-03-01T07:00:00Z".parse().unwrap())
    );
    let _ = bed.done();
    at_time(&mut bed, "07:00:00");
    insta::assert_snapshot!(told(&bed), @"ready: it is well; from 2026-03-01T23:00:00Z on it sleeps (schedule daily 07:00-23:00 UTC)");
    // Another schedule is no reason to start it anew.
    bed.apply(
        &[
            (sleeper("daily 06:00-22:00 UTC"), "a"),
            (service("web", &["guard"]), "a"),
        ],
        None,
    );
    bed.settle();
    assert!(told(&bed).contains("06:00-22:00"));
    at_time(&mut bed, "22:00:00");
    assert_eq!(bed.state("guard"), State::Asleep);
    insta::assert_snapshot!(bed.done(), @"start guard.1, stop guard.1, forget guard.1");
}

#[test]
fn what_a_person_asks_for_holds_until_the_schedule_changes() {
    let mut bed = Bed::new();
    bed.now = "2026-03-01T02:00:00Z".parse().unwrap();
    bed.apply(&[(sleeper("daily 07:00-23:00 UTC"), "a")], None);
    bed.settle();
    let guard = || known::<Name>("guard");
    let wish = |bed: &mut Bed, wish| {
        bed.learn(Fact::Wished { name: guard(), wish });
        bed.settle();
        told(bed)
    };
    insta::assert_snapshot!(wish(&mut bed, Wish::Up), @"ready: it is well; that was asked for by hand, and from 2026-03-01T07:00:00Z on its schedule holds again");
    at_time(&mut bed, "07:00:00");
    assert!(
        told(&bed).starts_with("ready: it is well; from"),
        "{}",
        told(&bed)
    );
    let none = wish(&mut bed, Wish::Scale(0));
    assert!(none.starts_with("stopped") && none.contains("by hand"), "{none}");
    at_time(&mut bed, "23:30:00");
    assert!(told(&bed).starts_with("asleep"), "{}", told(&bed));
    let one = wish(&mut bed, Wish::Scale(1));
    assert!(one.starts_with("ready") && one.contains("by hand"), "{one}");
    let again = wish(&mut bed, Wish::Scale(0));
    assert!(again.starts_with("asleep"), "{again}");
    assert!(wish(&mut bed, Wish::Stopped).starts_with("stopped: it was stopped by hand"));
    assert_eq!(
        bed.tended.next_look(),
        None,
        "what was stopped waits for nobody's hours"
    );
}
