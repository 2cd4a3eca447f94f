//! Whom a machine trusts by their identity, and the tokens that were given for one.
//!
//! They lie in the file of the tokens: that an identity was exchanged is written down at once with the token that was given for
//! it, so it is exchanged once, also where the machine is restarted in between.

use super::{MOST, Record, Tokens, Unminted, digest, named, new};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::PoisonError;
use towpath_api::{Pin, Token, TokenTold, Trust, TrustTold, Verb, audience, is_safe};
use towpath_decide::trust::{LASTS, unsafe_claims};
use towpath_model::unit::{Name, Unit};

/// A machine that trusts more has a trust for each branch.
const MOST_TRUSTS: usize = 200;

/// So many tokens for identities hold at once: the others are left for people.
const MOST_GIVEN: usize = 500;

/// So many identities are remembered: some days of a busy pipeline, and a minute of one that has gone wild.
const MOST_SPENT: usize = 10_000;

/// The longest of what people write into a trust.
const LONGEST: usize = 1_000;

/// The most claims that a trust looks at, and patterns of each.
const MOST_CLAIMS: usize = 30;

/// A token that was given is kept so long after its end, so that it is told that it has ended.
const TOLD: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// An identity that was exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spent {
    /// By what it is known again.
    digest: String,
    /// Until when it could be shown again.
    until: Timestamp,
}

/// Why no token is given for an identity that holds.
#[derive(Debug)]
pub(crate) enum Ungiven {
    /// It was exchanged before.
    Spent,
    /// Nobody trusts it any more.
    Gone,
    /// There are too many already.
    Full,
    /// The file cannot be written.
    System(io::Error),
}

/// An identity that holds.
pub(crate) struct Holder {
    /// Who trusts it.
    pub(crate) trust: String,
    /// What its token is called.
    pub(crate) name: String,
    /// By what it is known again.
    pub(crate) digest: String,
    /// Until when it has to be.
    pub(crate) remembered: Timestamp,
}

impl Tokens {
    /// Trusts somebody from now on.
    pub(crate) fn trust(
        &self,
        asked: Trust,
        by: String,
        pin: Pin,
        now: Timestamp,
    ) -> Result<TrustTold, Unminted> {
        valid(&asked).map_err(Unminted::Wrong)?;
        let mut what = asked;
        what.may.sort();
        what.may.dedup();
        let told = TrustTold {
            id: named().map_err(Unminted::System)?,
            what,
            pin: String::new(),
            created: now,
            by,
        };
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if book.trusts.len() >= MOST_TRUSTS {
            let message = format!("there are {MOST_TRUSTS} trusts, and no more are kept");
            return Err(Unminted::Wrong(message));
        }
        book.trusts.push(told.clone());
        if let Err(error) = self.write(&book) {
            book.trusts.pop();
            return Err(Unminted::System(error));
        }
        Ok(whole(told, pin))
    }

    /// Who is trusted.
    pub(crate) fn trusts(&self, pin: Pin) -> Vec<TrustTold> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.trusts.iter().cloned().map(|one| whole(one, pin)).collect()
    }

    /// Trusts somebody no more, and takes back what was given to them; whether there was one.
    pub(crate) fn distrust(&self, id: &str) -> io::Result<bool> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if !book.trusts.iter().any(|one| one.id == id) {
            return Ok(false);
        }
        let before = (book.trusts.clone(), book.tokens.clone());
        book.trusts.retain(|one| one.id != id);
        book.tokens.retain(|one| one.trust.as_deref() != Some(id));
        if let Err(error) = self.write(&book) {
            (book.trusts, book.tokens) = before;
            return Err(error);
        }
        Ok(true)
    }

    /// Gives a token for an identity, once.
    pub(crate) fn give(
        &self,
        holder: Holder,
        pin: Pin,
        now: Timestamp,
    ) -> Result<(Token, TokenTold), Ungiven> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have been taken back while the issuer was asked.
        let trust = book.trusts.iter().find(|one| one.id == holder.trust);
        let Trust {
            product,
            environment,
            may,
            ..
        } = trust.ok_or(Ungiven::Gone)?.what.clone();
        let before = (book.spent.clone(), book.tokens.clone());
        book.spent.retain(|one| one.until > now);
        if book.spent.iter().any(|one| one.digest == holder.digest) {
            return Err(Ungiven::Spent);
        }
        let is_over = |one: &Record| one.told.expires.saturating_add(TOLD).is_ok_and(|at| at <= now);
        book.tokens.retain(|one| one.trust.is_none() || !is_over(one));
        let given = book.tokens.iter().filter(|one| one.trust.is_some()).count();
        if book.spent.len() >= MOST_SPENT || given >= MOST_GIVEN || book.tokens.len() >= MOST {
            return Err(Ungiven::Full);
        }
        let token = new(pin).map_err(Ungiven::System)?;
        let told = TokenTold {
            id: token.id.clone(),
            name: Some(holder.name),
            product,
            environments: vec![environment],
            may,
            created: now,
            by: format!("trust {}", holder.trust),
            expires: now.saturating_add(LASTS).unwrap_or(now),
            used: None,
        };
        book.spent.push(Spent {
            digest: holder.digest,
            until: holder.remembered,
        });
        book.tokens.push(Record {
            told: told.clone(),
            digest: digest(token.secret.open()),
            trust: Some(holder.trust),
        });
        if let Err(error) = self.write(&book) {
            (book.spent, book.tokens) = before;
            return Err(Ungiven::System(error));
        }
        Ok((token, told))
    }
}

/// With what follows from the key of the machine.
fn whole(mut told: TrustTold, pin: Pin) -> TrustTold {
    told.pin = pin.to_string();
    told.what.audience.get_or_insert_with(|| audience(pin));
    told
}

/// What is wrong with what somebody is to be trusted for.
fn valid(asked: &Trust) -> Result<(), String> {
    for name in [&asked.product, &asked.environment] {
        Name::parse(name).map_err(|misread| format!("`{name}` {misread}"))?;
    }
    if asked.may.is_empty() {
        return Err("a trust that allows nothing is of no use".to_owned());
    }
    let fine = [Verb::Read, Verb::Deploy, Verb::Operate];
    if let Some(verb) = asked.may.iter().find(|verb| !fine.contains(verb)) {
        return Err(format!(
            "a job may read, deploy and operate: `{verb}` is for people, who have a token"
        ));
    }
    let is_line =
        |text: &str| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    let texts = [Some(&asked.issuer), asked.audience.as_ref(), asked.name.as_ref()];
    if texts.into_iter().flatten().any(|text| !is_line(text)) {
        return Err(format!(
            "an issuer, an audience and a name are a line of at most {LONGEST} letters"
        ));
    }
    if !is_safe(&asked.issuer) || asked.issuer.contains(['?', '#', '@', ' ']) {
        return Err(format!(
            "`{}` is no address of an issuer: https:// and what stands in `iss` of its tokens",
            asked.issuer
        ));
    }
    let claims = &asked.claims;
    if claims.len() > MOST_CLAIMS || claims.values().any(|some| some.len() > MOST_CLAIMS) {
        return Err(format!(
            "a trust looks at {MOST_CLAIMS} claims, and {MOST_CLAIMS} patterns of each, at most"
        ));
    }
    unsafe_claims(&asked.issuer, claims).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
