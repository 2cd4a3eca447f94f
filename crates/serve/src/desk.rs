//! Answering: who asks, whether they may, and what comes of it.

use crate::ask::{Ask, is_exchange};
use crate::audit::{Audit, Line, Witness, Witnessed};
use crate::brake::Brake;
use crate::door::clock;
use crate::identity::Identity;
use crate::issuers::Issuers;
use crate::pass::{self, pass};
use crate::problem;
use crate::stewards::{Outside, Place, Stewards};
use crate::tokens::{Denied, Tokens, Unminted, allows};
use crate::turns::Turns;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use towpath_api::{Machine, Mint, Minted, Problem, TokenTold, Verb};

/// What is asked of the machine itself is short.
const MOST_OF_A_QUESTION: usize = 64 * 1024;

/// What comes back.
pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;
pub(crate) type Answer = Response<Body>;
pub(crate) type Refusal = Box<Problem>;

/// What each connection needs.
pub(crate) struct Desk {
    pub(crate) version: &'static str,
    pub(crate) tokens: Tokens,
    pub(crate) identity: Identity,
    pub(crate) stewards: Arc<Stewards>,
    pub(crate) outside: Arc<dyn Outside>,
    pub(crate) brake: Brake,
    pub(crate) audit: Arc<Audit>,
    pub(crate) issuers: Issuers,
    /// How often it is written down lately that an identity was refused.
    pub(crate) refused: Mutex<Turns>,
}

/// Where somebody comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    /// The machine's own socket, which only its owner may open: a user of this machine.
    Here(u32),
    /// Elsewhere.
    Afar(IpAddr),
}

/// Who asks.
pub(crate) enum Who {
    /// A user of this machine, who may do everything.
    User(u32),
    /// Whoever has this token.
    Token(Box<TokenTold>),
}

impl Who {
    pub(crate) fn told(&self) -> String {
        match self {
            Who::User(user) => format!("user {user}"),
            Who::Token(told) => match &told.name {
                Some(name) => format!("token {} ({name})", told.id),
                None => format!("token {}", told.id),
            },
        }
    }
}

impl Desk {
    /// Answers whatever is asked.
    pub(crate) async fn answer(self: &Arc<Self>, from: From, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        if is_exchange(&head.method, head.uri.path()) {
            return self.exchange(from, body).await;
        }
        let who = match self.admit(from, &head.headers).await {
            Ok(who) => who,
            Err(refusal) => return refused(&refusal),
        };
        let ask = match Ask::of(&head.method, head.uri.path()) {
            Ok(ask) => ask,
            Err(refusal) => return refused(&refusal),
        };
        let mut witness = ask.changes().then(|| self.witness(&who, from, &head, &ask));
        let done = match may(&who, &ask) {
            Ok(()) => self.carry_out(who, ask, head, body).await,
            Err(refusal) => Err(refusal),
        };
        let answer = done.unwrap_or_else(|refusal| refused(&refusal));
        if let Some(witness) = &mut witness {
            witness.answers(answer.status().as_u16());
        }
        answer.map(|body| UnsyncBoxBody::new(Witnessed::new(body, witness)))
    }

    /// Who asks. Whoever cannot say it waits for the refusal.
    async fn admit(self: &Arc<Self>, from: From, headers: &HeaderMap) -> Result<Who, Refusal> {
        let address = match from {
            From::Here(user) => return Ok(Who::User(user)),
            From::Afar(address) => address,
        };
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.split_once(' '));
        let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let denied = match shown {
            Some((_, token)) => match self.tokens.admit(token.trim(), clock::today()) {
                Ok((told, is_news)) => {
                    if is_news {
                        let desk = Arc::clone(self);
                        // That it cannot be written keeps nobody out; it is tried again in an hour.
                        tokio::task::spawn_blocking(move || drop(desk.tokens.keep()));
                    }
                    return Ok(Who::Token(Box::new(told)));
                }
                Err(denied) => Some(denied),
            },
            None => None,
        };
        tokio::time::sleep(self.brake.failed(address, clock::now())).await;
        Err(unknown(denied.as_ref()))
    }

    fn witness(&self, who: &Who, from: From, head: &Parts, ask: &Ask) -> Witness {
        let place = ask.place();
        let path = match ask {
            Ask::Steward { path, .. } => path.as_str(),
            _ => head.uri.path(),
        };
        let outside = Arc::clone(&self.outside);
        Witness {
            line: Line {
                at: clock::today(),
                who: who.told(),
                from: match from {
                    From::Here(_) => None,
                    From::Afar(address) => Some(address.to_canonical().to_string()),
                },
                what: format!("{} {path}", head.method),
                product: place.map(|place| place.product.to_string()),
                environment: place.map(|place| place.environment.to_string()),
                status: 0,
                ended: "left",
                took_ms: 0,
                identity: None,
            },
            began: clock::now(),
            audit: Arc::clone(&self.audit),
            fault: Arc::new(move |why| outside.tell(why)),
        }
    }

    async fn carry_out(
        self: &Arc<Self>,
        who: Who,
        ask: Ask,
        head: Parts,
        body: Incoming,
    ) -> Result<Answer, Refusal> {
        match ask {
            Ask::Machine => Ok(json(&self.machine(&who))),
            Ask::Tokens => Ok(json(&self.all())),
            Ask::Mint => self.mint(&who, body).await,
            Ask::Revoke(id) => self.revoke(id).await,
            Ask::Trusts => Ok(json(&self.trusts())),
            Ask::Trust => self.trust(&who, body).await,
            Ask::Distrust(id) => self.distrust(id).await,
            Ask::Steward { place, path, verb } => self.pass_on((place, path, verb), head, body).await,
        }
    }

    /// What is here, of what somebody may see.
    fn machine(&self, who: &Who) -> Machine {
        let mut products = self.stewards.kept();
        if let Who::Token(told) = who {
            products.retain(|product| product.name == told.product);
            for product in &mut products {
                let mine = &told.environments;
                product
                    .environments
                    .retain(|one| mine.is_empty() || mine.contains(one));
            }
        }
        Machine {
            version: self.version.to_owned(),
            products,
        }
    }

    fn all(&self) -> towpath_api::Tokens {
        towpath_api::Tokens {
            tokens: self.tokens.all(),
        }
    }

    async fn mint(self: &Arc<Self>, who: &Who, body: Incoming) -> Result<Answer, Refusal> {
        let asked: Mint = read(body).await?;
        let (desk, by) = (Arc::clone(self), who.told());
        let minting = move || desk.tokens.mint(asked, by, desk.identity.pin(), clock::today());
        let minted = tokio::task::spawn_blocking(minting).await;
        match minted.map_err(|error| unwritten(&error.to_string()))? {
            Ok((token, told)) => Ok(json(&Minted {
                token: token.text().open().clone(),
                told,
            })),
            Err(Unminted::Wrong(why)) => {
                Err(problem(StatusCode::UNPROCESSABLE_ENTITY, "no-token", &why, None))
            }
            Err(Unminted::System(error)) => Err(unwritten(&error.to_string())),
        }
    }

    async fn revoke(self: &Arc<Self>, id: String) -> Result<Answer, Refusal> {
        let (desk, named) = (Arc::clone(self), id.clone());
        let revoked = tokio::task::spawn_blocking(move || desk.tokens.revoke(&named)).await;
        let revoked = revoked.map_err(|error| unwritten(&error.to_string()))?;
        if revoked.map_err(|error| unwritten(&error.to_string()))? {
            return Ok(json(&self.all()));
        }
        let message = format!("there is no token `{id}`");
        let hint = "`towpath token list` shows those that there are";
        Err(problem(
            StatusCode::NOT_FOUND,
            "unknown-token",
            &message,
            Some(hint),
        ))
    }

    async fn pass_on(
        self: &Arc<Self>,
        (place, path, verb): (Place, String, Verb),
        head: Parts,
        body: Incoming,
    ) -> Result<Answer, Refusal> {
        pass::fits(&head, &path, &body)?;
        // Whoever only looks begins nothing.
        let stream = self.stewards.reach(&place, verb != Verb::Read).await?;
        pass(stream, &place, &path, head, body).await
    }
}

