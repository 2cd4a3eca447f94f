//! Tasks of a rollout beside its instances: jobs that are tried, migrations, and gates.

use super::home::program;
use super::keep::RELEASES;
use crate::core::{Core, Message};
use crate::door::{clock, processes};
use crate::fill::Filling;
use std::collections::BTreeSet;
use std::sync::Arc;
use towpath_api::Tone;
use towpath_decide::rollout::{Act, Doing, story};
use towpath_engine::Engine;
use towpath_model::desired::resource::Phase;
use towpath_model::run::{Moved, Task, Work};
use towpath_model::sealed::hide;
use towpath_model::unit::Name;
use towpath_store::Seq;

/// What came of a task.
#[derive(Debug)]
pub(crate) struct Tasked {
    /// Its intent.
    pub(crate) seq: Seq,
    pub(crate) task: Task,
    pub(crate) doing: Doing,
    /// The gates that were asked, where it is them.
    pub(crate) gates: Vec<String>,
    /// The migrations that have run in a resource, where they were looked at.
    pub(crate) moved: Option<(Name, BTreeSet<String>)>,
}

impl<E: Engine> Core<E> {
    /// Begins something that was written down.
    pub(super) async fn begin_task(&mut self, act: &Act, seq: Seq) {
        if let Some(helm) = &mut self.helm {
            helm.tasks.insert(act.task.clone(), Doing::Underway);
        }
        let inbox = self.inbox.clone();
        let task = act.task.clone();
        let gates = act.gates.clone();
        let end = move |doing, moved| {
            let tasked = Tasked {
                seq,
                task,
                doing,
                gates,
                moved,
            };
            // That nobody hears it means that we are ending, and whoever comes begins it once more.
            let _ = inbox.send(Message::Tasked(Box::new(tasked)));
        };
        match &act.task.work {
            Work::Judge { .. } => self.begin_judging(act, seq).await,
            Work::Try(job) => {
                let found = self.try_job(job);
                end(found.map_or_else(Doing::Failed, |()| Doing::Done), None);
            }
            Work::Migrate(moved) => match self.moving(moved) {
                Ok((filling, phases, fills)) => {
                    let (wanted, resource) = (moved.migration.clone(), moved.resource.clone());
                    let inbox = self.inbox.clone();
                    tokio::spawn(async move {
                        let name = resource.clone();
                        let mut tell = |text: &str| {
                            let text = format!("{name}: {text}");
                            // That nobody hears it means that we are ending.
                            let _ = inbox.send(Message::Note(Tone::Note, text));
                        };
                        match filling.move_schema(&wanted, &phases, fills, &mut tell).await {
                            Ok(ran) => end(Doing::Done, Some((resource, ran))),
                            Err(why) => end(Doing::Failed(why), None),
                        }
                    });
                }
                Err(why) => end(Doing::Failed(why), None),
            },
        }
    }

    /// Whether a job can be started. Nothing of it runs: what it does cannot be taken back.
    fn try_job(&self, job: &Name) -> Result<(), String> {
        let helm = self.helm.as_ref();
        let to = helm.and_then(|helm| Some(&helm.course.rollout.as_ref()?.to));
        let component = to.and_then(|to| self.whole_component(to, job));
        let Some((folder, word)) = component.as_deref().and_then(program) else {
            return Ok(());
        };
        let paths = self.wardrobe.base.get("PATH").map(String::as_str);
        match processes::can_run(&folder, &word, paths.unwrap_or_default()) {
            true => Ok(()),
            false => Err(format!(
                "there is no program `{word}` that could be run in {}",
                folder.display()
            )),
        }
    }

