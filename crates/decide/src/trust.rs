//! Whom a machine trusts by what an issuer says of them: a job of a pipeline that shows its identity, for a while.
//!
//! **What is decided.** A machine holds trusts: an issuer, for whom its tokens have to be made out, and what each claim has to
//! be like. A job shows an identity, whose signature was looked at before. It gets what the first trust allows that holds as a
//! whole: the issuer and the audience letter for letter, the time with a minute for clocks that differ, and each claim that the
//! trust names. What a trust does not name may be anything.
//!
//! **Why claims have to be there.** A claim that is missing is like no pattern, also not like `*`: an issuer that stops saying
//! something must not open a door. Of a claim with several values one has to fit; what is no text, number or yes and no fits
//! nothing, and so does a pattern that cannot be read.
//!
//! **When it refuses.** It names the first thing that is in the way, what it was, and what is wanted. Where several trusts
//! could have held, it is the one that came furthest, because that is most probably the one that was meant.
//!
//! **What no trust may be.** One that says nothing of who it is would let in everybody whom the issuer knows. Behind the
//! issuers that all the world shares this means the owner of a repository at least.

mod shared;
mod words;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use towpath_model::unit::{Glob, Unit};

pub use shared::{is_any_branch, unsafe_claims};

/// How much clocks may differ.
pub const LEEWAY: SignedDuration = SignedDuration::from_mins(1);

/// How long what is given for an identity holds: a deploy asks all that it has to ask in that time, and who steals it
/// afterwards has nothing.
pub const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// An identity that lasts longer than a day is kept somewhere, and then it is a key. Each one is remembered until it ends, too.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// The claims that each identity has, and that are looked at whatever a trust says.
pub const LOOKED_AT: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// What is trusted.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Who has to have said it.
    pub issuer: &'a str,
    /// For whom.
    pub audience: &'a str,
    /// What each claim has to be like: one of these patterns.
    pub claims: &'a BTreeMap<String, Vec<String>>,
}

/// What an identity gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// What this trust allows, by its place.
    pub by: usize,
    /// Until when the same identity could be shown again, and has to be known.
    pub remembered: Timestamp,
}

/// Why an identity gets nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody is trusted at all.
    Nobody,
    /// Somebody else says it.
    Issuer {
        /// Who.
        was: Shown,
        /// Who is trusted.
        wanted: Vec<String>,
    },
    /// It is for somebody else.
    Audience {
        /// For whom.
        was: Shown,
        /// For whom it has to be.
        wanted: String,
    },
    /// It does not say when it ends, or since when it is.
    Untimed {
        /// The claim.
        claim: &'static str,
        /// What it is.
        was: Shown,
    },
    /// It has ended.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// It has not begun.
    Early {
        /// The claim that says so.
        claim: &'static str,
        /// When it does.
        at: Timestamp,
    },
    /// It lasts too long to be the identity of a job.
    Lasting {
        /// Until when.
        until: Timestamp,
    },
    /// A claim is not what is wanted.
    Claim {
        /// Which.
        claim: String,
        /// What it is.
        was: Shown,
        /// What it has to be like.
        wanted: Vec<String>,
    },
}

/// What a claim is, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// It is not there.
    Missing,
    /// One of these, or more.
    Values(Vec<String>),
    /// Nothing that a pattern could be like.
    Other,
}

