//! Who the server is: Postgres refuses to run as root.
//!
//! An ordinary user just runs it. Root has three ways. A user can be found who may pass through every folder above: the one
//! called `postgres`, or whoever owns the folder above, and the server is that user from then on. Where there is none,
//! because state is kept in folders that only root may enter, we stay who we are and are only *called* somebody else, in a
//! namespace of users of our own: everything on the disk stays root's. What has been made one way is kept that way.

use crate::ResourceError;
use crate::door::files;
use crate::door::person::{self, User};
use std::path::Path;

/// Names by which root may be called, the fitting one first. The server looks its own name up, so it has to exist.
const NAMES: &[&str] = &["postgres", "daemon", "bin", "nobody"];

/// Who the server is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// Who we are.
    Us,
    /// A user, who is given the folder.
    User(User),
    /// Us, under the name of another one.
    Called(User),
}

/// Becomes whom the server of a folder is to be. What it keeps, where there is some, says who it was before.
pub(super) fn take_on(folder: &Path, kept: &Path) -> Result<(), ResourceError> {
    match identity(folder, kept)? {
        Identity::Us => Ok(()),
        Identity::User(user) => {
            let doing = ResourceError::files("giving it to the user of the server", folder);
            files::give(folder, user.id, user.group)
                .and_then(|()| person::become_user(user))
                .map_err(doing)
        }
        Identity::Called(user) => {
            // It may have been given away, and nothing have come of it.
            files::give(folder, 0, 0).map_err(ResourceError::files("taking it back", folder))?;
            person::be_called(user).map_err(|refusal| ResourceError::Root {
                folder: folder.display().to_string(),
                why: format!("a namespace of users was refused ({refusal})"),
            })
        }
    }
}

fn identity(folder: &Path, kept: &Path) -> Result<Identity, ResourceError> {
    let named = || folder.display().to_string();
    let us = person::us();
    let owner = files::owner(kept).map(|(owner, ..)| owner);
    let candidates = || {
        let above = folder.ancestors().skip(1);
        let mut owners = above.filter_map(|folder| files::owner(folder).map(|(owner, ..)| owner));
        let owner = owners.find(|owner| *owner != 0).and_then(person::numbered);
        person::named("postgres").into_iter().chain(owner).collect()
    };
    let called = || NAMES.iter().find_map(|name| person::named(name));
    let open = |user: &User| blocked(folder, *user).is_none();
    match decide(us, owner, candidates, open, called, person::numbered) {
        Ok(identity) => {
            if let Identity::Called(_) = identity
                && let Some(closed) = blocked(folder, User { id: 0, group: 0 })
            {
                return Err(ResourceError::Root {
                    folder: named(),
                    why: format!("{closed} is closed to everybody but its owner"),
                });
            }
            Ok(identity)
        }
        Err(Wrong::Owner(owner)) => Err(ResourceError::Owner {
            folder: named(),
            owner,
            us,
        }),
        Err(Wrong::Nobody) => Err(ResourceError::Root {
            folder: named(),
            why: "there is no user whose name the server could have".to_owned(),
        }),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    Owner(u32),
    Nobody,
}

/// Who it is to be, by who we are and whose the cluster is that is there.
fn decide(
    us: u32,
    owner: Option<u32>,
    candidates: impl FnOnce() -> Vec<User>,
    open: impl Fn(&User) -> bool,
    called: impl FnOnce() -> Option<User>,
    numbered: impl FnOnce(u32) -> Option<User>,
) -> Result<Identity, Wrong> {
    if us != 0 {
        return match owner {
            Some(owner) if owner != us => Err(Wrong::Owner(owner)),
            _ => Ok(Identity::Us),
        };
    }
    let called = || called().map(Identity::Called).ok_or(Wrong::Nobody);
    match owner {
        Some(0) => called(),
        Some(owner) => numbered(owner)
            .filter(|user| open(user))
            .map(Identity::User)
            .ok_or(Wrong::Owner(owner)),
        None => match candidates().into_iter().find(|user| open(user)) {
            Some(user) => Ok(Identity::User(user)),
            None => called(),
        },
    }
}

/// The folder above through which a user may not pass.
fn blocked(folder: &Path, user: User) -> Option<String> {
    let closed = |above: &&Path| {
        files::owner(above).is_none_or(|(owner, group, mode)| {
            let bit = if owner == user.id {
                0o100
            } else if group == user.group {
                0o010
            } else {
                0o001
            };
            mode & bit == 0
        })
    };
    let mut above = folder
        .ancestors()
        .skip(1)
        .filter(|path| !path.as_os_str().is_empty());
    above.find(closed).map(|path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: User = User { id: 101, group: 104 };

    fn decided(us: u32, owner: Option<u32>, open: bool, known: bool) -> Result<Identity, Wrong> {
        let user = |_| known.then_some(SERVER);
        decide(
            us,
            owner,
            || vec![SERVER],
            |_| open,
            || known.then_some(SERVER),
            user,
        )
    }

    #[test]
    fn an_ordinary_user_runs_what_is_its_own() {
        assert_eq!(decided(1000, None, false, true), Ok(Identity::Us));
        assert_eq!(decided(1000, Some(1000), false, true), Ok(Identity::Us));
        assert_eq!(decided(1000, Some(0), false, true), Err(Wrong::Owner(0)));
    }

    #[test]
    fn root_is_somebody_who_may_enter_or_is_called_so() {
        assert_eq!(decided(0, None, true, true), Ok(Identity::User(SERVER)));
        assert_eq!(decided(0, None, false, true), Ok(Identity::Called(SERVER)));
        assert_eq!(decided(0, None, false, false), Err(Wrong::Nobody));
    }

    #[test]
    fn what_was_made_one_way_is_kept_that_way() {
        assert_eq!(decided(0, Some(0), true, true), Ok(Identity::Called(SERVER)));
        assert_eq!(decided(0, Some(101), true, true), Ok(Identity::User(SERVER)));
        assert_eq!(decided(0, Some(101), false, true), Err(Wrong::Owner(101)));
        assert_eq!(decided(0, Some(4711), true, false), Err(Wrong::Owner(4711)));
    }
}
