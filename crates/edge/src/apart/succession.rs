//! How an edge begins, and how one follows another without anybody noticing.
//!
//! The successor has everything before it says so: the lock of the folder, every socket that is listened on, every target.
//! From then on both take connections from the same queue of the system, which is harmless, until the one before hears
//! that it has been followed and stops taking. If the successor dies before that, nothing has happened.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::sleep;

use super::house::{House, Past, ears_of, locked, sockets_of};
use super::remote::Remote;
use super::wire::{Ear, Estate};
use crate::door::{clock, sockets};
use crate::running::Socket;
use crate::{Config, Edge, EdgeError, Event, Listening, Snapshot, Target};

/// One that was killed holds the lock for a moment longer than it listens.
const LAST_BREATH: Duration = Duration::from_secs(3);

/// One that ends while everything is handed over is counted in a moment; a successor that has asked so often for it goes on.
const ASKED: u32 = 200;

/// Everything that is handed over: the lock comes first among the files, then the sockets.
type Handed = (Estate, Vec<Ear>, Vec<OwnedFd>);

/// How soon it is tried again.
const MOMENT: Duration = Duration::from_millis(1);

impl House {
    /// Begins to serve, on sockets that somebody has listened on before where there are any.
    pub(super) async fn begin(
        self: &Arc<House>,
        config: Config,
        handed: Vec<Socket>,
    ) -> Result<(Listening, Vec<Socket>), EdgeError> {
        self.has_not_begun()?;
        let lock = self.lock_soon().await?;
        let edge = Edge::start_on(config, handed, self.events.clone()).await?;
        let begun = self.open(edge, lock).await?;
        // Whoever was to be followed may have been killed over it: what is set here those before it have to know, too.
        let mut leaving = Vec::new();
        self.find_those_before(&mut leaving).await;
        locked(&self.before).extend(leaving);
        let _ = self.events.send(Event::Ended);
        Ok(begun)
    }

    /// Follows the one that serves.
    pub(super) async fn succeed(self: &Arc<House>) -> Result<(Listening, Vec<Socket>), EdgeError> {
        self.has_not_begun()?;
        // What it tells its steward is told to ours when it has been followed.
        let (events, mut heard) = unbounded_channel();
        let before = Remote::connect(&self.folder, events).await?;
        let before = before.ok_or_else(|| EdgeError::Apart("nobody is there to be followed".to_owned()))?;
        let ((estate, ears, mut files), leaving) = self.handed_over(&before).await?;
        if files.len() != ears.len() + 1 {
            return Err(EdgeError::Apart("not everything was handed over".to_owned()));
        }
        let lock = files.remove(0);
        let edge = Edge::start_on(estate.config, sockets_of(ears, files), self.events.clone()).await?;
        if let Some((front, folder)) = estate.facing {
            edge.face(front, folder).await;
        }
        if let Some(tickets) = &estate.tickets {
            edge.tickets().take_over(tickets);
        }
        let targets = estate.targets.into_iter();
        let targets = targets.filter_map(|(name, target)| {
            let target: Target = serde_json::from_value(target).ok()?;
            Some((name, Some(target)))
        });
        // An inside port that cannot be taken is tried again when its target is set again.
        let _ = edge.set(targets.collect()).await;
        *locked(&self.past) = Past {
            traffic: estate.past,
            seen: estate.seen,
        };
        edge.know(&estate.values.0);
        edge.show(estate.error_page.as_deref());
        *locked(&self.values) = estate.values;
        let begun = self.open(edge, lock).await?;
        locked(&self.before).extend(leaving);
        while heard.try_recv().is_ok() {}
        before.is_succeeded().await?;
        // From here on it tells of itself alone. Where nothing is open in it, it ends at once, and its last words are all.
        before.keep();
        let names: Vec<String> = self.edge.get().map_or_else(Vec::new, |edge| {
            edge.names().into_iter().map(|(name, _)| name).collect()
        });
        let _ = tokio::join!(before.seen(), before.traffic(names));
        locked(&self.before).push(Arc::new(before));
        // Those of them that have ended meanwhile were nobody's yet when that was told.
        let _ = self.events.send(Event::Ended);
        let events = self.events.clone();
        tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                // That nobody hears it means that we are ending.
                let _ = events.send(event);
            }
        });
        // The one before has let go of them.
        if let Some(edge) = self.edge.get() {
            edge.look_after_certificates();
        }
        Ok(begun)
    }

    /// What the one before hands over, with those that it knows to end what they have begun. One of those that ends
    /// meanwhile is counted with what was handed over, or tells us; so it is asked once more when it is neither.
    async fn handed_over(&self, before: &Remote) -> Result<(Handed, Vec<Arc<Remote>>), EdgeError> {
        let mut leaving: Vec<Arc<Remote>> = Vec::new();
        let mut asked = 0;
        loop {
            self.find_those_before(&mut leaving).await;
            let handed = before.estate().await?;
            let Some(named) = &handed.0.before else {
                return Ok((handed, leaving));
            };
            let is_here = |process: &u32| leaving.iter().any(|one| one.process() == *process);
            asked += 1;
            if asked == ASKED || named.iter().all(is_here) {
                leaving.retain(|one| named.contains(&one.process()));
                return Ok((handed, leaving));
            }
            sleep(MOMENT).await;
        }
    }

    fn has_not_begun(&self) -> Result<(), EdgeError> {
        match self.edge.get() {
            Some(_) => Err(EdgeError::Apart("the edge has begun already".to_owned())),
            None => Ok(()),
        }
    }

    async fn lock_soon(&self) -> Result<OwnedFd, EdgeError> {
        let until = clock::now() + LAST_BREATH;
        loop {
            match sockets::lock(&self.folder) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if clock::now() < until && !self.somebody_serves().await => sleep(MOMENT).await,
                Ok(None) => return Err(EdgeError::Apart("another edge is here already".to_owned())),
                Err(source) => {
                    return Err(EdgeError::System {
                        doing: "locking the folder of the edge",
                        source,
                    });
                }
            }
        }
    }

    /// Whether the one that has the lock is not about to end.
    async fn somebody_serves(&self) -> bool {
        matches!(sockets::connect(&self.folder).await, Ok(Some(_)))
    }

    async fn open(
        self: &Arc<House>,
        edge: Edge,
        lock: OwnedFd,
    ) -> Result<(Listening, Vec<Socket>), EdgeError> {
        let system = |doing| move |source| EdgeError::System { doing, source };
        let listening = edge.listening();
        let sockets = edge
            .sockets()
            .await
            .map_err(system("holding the sockets of the edge"))?;
        if self.edge.set(Arc::new(edge)).is_err() {
            return Err(EdgeError::Apart("the edge has begun already".to_owned()));
        }
        *locked(&self.lock) = Some(lock);
        self.listen()
            .map_err(system("listening in the folder of the edge"))?;
        Ok((listening, sockets))
    }

    /// Finds those that only end what they have begun, and are not found yet.
    async fn find_those_before(&self, found: &mut Vec<Arc<Remote>>) {
        for stream in sockets::connect_leaving(&self.folder).await {
            if let Ok(one) = Remote::over(stream, self.events.clone()).await
                && !found.iter().any(|known| known.process() == one.process())
            {
                one.keep();
                found.push(Arc::new(one));
            }
        }
    }

    /// Everything that a successor needs: the lock, and the sockets.
    pub(super) async fn estate(&self) -> Result<(Estate, Vec<Ear>, Vec<OwnedFd>), EdgeError> {
        let nothing = || EdgeError::Apart("the edge has not begun".to_owned());
        let edge = self.edge.get().ok_or_else(nothing)?;
        let system = |source| EdgeError::System {
            doing: "handing over",
            source,
        };
        let lock = locked(&self.lock).as_ref().map(OwnedFd::try_clone);
        let lock = lock.ok_or_else(nothing)?.map_err(system)?;
        let (ears, sockets) = ears_of(edge.sockets().await.map_err(system)?);
        let targets = edge.targets().into_iter();
        let targets = targets.map(|(name, target)| {
            let target = serde_json::to_value(target).expect("a target can be written as JSON");
            (name, target)
        });
        let own = edge.seen();
        // Nobody may be among both, or among neither. The lock is let go of before another one is taken.
        let (past, seen, before) = {
            let (past, before) = self.counted_before();
            let before = before.iter().map(|one| one.process()).collect();
            (past.traffic.clone(), handed_on(&past.seen, &own), before)
        };
        let values = locked(&self.values).clone();
        let estate = Estate {
            config: Config {
                https: edge.listening().https,
                http: edge.listening().http,
                ..edge.config()
            },
            targets: targets.collect(),
            past,
            seen,
            before: Some(before),
            values,
            error_page: edge.shown(),
            facing: Some(edge.facing()),
            tickets: Some(edge.tickets().hand_over()),
        };
        let files = std::iter::once(lock).chain(sockets).collect();
        Ok((estate, ears, files))
    }

    /// Somebody else takes connections: what is open here goes on, and nothing comes.
    pub(super) async fn leave(self: &Arc<House>) {
        let Some(edge) = self.edge.get() else {
            return;
        };
        // Our successor finds us here, and so does one that has to take its place.
        if let Ok(listener) = sockets::listen_leaving(&self.folder) {
            self.hear_at(listener);
        }
        edge.leave().await;
        locked(&self.before).clear();
        *locked(&self.lock) = None;
    }
}

