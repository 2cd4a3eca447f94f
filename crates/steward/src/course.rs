//! The course: this steward brings releases, and goes on with what an earlier one has begun.
//!
//! Where an environment has releases, they alone say what runs in it: `decide::rollout` is asked after everything that has
//! been learned, what it answers is written down whole with the intents that follow from it, and only then is the lineup
//! told to `tend`, which makes it so as it makes everything so. What the edge is set is what stands at the end of a turn, so
//! that "the edge follows" means: it was set all of it, and nothing has changed since.
//!
//! Nothing in here is remembered but the course, its releases, and what was asked for since we began: a steward that comes
//! after us asks for what is not done once more, and each task finds by itself what it has done before.

mod answer;
mod home;
mod keep;
mod story;
mod tasks;
mod told;

pub(crate) use answer::{Deployed, Question};
pub(crate) use keep::{COURSE, Kept, RELEASE, RESTS};
pub(crate) use tasks::Tasked;

use keep::Changed;

use crate::core::Core;
use crate::door::clock;
use crate::gates::{Gates, Samples};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use towpath_api::{CourseTold, Tone};
use towpath_decide::rollout::{self, Doing, Known, Lineup, Signals, closed, lineup, sights};
use towpath_decide::tend::{Fact, Part};
use towpath_engine::Engine;
use towpath_model::run::{Course, Reason, ReleaseId, Task};
use towpath_model::unit::Name;

/// How long what a former steward has told the edge is left as it is, while instances are asked how they are. It is as long
/// as the edge itself is believed.
const BELIEVES: Duration = Duration::from_secs(5);

/// How soon it is tried again to write a course down.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// The shortest time until it is looked again: what is due now has been looked at now.
const SHORTEST: Duration = Duration::from_millis(1);

/// What a steward knows of the releases of its environment.
#[derive(Debug)]
pub(crate) struct Helm {
    pub(crate) course: Course,
    /// What is known about gates.
    pub(crate) gates: Gates,
    /// What has been read of metrics.
    pub(crate) samples: Samples,
    because: Option<Reason>,
    /// The releases that are kept, as they were handed over.
    pub(crate) releases: BTreeMap<ReleaseId, Kept>,
    /// The same as they stand here: with whole paths, and with the addresses that hold.
    known: Known,
    /// What was asked for, and how it is.
    tasks: BTreeMap<Task, Doing>,
    /// The migrations that have run, by their resources, as far as these have said so.
    moved: BTreeMap<Name, BTreeSet<String>>,
    /// Those that are being asked.
    asked: BTreeSet<Name>,
    lined: Option<Lineup>,
    /// How many were wanted of each component when it was looked last.
    wanted: Vec<(Name, Option<u32>, bool)>,
    /// The lineup may be another one.
    relines: bool,
    /// What was seen when nothing followed from it.
    seen: Option<Signals>,
    since: Instant,
    /// It is known how everything is that was found.
    knows: bool,
    look_at: Option<Instant>,
    write_again: Option<Instant>,
    teller: story::Teller,
    /// What was told last.
    told: Option<CourseTold>,
    /// Something is reached elsewhere than before.
    pub(crate) has_moved: bool,
    /// Somebody has stopped all of it: nothing runs before somebody wants a release.
    pub(crate) rests: bool,
}

impl Helm {
    fn new(course: Course, releases: BTreeMap<ReleaseId, Kept>) -> Self {
        Helm {
            course,
            gates: Gates::default(),
            samples: Samples::default(),
            because: None,
            releases,
            known: Known::new(),
            tasks: BTreeMap::new(),
            moved: BTreeMap::new(),
            asked: BTreeSet::new(),
            lined: None,
            wanted: Vec::new(),
            relines: true,
            seen: None,
            since: clock::now(),
            knows: false,
            look_at: None,
            write_again: None,
            teller: story::Teller::default(),
            told: None,
            has_moved: false,
            rests: false,
        }
    }

    /// Whether nothing has ever been deployed.
    pub(crate) fn is_empty(&self) -> bool {
        self.course.number == 0
    }

    /// Whether nothing is to run.
    pub(crate) fn is_idle(&self) -> bool {
        self.rests || self.is_empty()
    }

    /// When it has to be looked again though nothing has happened.
    pub(crate) fn next(&self) -> Option<Instant> {
        let knows = (!self.knows).then(|| self.since + BELIEVES);
        // While nothing can be written, nothing is decided.
        let looks = || {
            [self.look_at, knows, self.samples.due]
                .into_iter()
                .flatten()
                .min()
        };
        self.write_again.or_else(looks)
    }

