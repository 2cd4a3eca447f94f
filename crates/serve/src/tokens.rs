//! The tokens of a machine: who may do what from elsewhere, and until when.
//!
//! Only a digest of a secret is kept. It is compared in constant time, also where there is no such token, so that an answer
//! tells nobody which of them there are.

mod trusted;

use crate::door::disk;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64_simd::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use towpath_api::{Mint, Pin, TOKEN, Token, TokenTold, TrustTold, Verb, sha256};
use towpath_model::unit::{Name, Unit};

pub(crate) use trusted::{Holder, Ungiven};

/// When a token was used last is written down once in so long: nobody needs it exactly, and each question would be a write.
const KEPT_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A machine with more tokens than that has one for each thing that was ever done.
const MOST: usize = 1_000;

/// The longest name that people may give.
const LONGEST_NAME: usize = 200;

/// A token that lasts longer is one that is never replaced.
const LONGEST: u64 = 10 * 366 * 24 * 60 * 60;

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    told: TokenTold,
    /// The SHA-256 of its secret.
    digest: String,
    /// What it was given by, where somebody has shown an identity for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trust: Option<String>,
}

/// What stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Book {
    tokens: Vec<Record>,
    /// Who is trusted by their identity.
    #[serde(default)]
    trusts: Vec<TrustTold>,
    /// Identities that were exchanged, as long as they could be shown again.
    #[serde(default)]
    spent: Vec<trusted::Spent>,
}

/// The tokens of a machine.
#[derive(Debug)]
pub(crate) struct Tokens {
    file: PathBuf,
    book: Mutex<Book>,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied {
    /// There is no such token, or that is not its secret: nobody is told which.
    Unknown,
    /// It held once.
    Expired(Timestamp),
}

/// Why no token is made.
#[derive(Debug)]
pub(crate) enum Unminted {
    /// What was asked for cannot be.
    Wrong(String),
    /// The file cannot be written.
    System(io::Error),
}

impl Tokens {
    /// Reads those that there are.
    pub(crate) fn open(file: PathBuf) -> io::Result<Self> {
        let book = match disk::text(&file)? {
            Some(text) => serde_json::from_str(&text).map_err(io::Error::other)?,
            None => Book::default(),
        };
        Ok(Tokens {
            file,
            book: Mutex::new(book),
        })
    }

    /// Makes one.
    pub(crate) fn mint(
        &self,
        asked: Mint,
        by: String,
        pin: Pin,
        now: Timestamp,
    ) -> Result<(Token, TokenTold), Unminted> {
        let expires = valid(&asked, now).map_err(Unminted::Wrong)?;
        let token = new(pin).map_err(Unminted::System)?;
        let mut may = asked.may;
        may.sort();
        may.dedup();
        let told = TokenTold {
            id: token.id.clone(),
            name: asked.name,
            product: asked.product,
            environments: asked.environments,
            may,
            created: now,
            by,
            expires,
            used: None,
        };
        let record = Record {
            told: told.clone(),
            digest: digest(token.secret.open()),
            trust: None,
        };
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if book.tokens.len() >= MOST {
            let message = format!("there are {MOST} tokens, and no more are kept");
            return Err(Unminted::Wrong(message));
        }
        book.tokens.push(record);
        if let Err(error) = self.write(&book) {
            book.tokens.pop();
            return Err(Unminted::System(error));
        }
        Ok((token, told))
    }

    /// What there is.
    pub(crate) fn all(&self) -> Vec<TokenTold> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.tokens.iter().map(|one| one.told.clone()).collect()
    }

