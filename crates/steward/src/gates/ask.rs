//! The asking: each gate of a task in the way that its question has, all of them at the same time.

use super::count::{Canary, judge};
use super::sample::{Changing, Number, changed, objectives};
use crate::core::{Core, Message};
use crate::door::{clock, files, processes};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use towpath_api::{Answered, Ask};
use towpath_ask::Place;
use towpath_decide::gate::canary::Probes;
use towpath_decide::gate::{approval, combine, in_folder, window};
use towpath_decide::rollout::{Act, Doing};
use towpath_edge::Snapshot;
use towpath_edge::apart::Remote;
use towpath_engine::Engine;
use towpath_model::desired::gate::{Gate, Stage as When};
use towpath_model::desired::metric::Objective;
use towpath_model::desired::probe::Probe;
use towpath_model::run::{Answer, Found, Line, Questions, ReleaseId, Stage, Task, Verdict, Work};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Duration, Name, Share};
use towpath_probe::Aim;
use towpath_store::Seq;

/// Who asks, in answers.
pub(super) const BY: &str = "towpath";

/// What came of a task in which gates are asked.
#[derive(Debug)]
pub(crate) struct Judged {
    /// Its intent.
    seq: Seq,
    task: Task,
    gates: Vec<String>,
    /// Since when they are asked.
    began: jiff::Timestamp,
    /// What was answered, but for what the edge has to be asked.
    answers: Vec<Answer>,
    stage: When,
    /// What the edge has counted, where two releases are compared.
    seen: Option<Snapshot>,
    /// Runs of probes of the new release.
    probed: Vec<(String, Probes)>,
    /// Gates that wait for somebody who has the product's folder.
    awaits: BTreeSet<String>,
}

impl Judged {
    /// Whether they are asked for the first time in their rollout.
    fn is_first(&self) -> bool {
        matches!(self.task.work, Work::Judge { look: 1, .. })
    }
}

/// Where gates are asked: of which release, and at what point of its way.
struct Point {
    stage: When,
    /// The release that they are asked of, and the one before.
    to: ReleaseId,
    from: Option<ReleaseId>,
    questions: Arc<Questions>,
    /// How long it has been watched.
    spent: Duration,
    /// Since when its rollout goes.
    began: jiff::Timestamp,
    /// Since when there is anything of it that could be measured.
    since: jiff::Timestamp,
    /// The environment is its own judge: what was to be asked elsewhere is asked here.
    here: bool,
}

/// How a gate is asked.
enum How {
    /// It was answered where it was asked.
    Brought(Box<Answer>),
    /// It is known at once.
    Found(Found),
    /// In the product's folder.
    Folder(Box<(Gate, Place)>),
    /// Somebody who has the folder asks it.
    Elsewhere(Found),
    /// Of the new release; and of the old one first, where what it says has to stay the same.
    Probe(Box<Probing>),
    /// By what the edge has counted.
    Compared,
    /// A metric, before the release and since.
    Changed(Box<Changing>),
    /// By what the edge has counted, of objectives; or of what is left of them.
    Objectives(Vec<(Name, Objective)>, Option<Share>, Arc<Remote>),
}

struct Probing {
    probe: Probe,
    aim: Aim,
    before: Option<Aim>,
}

/// An answer, and what else came with it.
struct Came {
    answer: Option<Answer>,
    gate: String,
    probed: Option<(String, Probes)>,
    awaits: bool,
}

