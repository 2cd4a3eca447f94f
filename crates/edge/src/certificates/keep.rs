//! Looks after the certificates that are asked for elsewhere: one task, which sleeps until the next one is due.
//!
//! What is due is decided in `towpath_decide::certificate`; here it is done, one after the other, because an authority counts
//! those who come at once, and because nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{sleep, timeout};
use towpath_decide::certificate::{Step, next};
use towpath_model::run::{Acme, Certificate};

use super::order::{Desk, Trouble};
use super::record::{Failure, How, Record};
use super::web::Web;
use super::{Certificates, Domain, Facing};
use crate::door::clock;

/// A whole order. It waits for the authority in two places, for a minute each.
const WHOLE: Duration = Duration::from_secs(5 * 60);

/// The clock is looked at so often: it may jump, and nobody tells us.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Looks after them until it is aborted, which may be at any wait.
pub(super) async fn keep(certificates: Arc<Certificates>) {
    loop {
        let mut changed = std::pin::pin!(certificates.changed.notified());
        changed.as_mut().enable();
        let facing = certificates.facing();
        let Some(acme) = &facing.front.acme else {
            changed.await;
            continue;
        };
        let now = clock::today();
        let mut until = now.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
        let mut has_acted = false;
        for domain in facing
            .domains
            .values()
            .filter(|domain| domain.from == Certificate::Acme)
        {
            if !Arc::ptr_eq(&certificates.facing(), &facing) {
                has_acted = true;
                break;
            }
            match next(&domain.known(acme), clock::today(), domain.share).0 {
                Step::Wait(at) => {
                    until = until.min(at);
                    ask(&certificates, &facing, acme, domain).await;
                }
                Step::Order | Step::Resume => {
                    has_acted = true;
                    obtain(&certificates, &facing, acme, domain).await;
                }
            }
        }
        if has_acted {
            continue;
        }
        let wait = Duration::try_from(until.duration_since(clock::today())).unwrap_or_default();
        tokio::select! {
            () = sleep(wait.max(MOMENT)) => {}
            () = changed => {}
        }
    }
}

/// A wait that has just ended is not looked at a thousand times.
const MOMENT: Duration = Duration::from_millis(20);

fn desk<'a>(
    certificates: &'a Certificates,
    facing: &'a Facing,
    acme: &'a Acme,
    domain: &'a Domain,
) -> Result<Desk<'a>, Trouble> {
    let web = Web::new(acme.root.as_deref()).map_err(|why| Trouble {
        how: How::Unreached,
        until: None,
        why,
    })?;
    Ok(Desk {
        acme,
        folder: &facing.folder,
        domain: &domain.name,
        proofs: &certificates.proofs,
        provider: &certificates.provider,
        web,
    })
}

/// Orders a certificate, and shows it from then on.
async fn obtain(certificates: &Certificates, facing: &Facing, acme: &Acme, domain: &Domain) {
    let mut kept = domain.kept();
    if kept.directory != acme.directory {
        // What another authority has said counts no more; its certificate is shown until there is another one.
        kept = Record {
            directory: acme.directory.clone(),
            ..Record::default()
        };
    }
    domain.is_busy(true);
    let desk = desk(certificates, facing, acme, domain);
    let done = match &desk {
        Ok(desk) => timeout(WHOLE, desk.order(&mut kept)).await.unwrap_or_else(|_| {
            Err(Trouble {
                how: How::Unreached,
                until: None,
                why: "it took too long".to_owned(),
            })
        }),
        Err(trouble) => Err(Trouble {
            why: trouble.why.clone(),
            ..*trouble
        }),
    };
    match done {
        Ok(pair) => {
            domain.shows(Arc::new(pair));
            certificates.shown.notify_one();
        }
        Err(trouble) => {
            let times = kept.failure.as_ref().map_or(0, |failure| failure.times);
            kept.failure = Some(Failure {
                at: clock::today(),
                times: times.saturating_add(1),
                how: trouble.how,
                until: trouble.until,
                why: trouble.why,
            });
            if let Ok(desk) = &desk {
                // Where it cannot be written it is known here all the same.
                let _ = desk.keep(&kept).await;
            }
        }
    }
    if kept.order.is_none() {
        certificates.proofs.forget(&domain.name);
    }
    domain.keeps(kept);
    domain.is_busy(false);
}

/// Asks the authority when it wants to have a certificate renewed, where it may be asked now.
async fn ask(certificates: &Certificates, facing: &Facing, acme: &Acme, domain: &Domain) {
    let mut kept = domain.kept();
    let now = clock::today();
    let Some(issued) = kept.issued.as_mut().filter(|_| kept.directory == acme.directory) else {
        return;
    };
    if issued.ask_again.is_some_and(|at| at > now) {
        return;
    }
    let Ok(desk) = desk(certificates, facing, acme, domain) else {
        return;
    };
    let said = timeout(WHOLE, desk.suggestion(&issued.chain, domain.share)).await;
    let (suggested, again) = match said.ok().flatten() {
        Some((suggested, again)) => (Some(suggested), Some(again)),
        // One that says nothing is asked again tomorrow.
        None => (
            issued.suggested,
            now.checked_add(SignedDuration::from_hours(24)).ok(),
        ),
    };
    (issued.suggested, issued.ask_again) = (suggested, again);
    // It is asked again after the next start where it cannot be written.
    let _ = desk.keep(&kept).await;
    domain.keeps(kept);
}
