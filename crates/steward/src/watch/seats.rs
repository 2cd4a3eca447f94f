//! Which folders the kernel watches, and for whom.
//!
//! A folder has one watch, but may be seen from several places: roots lie in each other, and links lead to what is watched
//! by another name, too. Each of these is a seat; the watch ends with its last one.

use crate::door::notices::{self, Notice, Notices};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Who looks at a folder, and by what name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    /// The place of the root among all.
    pub(crate) root: usize,
    /// The folder, as this root names it.
    pub(crate) folder: PathBuf,
    /// The folder only leads to the root: nothing in it counts but the way.
    pub(crate) is_way: bool,
}

/// The watched folders.
#[derive(Debug)]
pub(crate) struct Seats {
    notices: Notices,
    taken: HashMap<i32, Vec<Seat>>,
    most: usize,
    refused: usize,
}

/// What was told of a seat.
#[derive(Debug)]
pub(crate) enum Told {
    /// Something happened to a name in the folder of this seat.
    Name(Seat, PathBuf, bool),
    /// The folder of this seat is not what it was.
    Itself(Seat),
    /// Not everything was told.
    Overflow,
}

impl Seats {
    /// Opens the kernel's queue. No more than so many folders are watched.
    pub(crate) fn open(most: usize) -> io::Result<Self> {
        Ok(Seats {
            notices: Notices::open()?,
            taken: HashMap::new(),
            most,
            refused: 0,
        })
    }

    /// The kernel's queue itself.
    pub(crate) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Takes a seat, if the machine allows one more.
    pub(crate) fn take(&mut self, root: usize, folder: &Path, is_way: bool) -> Option<i32> {
        let watched = self.notices.watch(folder);
        let watch = match watched {
            Ok(watch) if self.taken.len() >= self.most && !self.taken.contains_key(&watch) => {
                self.notices.unwatch(watch);
                self.refused += 1;
                return None;
            }
            Ok(watch) => watch,
            Err(error) => {
                self.refused += usize::from(error.kind() == io::ErrorKind::StorageFull);
                return None;
            }
        };
        let seats = self.taken.entry(watch).or_default();
        let seat = Seat {
            root,
            folder: folder.to_owned(),
            is_way,
        };
        if !seats.contains(&seat) {
            seats.push(seat);
        }
        Some(watch)
    }

    /// Gives a seat back.
    pub(crate) fn leave(&mut self, root: usize, folder: &Path, is_way: bool, watch: i32) {
        let Some(seats) = self.taken.get_mut(&watch) else {
            return;
        };
        seats.retain(|seat| seat.root != root || seat.is_way != is_way || seat.folder != folder);
        if seats.is_empty() {
            self.taken.remove(&watch);
            self.notices.unwatch(watch);
        }
    }

    /// What was told since the last time, seat by seat.
    pub(crate) fn told(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        for notice in self.notices.drain() {
            match notice {
                Notice::Overflow => told.push(Told::Overflow),
                Notice::Gone(watch) => {
                    let seats = self.taken.remove(&watch).unwrap_or_default();
                    told.extend(seats.into_iter().map(Told::Itself));
                }
                Notice::Itself(watch) => {
                    told.extend(
                        self.taken
                            .get(&watch)
                            .into_iter()
                            .flatten()
                            .cloned()
                            .map(Told::Itself),
                    );
                }
                Notice::Name {
                    watch,
                    name,
                    is_folder,
                } => {
                    let seats = self.taken.get(&watch).into_iter().flatten();
                    told.extend(
                        seats.map(|seat| Told::Name(seat.clone(), seat.folder.join(&name), is_folder)),
                    );
                }
            }
        }
        told
    }

    /// How many folders are watched.
    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }

    /// What to tell and to type when folders could not be watched since the last time.
    pub(crate) fn refused(&mut self) -> Option<String> {
        let refused = std::mem::take(&mut self.refused);
        (refused > 0).then(|| limit_reached(refused, self.len(), notices::most_watches()))
    }
}

/// What a person reads when the kernel watches no more folders, with what to type.
fn limit_reached(refused: usize, watched: usize, most: Option<u64>) -> String {
    let most = most.unwrap_or(8192);
    let needed = (watched + refused) as u64;
    let enough = (needed.max(most) * 2).max(524_288).next_power_of_two();
    format!(
        "changes in {refused} folders are not seen: this machine watches at most {most} for one person \
         (fs.inotify.max_user_watches), and {watched} of them are in use here\n\
         type `sudo sysctl fs.inotify.max_user_watches={enough}`; to keep it, \
         `echo fs.inotify.max_user_watches={enough} | sudo tee /etc/sysctl.d/60-towpath.conf`; \
         or name fewer folders in `watch`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reached_limit_says_what_to_type() {
        assert_eq!(
            limit_reached(40, 8192, Some(8192)).lines().nth(1).unwrap(),
            "type `sudo sysctl fs.inotify.max_user_watches=524288`; to keep it, `echo \
             fs.inotify.max_user_watches=524288 | sudo tee /etc/sysctl.d/60-towpath.conf`; or name fewer folders in \
             `watch`"
        );
        assert!(limit_reached(1, 600_000, Some(600_000)).contains("max_user_watches=2097152`"));
    }
}
