//! The socket: what clients ask for, and how they are answered.

mod releases;

use crate::core::{Core, Message};
use crate::course::Question;
use crate::errors::told;
use crate::fill::Filling;
use crate::idle::Presence;
use crate::lately::{EACH, Looks};
use crate::make::{self, Looked, Rounds};
use crate::tell::{MOST_WAITING, Onlooker, Samples};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request as HttpRequest, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::net::UnixListener;
use tokio::sync::mpsc::{Receiver, UnboundedSender, channel};
use tokio::sync::oneshot;
use towpath_api::{
    Apply, DownArgs, Event, Explained, Keeps, LogArgs, LogLine, Maintain, Maintained, Problem, Same, Scale,
    SignOut, SignedOut, Status, Surroundings, WITHOUT_USAGE,
};
use towpath_decide::converge::Because;
use towpath_decide::scale::scale;
use towpath_decide::tend::{Fact, Wish};
use towpath_edge::Snapshot;
use towpath_edge::apart::Remote;
use towpath_engine::{Engine, EngineError, LogQuery, Stream};
use towpath_model::run::InstanceId;
use towpath_model::unit::{Name, Unit};
use towpath_store::{Artifacts, StoreError, Vault};

/// How long it is waited when nobody can be let in.
const REFUSED: std::time::Duration = std::time::Duration::from_millis(50);

/// Something that a client asks the core for.
#[derive(Debug)]
pub(crate) enum Request {
    /// How everything is.
    Status(oneshot::Sender<(Status, Resources)>),
    /// Whether everything is as it was asked for, and well.
    Same(oneshot::Sender<Option<(Vec<towpath_model::run::Source>, Same)>>),
    /// Something else is wanted.
    Apply(Box<Looked>, Onlooker),
    /// Everything is to stop.
    Down(DownArgs, Onlooker),
    /// Something is wanted of a component.
    Wish(String, Wish, Onlooker, oneshot::Sender<Result<(), Refusal>>),
    /// Somebody looks on.
    Look(Onlooker),
    /// Why a component is as it is.
    Explain(String, oneshot::Sender<Option<Explained>>),
    /// Visitors are to be told to come later, or not any more.
    Maintain(Maintain, oneshot::Sender<Result<Maintained, Refusal>>),
    /// Whoever has signed in is to do so once more.
    SignOut(SignOut, oneshot::Sender<Result<SignedOut, Refusal>>),
    /// The edge, where there is one.
    Edge(oneshot::Sender<Option<Arc<Remote>>>),
    /// Something about releases.
    Releases(Question),
    /// Something about gates.
    Gates(crate::gates::Question),
    /// What a component is surrounded by.
    Surroundings(String, oneshot::Sender<Option<Surroundings>>),
}

pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Why a client does not get what it asks for.
pub(crate) type Refusal = Box<Problem>;

/// What every connection needs.
pub(crate) struct Desk<E> {
    core: UnboundedSender<Message>,
    engine: Arc<E>,
    pub(crate) artifacts: Artifacts,
    pub(crate) vault: Arc<Vault>,
    presence: Arc<Presence>,
    samples: Mutex<Samples>,
    looks: Mutex<Looks>,
    rounds: Rounds,
}

/// Answers clients until the core ends.
pub(crate) fn open<E: Engine>(
    listener: UnixListener,
    core: UnboundedSender<Message>,
    engine: Arc<E>,
    artifacts: Artifacts,
    vault: Arc<Vault>,
    rounds: Rounds,
    presence: Arc<Presence>,
) {
    let desk = Arc::new(Desk {
        core,
        engine,
        artifacts,
        vault,
        presence,
        samples: Mutex::default(),
        looks: Mutex::default(),
        rounds,
    });
    tokio::spawn(look_on(Arc::clone(&desk)));
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Too many files are open, or the like: it passes, and then somebody may ask again.
                tokio::time::sleep(REFUSED).await;
                continue;
            };
            let desk = Arc::clone(&desk);
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let desk = Arc::clone(&desk);
                    async move { Ok::<_, Infallible>(desk.answer(request).await) }
                });
                // A client that goes away in the middle is no concern of ours.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}

