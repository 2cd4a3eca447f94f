//! Metrics are read again and again while a release is here that a gate may ask about, so that whoever asks finds a record.
//!
//! What outside somebody else has to be asked for is read beside the core, with a bound on its time; what the edge and the
//! engine see is taken at the same moment. The record is that of one release: when another one becomes current, it is begun
//! anew. It is not written down: after a steward that was killed it is too short for a while, and that is no pass.

use crate::aim::pages;
use crate::core::{Core, Message};
use crate::door::clock;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use towpath_decide::gate::change::{self, Counted as Events};
use towpath_decide::gate::metric::{self, Budget, Counted, Origin, cadence};
use towpath_edge::{Snapshot, Times};
use towpath_engine::Engine;
use towpath_measure::{Component, Host, Page, Sources, Store, is_about_a_time, read};
use towpath_model::desired::gate::{ChangeGate, Gate};
use towpath_model::desired::metric::{Measured, Metric, Objective};
use towpath_model::desired::resource::ResourceKind;
use towpath_model::run::{Found, InstanceId, Questions, Reading, ReleaseId, Spread, Tally, Usage, Verdict};
use towpath_model::unit::{Name, Quantity};

/// The longest and the shortest time between two readings.
const SELDOM: Duration = Duration::from_secs(15);
const OFTEN: Duration = Duration::from_secs(1);

/// So many readings of a metric are kept: hours of them.
const MOST: usize = 2_000;

/// What has been read of metrics.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// The release that is current.
    of: Option<ReleaseId>,
    read: BTreeMap<Name, VecDeque<(Timestamp, Reading)>>,
    /// When they are read next.
    pub(crate) due: Option<Instant>,
    /// How long there is between two readings.
    each: Duration,
    underway: bool,
}

/// What is read of each metric, and when.
pub(crate) type Sampled = (Timestamp, Vec<(Name, Reading)>);

/// What is asked of a number: all that it takes, taken from what is known here.
pub(super) enum Number {
    /// It is known.
    Known(Found),
    /// A metric has to be asked about two times.
    Change(Box<Changing>),
    /// What the edge has counted says it.
    Objectives(Vec<(Name, Objective)>, Option<towpath_model::unit::Share>),
}

pub(super) struct Changing {
    gate: ChangeGate,
    metric: Metric,
    per: Option<Metric>,
    sources: Sources,
    /// Since when the release is current, and now.
    since: Timestamp,
    now: Timestamp,
}

impl<E: Engine> Core<E> {
    /// Has metrics read, where it is time.
    pub(crate) fn look_at_metrics(&mut self) {
        let now = clock::now();
        let Some(helm) = &mut self.helm else { return };
        let samples = &mut helm.samples;
        if samples.of != helm.course.current {
            *samples = Samples {
                of: helm.course.current.clone(),
                underway: samples.underway,
                ..Samples::default()
            };
        }
        if samples.underway || samples.due.is_some_and(|due| due > now) {
            return;
        }
        let ids = [
            helm.course.rollout.as_ref().map(|rollout| &rollout.to),
            helm.course.current.as_ref(),
        ];
        let found = ids.into_iter().flatten();
        let found = found.filter_map(|id| Some(&helm.releases.get(id)?.release.content.questions));
        let questions: Vec<Arc<Questions>> = found.map(Arc::clone).collect();
        let wanted: BTreeMap<Name, Metric> = questions
            .iter()
            .flat_map(|one| {
                one.metrics
                    .iter()
                    .map(|(name, metric)| (name.clone(), metric.clone()))
            })
            .filter(|(_, metric)| !is_about_a_time(metric))
            .collect();
        if wanted.is_empty() {
            samples.due = None;
            return;
        }
        let overs = questions.iter().flat_map(|one| one.gates.values());
        let overs = overs.filter_map(|gate| Some(cadence(gate.metric.as_ref()?.over).to_std()));
        let each = overs.min().unwrap_or(SELDOM).clamp(OFTEN, SELDOM);
        (samples.due, samples.each, samples.underway) = (None, each, true);
        let sources = self.sources(&questions[0]);
        let (edge, inbox) = (self.edge.clone(), self.inbox.clone());
        let (engine, ids) = (Arc::clone(&self.engine), self.instances());
        tokio::spawn(async move {
            let seen = match edge {
                Some(edge) => edge.seen().await,
                None => Snapshot::default(),
            };
            let all: Vec<_> = ids.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
            let used: BTreeMap<_, _> = engine.usage(&all).await.into_iter().collect();
            let at = clock::today();
            let mut read_all = Vec::new();
            for (name, metric) in wanted {
                let reading = match metric::origin(&metric) {
                    Origin::Outside => read(&metric, &sources, None)
                        .await
                        .unwrap_or_else(Reading::Unknown),
                    Origin::Here(measured) => {
                        let of = metric.of.as_ref().map(|of| of.as_str());
                        let own = ids
                            .iter()
                            .filter(|(name, _)| of.is_none_or(|of| of == name.as_str()));
                        let own = own.flat_map(|(_, ids)| ids.iter().filter_map(|id| used.get(id).copied()));
                        here(measured, of, &seen, &own.collect::<Vec<_>>())
                    }
                };
                read_all.push((name, reading));
            }
            // That nobody hears it means that we are ending.
            let _ = inbox.send(Message::Sampled(Box::new((at, read_all))));
        });
    }

