//! Steering: a steward of this world goes on with a rollout, as the real one is to do it.
//!
//! It looks (`Signals`), asks `advance`, writes the course with its intents down, and only then makes the lineup so, tells the
//! edge and begins what is to be done: each an instruction, after which it may be killed.

use super::{Around, Steward, WRITE_AGAIN};
use crate::clock::{after, between};
use crate::shore::{News, Shore, Table};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use towpath_decide::rollout::{self, Act, Doing, Lineup, Signals, Wish, lineup, sights};
use towpath_decide::tend::{Fact, Tended};
use towpath_model::run::{Course, InstanceId, Reason, Task, Work};
use towpath_model::unit::{Duration, Name};
use towpath_store::Entry;

/// How long what a former steward has told the edge is left as it is, while it is asked how instances are.
const BELIEVES: Duration = Duration::from_secs(5);

/// What a steward knows of the rollout.
#[derive(Debug, Default)]
pub(super) struct Helm {
    pub(super) course: Course,
    pub(super) because: Option<Reason>,
    tasks: BTreeMap<Task, Doing>,
    /// The turn that the edge follows, as it has told us.
    edge: Option<u64>,
    sent: Option<Table>,
    lined: Option<Lineup>,
    /// What was seen when nothing followed from it.
    seen: Option<Signals>,
    /// The lineup may be another one.
    relines: bool,
    /// How many were wanted of each component when it was looked last.
    wanted: Vec<(Name, Option<u32>, bool)>,
    /// Written down, and not begun.
    acts: Vec<Act>,
    /// The course is another one than what was made so.
    due: bool,
    look_at: Option<Timestamp>,
    undecided: bool,
    since: Option<Timestamp>,
    /// It is known how everything is that was found.
    knows: bool,
    write_again: Option<Timestamp>,
}

impl Helm {
    pub(super) fn new(course: Course, now: Timestamp) -> Self {
        Helm {
            course,
            due: true,
            relines: true,
            undecided: true,
            since: Some(now),
            ..Helm::default()
        }
    }

    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let can_write = self.write_again.unwrap_or(now);
        let steers = self.undecided.then_some(can_write);
        let does = self.due.then_some(now);
        [steers, does, self.look_at].into_iter().flatten().min()
    }

    /// Whether what was written down has to be made so.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Tells whoever looks on what has changed.
    fn tell(&self, decision: &rollout::Decision, around: &mut Around<'_>) {
        let told =
            is_told(&decision.because) && self.because.as_ref().map(kind) != Some(kind(&decision.because));
        if told {
            around.trace.say(around.clock, &decision.because);
        }
        if let Some(ended) = decision
            .next
            .ended
            .as_ref()
            .filter(|ended| self.course.ended.as_ref() != Some(ended))
        {
            let how = if ended.promoted { "is current" } else { "is not" };
            let said = format!(
                "rollout {} ended after {}: {} {how}, {}",
                ended.number, ended.took, ended.to, ended.because
            );
            around.trace.say(around.clock, said);
        }
    }

    pub(super) fn touch(&mut self) {
        self.undecided = true;
    }
}

/// What it was asked for, in a word.
fn word(work: &Work) -> (&'static str, String) {
    match work {
        Work::Try(name) => ("try", name.to_string()),
        Work::Migrate(moved) => ("migrate", format!("{}/{}", moved.resource, moved.migration)),
        Work::Judge { look, .. } => ("judge", look.to_string()),
    }
}

impl Steward {
    /// Whether there was something to steer.
    pub(super) fn steer_or_do(&mut self, around: &mut Around<'_>) -> bool {
        let now = around.clock.steady;
        let Some(helm) = &mut self.helm else { return false };
        if helm.look_at.is_some_and(|at| at <= now) {
            helm.look_at = None;
            helm.seen = None;
            helm.undecided = true;
        }
        if helm.undecided && helm.write_again.is_none_or(|at| at <= now) {
            self.steer(around);
            return true;
        }
        false
    }

