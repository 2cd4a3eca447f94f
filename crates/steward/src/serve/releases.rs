//! What clients ask about releases: questions for the core, and a release that is handed over, looked at before it gets there.

use super::{Answer, Desk, MOST_WAITING, Refusal, Request, ending, json, lines, problem, read};
use crate::course::{Deployed, Question};
use crate::door::files;
use crate::errors::told;
use crate::gates::Question as Gated;
use crate::tell::Onlooker;
use bytes::Bytes;
use http::{Method, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::oneshot;
use towpath_api::{AboutGate, Ask, Deploy, Event, Steer};
use towpath_decide::launch::release::tree_digest;
use towpath_decide::rollout::identify;
use towpath_engine::Engine;
use towpath_model::run::{Release, Tree};
use towpath_store::Artifacts;

impl<E: Engine> Desk<E> {
    /// Answers what is asked about releases; nothing where it is about something else.
    pub(super) async fn about_releases(
        &self,
        method: &Method,
        path: &[&str],
        body: &Bytes,
    ) -> Option<Result<Answer, Refusal>> {
        Some(match (method, path) {
            (&Method::GET, ["course"]) => self.asked(Question::Course).await.map(|told| json(&told)),
            (&Method::GET, ["releases"]) => self.asked(Question::Releases).await.map(|told| json(&told)),
            (&Method::GET, ["history"]) => self.asked(Question::History).await.map(|told| json(&told)),
            (&Method::GET, ["rollouts", number]) => {
                // What is no number is the number of none.
                let number = number.parse().unwrap_or(0);
                let asked = self.asked(|to| Question::Story(number, to)).await;
                asked.and_then(|found| found.map(|story| json(&story)))
            }
            (&Method::GET, ["releases", id]) => {
                let asked = self.asked(|to| Question::Release((*id).to_owned(), to)).await;
                asked.and_then(|found| found.map(|release| json(&release)))
            }
            (&Method::GET, ["gates"]) => self.gates(Gated::Told).await.map(|told| json(&told)),
            (&Method::POST, ["gates"]) => self.about_gate(body).await,
            (&Method::POST, ["ask"]) => self.ask(body).await,
            (&Method::POST, ["course"]) => self.steer(body).await,
            (&Method::POST, ["deploy"]) => self.deploy(body).await,
            _ => return None,
        })
    }

    async fn asked<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Result<T, Refusal> {
        let (to, answer) = oneshot::channel();
        self.send(Request::Releases(question(to)))?;
        answer.await.map_err(|_| ending())
    }

    async fn gates<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Gated) -> Result<T, Refusal> {
        let (to, answer) = oneshot::channel();
        self.send(Request::Gates(question(to)))?;
        answer.await.map_err(|_| ending())
    }

    async fn about_gate(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let about: AboutGate = read(body)?;
        let told = self.gates(|to| Gated::About(Box::new(about), to)).await??;
        Ok(json(&told))
    }

    async fn ask(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let asked: Ask = read(body)?;
        let told = self.gates(|to| Gated::Ask(Box::new(asked), to)).await??;
        Ok(json(&told))
    }

    async fn steer(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let asked: Steer = read(body)?;
        let (onlooker, events) = follower(asked.wait);
        self.asked(|to| Question::Steer(asked, onlooker, to)).await??;
        Ok(lines(events))
    }

    async fn deploy(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let Deploy {
            content,
            trees,
            origin,
            answers,
            wait,
        } = read(body)?;
        let needed: BTreeSet<&String> = content
            .components
            .values()
            .filter_map(|one| one.artifact.as_ref())
            .collect();
        for name in needed {
            let Some(tree) = trees.get(name) else {
                let place = self.artifacts.laid_out(name);
                if place.is_ok_and(|place| files::stat(&place).is_some()) {
                    continue;
                }
                return Err(incomplete(&format!(
                    "artifact {name} is neither here nor handed over"
                )));
            };
            if tree_digest(tree) != *name {
                return Err(incomplete(&format!("artifact {name} is not what its name says")));
            }
        }
        lay_out(&self.artifacts, &trees).await?;
        let release = Release {
            id: identify(&content),
            content,
            origin,
        };
        let (onlooker, events) = follower(wait);
        let deployed = Box::new(Deployed {
            release,
            trees,
            answers,
        });
        self.asked(|to| Question::Deploy(deployed, onlooker, to))
            .await??;
        Ok(lines(events))
    }
}

/// Lays out what was handed over, where all files of it are here.
async fn lay_out(artifacts: &Artifacts, trees: &BTreeMap<String, Tree>) -> Result<(), Refusal> {
    let files = trees.values().flat_map(Tree::files);
    let files: BTreeSet<String> = files.map(|(digest, _)| digest.to_owned()).collect();
    let files: Vec<String> = files.into_iter().collect();
    let missing = artifacts.missing(&files).await;
    if let Some(first) = missing.first() {
        let count = missing.len();
        return Err(incomplete(&format!(
            "{count} of its files are not here, {first} is the first of them"
        )));
    }
    for (name, tree) in trees {
        artifacts
            .lay_out(name, tree)
            .await
            .map_err(|error| not_laid_out(&error))?;
    }
    Ok(())
}

fn incomplete(what: &str) -> Refusal {
    let message = format!("the release is not whole: {what}");
    let hint = "`towpath deploy` brings what is missing; nothing has changed";
    problem(StatusCode::CONFLICT, "not-whole", &message, Some(hint))
}

fn not_laid_out(error: &towpath_store::StoreError) -> Refusal {
    let message = format!("the files of the release could not be laid out: {}", told(error));
    let hint = "make room on the disk, and deploy again; nothing has changed";
    problem(
        StatusCode::INSUFFICIENT_STORAGE,
        "not-laid-out",
        &message,
        Some(hint),
    )
}

/// What is told at once is a handful of events.
const ONCE: usize = 64;

/// Whoever asks, and what is told until the end; or once, where nobody waits.
fn follower(waits: bool) -> (Onlooker, Receiver<Event>) {
    let (to, events) = channel(if waits { MOST_WAITING } else { ONCE });
    let onlooker = Onlooker {
        to,
        until_settled: false,
        steady: false,
        of: Vec::new(),
        follows: true,
        once: !waits,
    };
    (onlooker, events)
}