    /// What moves a schema, what may run of it, and whether rows follow: in a database that no release has met, all of it.
    fn moving(&self, moved: &Moved) -> Result<(Arc<Filling>, Vec<Phase>, bool), String> {
        let unknown = || format!("migration {moved} belongs to no release that is here");
        let helm = self.helm.as_ref().ok_or_else(unknown)?;
        let rollout = helm.course.rollout.as_ref();
        let release = rollout
            .map(|rollout| &rollout.to)
            .or(helm.course.current.as_ref());
        let release = release.ok_or_else(unknown)?;
        let component = self
            .whole_component(release, &moved.resource)
            .ok_or_else(unknown)?;
        let schema = helm.releases.get(release).and_then(|kept| {
            let schema = kept.release.content.schema.get(&moved.resource)?;
            schema.migrations.iter().find(|one| one.name == moved.migration)
        });
        let phase = schema.ok_or_else(unknown)?.phase;
        let is_first = rollout.is_some_and(|rollout| rollout.from.is_none());
        let phases = if is_first {
            Phase::ALL.to_vec()
        } else {
            vec![phase]
        };
        let port = self.addresses.inside(&moved.resource);
        let filling = self.filling(&component, port).ok_or_else(unknown)?;
        Ok((filling, phases, is_first))
    }

    /// Something that was asked for has ended.
    pub(crate) fn tasked(&mut self, tasked: Tasked) {
        let doing = tasked.doing.without(self.wardrobe.values.values());
        let outcome = match &doing {
            Doing::Failed(why) => Err(why.as_str()),
            _ => Ok(()),
        };
        self.ledger.outcome(tasked.seq, outcome);
        let came = story::came(&tasked.task, &doing, &tasked.gates, clock::today());
        self.tell_story(came);
        let Some(helm) = &mut self.helm else { return };
        if let Some((resource, ran)) = tasked.moved {
            helm.moved.insert(resource, ran);
        }
        helm.tasks.insert(tasked.task, doing);
    }

    /// Asks the resources whose schema releases know what has run in them: once each, when they are well.
    pub(super) fn ask_for_schemas(&mut self) {
        let Some(helm) = &self.helm else { return };
        let course = &helm.course;
        let going = course.rollout.as_ref().map(|rollout| &rollout.to);
        let contents = going.into_iter().chain(&course.current);
        let schemas = contents.filter_map(|id| Some(&helm.known.get(id)?.content.schema));
        let open: BTreeSet<Name> = schemas
            .flat_map(|schemas| schemas.iter())
            .filter(|(name, schema)| {
                !schema.migrations.is_empty()
                    && !helm.moved.contains_key(*name)
                    && !helm.asked.contains(*name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in open {
            let part = self.tended.parts().get(&name);
            let component = part
                .filter(|part| part.state.is_well())
                .and_then(|part| part.component.clone());
            let port = self.addresses.inside(&name);
            let Some(filling) = component.and_then(|component| self.filling(&component, port)) else {
                continue;
            };
            if let Some(helm) = &mut self.helm {
                helm.asked.insert(name.clone());
            }
            let inbox = self.inbox.clone();
            tokio::spawn(async move {
                let ran = filling.has_run().await;
                // That nobody hears it means that we are ending.
                let _ = inbox.send(Message::Moved(name, ran));
            });
        }
    }

    /// A resource has said what has run in it, or could not be asked; then it is asked once more.
    pub(crate) fn moved(&mut self, name: Name, ran: Result<BTreeSet<String>, String>) {
        if let Some(helm) = &mut self.helm {
            helm.asked.remove(&name);
        }
        match (ran, &mut self.helm) {
            (Ok(ran), Some(helm)) => drop(helm.moved.insert(name, ran)),
            (Err(why), Some(_)) => {
                let why = self.without_values(why);
                let text = format!("{name}: it cannot be seen which migrations have run in it: {why}");
                self.ledger
                    .happened("unseen", RELEASES, serde_json::json!({ "resource": name }), &text);
                self.note(Tone::Warning, text);
            }
            (_, None) => {}
        }
    }

    /// What somebody else has said, where releases run: it may repeat what it was told. Where a folder does, much of what
    /// stands in its `.env` is no secret, and is said on purpose.
    pub(crate) fn without_values(&self, text: String) -> String {
        match self.helm {
            Some(_) => hide(&text, self.wardrobe.values.values()),
            None => text,
        }
    }
}