    /// Metrics have been read.
    pub(crate) fn sampled(&mut self, (at, all): Sampled) {
        let Some(helm) = &mut self.helm else { return };
        helm.samples.underway = false;
        helm.samples.due = Some(clock::now() + helm.samples.each);
        for (name, reading) in all {
            let record = helm.samples.read.entry(name).or_default();
            if record.len() >= MOST {
                record.pop_front();
            }
            record.push_back((at, reading));
        }
    }

    /// What a gate asks that is a number.
    pub(super) fn number(&self, questions: &Questions, gate: &Gate, since: Timestamp) -> Number {
        let now = clock::today();
        let known = |name: &str| questions.metrics.get(name);
        if let Some(asked) = &gate.metric {
            let Some(metric) = known(asked.metric.as_str()) else {
                return Number::Known(open(format!(
                    "there is no metric `{}` in the release",
                    asked.metric
                )));
            };
            let record = self
                .helm
                .as_ref()
                .and_then(|helm| helm.samples.read.get(asked.metric.as_str()));
            let record: Vec<_> = record
                .into_iter()
                .flatten()
                .filter(|(at, _)| *at >= since)
                .cloned()
                .collect();
            return Number::Known(metric::kept(metric, asked, &record, now));
        }
        if let Some(asked) = &gate.change {
            let Some(metric) = known(asked.metric.as_str()) else {
                return Number::Known(open(format!(
                    "there is no metric `{}` in the release",
                    asked.metric
                )));
            };
            return Number::Change(Box::new(Changing {
                gate: asked.clone(),
                metric: metric.clone(),
                per: asked.per.as_ref().and_then(|per| known(per.as_str())).cloned(),
                sources: self.sources(questions),
                since,
                now,
            }));
        }
        let of = |name: &str| questions.objectives.get_key_value(name);
        if let Some(asked) = &gate.objective {
            let found = of(asked.as_str()).map(|(name, one)| (name.clone(), one.clone()));
            return Number::Objectives(found.into_iter().collect(), None);
        }
        if let Some(share) = gate.budget_left {
            let all = questions.objectives.iter();
            return Number::Objectives(
                all.map(|(name, one)| (name.clone(), one.clone())).collect(),
                Some(share),
            );
        }
        Number::Known(open("it asks for nothing that is known here".to_owned()))
    }

    /// The instances of each component that runs.
    fn instances(&self) -> Vec<(Name, Vec<InstanceId>)> {
        let all = self.tended.parts().iter();
        let each = all.map(|(name, part)| {
            let ids = part.standing.iter().map(|one| one.seen.id.clone());
            (name.clone(), ids.collect())
        });
        each.collect()
    }

    /// Where everything is that a metric may be read of.
    fn sources(&self, questions: &Questions) -> Sources {
        let mut sources = Sources {
            secrets: self.wardrobe.values.clone(),
            folder: self.config.folder.clone(),
            prometheus: questions.telemetry.as_ref().map(ToString::to_string),
            ..Sources::default()
        };
        for (name, kind, address) in self.stores() {
            match kind {
                ResourceKind::Postgres => drop(sources.postgres.insert(name.to_string(), Store { address })),
                ResourceKind::Redis => drop(sources.redis.insert(name.to_string(), Store { address })),
                ResourceKind::Bucket => {}
            }
        }
        for (name, part) in self.tended.parts().iter() {
            let Some(path) = questions.pages.get(name) else {
                continue;
            };
            let pages = pages(part).into_iter().map(|(by, address)| Page {
                by,
                address: format!("http://{address}{path}"),
            });
            let component = Component {
                pages: pages.collect(),
                ..Component::default()
            };
            sources.components.insert(name.to_string(), component);
        }
        for (name, host) in &questions.hosts {
            if let Some(url) = &host.url {
                let host = Host {
                    url: url.to_string(),
                    secret: host.secret.as_ref().map(ToString::to_string),
                };
                sources.hosts.insert(name.to_string(), host);
            }
        }
        sources
    }
}