/// What an identity gets, where the signature under these claims is good.
pub fn decide(claims: &Map<String, Value>, trusts: &[Trust<'_>], now: Timestamp) -> Result<Granted, Refusal> {
    let mut furthest: Option<(usize, Refusal)> = None;
    for (by, trust) in trusts.iter().enumerate() {
        match holds(claims, trust, now) {
            Ok(remembered) => return Ok(Granted { by, remembered }),
            Err((steps, refusal)) => {
                if furthest.as_ref().is_none_or(|(most, _)| steps > *most) {
                    furthest = Some((steps, refusal));
                }
            }
        }
    }
    Err(match furthest {
        None => Refusal::Nobody,
        Some((_, Refusal::Issuer { was, .. })) => Refusal::Issuer {
            was,
            wanted: issuers(trusts),
        },
        Some((_, refusal)) => refusal,
    })
}

/// Whether somebody is trusted whom this issuer speaks for, before anybody is asked anything.
pub fn known(issuer: Option<&str>, trusts: &[Trust<'_>]) -> Result<(), Refusal> {
    if trusts.is_empty() {
        return Err(Refusal::Nobody);
    }
    let is_known = issuer.is_some_and(|issuer| trusts.iter().any(|trust| trust.issuer == issuer));
    let was = || issuer.map_or(Shown::Missing, |issuer| Shown::Values(vec![issuer.to_owned()]));
    is_known.then_some(()).ok_or_else(|| Refusal::Issuer {
        was: was(),
        wanted: issuers(trusts),
    })
}

fn issuers(trusts: &[Trust<'_>]) -> Vec<String> {
    let mut all: Vec<String> = trusts.iter().map(|trust| trust.issuer.to_owned()).collect();
    all.sort();
    all.dedup();
    all
}

/// Until when it has to be remembered; why it does not hold otherwise, and after how many steps that was seen.
fn holds(
    claims: &Map<String, Value>,
    trust: &Trust<'_>,
    now: Timestamp,
) -> Result<Timestamp, (usize, Refusal)> {
    let issuer = claims.get("iss");
    if issuer.and_then(Value::as_str) != Some(trust.issuer) {
        let (was, wanted) = (shown(issuer), Vec::new());
        return Err((0, Refusal::Issuer { was, wanted }));
    }
    let was = shown(claims.get("aud"));
    if !was.values().iter().any(|one| one == trust.audience) {
        let wanted = trust.audience.to_owned();
        return Err((1, Refusal::Audience { was, wanted }));
    }
    let ends = timely(claims, now).map_err(|refusal| (2, refusal))?;
    for (steps, (claim, patterns)) in trust.claims.iter().enumerate() {
        let was = shown(claims.get(claim));
        if !was.values().iter().any(|one| fits(one, patterns)) {
            let (claim, wanted) = (claim.clone(), patterns.clone());
            return Err((3 + steps, Refusal::Claim { claim, was, wanted }));
        }
    }
    Ok(ends)
}

fn fits(value: &str, patterns: &[String]) -> bool {
    let mut patterns = patterns.iter().filter_map(|text| Glob::parse(text).ok());
    patterns.any(|pattern| pattern.is_match(value))
}

/// Until when an identity that holds now could hold.
fn timely(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let when = |claim: &'static str| {
        let untimed = || Refusal::Untimed {
            claim,
            was: shown(claims.get(claim)),
        };
        time(claims.get(claim)).ok_or_else(untimed)
    };
    let (ends, began) = (when("exp")?, when("iat")?);
    let later = ends.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX);
    if later <= now {
        return Err(Refusal::Expired { at: ends });
    }
    let soon = now.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX);
    if began > soon {
        return Err(Refusal::Early {
            claim: "iat",
            at: began,
        });
    }
    if claims.contains_key("nbf") {
        let at = when("nbf")?;
        if at > soon {
            return Err(Refusal::Early { claim: "nbf", at });
        }
    }
    if ends.duration_since(now) > LONGEST {
        return Err(Refusal::Lasting { until: ends });
    }
    Ok(later)
}

/// A time of a claim: seconds since 1970, also with a fraction (RFC 7519, 2).
fn time(value: Option<&Value>) -> Option<Timestamp> {
    let seconds = value?.as_f64().filter(|seconds| seconds.is_finite())?;
    // What is beyond all times is at their end: it is early, or has long passed, all the same.
    let seconds = seconds.clamp(-1e11, 1e11);
    // The fraction is no longer than a second, and the rest fits after the clamp.
    let whole = seconds.floor();
    let nanos = ((seconds - whole) * 1e9) as i32;
    let (least, most) = (Timestamp::MIN, Timestamp::MAX);
    let at = Timestamp::new(whole as i64, nanos.clamp(0, 999_999_999));
    Some(at.unwrap_or(if seconds < 0.0 { least } else { most }))
}

fn shown(value: Option<&Value>) -> Shown {
    match value {
        None => Shown::Missing,
        Some(Value::Array(some)) => Shown::Values(some.iter().filter_map(text).collect()),
        Some(one) => text(one).map_or(Shown::Other, |one| Shown::Values(vec![one])),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

impl Shown {
    fn values(&self) -> &[String] {
        match self {
            Shown::Values(values) => values,
            Shown::Missing | Shown::Other => &[],
        }
    }
}

#[cfg(test)]
mod tests;
