//! What stands around instances where releases move: releases that are there, the edge, schemas, jobs that are tried, gates.
//!
//! It outlives stewards, as the machine does. What it is told takes effect a moment later, and its answers come later still; by
//! then, whoever asked may be dead.

mod release;

use crate::agenda::Agenda;
use crate::clock::after;
use crate::secrets::dress;
use jiff::Timestamp;
use release::Making;
use std::collections::{BTreeMap, BTreeSet};
use towpath_decide::rollout::{Act, Doing, Known};
use towpath_model::run::{InstanceId, Moved, Task, Verdict, Work};
use towpath_model::sealed::Sealed;
use towpath_model::unit::{Duration, Name};

/// So many batches has each migration that fills in.
const BATCHES: u32 = 3;

/// Who answers for a component: what they were started from, their share of ten thousand, and which instances.
pub(crate) type Target = Vec<(String, u16, Vec<InstanceId>)>;

/// What an edge does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Which turn of the course it follows.
    pub turn: u64,
    pub(crate) targets: BTreeMap<Name, Target>,
}

/// Something that a steward hears from there.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// The edge follows this, as that steward has told it.
    Follows(u64, Table),
    /// The edge has died, and another one knows nothing yet.
    Forgot,
    /// Something was done, or a batch of it; as that steward has asked.
    Did(u64, Task, Doing),
}

#[derive(Debug)]
enum Due {
    Set(u64, Table),
    Did(u64, Task),
}

/// How something is done there.
#[derive(Debug, Clone, Default)]
struct Habit {
    fails: bool,
    takes: Option<Duration>,
    says: Option<Verdict>,
}

/// Everything around instances.
#[derive(Debug, Default)]
pub struct Shore {
    /// The releases.
    pub known: Known,
    pub(crate) making: Making,
    /// What the edge does.
    pub table: Table,
    /// Which migrations have run.
    pub ran: BTreeMap<Name, BTreeSet<String>>,
    batches: BTreeMap<Moved, u32>,
    habits: BTreeMap<String, Habit>,
    asked: BTreeMap<Task, Vec<String>>,
    /// How long the edge takes to follow.
    pub late: Option<Duration>,
    /// What is so bad that nobody waits for a gate to be asked.
    pub alarm: Option<String>,
    /// A rule that is broken on purpose: the laws have to notice.
    pub sabotage: Option<String>,
    /// Whoever has told the edge something last, and when that arrives: nothing is heard of an earlier one any more, and
    /// nothing overtakes what was said before.
    told: Option<(u64, Timestamp)>,
    agenda: Agenda<Due>,
    news: Vec<News>,
}