    /// What was asked for is so from now on.
    pub(crate) fn settle(&mut self, task: Task, doing: Doing) {
        self.tasks.insert(task, doing);
    }

    /// Whoever looks on is told once more.
    pub(crate) fn tell_again(&mut self) {
        self.told = None;
    }

    /// How much of a component's visitors each release has; nothing where releases say nothing of it.
    pub(crate) fn row(&self, name: &Name) -> Option<&rollout::Row> {
        self.lined.as_ref()?.get(name)
    }
}

impl<E: Engine> Core<E> {
    /// Goes on with what an earlier steward has begun, where that is about releases.
    pub(crate) async fn resume_course(&mut self) {
        let Some(left) = self.left.as_mut().filter(|left| left.course.is_some()) else {
            return;
        };
        let course = left.course.take().unwrap_or_default();
        let releases = std::mem::take(&mut left.releases);
        let rests = left.rests;
        let mut helm = Helm::new(course, releases);
        helm.gates = std::mem::take(&mut left.gates);
        helm.rests = rests;
        self.helm = Some(helm);
        self.resume_story().await;
        if !rests {
            self.restore().await;
            return;
        }
        // Whoever was killed while everything stopped has left some of it.
        let seen = self.engine.observe().await;
        if seen.is_ok_and(|seen| seen.iter().any(|one| !one.life.is_over())) && self.restore().await {
            self.learn(Fact::Down { at_once: false });
        }
    }

    /// What was left of releases and cannot be read holds everything as it is: nothing is stopped, and nothing is begun.
    pub(crate) fn say_unread(&mut self) {
        let why = self.left.as_ref().and_then(|left| left.unread.as_ref());
        let Some(text) = why.map(|why| {
            format!(
                "what another version of Towpath has written of releases cannot be read ({why}): nothing is started and nothing \
                 is stopped; the version that wrote it goes on with it"
            )
        }) else {
            return;
        };
        if self.notes.insert("course", text.clone()).as_ref() != Some(&text) {
            self.note(Tone::Error, text);
        }
    }

    /// Whether releases say what runs, and nobody has said that everything is to stop.
    pub(crate) fn steers(&self) -> bool {
        let steers = self.helm.as_ref().is_some_and(|helm| !helm.rests);
        steers && self.restored && !self.tended.goes_down() && !self.vanished
    }

    /// Everything is about to be stopped, and stays so until somebody wants a release.
    pub(crate) async fn rest_course(&mut self) {
        if self.helm.as_ref().is_some_and(|helm| !helm.is_idle())
            && let Err(error) = self.ledger.rests(clock::today()).await
        {
            self.cannot_write(&error);
        }
    }

    /// Decides about the course by what is seen. Whether the lineup is another one now, so that everything has to be
    /// decided once more.
    pub(crate) async fn steer(&mut self) -> bool {
        if !self.steers() {
            return false;
        }
        if self
            .helm
            .as_mut()
            .is_some_and(|helm| std::mem::take(&mut helm.has_moved))
        {
            self.house_releases().await;
        }
        self.ask_for_schemas();
        self.look_at_counts();
        self.look_at_metrics();
        let now = clock::now();
        let signals = self.signals(now);
        let Some(helm) = &mut self.helm else { return false };
        if helm.write_again.is_some_and(|at| at > now) {
            return false;
        }
        if helm.look_at.is_some_and(|at| at <= now) {
            helm.look_at = None;
            helm.seen = None;
        }
        // The same course, seen the same way, is decided the same way.
        if helm.seen.as_ref() == Some(&signals) {
            return self.reline(&signals).await;
        }
        let decision = rollout::advance(&helm.course, &signals, &helm.known, clock::today());
        if decision.keep && !self.write_course(&decision).await {
            return false;
        }
        let Some(helm) = &mut self.helm else { return false };
        helm.write_again = None;
        helm.look_at = decision.again.map(|at| {
            let wait = at.duration_since(clock::today());
            now + Duration::try_from(wait).unwrap_or_default().max(SHORTEST)
        });
        helm.relines |= decision.keep;
        helm.seen = (!decision.keep).then(|| signals.clone());
        let told = match decision.keep {
            true => Vec::new(),
            false => helm.teller.steps(&helm.course, &decision, clock::today()),
        };
        self.ledger.add(told);
        let ended = decision.next.ended != helm.course.ended;
        helm.course = decision.next;
        helm.because = Some(decision.because);
        if ended {
            self.forget_releases().await;
        }
        let anew = self.reline(&signals).await;
        self.tell_course();
        anew || decision.keep
    }

