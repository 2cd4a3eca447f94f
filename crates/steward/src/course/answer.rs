//! What people ask about releases, and what they are told.

use super::Helm;
use super::keep::{self, Changed, Kept, RELEASES};
use crate::core::Core;
use crate::door::clock;
use crate::errors;
use crate::serve::{Refusal, problem, unwritten};
use crate::tell::Onlooker;
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use towpath_api::{CourseTold, Happened, History, Listed, Releases, Steer, Steering, Story};
use towpath_decide::rollout::{Wish, ask, closed, story};
use towpath_engine::Engine;
use towpath_model::run::{Course, Refusal as No, Release, ReleaseId, Tree};

/// The most entries that are told of what has happened.
const MOST: u32 = 500;

/// Something that is asked about releases.
#[derive(Debug)]
pub(crate) enum Question {
    /// Where the environment stands.
    Course(oneshot::Sender<CourseTold>),
    /// Which releases there are.
    Releases(oneshot::Sender<Releases>),
    /// All of one.
    Release(String, oneshot::Sender<Result<Release, Refusal>>),
    /// The whole story of a rollout.
    Story(u64, oneshot::Sender<Result<Story, Refusal>>),
    /// What has happened.
    History(oneshot::Sender<History>),
    /// Something is wanted about what is under way.
    Steer(Steer, Onlooker, oneshot::Sender<Result<(), Refusal>>),
    /// A release is to be the current one.
    Deploy(Box<Deployed>, Onlooker, oneshot::Sender<Result<(), Refusal>>),
}

/// A release that was handed over, and lies here with everything that it needs.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) release: Release,
    /// The trees that were handed over with it.
    pub(crate) trees: BTreeMap<String, Tree>,
    /// What gates have answered that were asked elsewhere.
    pub(crate) answers: Vec<towpath_model::run::Answer>,
}

impl<E: Engine> Core<E> {
    /// Answers what is asked about releases. That whoever asked has gone meanwhile changes nothing.
    pub(crate) async fn answer_about_releases(&mut self, question: Question) {
        let held = self.held_unread();
        match question {
            Question::Steer(_, _, to) if held.is_some() => drop(to.send(held.map_or(Ok(()), Err))),
            Question::Deploy(_, _, to) if held.is_some() => drop(to.send(held.map_or(Ok(()), Err))),
            Question::Course(to) => drop(to.send(self.course_told().unwrap_or_default())),
            Question::Releases(to) => drop(to.send(self.listed())),
            Question::Release(id, to) => {
                let found = self.find_release(&id).map(|kept| kept.release.clone());
                drop(to.send(found));
            }
            Question::Story(number, to) => drop(to.send(self.story(number).await)),
            Question::History(to) => drop(to.send(self.history().await)),
            Question::Steer(asked, onlooker, to) => {
                let looks_on = asked.what == Steering::Watch;
                let done = self.steer_by_hand(asked).await;
                self.answered(done, (onlooker, looks_on), to);
            }
            Question::Deploy(deployed, onlooker, to) => {
                let done = self.deploy(*deployed).await;
                self.answered(done, (onlooker, false), to);
            }
        }
    }

    /// Why nothing is done about releases, where what was left of them cannot be read.
    fn held_unread(&self) -> Option<Refusal> {
        let message = self.notes.get("course")?;
        let hint = "install that version again; what runs goes on meanwhile";
        Some(problem(StatusCode::CONFLICT, "unread", message, Some(hint)))
    }

    /// It holds from now on, even when we are killed; whoever asked is told how it goes on.
    fn answered(
        &mut self,
        done: Result<(), Refusal>,
        (onlooker, looks_on): (Onlooker, bool),
        to: oneshot::Sender<Result<(), Refusal>>,
    ) {
        if done.is_ok() {
            self.onlookers.add(onlooker, false);
            if let Some(told) = self.course_told().filter(|_| looks_on) {
                self.onlookers
                    .tell_last(&towpath_api::Event::Course(Box::new(told)));
            }
        }
        let _ = to.send(done);
    }

    fn listed(&self) -> Releases {
        let told = self.course_told().unwrap_or_default();
        let Some(helm) = &self.helm else {
            return Releases {
                told,
                releases: Vec::new(),
            };
        };
        let mut releases: Vec<Listed> = helm
            .releases
            .values()
            .map(|kept| Listed {
                id: kept.release.id.clone(),
                at: kept.at,
                origin: kept.release.origin.clone(),
                ended: helm
                    .course
                    .ended
                    .as_ref()
                    .filter(|ended| ended.to == kept.release.id)
                    .map(|ended| ended.because.to_string()),
            })
            .collect();
        releases.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
        Releases { told, releases }
    }