    fn signals(&mut self, around: &Around<'_>) -> Signals {
        let now = around.clock.steady;
        let all_known = self
            .tended
            .parts()
            .values()
            .all(towpath_decide::tend::Part::is_known);
        let helm = self.helm.get_or_insert_default();
        let waited = helm.since.is_none_or(|since| between(since, now) >= BELIEVES);
        helm.knows |= all_known || waited;
        let mut signals = Signals {
            known: helm.knows,
            sights: sights(&self.tended),
            edge: helm.edge.filter(|_| helm.sent == Some(table(helm, &self.tended))),
            moved: around.shore.ran.clone(),
            tasks: helm.tasks.clone(),
            alarm: around.shore.alarm.clone(),
            closed: None,
        };
        match around.shore.sabotage.as_deref() {
            Some("edge") => signals.edge = Some(u64::MAX),
            Some("ready") => {
                let sides = signals
                    .sights
                    .values_mut()
                    .flat_map(|sight| sight.sides.values_mut());
                sides.for_each(|tally| tally.ready = tally.stands);
            }
            _ => {}
        }
        signals
    }

    fn steer(&mut self, around: &mut Around<'_>) {
        let now = around.clock.steady;
        let signals = self.signals(around);
        let Some(helm) = &mut self.helm else { return };
        // The same course, seen the same way, is decided the same way.
        if helm.seen.as_ref() == Some(&signals) {
            helm.undecided = false;
            helm.due = true;
            return;
        }
        let decision = rollout::advance(&helm.course, &signals, &around.shore.known, around.clock.today());
        if decision.keep
            && let Some(refusal) = around.journal.refusal()
        {
            around.trace.say(around.clock, refusal);
            helm.write_again = Some(after(now, WRITE_AGAIN));
            return;
        }
        helm.write_again = None;
        helm.undecided = false;
        helm.seen = (!decision.keep).then_some(signals.clone());
        helm.look_at = decision.again.map(|at| {
            around
                .clock
                .steady_of(at)
                .max(after(now, Duration::from_millis(1)))
        });
        helm.tell(&decision, around);
        if decision.keep {
            let because = decision.because.to_string();
            let entries = decision.acts.iter().map(|act| {
                let (what, subject) = word(&act.task.work);
                Entry {
                    what: what.to_owned(),
                    subject,
                    body: json!({ "rollout": act.task.number }),
                    because: because.clone(),
                    intent: true,
                }
            });
            let entries: Vec<Entry> = entries.collect();
            for entry in &entries {
                around.trace.say(
                    around.clock,
                    format!("{} {}, because {}", entry.what, entry.subject, entry.because),
                );
            }
            around.journal.keep(&decision.next, entries, around.clock.today());
        }
        let wanted = signals
            .sights
            .iter()
            .map(|(name, sight)| (name.clone(), sight.wanted, sight.sleeps));
        let wanted: Vec<_> = wanted.collect();
        helm.relines |= decision.keep || helm.wanted != wanted;
        helm.wanted = wanted;
        if decision.keep {
            let rows = [&helm.course, &decision.next]
                .map(|course| lineup(course, &around.shore.known, &signals.sights));
            around
                .laws
                .moves(&rows, &decision.next, &self.tended, &around.shore.known);
        }
        helm.course = decision.next;
        helm.because = Some(decision.because);
        helm.acts = decision.acts;
        helm.due = true;
    }

    /// Makes so what the course says.
    pub(super) fn make_so(&mut self, around: &mut Around<'_>) {
        let now = around.clock.steady;
        let Some(helm) = &mut self.helm else { return };
        helm.due = false;
        for act in std::mem::take(&mut helm.acts) {
            helm.tasks.insert(act.task.clone(), Doing::Underway);
            around.shore.ask(self.number, &act, now);
        }
        if std::mem::take(&mut helm.relines) {
            let rows = lineup(&helm.course, &around.shore.known, &sights(&self.tended));
            if helm.lined.as_ref() != Some(&rows) {
                helm.lined = Some(rows.clone());
                self.tended.learn(Fact::Lined(rows));
                self.undecided = true;
            }
        }
        self.tell_edge(around);
    }

