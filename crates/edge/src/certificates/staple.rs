//! The word of an authority that a certificate of its own is good, which visitors get with the certificate: else each of their
//! browsers would ask the authority itself, and tell it so whom they visit.
//!
//! Only where a certificate says whom to ask. When that is done is decided in `towpath_decide::certificate::staple`; here it is
//! done, by one task, behind the back of everybody. What was answered is kept on disk beside the certificate, and believed
//! again after a restart only if all of it is right once more.

mod der;
mod web;
mod word;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use towpath_decide::certificate::staple::{Turn, Word, turn};
use towpath_decide::certificate::{Failed, Fault};

use super::pair::Pair;
use super::{Certificates, Domain, Facing, record};
use crate::door::clock;
use word::{Subject, Wrong};

/// The clock is looked at so often: it may jump, and nobody tells us.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// A wait that has just ended is not looked at a thousand times.
const MOMENT: Duration = Duration::from_millis(20);

/// `1.3.6.1.5.5.7.1.24`: what a certificate demands of whoever shows it.
const DEMANDS: &str = "1.3.6.1.5.5.7.1.24";

/// The number of a word of the authority among those demands.
const WORD: &[u8] = &[5];

/// How it was asked for last.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The certificate that it was asked for.
    of: Option<String>,
    failed: Option<Failed>,
    is_revoked: bool,
    why: Option<String>,
}

/// What is kept on disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The digest of the certificate.
    of: String,
    /// What was answered, in Base64.
    answer: String,
}

fn file(folder: &Path, domain: &str) -> PathBuf {
    folder.join(format!("word of {domain}.json"))
}

/// Which certificate it is.
fn digest(pair: &Pair) -> String {
    let first = pair.key.cert.first().map(AsRef::as_ref).unwrap_or_default();
    blake3::hash(first).to_hex().to_string()
}

/// What a certificate demands of whoever shows it: the word of its authority, for one.
pub(super) fn demands_word(certificate: &x509_parser::prelude::X509Certificate<'_>) -> bool {
    let mut all = certificate.extensions().iter();
    let demands = all.find(|one| one.oid.to_id_string() == DEMANDS);
    let numbers = demands.and_then(|one| der::Pieces::of(one.value).open(der::SEQUENCE));
    numbers.is_some_and(|mut numbers| {
        std::iter::from_fn(|| numbers.take(der::INTEGER)).any(|number| number == WORD)
    })
}

/// The same certificate with a word, or without one.
fn with(pair: &Pair, word: Option<(Word, Vec<u8>)>) -> Pair {
    let (word, answer) = word.unzip();
    let mut pair = pair.clone();
    pair.key = Arc::new(CertifiedKey {
        cert: pair.key.cert.clone(),
        key: Arc::clone(&pair.key.key),
        ocsp: answer,
    });
    pair.word = word;
    pair
}

/// A certificate with the word that is kept of it, if that holds. It reads a file.
pub(super) fn restored(pair: Pair, domain: &str, folder: &Path, provider: &CryptoProvider) -> Pair {
    if pair.responder.is_none() {
        return pair;
    }
    let kept = record::read::<Kept>(&file(folder, domain)).ok().flatten();
    let answer = kept
        .filter(|kept| kept.of == digest(&pair))
        .and_then(|kept| base64_simd::STANDARD.decode_to_vec(kept.answer).ok());
    let word = answer.and_then(|answer| {
        let subject = Subject::of(&pair.key.cert)?;
        let word = subject.word(&answer, clock::today(), provider).ok()?;
        Some((word, answer))
    });
    match word {
        Some(word) => with(&pair, Some(word)),
        None => pair,
    }
}