impl<E: Engine> Desk<E> {
    async fn answer(&self, request: HttpRequest<Incoming>) -> Answer {
        let _guest = self.presence.enter();
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if let (&Method::PUT, ["artifacts", digest]) = (&head.method, parts.as_slice()) {
            let kept = self.put(digest, body).await;
            return kept.unwrap_or_else(|problem| refused(&problem));
        }
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                let cut = problem(StatusCode::BAD_REQUEST, "cut", "the question was cut off", None);
                return refused(&cut);
            }
        };
        let done = match (&head.method, parts.as_slice()) {
            (&Method::GET, ["status"]) => self.status(head.uri.query() != Some(WITHOUT_USAGE)).await,
            (&Method::GET, ["metrics"]) => self.metrics().await,
            (&Method::POST, ["same"]) => self.same().await,
            (&Method::POST, ["apply"]) => self.apply(&body).await,
            (&Method::POST, ["down"]) => self.down(&body),
            (&Method::POST, ["maintenance"]) => self.maintain(&body).await,
            (&Method::POST, ["sign-out"]) => self.sign_out(&body).await,
            (&Method::POST, ["artifacts", "missing"]) => self.missing(&body).await,
            (method, ["secrets"]) => self.secrets(method, None, &body).await,
            (method, ["secrets", verb]) => self.secrets(method, Some(*verb), &body).await,
            (&Method::GET, ["events"]) => self.look(),
            (&Method::POST, ["logs"]) => self.logs(&body).await,
            (&Method::GET, ["components", name, "explain"]) => {
                self.of_component(name, Request::Explain).await
            }
            (&Method::GET, ["components", name, "surroundings"]) => {
                self.of_component(name, Request::Surroundings).await
            }
            (&Method::POST, ["components", name, verb]) => self.wish(name, verb, &body).await,
            (method, parts) => self
                .about_releases(method, parts, &body)
                .await
                .unwrap_or_else(|| Err(nothing_at(&path))),
        };
        done.unwrap_or_else(|problem| refused(&problem))
    }

    fn send(&self, request: Request) -> Result<(), Refusal> {
        self.core.send(Message::Request(request)).map_err(|_| ending())
    }

    /// How everything is. What ten thousand instances use takes seconds to be read: not everybody wants to know.
    async fn status(&self, usage: bool) -> Result<Answer, Refusal> {
        let (to, answer) = oneshot::channel();
        self.send(Request::Status(to))?;
        let (mut status, resources) = answer.await.map_err(|_| ending())?;
        if !usage {
            return Ok(json(&status));
        }
        let ids: Vec<InstanceId> = status
            .components
            .iter()
            .flat_map(|component| component.instances.iter().map(|one| one.id.clone()))
            .collect();
        let (used, kept, edge) = tokio::join!(self.engine.usage(&ids), looked_at(resources), self.seen());
        for component in &mut status.components {
            component.keeps = kept.get(&component.name).cloned();
        }
        self.samples
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(&mut status, &used);
        if let Some((edge, seen)) = edge {
            let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
            looks.fill(&mut status, &edge, &seen);
        }
        Ok(json(&status))
    }

    /// The edge, where there is one, with what it has seen.
    async fn seen(&self) -> Option<(Arc<Remote>, Snapshot)> {
        let (to, answer) = oneshot::channel();
        self.send(Request::Edge(to)).ok()?;
        let edge = answer.await.ok()??;
        let seen = edge.seen().await;
        // One that ends while it is asked tells nothing.
        (seen.began > 0).then_some((edge, seen))
    }

    /// What the edge has seen of requests, as Prometheus reads it. Where nothing is asked for yet there is nothing to tell.
    async fn metrics(&self) -> Result<Answer, Refusal> {
        // Reading ten thousand series takes milliseconds, and the core has other things to do.
        let seen = self.seen().await.map(|(_, seen)| seen).unwrap_or_default();
        let mut told = self::answer(
            StatusCode::OK,
            UnsyncBoxBody::new(Full::new(Bytes::from(seen.text()))),
        );
        let kind = HeaderValue::from_static(towpath_edge::TEXT);
        told.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(told)
    }

    /// Whether nothing has to be done: the files that everything was read from are as they were, and everything is well.
    async fn same(&self) -> Result<Answer, Refusal> {
        let (to, answer) = oneshot::channel();
        self.send(Request::Same(to))?;
        let known = answer.await.map_err(|_| ending())?;
        let (sources, mut same) = known.unwrap_or_default();
        same.same = same.same && make::unchanged(sources).await;
        Ok(json(&same))
    }

    async fn apply(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let apply: Apply = read(body)?;
        let (mut onlooker, events) = onlooker(true, apply.only.clone());
        onlooker.steady = apply.steady;
        let looked = Looked::at(apply, &self.rounds).await;
        self.send(Request::Apply(Box::new(looked), onlooker))?;
        Ok(lines(events))
    }

    fn down(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let args: DownArgs = read(body)?;
        let (onlooker, events) = onlooker(false, Vec::new());
        self.send(Request::Down(args, onlooker))?;
        Ok(lines(events))
    }

    async fn maintain(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let asked: Maintain = read(body)?;
        let (to, answer) = oneshot::channel();
        self.send(Request::Maintain(asked, to))?;
        let told = answer.await.map_err(|_| ending())??;
        Ok(json(&told))
    }

    async fn sign_out(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let asked: SignOut = read(body)?;
        let (to, answer) = oneshot::channel();
        self.send(Request::SignOut(asked, to))?;
        let told = answer.await.map_err(|_| ending())??;
        Ok(json(&told))
    }

    fn look(&self) -> Result<Answer, Refusal> {
        let (onlooker, events) = onlooker(false, Vec::new());
        self.send(Request::Look(onlooker))?;
        Ok(lines(events))
    }

    async fn of_component<T: Serialize>(
        &self,
        name: &str,
        ask: impl FnOnce(String, oneshot::Sender<Option<T>>) -> Request,
    ) -> Result<Answer, Refusal> {
        let (to, answer) = oneshot::channel();
        self.send(ask(name.to_owned(), to))?;
        let told = answer.await.map_err(|_| ending())?;
        told.map(|told| json(&told)).ok_or_else(|| unknown(name))
    }

    async fn wish(&self, name: &str, verb: &str, body: &Bytes) -> Result<Answer, Refusal> {
        let wish = match verb {
            "start" => Wish::Up,
            "stop" => Wish::Stopped,
            "restart" => Wish::Restart(Because::RestartedByPerson),
            "scale" => Wish::Scale(read::<Scale>(body)?.instances),
            _ => {
                return Err(problem(
                    StatusCode::NOT_FOUND,
                    "unknown-endpoint",
                    &format!("nothing can be done by `{verb}`"),
                    None,
                ));
            }
        };
        let (onlooker, events) = onlooker(true, vec![name.to_owned()]);
        let (to, known) = oneshot::channel();
        self.send(Request::Wish(name.to_owned(), wish, onlooker, to))?;
        known.await.map_err(|_| ending())??;
        Ok(lines(events))
    }

    async fn logs(&self, body: &Bytes) -> Result<Answer, Refusal> {
        let args: LogArgs = read(body)?;
        let failed =
            |error: EngineError| problem(StatusCode::INTERNAL_SERVER_ERROR, "no-logs", &told(&error), None);
        let lines = self.engine.logs(query(args)).await.map_err(failed)?;
        Ok(answer(
            StatusCode::OK,
            UnsyncBoxBody::new(Lines(told_lines(lines))),
        ))
    }
}

