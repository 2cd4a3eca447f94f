//! Looking at what runs, and changing nothing: no process is started, no file written, no lock taken, nothing ended.
//!
//! Whoever only wants to know must not do what a steward does. What a killed keeper has left is ended by who adopts it, and
//! two who look at once do not meet. A keeper tells how its instance is to whoever connects; where nobody listens at its
//! socket any more, it has died.

use super::door;
use super::silent::silent;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::io;
use towpath_keeper::wire::{Inbox, Told};
use towpath_keeper::{Facts, Layout, connect_to};
use towpath_model::run::{InstanceId, Life, Seen};

/// So many are asked at once: each is an open socket, and we may have a thousand.
const AT_ONCE: usize = 256;

/// When nobody has said anything for so long, the others are silent.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 500_000_000,
};

/// How often a keeper that is just being born is looked for again.
const TRIES: usize = 200;

/// One that was asked, and what it has said of its answer.
struct Asked {
    id: InstanceId,
    socket: OwnedFd,
    inbox: Inbox,
}

/// What one look at the folder of an instance shows.
enum Shown {
    Asked(Asked),
    Known(Seen),
    /// Nothing yet: its keeper is being born, or leaves.
    Nothing,
}

/// How all instances are, in the order of their names. It may wait for the system.
pub(super) fn look(layout: &Layout) -> io::Result<Vec<Seen>> {
    let ids = match door::instances(layout) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        ids => ids?,
    };
    let (mut found, mut unborn) = (Vec::new(), Vec::new());
    for some in ids.chunks(AT_ONCE) {
        unborn.extend(ask(layout, some.to_vec(), &mut found));
    }
    for _ in 0..TRIES {
        if unborn.is_empty() {
            break;
        }
        door::wait_a_moment();
        unborn = ask(layout, unborn, &mut found);
    }
    // Those that have written down their facts and never listened have died in between.
    found.extend(unborn.iter().filter_map(|id| lost(layout, id)));
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

/// Asks some of them; those of which nothing can be said yet come back.
fn ask(layout: &Layout, ids: Vec<InstanceId>, found: &mut Vec<Seen>) -> Vec<InstanceId> {
    let (mut asked, mut unborn) = (Vec::new(), Vec::new());
    for id in ids {
        match show(layout, &id) {
            Shown::Asked(one) => asked.push(one),
            Shown::Known(seen) => found.push(seen),
            Shown::Nothing if door::has_instance(layout, &id) => unborn.push(id),
            Shown::Nothing => {}
        }
    }
    while !asked.is_empty() {
        let mut watched: Vec<PollFd<'_>> = asked
            .iter()
            .map(|one| PollFd::new(&one.socket, PollFlags::IN))
            .collect();
        let count = match poll(&mut watched, Some(&PATIENCE)) {
            Err(Errno::INTR) => continue,
            count => count.unwrap_or(0),
        };
        if count == 0 {
            found.extend(asked.iter().map(|one| mute(layout, &one.id)));
            break;
        }
        let ready: Vec<bool> = watched.iter().map(|one| !one.revents().is_empty()).collect();
        let mut still = Vec::new();
        for (mut one, ready) in asked.into_iter().zip(ready) {
            match ready.then(|| hear(&mut one)) {
                Some(Ok(Some(seen))) => found.push(seen),
                Some(Err(())) => unborn.push(one.id),
                Some(Ok(None)) | None => still.push(one),
            }
        }
        asked = still;
    }
    unborn
}

fn show(layout: &Layout, id: &InstanceId) -> Shown {
    match connect_to(layout, id) {
        Ok(socket) => Shown::Asked(Asked {
            id: id.clone(),
            socket,
            inbox: Inbox::default(),
        }),
        // So many wait there already that nobody else is let in.
        Err(Errno::AGAIN) => Shown::Known(mute(layout, id)),
        Err(Errno::CONNREFUSED) => lost(layout, id).map_or(Shown::Nothing, Shown::Known),
        Err(_) => Shown::Nothing,
    }
}

/// Reads what one has said; `Err` where it has gone.
fn hear(one: &mut Asked) -> Result<Option<Seen>, ()> {
    let mut piece = [0; 4096];
    loop {
        match rustix::io::read(&one.socket, &mut piece) {
            Ok(0) => return Err(()),
            Ok(length) => one.inbox.feed(&piece[..length]),
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => return Ok(None),
            Err(_) => return Err(()),
        }
        match one.inbox.message() {
            Ok(Some(Told::Seen { seen, .. })) => return Ok(Some(seen)),
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Err(()),
        }
    }
}

fn mute(layout: &Layout, id: &InstanceId) -> Seen {
    let facts = Facts::read(layout, id);
    let known = facts.as_ref().map(|facts| facts.seen.clone());
    silent(id, known, facts.as_ref())
}

fn lost(layout: &Layout, id: &InstanceId) -> Option<Seen> {
    let facts = Facts::read(layout, id)?;
    Some(Seen {
        life: Life::Lost,
        ..facts.seen
    })
}