impl<E: Engine> Core<E> {
    /// Begins to ask gates, as a rollout wants it.
    pub(crate) async fn begin_judging(&mut self, act: &Act, seq: Seq) {
        let (point, began) = (self.point(), clock::today());
        let (inbox, task, gates) = (self.inbox.clone(), act.task.clone(), act.gates.clone());
        let Some(point) = point else {
            let why = "the release that they are to be asked of is not here".to_owned();
            let judged = Judged {
                seq,
                task,
                gates,
                began,
                answers: Vec::new(),
                stage: When::During,
                seen: None,
                probed: Vec::new(),
                awaits: BTreeSet::new(),
            };
            self.end_judging(judged, Verdict::Inconclusive(why));
            return;
        };
        let mut all: Vec<(String, How)> = Vec::new();
        for gate in &gates {
            all.push((gate.clone(), self.how(&point, gate).await));
        }
        let compares = all.iter().any(|(_, how)| matches!(how, How::Compared));
        let edge = self.edge.clone().filter(|_| compares);
        tokio::spawn(async move {
            let came = all_of(all, point.stage).await;
            let mut judged = Judged {
                seq,
                task,
                gates,
                began,
                answers: Vec::new(),
                stage: point.stage,
                seen: None,
                probed: Vec::new(),
                awaits: BTreeSet::new(),
            };
            for one in came {
                if one.awaits {
                    judged.awaits.insert(one.gate);
                }
                judged.answers.extend(one.answer);
                judged.probed.extend(one.probed);
            }
            if let Some(edge) = edge {
                judged.seen = Some(edge.seen().await);
            }
            // That nobody hears it means that we are ending, and whoever comes asks once more.
            let _ = inbox.send(Message::Judged(Box::new(judged)));
        });
    }

    /// Gates have answered: what was compared is judged, and all of it is written down.
    pub(crate) fn judged(&mut self, mut judged: Judged) {
        let now = clock::today();
        let canaries = self.canaries();
        let Some(helm) = &mut self.helm else { return };
        let number = judged.task.number;
        if helm.gates.scales.rollout == number {
            for (component, probes) in &judged.probed {
                helm.gates.scales.probe(component, *probes);
            }
            if let Some(seen) = judged.seen.take().filter(|seen| seen.began > 0) {
                helm.gates.scales.look(&seen);
            }
        }
        let asked: BTreeSet<&str> = judged.answers.iter().map(|answer| answer.gate.as_str()).collect();
        let compared: Vec<String> = judged
            .gates
            .iter()
            .filter(|gate| !asked.contains(gate.as_str()))
            .cloned()
            .collect();
        for gate in compared {
            let own: Vec<Canary> = canaries.iter().filter(|one| one.gate == gate).cloned().collect();
            let found = judge(&own, &mut helm.gates.scales);
            judged.answers.push(Answer {
                gate,
                stage: judged.stage,
                found,
                at: now,
                took: Duration::ZERO,
                by: BY.to_owned(),
            });
        }
        let questions = helm
            .course
            .rollout
            .as_ref()
            .and_then(|rollout| helm.releases.get(&rollout.to))
            .map(|kept| Arc::clone(&kept.release.content.questions));
        let waivers: Vec<_> = helm.gates.waivers.values().cloned().collect();
        let verdict = match questions {
            Some(questions) => combine(&questions, &judged.gates, &judged.answers, &waivers, now),
            None => {
                Verdict::Inconclusive("the release that they were asked of is not here any more".to_owned())
            }
        };
        // What was brought is told once.
        let is_new = |answer: &&Answer| judged.began <= answer.at || judged.is_first();
        let new: Vec<Answer> = judged.answers.iter().filter(is_new).cloned().collect();
        self.tell_answers(&new, number);
        self.flush();
        self.end_judging(judged, verdict);
    }

    /// Answers are written down, for whoever asks later: about gates, or about the rollout.
    pub(super) fn tell_answers(&mut self, answers: &[Answer], rollout: u64) {
        for answer in answers {
            let words = words(answer);
            self.ledger.answered(answer, Some(rollout), &words);
            let line = Line::new(answer.at, "answer", answer.gate.clone(), words);
            self.tell_story([(rollout, line)]);
        }
    }

    fn end_judging(&mut self, judged: Judged, verdict: Verdict) {
        self.ledger.outcome(judged.seq, Ok(()));
        let Some(helm) = &mut self.helm else { return };
        if helm.gates.scales.has_begun() {
            self.ledger.weighed(&helm.gates.scales);
        }
        helm.gates.awaits = judged.awaits;
        helm.tell_again();
        let doing = Doing::Judged(verdict).without(self.wardrobe.values.values());
        helm.settle(judged.task, doing);
    }