    /// The one release whose name begins so.
    fn find_release(&self, text: &str) -> Result<&Kept, Refusal> {
        let all = self.helm.iter().flat_map(|helm| &helm.releases);
        let found: Vec<_> = all.filter(|(id, _)| id.as_str().starts_with(text)).collect();
        match found.as_slice() {
            [(_, kept)] => Ok(kept),
            [] => Err(refused(&No::Unknown(ReleaseId::new(text)))),
            several => {
                let names: Vec<String> = several.iter().map(|(id, _)| id.to_string()).collect();
                let message = format!(
                    "`{text}` is the beginning of several releases: {}",
                    names.join(", ")
                );
                let hint = "write more of its name";
                Err(problem(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "ambiguous",
                    &message,
                    Some(hint),
                ))
            }
        }
    }

    async fn history(&self) -> History {
        // What cannot be read is not told.
        let written = self.ledger.newest(Some(RELEASES), MOST).await.unwrap_or_default();
        let entries = written.into_iter().rev().map(|written| {
            let of = |key: &str| written.entry.body.get(key).cloned();
            let text = |key: &str| of(key).and_then(|value| value.as_str().map(str::to_owned));
            Happened {
                at: written.at,
                what: written.entry.what.clone(),
                subject: text("release").unwrap_or_default(),
                because: written.entry.because.clone(),
                rollout: of("rollout").and_then(|number| number.as_u64()),
                took: of("took").and_then(|took| serde_json::from_value(took).ok()),
            }
        });
        History {
            entries: entries.collect(),
        }
    }

    /// Does what a person asks about what is under way.
    async fn steer_by_hand(&mut self, asked: Steer) -> Result<(), Refusal> {
        let wish = match asked.what {
            Steering::Watch => {
                return self
                    .helm
                    .as_ref()
                    .map(|_| ())
                    .ok_or_else(|| refused(&No::NoRollout));
            }
            Steering::Rollback(to) => {
                let to = to.map(|to| self.find_release(&to).map(|kept| kept.release.id.clone()));
                Wish::Rollback(to.transpose()?)
            }
            Steering::Pause => Wish::Pause,
            Steering::Resume => Wish::Resume,
            Steering::Abort => Wish::Abort,
            Steering::Approve if self.waits_for_yes() => return self.say_yes(&asked.by).await,
            Steering::Approve => Wish::Approve,
            Steering::Skip { reason } => Wish::Skip(reason),
            Steering::Freeze { until, reason } => Wish::Freeze { until, why: reason },
            Steering::Thaw => Wish::Thaw,
        };
        self.wish_about_releases(&wish, &asked.by, None).await
    }

    /// A release that was handed over is to be the current one.
    async fn deploy(&mut self, deployed: Deployed) -> Result<(), Refusal> {
        let Deployed {
            release,
            trees,
            answers,
        } = deployed;
        if self.helm.is_none() && self.runs_a_folder().await {
            let environment = &self.config.environment;
            let message =
                format!("{environment} was brought up by `towpath up`, and releases would run in its place");
            let hint = format!("`towpath down {environment}` first; its data stays");
            return Err(problem(
                StatusCode::CONFLICT,
                "not-by-releases",
                &message,
                Some(&hint),
            ));
        }
        if self.tended.goes_down() {
            return Err(problem(
                StatusCode::CONFLICT,
                "going-down",
                "everything is being stopped",
                None,
            ));
        }
        if self.helm.is_none() {
            if let Some(left) = &mut self.left {
                left.product = None;
            }
            self.ledger.forget_product();
            self.helm = Some(Helm::new(Course::default(), BTreeMap::new()));
            if !self.restore().await {
                self.helm = None;
                let message = "what was left cannot be read, and nothing is done";
                return Err(problem(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "not-restored",
                    message,
                    None,
                ));
            }
        }
        if let Err(error) = self.open_secrets(&release.content.secrets).await {
            let message = format!("its secrets cannot be opened: {}", errors::told(&error));
            let hint = format!(
                "`towpath secrets list {}` tells which there are",
                self.config.environment
            );
            return Err(problem(StatusCode::CONFLICT, "sealed", &message, Some(&hint)));
        }
        let by = release.origin.by.clone();
        let wish = Wish::Deploy(release.id.clone());
        let known = self.helm.as_ref().and_then(|helm| helm.releases.get(&release.id));
        let kept = known.cloned().unwrap_or(Kept {
            release,
            at: clock::today(),
        });
        self.bring_answers(&kept.release.id, answers).await?;
        self.wish_about_releases(&wish, &by, Some((kept, trees))).await
    }

    /// Whether something runs here that somebody has brought up from a folder.
    async fn runs_a_folder(&self) -> bool {
        if self.restored {
            return self.product.is_some();
        }
        let was = self.left.as_ref().is_some_and(|left| left.product.is_some());
        let seen = self.engine.observe().await;
        was && seen.is_ok_and(|seen| seen.iter().any(|one| !one.life.is_over()))
    }