    /// Takes one back; whether there was one.
    pub(crate) fn revoke(&self, id: &str) -> io::Result<bool> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = book.tokens.iter().position(|one| one.told.id == id) else {
            return Ok(false);
        };
        let taken = book.tokens.remove(at);
        if let Err(error) = self.write(&book) {
            book.tokens.insert(at, taken);
            return Err(error);
        }
        Ok(true)
    }

    /// Who shows this; and whether that has to be written down.
    pub(crate) fn admit(&self, shown: &str, now: Timestamp) -> Result<(TokenTold, bool), Denied> {
        let mut parts = shown.split('.');
        let (kind, id, secret) = (parts.next(), parts.next(), parts.next());
        let (Some(TOKEN), Some(id), Some(secret)) = (kind, id, secret) else {
            return Err(Denied::Unknown);
        };
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let found = book.tokens.iter_mut().find(|one| one.told.id == id);
        let shown = digest(secret);
        // Where there is none, it is compared with something that it cannot be.
        let kept = found
            .as_ref()
            .map_or_else(|| digest(""), |one| one.digest.clone());
        let same = verify_slices_are_equal(shown.as_bytes(), kept.as_bytes()).is_ok();
        let Some(found) = found.filter(|_| same) else {
            return Err(Denied::Unknown);
        };
        if found.told.expires <= now {
            return Err(Denied::Expired(found.told.expires));
        }
        let is_news = found
            .told
            .used
            .is_none_or(|used| now.duration_since(used) >= KEPT_EVERY);
        if is_news {
            found.told.used = Some(now);
        }
        Ok((found.told.clone(), is_news))
    }

    /// Writes down when they were used last.
    pub(crate) fn keep(&self) -> io::Result<()> {
        self.write(&self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, book: &Book) -> io::Result<()> {
        let text = serde_json::to_string_pretty(book).map_err(io::Error::other)?;
        disk::replace_private(&self.file, &(text + "\n"))
    }
}

/// Until when what is asked for holds; what is wrong with it otherwise.
fn valid(asked: &Mint, now: Timestamp) -> Result<Timestamp, String> {
    for name in asked.environments.iter().chain([&asked.product]) {
        Name::parse(name).map_err(|misread| format!("`{name}` {misread}"))?;
    }
    if asked.may.is_empty() {
        return Err("a token that allows nothing is of no use".to_owned());
    }
    let name = asked.name.as_deref().unwrap_or_default();
    if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(format!("a name is a line of at most {LONGEST_NAME} letters"));
    }
    if asked.lasts == 0 || asked.lasts > LONGEST {
        return Err("a token lasts for a second at least, and for ten years at most".to_owned());
    }
    let lasts = SignedDuration::from_secs(i64::try_from(asked.lasts).unwrap_or(i64::MAX));
    now.checked_add(lasts).map_err(|error| error.to_string())
}

/// A token that nobody can guess.
fn new(pin: Pin) -> io::Result<Token> {
    Ok(Token::new(named()?, disk::chance()?, pin))
}

/// A name that nothing else has.
fn named() -> io::Result<String> {
    let chance = disk::chance()?;
    Ok(chance[..6].iter().map(|byte| format!("{byte:02x}")).collect())
}

fn digest(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode_to_string(sha256(secret.as_bytes()))
}