    /// Where the rollout is of which gates are asked now.
    fn point(&self) -> Option<Point> {
        let helm = self.helm.as_ref()?;
        let rollout = helm.course.rollout.as_ref()?;
        let stage = match rollout.stages.get(rollout.at)? {
            Stage::Enter(_) => When::Enter,
            Stage::Bake(_) => When::After,
            _ => When::During,
        };
        let content = &helm.releases.get(&rollout.to)?.release.content;
        Some(Point {
            stage,
            to: rollout.to.clone(),
            from: rollout.from.clone(),
            questions: Arc::clone(&content.questions),
            spent: rollout.vigil.clock.spent,
            began: rollout.began,
            since: rollout.began,
            here: false,
        })
    }

    /// How a gate is asked.
    async fn how(&self, point: &Point, name: &str) -> How {
        let questions = &point.questions;
        let gate = questions.gates.get(name);
        let probe = match gate {
            Some(gate) => gate
                .probe
                .as_ref()
                .and_then(|probe| questions.probes.get(probe.as_str())),
            None => questions.probes.get(name),
        };
        if let Some(known) = questions.known.get(name) {
            return How::Found(known.clone());
        }
        if let Some(answer) = self.brought_for(point, name) {
            return How::Brought(Box::new(answer));
        }
        let now = clock::today();
        if let Some(gate) = gate {
            if let Some(asked) = &gate.approval {
                // A yes is said to what is under way, and to nothing that comes after it.
                let all = self.helm.iter().flat_map(|helm| &helm.gates.approved);
                let approved: Vec<_> = all.filter(|one| one.at >= point.began).cloned().collect();
                return How::Found(approval(name, asked, &questions.roles, &approved, now));
            }
            if let Some(asked) = &gate.window {
                let zone = self.frame().map(|frame| frame.zone.name().to_owned());
                return How::Found(window(asked, zone.as_deref().unwrap_or("UTC"), now));
            }
        }
        let elsewhere = point.stage == When::Enter && !point.here;
        if let Some(after) = questions.after.as_ref().filter(|_| elsewhere) {
            let environment = &self.config.environment;
            return How::Found(awaits(format!(
                "`{name}` has to be asked of {after} first; `towpath promote {after} {environment}` does, and so does `towpath deploy {environment}`"
            )));
        }
        match (gate, probe) {
            (_, Some(probe)) => self.probing(point, probe).await,
            (Some(gate), None) if in_folder(gate) => self.in_folder(point, name, gate),
            (Some(gate), None) if gate.canary.is_some() => match &point.from {
                Some(_) => How::Compared,
                None => How::Found(passes("there is no release before it to be compared with")),
            },
            (Some(gate), None) => match gate.bake {
                Some(wanted) if point.spent >= wanted => How::Found(measured(
                    Verdict::Pass,
                    point.spent.to_string(),
                    format!("for {wanted}"),
                )),
                Some(wanted) => How::Found(measured(
                    Verdict::Inconclusive(format!("it has been watched for {} of {wanted}", point.spent)),
                    point.spent.to_string(),
                    format!("for {wanted}"),
                )),
                None => match self.number(questions, gate, point.since) {
                    Number::Known(found) => How::Found(found),
                    Number::Change(asked) => How::Changed(asked),
                    Number::Objectives(all, share) => match &self.edge {
                        Some(edge) => How::Objectives(all, share, Arc::clone(edge)),
                        None => How::Found(open("the edge does not serve yet".to_owned())),
                    },
                },
            },
            (None, None) => How::Found(open(format!(
                "there is no gate and no probe `{name}` in the release"
            ))),
        }
    }

    /// What was answered elsewhere, or came later from somebody who has the folder.
    fn brought_for(&self, point: &Point, name: &str) -> Option<Answer> {
        let all = self.brought(&point.to);
        let fits = |answer: &&Answer| {
            answer.gate == name
                && answer.stage == point.stage
                // What is asked of something that runs is asked in each rollout anew.
                && (point.stage == When::Enter || answer.at >= point.began)
        };
        all.iter().filter(fits).max_by_key(|answer| answer.at).cloned()
    }