impl Shore {
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.agenda.next()
    }

    pub(crate) fn heard(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// How a migration, a job that is tried, or a gate does from now on.
    pub(crate) fn habit(&mut self, what: &str, word: &str) -> Result<(), String> {
        let habit = self.habit_of(what);
        match word.split_once('=') {
            Some(("takes", time)) => habit.takes = Some(crate::product::value_of(time)?),
            None => match word {
                "fails" => habit.fails = true,
                "well" => {
                    *habit = Habit::default();
                    self.alarm = None;
                }
                "pass" => habit.says = Some(Verdict::Pass),
                "fail" => {
                    let why = format!("`{what}` found what it should not: {}", self.overheard());
                    self.habit_of(what).says = Some(Verdict::Fail(why));
                }
                "inconclusive" => {
                    let why = format!("`{what}` saw too little: {}", self.overheard());
                    self.habit_of(what).says = Some(Verdict::Inconclusive(why));
                }
                "awaits" => habit.says = Some(Verdict::Awaits(format!("`{what}` waits for ana to say yes"))),
                "alarms" => self.alarm = Some(format!("`{what}` fails for everybody")),
                "waived" => habit.says = Some(Verdict::Waived("ana: known, and mended tomorrow".to_owned())),
                _ => return Err(format!("`{word}` is nothing that it can do")),
            },
            Some(_) => return Err(format!("`{word}` is nothing that it can do")),
        }
        Ok(())
    }

    fn habit_of(&mut self, what: &str) -> &mut Habit {
        self.habits.entry(what.to_owned()).or_default()
    }

    /// Every value that anything of a release is started with.
    fn values(&self) -> Vec<Sealed<String>> {
        let all = self
            .known
            .values()
            .flat_map(|release| release.content.components.values());
        let dressed = all.flat_map(|portion| dress(&portion.component));
        dressed.map(|(_, value)| value).collect()
    }

    /// What whoever fails repeats of what it was told.
    fn overheard(&self) -> String {
        let last = self.values().pop();
        last.map_or_else(String::new, |value| value.open().clone())
    }

    /// What came of something, as it may be told on and written down.
    pub(crate) fn hidden(&self, doing: Doing) -> Doing {
        match self.sabotage.as_deref() {
            Some("words") => doing,
            _ => doing.without(&self.values()),
        }
    }

    /// All does well again.
    pub(crate) fn mend(&mut self) {
        self.habits.clear();
        self.alarm = None;
        self.late = None;
    }

    /// The edge is told what to do.
    pub(crate) fn set(&mut self, steward: u64, table: Table, now: Timestamp) {
        let takes = self.late.unwrap_or(Duration::from_millis(1));
        let at = after(now, takes);
        let at = self.told.map_or(at, |(_, before)| before.max(at));
        self.told = Some((steward, at));
        self.agenda.put(at, Due::Set(steward, table));
    }

    /// The edge dies. Another one stands in its place at once, and knows nothing.
    pub(crate) fn crash_edge(&mut self) {
        self.table = Table::default();
        self.news.push(News::Forgot);
    }

    /// Something is asked for.
    pub(crate) fn ask(&mut self, steward: u64, act: &Act, now: Timestamp) {
        let habit = self
            .habits
            .get(&name_of(&act.task.work, &act.gates))
            .cloned()
            .unwrap_or_default();
        let takes = habit.takes.unwrap_or(Duration::from_millis(50));
        // What they say is said at the end; who they are has to be known by then.
        self.asked.insert(act.task.clone(), act.gates.clone());
        self.agenda
            .put(after(now, takes), Due::Did(steward, act.task.clone()));
    }

    pub(crate) fn turn(&mut self, now: Timestamp) {
        match self.agenda.take(now) {
            Some(Due::Set(steward, table)) => {
                if self.told.is_some_and(|(newest, _)| newest != steward) {
                    return;
                }
                self.table = table.clone();
                self.news.push(News::Follows(steward, table));
            }
            Some(Due::Did(steward, task)) => {
                let doing = self.done(&task);
                self.news.push(News::Did(steward, task, doing));
            }
            None => {}
        }
    }

    fn done(&mut self, task: &Task) -> Doing {
        let gates = self.asked.get(task).cloned().unwrap_or_default();
        let habit = self
            .habits
            .get(&name_of(&task.work, &gates))
            .cloned()
            .unwrap_or_default();
        match &task.work {
            _ if habit.fails => Doing::Failed(format!("it ended with code 1: {}", self.overheard())),
            Work::Judge { .. } => {
                let says = gates
                    .iter()
                    .filter_map(|gate| self.habits.get(gate)?.says.clone());
                let worst = says.max_by_key(|verdict| match verdict {
                    Verdict::Pass => 0,
                    Verdict::Waived(_) => 1,
                    Verdict::Awaits(_) => 2,
                    Verdict::Inconclusive(_) => 3,
                    Verdict::Fail(_) => 4,
                });
                Doing::Judged(worst.unwrap_or(Verdict::Pass))
            }
            Work::Migrate(moved) => {
                if self.fills(moved) {
                    let done = self.batches.entry(moved.clone()).or_default();
                    *done += 1;
                    if *done < BATCHES {
                        return Doing::Done;
                    }
                }
                self.ran
                    .entry(moved.resource.clone())
                    .or_default()
                    .insert(moved.migration.clone());
                Doing::Done
            }
            Work::Try(_) => Doing::Done,
        }
    }

    fn fills(&self, moved: &Moved) -> bool {
        let all = self
            .known
            .values()
            .filter_map(|release| release.content.schema.get(&moved.resource));
        let mut all = all.flat_map(|schema| &schema.migrations);
        all.any(|one| {
            one.name == moved.migration && one.phase == towpath_model::desired::resource::Phase::Backfill
        })
    }
}

fn name_of(work: &Work, gates: &[String]) -> String {
    match work {
        Work::Try(name) => name.to_string(),
        Work::Migrate(moved) => moved.migration.clone(),
        Work::Judge { .. } => gates.first().cloned().unwrap_or_default(),
    }
}