impl<E: Engine> Core<E> {
    /// Answers what a client asks the core for. That the client has gone meanwhile changes nothing.
    pub(crate) async fn answer(&mut self, request: Request) {
        match request {
            Request::Status(to) => drop(to.send((self.status().await, self.resources()))),
            Request::Same(to) => drop(to.send(self.same())),
            Request::Edge(to) => drop(to.send(self.edge.clone())),
            Request::Maintain(asked, to) => {
                let told = self.maintain(asked).await;
                drop(to.send(told));
            }
            Request::SignOut(asked, to) => {
                let told = self.sign_out(asked).await;
                drop(to.send(told));
            }
            Request::Gates(question) => self.answer_about_gates(question).await,
            Request::Releases(question) => self.answer_about_releases(question).await,
            Request::Look(onlooker) => self.onlookers.add(onlooker, false),
            Request::Apply(looked, onlooker) if looked.is_stale(&self.maker.rounds) => {
                self.look_once_more(*looked, |looked| {
                    Message::Request(Request::Apply(Box::new(looked), onlooker))
                });
            }
            Request::Apply(looked, onlooker) => {
                self.apply(looked.apply, looked.digests, Some(onlooker)).await;
            }
            Request::Down(args, onlooker) => {
                self.onlookers.add(onlooker, false);
                if !self.restore().await {
                    self.onlookers.refuse();
                    return;
                }
                self.rest_course().await;
                self.learn(Fact::Down { at_once: args.now });
            }
            Request::Wish(name, wish, onlooker, to) => {
                let answer = match self.may_wish(&name, &wish) {
                    Ok(name) => {
                        self.onlookers.add(onlooker, false);
                        self.learn(Fact::Wished { name, wish });
                        self.flush();
                        self.turn().await;
                        Ok(())
                    }
                    Err(refusal) => Err(refusal),
                };
                // It holds from now on, even when we are killed.
                let _ = to.send(answer);
            }
            Request::Explain(name, to) => {
                let told = match self.named(&name) {
                    Some(name) => self.explain(&name).await,
                    None => None,
                };
                drop(to.send(told));
            }
            Request::Surroundings(name, to) => {
                drop(to.send(self.named(&name).and_then(|name| self.surroundings(&name))));
            }
        }
    }