/// Looks after them until it is aborted, which may be at any wait.
pub(super) async fn keep(certificates: Arc<Certificates>) {
    loop {
        let mut changed = std::pin::pin!(certificates.changed.notified());
        changed.as_mut().enable();
        let facing = certificates.facing();
        let mut until: Option<Timestamp> = None;
        for domain in facing.domains.values() {
            let next = look_after(&certificates, &facing, domain).await;
            until = until.into_iter().chain(next).min();
        }
        let longest = clock::today().checked_add(LONGEST).unwrap_or(Timestamp::MAX);
        let wait = until.map(|until| until.min(longest).duration_since(clock::today()));
        let wakes = async {
            match wait {
                Some(wait) => sleep(Duration::try_from(wait).unwrap_or_default().max(MOMENT)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wakes => {}
            () = changed => {}
            () = certificates.shown.notified() => {}
        }
    }
}

/// Does what is due for one of them. When to look again; nothing where nobody is to be asked.
async fn look_after(certificates: &Certificates, facing: &Facing, domain: &Domain) -> Option<Timestamp> {
    let mut pair = domain.shown()?;
    let responder = pair.responder.clone()?;
    domain.asks_for(&digest(&pair));
    if turn_of(domain, &pair) == Turn::Ask {
        let asked = ask(&pair, &responder, &certificates.provider).await;
        if let Ok((_, answer)) = &asked {
            let kept = Kept {
                of: digest(&pair),
                answer: base64_simd::STANDARD.encode_to_string(answer),
            };
            // Before it is shown: whoever has seen it sees it after the next start, too. Where it cannot be written it is asked
            // for again then.
            let _ = record::write(&file(&facing.folder, &domain.name), &kept).await;
        }
        if !domain.shown().is_some_and(|shown| Arc::ptr_eq(&shown, &pair)) {
            // There is another certificate by now.
            return Some(clock::today());
        }
        domain.has_asked(asked.as_ref().err());
        match asked {
            Ok(word) => {
                pair = Arc::new(with(&pair, Some(word)));
                domain.shows(Arc::clone(&pair));
            }
            Err(trouble) if trouble.is_revoked && pair.word.is_some() => {
                // What it said before is not true any more.
                pair = Arc::new(with(&pair, None));
                domain.shows(Arc::clone(&pair));
            }
            Err(_) => {}
        }
    }
    let ends = pair.word.map(|word| word.ends);
    if ends.is_some_and(|ends| ends <= clock::today()) {
        domain.shows(Arc::new(with(&pair, None)));
    }
    match turn_of(domain, &pair) {
        Turn::Wait(at) => Some(
            ends.filter(|ends| *ends > clock::today())
                .map_or(at, |ends| at.min(ends)),
        ),
        Turn::Ask => Some(clock::today()),
    }
}

fn turn_of(domain: &Domain, pair: &Pair) -> Turn {
    let asked = domain.asked.lock().unwrap_or_else(PoisonError::into_inner);
    turn(pair.word, asked.failed.as_ref(), clock::today(), domain.share)
}

/// Why there is no word.
struct Trouble {
    how: Fault,
    is_revoked: bool,
    why: String,
}

impl Trouble {
    fn new(how: Fault, why: impl Into<String>) -> Trouble {
        Trouble {
            how,
            is_revoked: false,
            why: why.into(),
        }
    }
}

/// Asks a responder.
async fn ask(pair: &Pair, responder: &str, provider: &CryptoProvider) -> Result<(Word, Vec<u8>), Trouble> {
    let lacks = || {
        let why = "the certificate of the one that has signed it does not stand below it";
        Trouble::new(Fault::Refused, why)
    };
    let question = Subject::of(&pair.key.cert).map(|subject| subject.question());
    let answer = web::ask(responder, question.ok_or_else(lacks)?).await;
    let answer = answer
        .map_err(|why| Trouble::new(Fault::Unreached, format!("{responder} was not reached: {why}")))?;
    let subject = Subject::of(&pair.key.cert).ok_or_else(lacks)?;
    match subject.word(&answer, clock::today(), provider) {
        Ok(word) => Ok((word, answer)),
        Err(Wrong::Revoked) => Err(Trouble {
            is_revoked: true,
            ..Trouble::new(Fault::Refused, "its authority has taken it back")
        }),
        Err(Wrong::Says(what)) => Err(Trouble::new(Fault::Refused, format!("{responder} says {what}"))),
    }
}

impl Domain {
    /// What was asked of another certificate counts no more.
    fn asks_for(&self, digest: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.of.as_deref() != Some(digest) {
            *asked = Asked {
                of: Some(digest.to_owned()),
                ..Asked::default()
            };
        }
    }

    /// Takes note of how it went.
    fn has_asked(&self, trouble: Option<&Trouble>) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.failed.as_ref().map_or(0, |failed| failed.times);
        asked.failed = trouble.map(|trouble| Failed {
            at: clock::today(),
            times: times.saturating_add(1),
            how: trouble.how,
            until: None,
        });
        asked.is_revoked = trouble.is_some_and(|trouble| trouble.is_revoked);
        asked.why = trouble.map(|trouble| trouble.why.clone());
    }

    /// The word of its authority: what there is of it, and what is wrong with that.
    pub(super) fn word(&self, pair: Option<&Pair>, now: Timestamp) -> (Option<String>, Option<String>) {
        let Some(pair) = pair else {
            return (None, None);
        };
        let word = pair.word.filter(|word| word.holds(now));
        let (why, is_revoked) = {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            (asked.why.clone(), asked.is_revoked)
        };
        let told = match (&pair.responder, word) {
            (Some(_), Some(word)) => Some(format!("holds until {:.0}", word.ends)),
            (Some(_), None) => Some(match &why {
                Some(why) => format!("none: {why}"),
                None => "is being asked for".to_owned(),
            }),
            (None, _) => None,
        };
        let wrong = match word {
            _ if is_revoked => {
                Some("its authority has taken it back, and browsers that ask refuse it".to_owned())
            }
            None if pair.demands_word && pair.responder.is_none() => Some(
                "it demands to be shown with the word of its authority, and does not say whom to ask"
                    .to_owned(),
            ),
            None if pair.demands_word => Some(format!(
                "it demands to be shown with the word of its authority, and browsers refuse it without: {}",
                why.as_deref().unwrap_or("there is none yet")
            )),
            _ => None,
        };
        (told, wrong)
    }
}