/// What is seen here.
fn here(measured: Measured, of: Option<&str>, seen: &Snapshot, used: &[Usage]) -> Reading {
    let all = seen
        .requests
        .iter()
        .filter(|one| of.is_none_or(|of| one.component == of));
    let by = format!("edge {}", seen.began);
    let float = |count: u64| count as f64;
    match measured {
        Measured::Errors | Measured::Availability => {
            let mut tally = Tally::default();
            for one in all {
                tally.all += float(one.answered());
                tally.bad += float(one.errors());
            }
            Reading::Share(BTreeMap::from([(by, tally)]))
        }
        Measured::Requests => {
            let count = all.map(|one| float(one.answered())).sum();
            Reading::Count(BTreeMap::from([(by, count)]))
        }
        Measured::Latency => {
            let mut times = Times::default();
            all.for_each(|one| times.add(&one.first));
            let mut below = 0.0;
            let classes = times.each().map(|(micros, count)| {
                below += float(count);
                (float(micros) / 1_000.0, below)
            });
            let spread = Spread {
                classes: classes.collect(),
                count: float(times.count()),
                sum: Some(float(times.micros) / 1_000.0),
            };
            Reading::Spread(BTreeMap::from([(by, spread)]))
        }
        Measured::Connections => {
            let open = seen
                .components
                .iter()
                .filter(|one| of.is_none_or(|of| one.component == of));
            Reading::Level(open.map(|one| float(one.active)).sum())
        }
        Measured::Memory => Reading::Level(used.iter().map(|one| float(one.memory)).sum()),
        Measured::WebVitals => {
            let mut vitals: BTreeMap<String, Times> = BTreeMap::new();
            for one in all {
                for (name, times) in &one.vitals {
                    vitals.entry(name.clone()).or_default().add(times);
                }
            }
            let named = vitals.into_iter().filter_map(|(name, times)| {
                let p75 = times.quantile(0.75)?;
                Some((name, p75.as_secs_f64() * 1_000.0))
            });
            Reading::Named(named.collect())
        }
        other => Reading::Unknown(format!("`{other}` is not recorded by this version")),
    }
}

/// Asks about a change: what came before the release, and what has come since.
pub(super) async fn changed(asked: Changing) -> Found {
    let Changing {
        gate,
        metric,
        per,
        sources,
        since,
        now,
    } = asked;
    let earlier =
        |at: Timestamp, by: towpath_model::unit::Duration| at.saturating_sub(by.to_jiff()).unwrap_or(at);
    let from = earlier(now, gate.over);
    if from < since {
        let known = now.duration_since(since).as_secs().max(0) / 60;
        return open(format!(
            "the release has been here for {known} minutes, and it is measured over {}",
            gate.over
        ));
    }
    let baseline = gate.baseline.unwrap_or(gate.over);
    let spans = [(earlier(since, baseline), since), (from, now)];
    let mut counted = Vec::new();
    for (from, to) in spans {
        let events = match amount(&metric, gate.metric.as_str(), &sources, (from, to)).await {
            Ok(events) => events,
            Err(why) => return open(why),
        };
        let hours = to.duration_since(from).as_secs_f64() / 3_600.0;
        let over = match &per {
            Some(per) => {
                let name = gate.per.as_ref().map_or("", |per| per.as_str());
                match amount(per, name, &sources, (from, to)).await {
                    Ok(over) => over,
                    Err(why) => return open(why),
                }
            }
            None => hours,
        };
        counted.push(Events {
            events: events.max(0.0).round() as u64,
            over,
        });
    }
    let [before, after] = counted[..] else {
        return open("it could not be counted".to_owned());
    };
    let finding = change::judge(&gate, before, after);
    Found {
        verdict: finding.verdict,
        measured: Some(finding.measured),
        bound: Some(finding.bound),
        evidence: Vec::new(),
    }
}

async fn amount(
    metric: &Metric,
    name: &str,
    sources: &Sources,
    (from, to): (Timestamp, Timestamp),
) -> Result<f64, String> {
    let reading = read(metric, sources, Some((from, to))).await?;
    metric::amount(metric, name, &[(to, reading)], from, to)
}

/// What the edge has counted for objectives.
pub(super) fn objectives(
    all: &[(Name, Objective)],
    share: Option<towpath_model::unit::Share>,
    seen: &Snapshot,
    now: Timestamp,
) -> Found {
    let since = i64::try_from(seen.began).ok();
    let since = since
        .and_then(|began| Timestamp::from_millisecond(began).ok())
        .unwrap_or(now);
    let counted = |objective: &Objective| {
        let of = objective.of.as_ref().map(|of| of.as_str());
        let counted = seen
            .requests
            .iter()
            .filter(|one| of.is_none_or(|of| one.component == of));
        let bound = objective.good.as_ref().and_then(|good| match &good.value {
            Quantity::Duration(bound) => Some(bound.to_std()),
            _ => None,
        });
        let mut sum = Counted {
            requests: 0,
            errors: 0,
            within_bound: bound.map(|_| 0),
            since,
        };
        for one in counted {
            sum.requests += one.answered();
            sum.errors += one.errors();
            if let (Some(within), Some(bound)) = (&mut sum.within_bound, bound) {
                *within += one.first.within(bound);
            }
        }
        sum
    };
    match (share, all) {
        (Some(share), all) => {
            let budgets: Vec<Budget<'_>> = all
                .iter()
                .map(|(name, objective)| Budget {
                    name: name.as_str(),
                    objective,
                    counted: counted(objective),
                })
                .collect();
            metric::budget_left(share, &budgets, now)
        }
        (None, [(name, objective)]) => metric::objective(name.as_str(), objective, &counted(objective), now),
        (None, _) => open("the objective is not in the release".to_owned()),
    }
}

fn open(why: String) -> Found {
    Found {
        verdict: Verdict::Inconclusive(why),
        measured: None,
        bound: None,
        evidence: Vec::new(),
    }
}