    async fn probing(&self, point: &Point, probe: &Probe) -> How {
        let aim = self.aim(probe, Some(&point.to)).await;
        let before = match point.from.as_ref().filter(|_| probe.fixture.is_some()) {
            Some(from) => Some(self.aim(probe, Some(from)).await),
            None => None,
        };
        How::Probe(Box::new(Probing {
            probe: probe.clone(),
            aim,
            before,
        }))
    }

    fn in_folder(&self, point: &Point, name: &str, gate: &Gate) -> How {
        let folder = &self.config.folder;
        if files::stat(&folder.join(MANIFEST)).is_none() {
            return How::Elsewhere(awaits(format!(
                "`{name}` is asked in the product's folder, which is not here: `towpath deploy` and `towpath rollout` do while they wait"
            )));
        }
        let env = processes::environment()
            .into_iter()
            .map(|(name, value)| (name, Sealed::new(value)));
        let inbox = self.inbox.clone();
        let asked = name.to_owned();
        let place = Place {
            folder: folder.clone(),
            env: env.collect(),
            secrets: self.wardrobe.values.values().cloned().collect(),
            environment: self.config.environment.clone(),
            release: point.to.to_string(),
            url: self.wardrobe.public.values().next().cloned(),
            urls: self
                .wardrobe
                .public
                .iter()
                .map(|(name, url)| (name.to_string(), url.clone()))
                .collect(),
            weights: Default::default(),
            is_first: point.questions.after.is_none(),
            say: Arc::new(move |line| {
                // That nobody hears it means that we are ending.
                let _ = inbox.send(Message::BuildLine(asked.clone(), line.to_owned()));
            }),
        };
        How::Folder(Box::new((gate.clone(), place)))
    }

    /// Asks gates of what runs here, for a release that is to go onward.
    pub(super) async fn ask_here(&mut self, ask: Ask, to: oneshot::Sender<super::Asked>) {
        let Ask { questions, gates } = ask;
        let helm = self.helm.as_ref();
        let Some(current) = helm.and_then(|helm| helm.course.current.clone()) else {
            let _ = to.send(Err(super::answer::no_release()));
            return;
        };
        let point = Point {
            stage: When::Enter,
            to: current,
            from: None,
            questions: Arc::new(questions),
            spent: self.since_promoted(),
            began: clock::today(),
            since: self.promoted_at(),
            here: true,
        };
        let mut all: Vec<(String, How)> = Vec::new();
        for gate in &gates {
            all.push((gate.clone(), self.how(&point, gate).await));
        }
        tokio::spawn(async move {
            let came = all_of(all, When::Enter).await;
            let answers = came.into_iter().filter_map(|one| one.answer);
            // That nobody waits for it any more changes nothing.
            let _ = to.send(Ok(Answered {
                answers: answers.collect(),
                ..Answered::default()
            }));
        });
    }

    /// Since when the release that is current has been that.
    fn promoted_at(&self) -> jiff::Timestamp {
        let course = self.helm.as_ref().map(|helm| &helm.course);
        let ended = course.and_then(|course| course.ended.as_ref());
        ended.map_or_else(clock::today, |ended| ended.at)
    }

    /// How long that is.
    fn since_promoted(&self) -> Duration {
        let since = clock::today().duration_since(self.promoted_at()).as_millis();
        Duration::from_millis(u64::try_from(since).unwrap_or(0))
    }
}

/// The file that says that a folder is a product's.
const MANIFEST: &str = "towpath.toml";

/// Asks all of them, and waits for each.
async fn all_of(all: Vec<(String, How)>, stage: When) -> Vec<Came> {
    let mut asked = JoinSet::new();
    for (place, (gate, how)) in all.into_iter().enumerate() {
        asked.spawn(async move { (place, one(gate, how, stage).await) });
    }
    let mut came: Vec<(usize, Came)> = Vec::new();
    while let Some(done) = asked.join_next().await {
        // One that panics has not answered, and that is no pass.
        came.extend(done.ok());
    }
    came.sort_by_key(|(place, _)| *place);
    came.into_iter().map(|(_, one)| one).collect()
}