    /// Asks what follows from a wish, and writes that down before anybody is told that it is so. A release that has come with
    /// it is kept only then.
    pub(crate) async fn wish_about_releases(
        &mut self,
        wish: &Wish,
        by: &str,
        new: Option<(Kept, BTreeMap<String, Tree>)>,
    ) -> Result<(), Refusal> {
        if !self.restore().await {
            let message = "what was left cannot be read, and nothing is done";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(problem(status, "not-restored", message, None));
        }
        let now = clock::today();
        let frame = new.as_ref().map(|(kept, _)| kept.release.content.frame.clone());
        let frame = frame.or_else(|| self.frame());
        let shut = frame.and_then(|frame| closed(&frame, now));
        let Some(helm) = &mut self.helm else {
            return Err(refused(&No::NoRollout));
        };
        let is_new = new
            .as_ref()
            .is_some_and(|(kept, _)| !helm.releases.contains_key(&kept.release.id));
        if let Some((kept, _)) = new.as_ref().filter(|_| is_new) {
            helm.releases.insert(kept.release.id.clone(), kept.clone());
            self.house_releases().await;
        }
        let Some(helm) = &mut self.helm else {
            return Err(refused(&No::NoRollout));
        };
        let answer = ask(&helm.course, wish, by, &helm.known, shut.as_ref(), now);
        let (next, answer) = match answer {
            Ok(answer) => answer,
            Err(refusal) => {
                self.take_back(new.as_ref().filter(|_| is_new).map(|(kept, _)| kept));
                return Err(refused(&refusal));
            }
        };
        let rests = helm.rests && !matches!(wish, Wish::Deploy(_) | Wish::Rollback(_));
        let new = new.as_ref().filter(|_| is_new);
        let mut entries = vec![said(wish, by, &next, &answer)];
        let mut told = Vec::new();
        if let Some(begins) = keep::begins(&helm.course, &next, now) {
            entries.push(begins);
            told.extend(story::begun(&helm.course, &next, now));
        } else {
            let entry = &entries[0];
            told.extend(story::said(&next, &entry.what, by, &entry.because, now));
        }
        let mut teller = helm.teller.clone();
        let changed = Changed {
            course: &next,
            new: new.map(|(kept, trees)| (kept, trees)),
            rests,
            entries,
            story: teller.records(told),
        };
        if let Err(error) = self.ledger.course(changed, now).await {
            self.take_back(new.map(|(kept, _)| kept));
            return Err(unwritten(&error));
        }
        self.adopt(next);
        if let Some(helm) = &mut self.helm {
            helm.rests = rests;
            helm.teller = teller;
        }
        if *wish == Wish::Resume
            && let Some(helm) = &mut self.helm
        {
            helm.tasks
                .retain(|_, doing| !matches!(doing, towpath_decide::rollout::Doing::Failed(_)));
        }
        Ok(())
    }

    /// A release that came for nothing is not kept.
    fn take_back(&mut self, new: Option<&Kept>) {
        let (Some(helm), Some(kept)) = (&mut self.helm, new) else {
            return;
        };
        helm.releases.remove(&kept.release.id);
        helm.known.remove(&kept.release.id);
    }
}

/// What the journal says of a wish.
fn said(
    wish: &Wish,
    by: &str,
    next: &Course,
    answer: &towpath_decide::rollout::Answer,
) -> towpath_store::Entry {
    let number = next.rollout.as_ref().map(|rollout| rollout.number);
    let rollout = next.rollout.as_ref().map(|rollout| &rollout.to);
    let (what, release, why) = match wish {
        Wish::Deploy(to) => ("deploy", Some(to), None),
        Wish::Rollback(to) => ("rollback", to.as_ref().or(rollout), None),
        Wish::Pause => ("pause", rollout, None),
        Wish::Resume => ("resume", rollout, None),
        Wish::Abort => ("abort", rollout, None),
        Wish::Approve => ("approve", rollout, None),
        Wish::Ask => ("ask", rollout, None),
        Wish::Skip(why) => ("skip", rollout, Some(why.clone())),
        Wish::Freeze { until, why } => ("freeze", None, Some(format!("until {until:.0}: {why}"))),
        Wish::Thaw => ("thaw", None, None),
    };
    let because = match why {
        Some(why) => format!("{by} wants it so: {why}"),
        None => format!("{by} wants it so"),
    };
    let body = json!({ "release": release, "rollout": number, "by": by, "answer": format!("{answer:?}") });
    keep::about(what, body, &because)
}

/// A refusal, as it is said over the socket.
pub(crate) fn refused(refusal: &No) -> Refusal {
    let status = match refusal {
        No::Unknown(_) => StatusCode::NOT_FOUND,
        No::NoReason => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    };
    problem(status, "refused", &refusal.to_string(), None)
}
