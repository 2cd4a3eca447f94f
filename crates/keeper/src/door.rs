//! The doors to the outside: files, cgroups, other processes, the clock.

pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod groups;
pub(crate) mod log;
mod proc;

pub(crate) use disk::{argument, open_null};
pub(crate) use proc::{boot, children, session_members, started_at, used_below};