    /// Everything that a rollout sees. It is looked at when the edge has been set all that follows from what is known.
    fn signals(&mut self, now: Instant) -> Signals {
        let sights = sights(&self.tended);
        let all_known = self.tended.parts().values().all(Part::is_known);
        let follows = self.edge.is_some() && self.lagging.is_empty() && !self.front.believes_any();
        let today = clock::today();
        let frame = self.frame();
        let Some(helm) = &mut self.helm else {
            return Signals::default();
        };
        helm.knows |= all_known || now.saturating_duration_since(helm.since) >= BELIEVES;
        Signals {
            known: helm.knows,
            sights,
            edge: follows.then_some(helm.course.turn),
            moved: helm.moved.clone(),
            tasks: helm.tasks.clone(),
            alarm: helm.gates.alarm.clone(),
            closed: frame.and_then(|frame| closed(&frame, today)),
        }
    }

    /// Writes a course down, with what is about to be done for it, and begins that. Whether it could be written.
    async fn write_course(&mut self, decision: &rollout::Decision) -> bool {
        let Some(helm) = &self.helm else { return false };
        let now = clock::today();
        let mut teller = helm.teller.clone();
        let changed = Changed {
            course: &decision.next,
            new: None,
            rests: false,
            entries: keep::entries(&helm.course, decision, now),
            story: teller.steps(&helm.course, decision, now),
        };
        let written = self.ledger.course(changed, now).await;
        match written {
            Ok(seqs) => {
                if let Some(helm) = &mut self.helm {
                    helm.teller = teller;
                }
                for (act, seq) in decision.acts.iter().zip(seqs) {
                    self.begin_task(act, seq).await;
                }
                true
            }
            Err(error) => {
                if let Some(helm) = &mut self.helm {
                    helm.write_again = Some(clock::now() + WRITE_AGAIN);
                }
                self.cannot_write(&error);
                false
            }
        }
    }

    /// Tells what has to stand, where that may be another thing than before. Whether it is.
    async fn reline(&mut self, signals: &Signals) -> bool {
        let Some(helm) = &mut self.helm else { return false };
        let wanted = signals.sights.iter();
        let wanted: Vec<_> = wanted
            .map(|(name, sight)| (name.clone(), sight.wanted, sight.sleeps))
            .collect();
        if !std::mem::take(&mut helm.relines) && helm.wanted == wanted {
            return false;
        }
        helm.wanted = wanted;
        let rows = lineup(&helm.course, &helm.known, &signals.sights);
        if helm.lined.as_ref() == Some(&rows) {
            return false;
        }
        helm.lined = Some(rows.clone());
        self.show_lineup(&rows).await;
        self.learn(Fact::Lined(rows));
        self.look_for_folders();
        self.keep_assets();
        true
    }

    /// What has to stand by what was written down last: the first thing that a steward knows.
    pub(crate) async fn line_up(&mut self) {
        if self.helm.as_ref().is_none_or(|helm| helm.rests) {
            return;
        }
        let signals = Signals {
            sights: sights(&self.tended),
            ..Signals::default()
        };
        self.reline(&signals).await;
    }

    /// A course has been changed by what somebody asked for, and that was written down.
    fn adopt(&mut self, course: Course) {
        let Some(helm) = &mut self.helm else { return };
        helm.course = course;
        helm.relines = true;
        helm.seen = None;
        helm.write_again = None;
        helm.told = None;
    }

    /// Releases that nobody needs any more go, with all that only they need.
    async fn forget_releases(&mut self) {
        let Some(helm) = &mut self.helm else { return };
        let keep = helm
            .course
            .current
            .as_ref()
            .and_then(|id| helm.releases.get(id))
            .map_or(1, |kept| kept.release.content.frame.keep);
        let made = helm
            .releases
            .iter()
            .map(|(id, kept)| (id.clone(), kept.at))
            .collect();
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let gone = rollout::prune(&helm.course, &made, &helm.known, keep);
        for id in &gone {
            helm.releases.remove(id);
            helm.known.remove(id);
            self.ledger.forget_release(id);
        }
        if !gone.is_empty() {
            self.sweep_artifacts().await;
        }
    }
}