    /// Tells the edge who answers, where that is another than before.
    fn tell_edge(&mut self, around: &mut Around<'_>) {
        let now = around.clock.steady;
        let Some(helm) = self.helm.as_mut().filter(|helm| helm.knows) else {
            return;
        };
        let table = table(helm, &self.tended);
        if helm.sent.as_ref() == Some(&table) {
            return;
        }
        for (name, target) in &table.targets {
            let before = helm.sent.as_ref().and_then(|sent| sent.targets.get(name));
            let shares = |target: &crate::shore::Target| -> Vec<(String, u16)> {
                target
                    .iter()
                    .map(|(digest, parts, _)| (digest.clone(), *parts))
                    .collect()
            };
            if target.len() > 1 && before.map(shares) != Some(shares(target)) {
                let said: Vec<String> = shares(target)
                    .iter()
                    .map(|(digest, parts)| format!("{digest} {}%", f64::from(*parts) / 100.0))
                    .collect();
                around
                    .trace
                    .say(around.clock, format!("visitors of {name}: {}", said.join(", ")));
            }
        }
        helm.sent = Some(table.clone());
        helm.edge = None;
        around.shore.set(self.number, table, now);
    }

    /// Hears of something beside instances.
    pub(crate) fn hear_of(&mut self, news: News, shore: &Shore) {
        let Some(helm) = &mut self.helm else { return };
        match news {
            News::Follows(steward, table) if steward == self.number => {
                if helm.sent.as_ref() == Some(&table) {
                    helm.edge = Some(table.turn);
                }
            }
            News::Forgot => {
                helm.edge = None;
                helm.sent = None;
                helm.due = true;
            }
            News::Did(steward, task, doing) if steward == self.number => {
                helm.tasks.insert(task, shore.hidden(doing));
            }
            News::Follows(..) | News::Did(..) => return,
        }
        helm.undecided = true;
    }

    /// Is asked for something about releases.
    pub(super) fn learn_wish(&mut self, wish: &Wish, around: &mut Around<'_>) {
        let now = around.clock.today();
        let course = self
            .helm
            .as_ref()
            .map(|helm| helm.course.clone())
            .unwrap_or_default();
        let answer = rollout::ask(&course, wish, "ana", &around.shore.known, None, now);
        let said = match answer {
            Err(refusal) => format!("refused: {refusal}"),
            Ok(_) if around.journal.refusal().is_some() => "refused: it cannot be written down".to_owned(),
            Ok((next, answer)) => {
                around.journal.keep(&next, Vec::new(), now);
                if let Wish::Deploy(to) = wish {
                    around.journal.keep_release(around.shore.known.get(to));
                }
                let steady = around.clock.steady;
                let helm = self
                    .helm
                    .get_or_insert_with(|| Helm::new(Course::default(), steady));
                helm.course = next;
                helm.relines = true;
                helm.seen = None;
                helm.undecided = true;
                helm.write_again = None;
                if *wish == Wish::Resume {
                    helm.tasks.retain(|_, doing| !matches!(doing, Doing::Failed(_)));
                }
                format!("answered: {answer:?}")
            }
        };
        around.trace.say(around.clock, said);
    }

    /// The course as it is known, and why it is where it is.
    pub fn course(&self) -> Option<(&Course, Option<&Reason>, Option<&Lineup>)> {
        let helm = self.helm.as_ref()?;
        Some((&helm.course, helm.because.as_ref(), helm.lined.as_ref()))
    }
}

/// What the edge should do.
fn table(helm: &Helm, tended: &Tended) -> Table {
    let mut table = Table {
        turn: helm.course.turn,
        ..Table::default()
    };
    for (name, row) in helm.lined.iter().flatten() {
        let Some(part) = tended.parts().get(name).filter(|part| part.faces()) else {
            continue;
        };
        let sides = row.sides.iter().map(|side| {
            let own = part
                .standing
                .iter()
                .filter(|one| one.seen.digest == side.digest && one.serves());
            let own: Vec<InstanceId> = own.map(|one| one.seen.id.clone()).collect();
            (side.digest.clone(), side.parts, own)
        });
        table.targets.insert(name.clone(), sides.collect());
    }
    table
}

/// What would only be told again and again is not.
fn is_told(reason: &Reason) -> bool {
    !matches!(reason, Reason::Looks | Reason::EdgeFollows)
}

/// A reason without its numbers.
fn kind(reason: &Reason) -> String {
    match reason {
        Reason::Watches(_, of) => format!("watches {of}"),
        Reason::Starts(name, ..) => format!("starts {name}"),
        other => other.to_string(),
    }
}