/// Whether somebody may ask for something.
fn may(who: &Who, ask: &Ask) -> Result<(), Refusal> {
    let Who::Token(told) = who else {
        return Ok(());
    };
    let forbidden = |why: &str, hint: &str| Err(problem(StatusCode::FORBIDDEN, "forbidden", why, Some(hint)));
    match ask {
        Ask::Machine => Ok(()),
        Ask::Tokens | Ask::Mint | Ask::Revoke(_) | Ask::Trusts | Ask::Trust | Ask::Distrust(_) => {
            let hint = "`towpath token` does it on the machine itself";
            forbidden(
                "tokens are made, listed and taken back on the machine itself",
                hint,
            )
        }
        Ask::Steward { place, verb, .. } => {
            let (product, environment) = (place.product.as_str(), place.environment.as_str());
            allows(told, product, environment, *verb).or_else(|why| {
                let hint = format!(
                    "on the machine: `towpath token create --product {product} --env {environment} --may {verb}`"
                );
                forbidden(&why, &hint)
            })
        }
    }
}

/// Somebody cannot say who they are.
fn unknown(denied: Option<&Denied>) -> Refusal {
    let message = match denied {
        None => "this machine answers only those who show a token".to_owned(),
        Some(Denied::Unknown) => "this token is not known here".to_owned(),
        Some(Denied::Expired(at)) => format!("this token has expired at {at:.0}"),
    };
    let hint =
        "`towpath token create` makes one on the machine; `towpath token use HOST` keeps it where it is used";
    problem(StatusCode::UNAUTHORIZED, "unauthorized", &message, Some(hint))
}

pub(crate) fn unwritten(why: &str) -> Refusal {
    let message = format!("nothing was changed, because the tokens cannot be written: {why}");
    let hint = "make room on the disk, and say it again";
    problem(
        StatusCode::INSUFFICIENT_STORAGE,
        "not-written",
        &message,
        Some(hint),
    )
}

pub(crate) async fn read<T: serde::de::DeserializeOwned>(body: Incoming) -> Result<T, Refusal> {
    let wrong = |why: String| {
        let message = format!("the question cannot be understood: {why}");
        problem(StatusCode::BAD_REQUEST, "not-understood", &message, None)
    };
    let whole = Limited::new(body, MOST_OF_A_QUESTION).collect().await;
    let whole = whole.map_err(|error| wrong(error.to_string()))?.to_bytes();
    serde_json::from_slice(&whole).map_err(|error| wrong(error.to_string()))
}

fn whole(status: StatusCode, kind: &'static str, text: Vec<u8>) -> Answer {
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
    let mut answer = Response::new(UnsyncBoxBody::new(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

pub(crate) fn json<T: Serialize>(told: &T) -> Answer {
    match serde_json::to_vec(told) {
        Ok(text) => whole(StatusCode::OK, "application/json", text),
        Err(error) => refused(&problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "not-told",
            &error.to_string(),
            None,
        )),
    }
}

/// A refusal as it is answered (RFC 9457).
pub(crate) fn refused(problem: &Problem) -> Answer {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = whole(
        status,
        pass::PROBLEM,
        serde_json::to_vec(problem).unwrap_or_default(),
    );
    if status == StatusCode::UNAUTHORIZED {
        answer
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}