/// What was seen by those who have gone, for whoever goes on counting. What we have seen ourselves we tell when we are asked,
/// and when we end.
fn handed_on(past: &Snapshot, own: &Snapshot) -> Snapshot {
    let mut seen = past.clone();
    if seen.began == 0 {
        seen.began = own.began;
    }
    seen.at += own.at;
    seen
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use towpath_model::sealed::Sealed;

    use super::*;

    fn config(folder: &Path) -> Config {
        Config {
            product: "hello".to_owned(),
            authority: folder.join("authority"),
            https: 0,
            http: 0,
            patience: crate::Patience::default(),
            log: None,
            key: None,
            listen: towpath_model::run::Listen::default(),
        }
    }

    #[tokio::test]
    async fn what_an_edge_knows_crosses_to_its_successor_before_a_steward_says_it_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, _happens) = House::new(folder.path(), || {});
        let (listening, _) = first
            .begin(config(folder.path()), Vec::new())
            .await
            .expect("it begins");
        let edge = first.edge.get().expect("it has begun");
        edge.show(Some("<h1>{{title}}</h1>"));
        let value = ("SITE_PASSWORD".to_owned(), Sealed::new("HUSH".to_owned()));
        locked(&first.values).0.extend([value]);
        let (second, _happens) = House::new(folder.path(), || {});
        let (followed, _) = second.succeed().await.expect("it follows");
        assert_eq!(followed.http, listening.http);
        let edge = second.edge.get().expect("it has begun");
        assert_eq!(edge.shown().as_deref(), Some("<h1>{{title}}</h1>"));
        assert_eq!(locked(&second.values).0["SITE_PASSWORD"].open(), "HUSH");
        // What one before them has shown is not shown by one that is told to show nothing.
        edge.show(None);
        let (third, _happens) = House::new(folder.path(), || {});
        third.succeed().await.expect("it follows");
        assert_eq!(third.edge.get().expect("it has begun").shown(), None);
    }
}
