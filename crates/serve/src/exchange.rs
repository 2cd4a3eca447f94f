//! A job shows who it is, and is given a token for a quarter of an hour.
//!
//! **The order.** Everybody may ask, so what costs least comes first: whether it can be an identity at all, whether anybody of
//! its issuer is trusted with that environment, then its signature, then what it says. Nobody is asked for keys whom the machine
//! does not trust.
//!
//! **Once.** An identity is good for one exchange: it is a proof of who somebody is right now, and whoever finds it later in a
//! log has nothing. A job that needs another token has another identity issued. That it was exchanged is written down with the
//! token that was given, and forgotten when the identity has ended.
//!
//! **What is written down.** What was given, to whom, and by which trust; and who was refused whose identity is real, though not
//! more often than somebody reads it. Never an identity: until it has ended, it may be good for something elsewhere.

use crate::audit::{Line, Shown, Witness, Witnessed};
use crate::desk::{Answer, Desk, From, Refusal, json, read, refused, unwritten};
use crate::door::clock;
use crate::problem;
use crate::proof::{Looked, Unproven, digest, look, prove};
use crate::tokens::{Holder, Ungiven};
use crate::turns::Turns;
use http::StatusCode;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use towpath_api::{Exchange, Minted, TrustTold, audience};
use towpath_decide::trust::{Refusal as Unfit, Trust, decide, known};
use towpath_model::unit::{Name, Unit};

/// How long somebody whom nobody knows yet may take to say what they want.
const PATIENCE: Duration = Duration::from_secs(15);

/// So many refusals are written down in such a time: more say nothing new, and would push everything else out of the log.
const TOLD: usize = 30;
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// Claims that say who it was, besides those that are looked at.
const WHO: [&str; 13] = [
    "iss",
    "sub",
    "jti",
    "actor",
    "repository",
    "ref",
    "sha",
    "workflow_ref",
    "run_id",
    "run_attempt",
    "project_path",
    "pipeline_id",
    "job_id",
];

/// The longest text of a claim that is written down, and the longest name of a token.
const LONGEST: usize = 200;

/// How often it is written down that somebody was refused.
pub(crate) fn told_at_most() -> Turns {
    Turns::new(TOLD, TOLD_WITHIN)
}

/// What came of it, and who it was, where that is known.
struct Came {
    done: Result<Minted, Refusal>,
    shown: Option<Shown>,
}

impl Desk {
    /// Gives a token to whoever shows an identity that is trusted. Whoever does not waits for the refusal.
    pub(crate) async fn exchange(self: &Arc<Self>, from: From, body: Incoming) -> Answer {
        let (at, began) = (clock::today(), clock::now());
        let asked = tokio::time::timeout(PATIENCE, read::<Exchange>(body)).await;
        let late = || {
            problem(
                StatusCode::REQUEST_TIMEOUT,
                "late",
                "nothing was asked for in time",
                None,
            )
        };
        let asked = asked.map_err(|_| late()).and_then(|asked| asked);
        let (came, place) = match asked {
            Ok(asked) => (self.shown(&asked).await, Some((asked.product, asked.environment))),
            Err(refusal) => (refusal.into(), None),
        };
        if let (Err(_), From::Afar(address)) = (&came.done, from) {
            tokio::time::sleep(self.brake.failed(address, clock::now())).await;
        }
        let answer = match &came.done {
            Ok(minted) => json(minted),
            Err(refusal) => refused(refusal),
        };
        let is_told = came.done.is_ok() || {
            let mut turns = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            came.shown.is_some() && turns.take(clock::now())
        };
        let witness = came.shown.filter(|_| is_told).map(|shown| {
            let outside = Arc::clone(&self.outside);
            let (product, environment) = place.unzip();
            let mut witness = Witness {
                line: line(shown, from, at, product, environment),
                began,
                audit: Arc::clone(&self.audit),
                fault: Arc::new(move |why| outside.tell(why)),
            };
            witness.answers(answer.status().as_u16());
            witness
        });
        answer.map(|body| UnsyncBoxBody::new(Witnessed::new(body, witness)))
    }

