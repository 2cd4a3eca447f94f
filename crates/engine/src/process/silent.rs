//! Keepers that live and do not answer: they are told as silent, hold up nobody, and are ended where something is to end.
//!
//! A keeper answers within a thousandth of a second, whatever its instance does: it only waits, and never for anybody. One
//! that does not was stopped by somebody (`kill -STOP`, a frozen group), or the machine is so busy that it had no turn.
//! Which of the two it is shows in the others: as long as any of them speaks, the machine is busy, and is waited for.
//!
//! A silent keeper may come back, and then says how its instance is, as any other. Until then it counts as something that
//! lives, so that nothing is started beside it. Only who asks for an end gets one: the keeper is killed with all that it
//! keeps, from below, so that nothing falls out of its hands.

use super::adopt::{Answering, seen_of};
use super::table::Answer;
use super::{Inner, door, pump, received};
use crate::EngineError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use towpath_keeper::wire::Request;
use towpath_keeper::{Facts, Found, connect_to};
use towpath_model::run::{InstanceId, Life, Seen};

/// When nobody has said anything for so long, those that are still to say their first word are silent. A person who waits
/// for a start notices it, once.
const FIRST_WORD: Duration = Duration::from_millis(500);

/// So soon a keeper is taken to have heard a question, and has said something; it says at once that it stops.
const HEARD: Duration = Duration::from_secs(2);

/// What an instance may take to be gone beyond the time that it was given. Its keeper is asked again then whether it lives.
const LAST_BREATH: Duration = Duration::from_secs(5);

/// How long a keeper may take to greet who connects, before it is ended.
const GREETING: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

impl Inner {
    /// Waits for the first words of these. Those who say none while nobody else speaks either are told as silent.
    pub(super) async fn first_words(
        self: &Arc<Self>,
        answers: Vec<(Answering, InstanceId)>,
    ) -> Result<(), EngineError> {
        let mut patience = FIRST_WORD;
        for (mut answer, id) in answers {
            loop {
                let before = self.words.load(Ordering::Relaxed);
                match tokio::time::timeout(patience, &mut answer).await {
                    Ok(said) => {
                        received(&id, said).map(drop)?;
                        break;
                    }
                    Err(_) if self.words.load(Ordering::Relaxed) == before => {
                        // It has been waited for the others meanwhile, too.
                        patience = Duration::ZERO;
                        self.fall_silent(&id).await;
                        break;
                    }
                    Err(_) => patience = FIRST_WORD,
                }
            }
        }
        Ok(())
    }

    /// Waits for the first word of one.
    pub(super) async fn first_word(
        self: &Arc<Self>,
        id: &InstanceId,
        answer: Answering,
    ) -> Result<Option<Seen>, EngineError> {
        self.first_words(vec![(answer, id.clone())]).await?;
        match self.known(id) {
            Some(answer) => seen_of(id, answer).await,
            None => Ok(None),
        }
    }

    /// Tells an instance as one whose keeper does not answer. Its keeper says more when it comes back.
    async fn fall_silent(self: &Arc<Self>, id: &InstanceId) {
        let (layout, whose) = (self.layout.clone(), id.clone());
        let facts = door::beside(move || Facts::read(&layout, &whose)).await.flatten();
        let mut table = self.table();
        let Some(row) = table.row_of(id) else { return };
        let known = row.seen.take();
        let silent = silent(
            id,
            known.or_else(|| facts.as_ref().map(|facts| facts.seen.clone())),
            facts.as_ref(),
        );
        row.seen = Some(silent.clone());
        for waiter in row.first.drain(..) {
            // Who waits no more learns it otherwise.
            let _ = waiter.send(Ok(Answer::Seen(silent.clone())));
        }
        let _ = self.tell.send(silent);
    }

    /// Waits until what was asked is done, with so much time for the instance. A keeper that does not answer is ended.
    pub(super) async fn done(
        self: &Arc<Self>,
        id: &InstanceId,
        what: &Request,
        mut answer: Answering,
    ) -> Result<Answer, EngineError> {
        let within = match what {
            Request::Stop(how) | Request::Restart(how) => how.within.to_std(),
            Request::Forget => Duration::ZERO,
        };
        let mut words = self.words_of(id);
        let mut patience = HEARD;
        loop {
            if let Ok(said) = tokio::time::timeout(patience, &mut answer).await {
                return received(id, said);
            }
            let now = self.words_of(id);
            if now == words && !self.greets(id).await {
                self.fall_silent(id).await;
                if !self.put_down(id).await {
                    let why = "its keeper does not answer, and cannot be ended";
                    return Err(EngineError::system(
                        "asking a keeper",
                        id,
                        std::io::Error::other(why),
                    ));
                }
            }
            words = now;
            patience = within + LAST_BREATH;
        }
    }

    fn words_of(&self, id: &InstanceId) -> u64 {
        self.table().row_of(id).map_or(0, |row| row.words)
    }

    /// Whether its keeper says anything to who connects anew.
    async fn greets(self: &Arc<Self>, id: &InstanceId) -> bool {
        let (layout, id) = (self.layout.clone(), id.clone());
        let greeted = door::beside(move || {
            connect_to(&layout, &id).is_ok_and(|socket| {
                let mut watched = [PollFd::new(&socket, PollFlags::IN)];
                matches!(poll(&mut watched, Some(&GREETING)), Ok(count) if count > 0)
            })
        });
        greeted.await.unwrap_or(false)
    }

    /// Kills a keeper that lives and does not answer, with everything that it keeps; whether it could be found. Who listens
    /// to its socket learns of it, and so does who waits for it.
    async fn put_down(self: &Arc<Self>, id: &InstanceId) -> bool {
        let (layout, id) = (self.layout.clone(), id.clone());
        let killed = door::beside(
            move || match (Facts::look(&layout, &id), Facts::read(&layout, &id)) {
                (Found::Kept, Some(facts)) => {
                    facts.kill_keeper();
                    true
                }
                // It has gone meanwhile.
                (Found::Lost(_) | Found::Nothing, _) => true,
                (Found::Kept, None) => false,
            },
        );
        killed.await.unwrap_or(false)
    }

    /// Ends an instance whose keeper cannot even be connected to.
    pub(super) async fn end_unreached(self: &Arc<Self>, seen: Seen) -> Result<Seen, EngineError> {
        let ended = self.put_down(&seen.id).await && {
            let (inner, id) = (Arc::clone(self), seen.id.clone());
            door::beside(move || pump::ended(&inner, &id)).await.is_some()
        };
        if ended {
            return Ok(self.lose(seen));
        }
        let why = "its keeper does not answer, and cannot be ended";
        Err(EngineError::system(
            "asking a keeper",
            seen.id,
            std::io::Error::other(why),
        ))
    }
}

/// An instance whose keeper does not answer, as it was known, or as its keeper wrote it down once.
pub(super) fn silent(id: &InstanceId, known: Option<Seen>, facts: Option<&Facts>) -> Seen {
    let keeper = facts.map(|facts| facts.keeper);
    Seen {
        id: id.clone(),
        digest: known.as_ref().map(|seen| seen.digest.clone()).unwrap_or_default(),
        port: known.as_ref().and_then(|seen| seen.port),
        restarts: known.as_ref().map_or(0, |seen| seen.restarts),
        life: Life::Silent { keeper },
        since: door::now(),
    }
}