/// What a token allows in an environment: why it does not, otherwise.
pub(crate) fn allows(told: &TokenTold, product: &str, environment: &str, verb: Verb) -> Result<(), String> {
    if told.product != product {
        return Err(format!("this token is for the product `{}`", told.product));
    }
    if !told.environments.is_empty() && !told.environments.iter().any(|one| one == environment) {
        return Err(format!("this token is for `{}`", told.environments.join("`, `")));
    }
    if !told.may.iter().any(|may| may.covers(verb)) {
        return Err(format!("this token does not allow `{verb}`"));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "what is kept lies in a real file")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("it is a time")
    }

    fn asked(may: &[Verb]) -> Mint {
        Mint {
            product: "shop".to_owned(),
            environments: vec!["prod".to_owned()],
            may: may.to_vec(),
            lasts: 3_600,
            name: Some("ci".to_owned()),
        }
    }

    fn opened(folder: &tempfile::TempDir) -> Tokens {
        Tokens::open(folder.path().join("tokens.json")).expect("it can be read")
    }

    #[test]
    fn a_token_holds_until_it_ends_or_is_taken_back_also_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let (now, later) = (at("2026-11-22T08:00:00Z"), at("2026-11-22T09:00:00Z"));
        let pin = Pin::of(b"key");
        let tokens = opened(&folder);
        let minted = tokens.mint(asked(&[Verb::Read]), "root".to_owned(), pin, now);
        let (token, told) = minted.expect("it is made");
        let text = token.text();
        let file = folder.path().join("tokens.json");
        let kept = std::fs::read_to_string(&file).expect("it is there");
        assert!(
            !kept.contains(token.secret.open().as_str()),
            "its secret is not kept"
        );
        let mode = std::fs::metadata(&file)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        let tokens = opened(&folder);
        let (who, is_news) = tokens.admit(text.open(), now).expect("it holds");
        assert_eq!((who.id.as_str(), is_news), (told.id.as_str(), true));
        assert!(
            !tokens.admit(text.open(), now).expect("it holds").1,
            "that is known"
        );
        assert_eq!(tokens.admit(text.open(), later), Err(Denied::Expired(later)));
        let wrong = format!("towpath1.{}.{}", told.id, "A".repeat(43));
        for shown in [wrong.as_str(), "towpath1.none.AAAA", "towpath1..", "", "Basic"] {
            assert_eq!(tokens.admit(shown, later), Err(Denied::Unknown), "{shown}");
        }
        assert!(tokens.revoke(&told.id).expect("it is written"));
        assert!(!tokens.revoke(&told.id).expect("it is written"));
        assert_eq!(tokens.admit(text.open(), now), Err(Denied::Unknown));
        assert!(opened(&folder).all().is_empty());
    }

    #[test]
    fn what_cannot_be_a_token_is_not_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let tokens = opened(&folder);
        let refused =
            |asked: Mint| match tokens.mint(asked, String::new(), Pin::of(b""), at("2026-11-22T08:00:00Z")) {
                Err(Unminted::Wrong(why)) => why,
                other => panic!("it was to be refused: {other:?}"),
            };
        let mut outside = asked(&[Verb::Read]);
        outside.environments = vec!["../prod".to_owned()];
        assert!(refused(outside).starts_with("`../prod`"));
        assert!(refused(asked(&[])).contains("allows nothing"));
        let mut endless = asked(&[Verb::Read]);
        endless.lasts = u64::MAX;
        assert!(refused(endless).contains("ten years"));
        let mut lines = asked(&[Verb::Read]);
        lines.name = Some("a\nb".to_owned());
        assert!(refused(lines).contains("a line"));
    }

    #[test]
    fn a_token_allows_its_verbs_in_its_environments_of_its_product_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let tokens = opened(&folder);
        let told = |asked| {
            let now = at("2026-11-22T08:00:00Z");
            tokens
                .mint(asked, String::new(), Pin::of(b""), now)
                .expect("it is made")
                .1
        };
        let one = told(asked(&[Verb::Read, Verb::Operate]));
        assert_eq!(allows(&one, "shop", "prod", Verb::Operate), Ok(()));
        let why = |environment: &str, product: &str, verb| {
            allows(&one, product, environment, verb).expect_err("no")
        };
        assert_eq!(
            why("prod", "shop", Verb::Deploy),
            "this token does not allow `deploy`"
        );
        assert_eq!(why("dev", "shop", Verb::Read), "this token is for `prod`");
        assert_eq!(
            why("prod", "till", Verb::Read),
            "this token is for the product `shop`"
        );
        let mut every = asked(&[Verb::Admin]);
        every.environments.clear();
        let every = told(every);
        assert_eq!(allows(&every, "shop", "dev", Verb::Secrets), Ok(()));
        assert!(allows(&every, "till", "dev", Verb::Read).is_err());
    }
}