    async fn shown(self: &Arc<Self>, asked: &Exchange) -> Came {
        let trusts = match self.trusted(asked) {
            Ok(trusts) => trusts,
            Err(refusal) => return refusal.into(),
        };
        let looked = match look(&asked.identity) {
            Ok(looked) => looked,
            Err(unproven) => return self::unproven(&unproven).into(),
        };
        let claims = match self.proven(&looked, &trusts, asked).await {
            Ok(claims) => claims,
            Err(refusal) => return refusal.into(),
        };
        let mut shown = Shown {
            claims: told(&claims, &trusts),
            trust: None,
            token: None,
            why: None,
        };
        let own = audience(self.identity.pin());
        let decided = decide(&claims, &each(&trusts, &own), clock::today());
        let granted = match decided {
            Ok(granted) => granted,
            Err(unfit) => {
                shown.why = Some(unfit.to_string());
                let done = Err(self::unfit(&unfit, asked, clock::today()));
                return Came {
                    done,
                    shown: Some(shown),
                };
            }
        };
        let trust = trusts[granted.by].id.clone();
        shown.trust = Some(trust.clone());
        let holder = Holder {
            trust,
            name: name(&claims),
            digest: digest(&looked, &claims),
            remembered: granted.remembered,
        };
        let desk = Arc::clone(self);
        let giving = move || desk.tokens.give(holder, desk.identity.pin(), clock::today());
        let given = tokio::task::spawn_blocking(giving).await;
        let given = given.unwrap_or_else(|error| Err(Ungiven::System(std::io::Error::other(error))));
        let done = match given {
            Ok((token, told)) => {
                shown.token = Some(told.id.clone());
                let token = token.text().open().clone();
                Ok(Minted { token, told })
            }
            Err(why) => Err(ungiven(&why)),
        };
        shown.why = done.as_ref().err().map(|refusal| refusal.message.clone());
        Came {
            done,
            shown: Some(shown),
        }
    }

    /// Who is trusted with what is asked for.
    fn trusted(&self, asked: &Exchange) -> Result<Vec<TrustTold>, Refusal> {
        for name in [&asked.product, &asked.environment] {
            Name::parse(name).map_err(|misread| {
                let message = format!("`{name}` is no name of a product or an environment: it {misread}");
                problem(StatusCode::BAD_REQUEST, "not-a-name", &message, None)
            })?;
        }
        let mut trusts = self.tokens.trusts(self.identity.pin());
        trusts.retain(|one| one.what.product == asked.product && one.what.environment == asked.environment);
        Ok(trusts)
    }

    /// What an identity says, where its issuer has signed it, and is trusted.
    async fn proven(
        &self,
        looked: &Looked<'_>,
        trusts: &[TrustTold],
        asked: &Exchange,
    ) -> Result<Map<String, Value>, Refusal> {
        let named = looked.issuer.as_deref();
        known(named, &each(trusts, "")).map_err(|unfit| self::unfit(&unfit, asked, clock::today()))?;
        let issuer = named.unwrap_or_default();
        let learnt = self
            .issuers
            .learn(issuer, looked.key.as_deref(), clock::now())
            .await;
        let known = learnt.map_err(|why| {
            let message = format!("the keys of {issuer} are not to be had, so nobody is believed: {why}");
            let hint = "it is tried anew each time: run the job again when this machine reaches the issuer over HTTPS";
            problem(StatusCode::SERVICE_UNAVAILABLE, "no-keys", &message, Some(hint))
        })?;
        prove(looked, &known.keys).map_err(|why| unproven(&why))
    }
}

impl std::convert::From<Refusal> for Came {
    fn from(refusal: Refusal) -> Self {
        Came {
            done: Err(refusal),
            shown: None,
        }
    }
}

/// Trusts, as they are decided about.
fn each<'a>(trusts: &'a [TrustTold], own: &'a str) -> Vec<Trust<'a>> {
    let trusts = trusts.iter().map(|one| Trust {
        issuer: &one.what.issuer,
        audience: one.what.audience.as_deref().unwrap_or(own),
        claims: &one.what.claims,
    });
    trusts.collect()
}