    /// The component of which something is wanted, where that can be.
    fn may_wish(&self, name: &str, wish: &Wish) -> Result<Name, Refusal> {
        let known = self.named(name).ok_or_else(|| unknown(name))?;
        let part = self.tended.parts().get(&known);
        let component = part.and_then(|part| part.component.as_ref());
        if let (Wish::Scale(instances), Some(component)) = (wish, component) {
            scale(component, *instances).map_err(|refusal| {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                problem(status, "not-scaled", &refusal.message, Some(&refusal.hint))
            })?;
        }
        Ok(known)
    }

    /// What is known without looking: the files that everything was read from, and whether everything is well.
    fn same(&self) -> Option<(Vec<towpath_model::run::Source>, Same)> {
        // What runs by releases is never what a folder says.
        let by_folder = self.edge.is_some() && self.helm.is_none();
        let product = self.product.as_ref().filter(|_| by_folder)?;
        let well = self.tended.parts().values().all(|part| part.state.is_well());
        let same = Same {
            same: well && self.tended.is_settled() && self.listens_as_said(product),
            components: product.components.len(),
            addresses: self
                .wardrobe
                .public
                .iter()
                .take(20)
                .map(|(name, url)| (name.to_string(), url.clone()))
                .collect(),
        };
        Some((product.sources.clone(), same))
    }
}

/// What a client wants to read, in the words of engines.
pub(crate) fn query(args: LogArgs) -> LogQuery {
    let components = args
        .components
        .iter()
        .filter_map(|name| Name::parse(name).ok())
        .collect();
    LogQuery {
        components,
        since: args.since,
        last: args.last,
        follow: args.follow,
    }
}

/// Keeps a look at what the edge has seen from time to time, until the core ends.
async fn look_on<E: Engine>(desk: Arc<Desk<E>>) {
    while !desk.core.is_closed() {
        if let Some((_, seen)) = desk.seen().await {
            desk.looks
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .keep(&seen);
        }
        tokio::time::sleep(EACH).await;
    }
}

