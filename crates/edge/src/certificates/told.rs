//! How the certificate of a domain is, in words: where it comes from, until when it holds, what is wrong, what is next.

use jiff::{SignedDuration, Timestamp};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use towpath_decide::certificate::{Because, Step, next};
use towpath_model::run::{Acme, Certificate, Certified};

use super::Domain;
use super::pair::Pair;

/// One from files is told as about to end so long before: somebody has to get another one.
const SOON: SignedDuration = SignedDuration::from_hours(21 * 24);

/// How it is.
pub(super) fn told(domain: &Domain, acme: Option<&Acme>, now: Timestamp) -> Certified {
    let shown = domain.shown();
    let (stapled, unstapled) = domain.word(shown.as_deref(), now);
    let of = |from: String, wrong: Option<String>, next: String| Certified {
        domain: domain.name.clone(),
        from,
        until: shown.as_ref().map(|pair| pair.ends),
        stapled,
        wrong: wrong.or(unstapled),
        next,
    };
    match (&domain.from, acme) {
        (Certificate::Files { .. }, _) => {
            let (from, wrong, next) = files(domain, shown.as_deref(), now);
            of(from, wrong, next)
        }
        (Certificate::Acme, Some(acme)) => {
            let (from, wrong, next) = asked(domain, acme, shown.as_deref(), now);
            of(from, wrong, next)
        }
        (Certificate::Acme, None) => of(
            "nobody".to_owned(),
            Some("no authority is known to ask".to_owned()),
            "name one as `edge.acme`".to_owned(),
        ),
        (Certificate::InFront, _) => of(
            "what stands in front".to_owned(),
            None,
            "it is renewed there".to_owned(),
        ),
        (Certificate::Off, _) => of("nobody: plain HTTP".to_owned(), None, "`tls` says so".to_owned()),
        (Certificate::Local { because }, _) => of(
            "this machine, which nobody else believes".to_owned(),
            Some(because.clone()),
            "give it one from files: tls = \"files\", certificate = { chain = …, key = … }".to_owned(),
        ),
    }
}

fn files(domain: &Domain, shown: Option<&Pair>, now: Timestamp) -> (String, Option<String>, String) {
    let chain = domain
        .files
        .as_ref()
        .map(|files| files.chain.display().to_string());
    let wrong = domain.files.as_ref().and_then(|files| {
        let wrong = files.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.clone()
    });
    let from = format!("the file {}", chain.unwrap_or_default());
    let ended = shown.and_then(|pair| pair.untimely(now));
    let next = match (&wrong, shown) {
        (Some(_), Some(_)) => "put files there that fit; the ones before are shown until then",
        (Some(_), None) => "put files there that fit; visitors are shown one that nobody believes until then",
        (None, Some(pair)) if pair.ends.duration_since(now) < SOON => "put files there that last longer",
        (None, _) => "it is read again when the files change",
    };
    (from, wrong.or(ended), next.to_owned())
}

fn asked(
    domain: &Domain,
    acme: &Acme,
    shown: Option<&Pair>,
    now: Timestamp,
) -> (String, Option<String>, String) {
    let host = acme.directory.split('/').nth(2).unwrap_or(&acme.directory);
    let failure = domain.kept().failure;
    let (step, because) = next(&domain.known(acme), now, domain.share);
    let next = match (&step, &because) {
        _ if domain.busy.load(Ordering::Relaxed) => "it is being asked for".to_owned(),
        (Step::Wait(at), Because::Good(_)) => format!("it is renewed at {at:.0}"),
        (Step::Wait(at), _) => format!("it is asked for again at {at:.0}: {because}"),
        (Step::Order | Step::Resume, _) => format!("it is asked for now: {because}"),
    };
    let failed = failure.map(|failure| match failure.times {
        1 => failure.why,
        times => format!("{} ({times} times in a row)", failure.why),
    });
    let wrong = match shown {
        None => Some(match failed {
            Some(why) => format!("there is none yet, and visitors are shown one that nobody believes: {why}"),
            None => "there is none yet, and visitors are shown one that nobody believes".to_owned(),
        }),
        Some(pair) if pair.ends <= now => {
            let why = failed.map(|why| format!(": {why}")).unwrap_or_default();
            Some(format!("it ended at {:.0}{why}", pair.ends))
        }
        Some(_) => failed,
    };
    (host.to_owned(), wrong, next)
}