/// The claims that are written down.
fn told(claims: &Map<String, Value>, trusts: &[TrustTold]) -> BTreeMap<String, Value> {
    let looked_at = trusts
        .iter()
        .flat_map(|one| one.what.claims.keys().map(String::as_str));
    let names = looked_at.chain(WHO);
    let short = |value: &Value| match value {
        Value::String(text) => Value::String(text.chars().take(LONGEST).collect()),
        Value::Number(_) | Value::Bool(_) => value.clone(),
        // Lists and their like are told as far as they are short.
        other => Value::String(other.to_string().chars().take(LONGEST).collect()),
    };
    names
        .filter_map(|name| Some((name.to_owned(), short(claims.get(name)?))))
        .collect()
}

/// What a token is called that is given for an identity.
fn name(claims: &Map<String, Value>) -> String {
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or("a job");
    let plain = subject.chars().filter(|letter| !letter.is_control());
    plain.take(LONGEST).collect()
}

fn line(
    shown: Shown,
    from: From,
    at: Timestamp,
    product: Option<String>,
    environment: Option<String>,
) -> Line {
    let subject = shown.claims.get("sub").and_then(Value::as_str).unwrap_or("a job");
    Line {
        at,
        who: format!("identity {subject}"),
        from: match from {
            From::Here(_) => None,
            From::Afar(address) => Some(address.to_canonical().to_string()),
        },
        what: format!("POST {}", towpath_api::EXCHANGE),
        product,
        environment,
        status: 0,
        ended: "left",
        took_ms: 0,
        identity: Some(Box::new(shown)),
    }
}

/// Nobody knows whether it is real.
fn unproven(why: &Unproven) -> Refusal {
    let message = format!("the identity is not believed: {why}");
    let hint = match why {
        Unproven::Garbled => {
            "an identity is what the pipeline's issuer gives a job, three parts with dots between them"
        }
        Unproven::Key(_) => {
            "where its issuer has a new key since a moment ago, run the job again; otherwise somebody has made it up"
        }
        _ => {
            "have another one issued; where that is refused, too, it does not come from the issuer that it names"
        }
    };
    problem(StatusCode::UNAUTHORIZED, why.word(), &message, Some(hint))
}

/// It is real, and not what is wanted.
fn unfit(why: &Unfit, asked: &Exchange, now: Timestamp) -> Refusal {
    let (product, environment) = (&asked.product, &asked.environment);
    let message = format!("the identity is not trusted with {product} in {environment}: {why}");
    let (status, hint) = match why {
        Unfit::Expired { .. } | Unfit::Early { .. } | Unfit::Untimed { .. } | Unfit::Lasting { .. } => (
            StatusCode::UNAUTHORIZED,
            format!("here it is {now:.0}; a job has its identity issued right before it shows it"),
        ),
        Unfit::Audience { wanted, .. } => (
            StatusCode::FORBIDDEN,
            format!(
                "the job has to ask its issuer for an identity for `{wanted}`: TOWPATH_PIN or TOWPATH_AUDIENCE says another one"
            ),
        ),
        Unfit::Nobody | Unfit::Issuer { .. } | Unfit::Claim { .. } => (
            StatusCode::FORBIDDEN,
            format!(
                "on the machine, `towpath token trusts` shows who is trusted, and `towpath token trust --product \
                 {product} --env {environment}` trusts somebody"
            ),
        ),
    };
    problem(status, why.word(), &message, Some(&hint))
}

/// It is trusted, and gets nothing all the same.
fn ungiven(why: &Ungiven) -> Refusal {
    match why {
        Ungiven::Spent => problem(
            StatusCode::UNAUTHORIZED,
            "spent",
            "this identity was exchanged already, and each is good for one exchange",
            Some(
                "have another one issued; `towpath token exchange` gives a job one token for several commands",
            ),
        ),
        Ungiven::Gone => problem(
            StatusCode::FORBIDDEN,
            "nobody-trusted",
            "the identity is trusted no more",
            Some("on the machine, `towpath token trusts` shows who is"),
        ),
        Ungiven::Full => problem(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many",
            "too many tokens were given for identities lately, and more are not kept",
            Some("they end within an hour; `towpath token list` shows for whom they are"),
        ),
        Ungiven::System(error) => unwritten(&error.to_string()),
    }
}