/// Resources that can be looked at, by their names.
pub(crate) type Resources = Vec<(String, Arc<Filling>)>;

/// How resources are, all asked at once. One that does not answer soon is left out.
async fn looked_at(resources: Resources) -> BTreeMap<String, Keeps> {
    let looks = resources.into_iter().map(|(name, filling)| async move {
        let keeps = filling.look().await?;
        Some((name, keeps))
    });
    futures_util::future::join_all(looks)
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// What instances have said, in the words of clients.
pub(crate) fn told_lines(mut from: towpath_engine::Lines) -> Receiver<LogLine> {
    let (to, lines) = channel(256);
    tokio::spawn(async move {
        while let Some(line) = from.recv().await {
            let stream = match line.stream {
                Stream::Out => "out",
                Stream::Err => "err",
                Stream::Engine => "engine",
            };
            let line = LogLine {
                at: line.at,
                id: line.id,
                stream: stream.to_owned(),
                text: line.text,
            };
            if to.send(line).await.is_err() {
                return;
            }
        }
    });
    lines
}

fn onlooker(until_settled: bool, of: Vec<String>) -> (Onlooker, Receiver<Event>) {
    let (to, events) = channel(MOST_WAITING);
    let onlooker = Onlooker {
        to,
        until_settled,
        steady: false,
        of,
        follows: false,
        once: false,
    };
    (onlooker, events)
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the question cannot be understood: {error}");
        let hint =
            "the command is of another version than the steward: `towpath down` and `towpath up` again";
        problem(StatusCode::BAD_REQUEST, "not-understood", &message, Some(hint))
    })
}

fn answer(status: StatusCode, body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

pub(crate) fn json<T: Serialize>(told: &T) -> Answer {
    match serde_json::to_vec(told) {
        Ok(text) => answer(StatusCode::OK, UnsyncBoxBody::new(Full::new(Bytes::from(text)))),
        Err(error) => refused(&problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "not-told",
            &error.to_string(),
            None,
        )),
    }
}

pub(crate) fn problem(status: StatusCode, code: &str, message: &str, hint: Option<&str>) -> Refusal {
    Box::new(Problem {
        status: status.as_u16(),
        code: code.to_owned(),
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    })
}

fn refused(problem: &Problem) -> Answer {
    let text = serde_json::to_vec(problem).unwrap_or_default();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, UnsyncBoxBody::new(Full::new(Bytes::from(text))))
}

/// Nothing is done that is not written down.
pub(crate) fn unwritten(error: &StoreError) -> Refusal {
    problem(
        StatusCode::INSUFFICIENT_STORAGE,
        "not-written",
        &format!(
            "nothing was changed, because the journal cannot be written: {}",
            told(error)
        ),
        Some("make room on the disk, and say it again"),
    )
}

pub(crate) fn unknown(name: &str) -> Refusal {
    let message = format!("there is no component `{name}` here");
    problem(
        StatusCode::NOT_FOUND,
        "unknown-component",
        &message,
        Some("`towpath status` lists those that there are"),
    )
}

fn nothing_at(path: &str) -> Refusal {
    let message = format!("there is no {path}");
    problem(StatusCode::NOT_FOUND, "unknown-endpoint", &message, None)
}

fn ending() -> Refusal {
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "ending",
        "the steward is ending",
        None,
    )
}

/// Things that are told line by line, as they come.
struct Lines<R>(R);

/// Something that lines come from.
trait Source {
    type Line: Serialize;
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Self::Line>>;
}

impl<T: Serialize> Source for Receiver<T> {
    type Line = T;
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_recv(context)
    }
}

impl<R: Source + Unpin> Body for Lines<R> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll(context).map(|line| {
            line.map(|line| {
                let mut text = serde_json::to_vec(&line).unwrap_or_default();
                text.push(b'\n');
                Ok(Frame::data(Bytes::from(text)))
            })
        })
    }
}

fn lines<R: Source + Unpin + Send + 'static>(from: R) -> Answer {
    answer(StatusCode::OK, UnsyncBoxBody::new(Lines(from)))
}