async fn one(gate: String, how: How, stage: When) -> Came {
    let began = clock::now();
    let answer = |found: Found, gate: &str, began: Instant| Answer {
        gate: gate.to_owned(),
        stage,
        found,
        at: clock::today(),
        took: Duration::from_millis(
            u64::try_from(clock::now().saturating_duration_since(began).as_millis()).unwrap_or(u64::MAX),
        ),
        by: BY.to_owned(),
    };
    let (mut probed, mut awaits) = (None, false);
    let answer = match how {
        How::Brought(brought) => Some(*brought),
        How::Found(found) => Some(answer(found, &gate, began)),
        How::Elsewhere(found) => {
            awaits = true;
            Some(answer(found, &gate, began))
        }
        How::Folder(asked) => Some(answer(
            towpath_ask::ask(&asked.0, &gate, &asked.1).await,
            &gate,
            began,
        )),
        How::Probe(probing) => {
            let Probing {
                probe,
                mut aim,
                before,
            } = *probing;
            if let Some(before) = before {
                aim.stable = towpath_probe::probe(&probe, &gate, &before).await.hash;
            }
            let outcome = towpath_probe::probe(&probe, &gate, &aim).await;
            let runs = u64::try_from(outcome.runs).unwrap_or(u64::MAX);
            let of = probe.of.as_ref().map(|of| of.as_str().to_owned());
            probed = of.and_then(|of| match outcome.found.verdict {
                Verdict::Pass => Some((of, Probes { good: runs, bad: 0 })),
                Verdict::Fail(_) => Some((
                    of,
                    Probes {
                        good: runs.saturating_sub(1),
                        bad: 1,
                    },
                )),
                _ => None,
            });
            Some(answer(plain(outcome.found, &gate), &gate, began))
        }
        How::Compared => None,
        How::Changed(asked) => Some(answer(changed(*asked).await, &gate, began)),
        How::Objectives(all, share, edge) => {
            let seen = edge.seen().await;
            let found = objectives(&all, share, &seen, clock::today());
            Some(answer(found, &gate, began))
        }
    };
    Came {
        answer,
        gate,
        probed,
        awaits,
    }
}

/// What a probe has found, without its name where the gate has the same.
fn plain(mut found: Found, gate: &str) -> Found {
    let name = format!("probe `{gate}`: ");
    if let Verdict::Fail(why) | Verdict::Inconclusive(why) = &mut found.verdict
        && let Some(rest) = why.strip_prefix(&name)
    {
        *why = rest.to_owned();
    }
    found
}

/// An answer in words, as history and `explain` tell it.
pub(super) fn words(answer: &Answer) -> String {
    let Found {
        verdict,
        measured,
        bound,
        ..
    } = &answer.found;
    let gate = &answer.gate;
    let measured = measured
        .as_ref()
        .map(|words| format!(": {words}"))
        .unwrap_or_default();
    let bound = bound
        .as_ref()
        .map(|words| format!("; {words}"))
        .unwrap_or_default();
    match verdict {
        Verdict::Pass => format!("{gate} passes{measured}{bound}"),
        Verdict::Fail(why) => format!("{gate} fails: {why}"),
        Verdict::Inconclusive(why) => format!("{gate} cannot say: {why}"),
        Verdict::Waived(why) => format!("{gate} is waived: {why}"),
        Verdict::Awaits(why) => format!("{gate} waits: {why}"),
    }
}

fn found(verdict: Verdict) -> Found {
    Found {
        verdict,
        measured: None,
        bound: None,
        evidence: Vec::new(),
    }
}

fn measured(verdict: Verdict, measured: String, bound: String) -> Found {
    Found {
        measured: Some(measured),
        bound: Some(bound),
        ..found(verdict)
    }
}

fn awaits(why: String) -> Found {
    found(Verdict::Awaits(why))
}

fn open(why: String) -> Found {
    found(Verdict::Inconclusive(why))
}

fn passes(words: &str) -> Found {
    Found {
        measured: Some(words.to_owned()),
        ..found(Verdict::Pass)
    }
}
