//! Why a component is as it is, and why something is done to it.

use crate::hours::Turn;
use jiff::Timestamp;
use std::fmt;
use towpath_model::run::{Exit, State};
use towpath_model::unit::Name;

/// Why a component is as it is, and why something is done to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Because {
    /// As many instances as are wanted are well.
    Well(u32),
    /// It serves its files.
    Serves,
    /// The folder that it serves is not there.
    NoFolder(String),
    /// It is packed.
    Packed,
    /// So many instances are wanted.
    Wanted(u32),
    /// More instances run than are wanted.
    TooMany,
    /// What it is started from has changed.
    Changed,
    /// Its successor has taken over, or cannot stand beside it.
    Replaced,
    /// It has ended and is of no more use.
    Over,
    /// It is not in the manifest.
    NotWanted,
    /// The whole product goes down.
    Down,
    /// Those that need it go first.
    UsersFirst,
    /// A person has stopped it.
    StoppedByPerson,
    /// A person wants none of it.
    NoneWanted,
    /// Nobody has asked for it.
    Sleeps,
    /// Its schedule wants none of it until then, or never.
    OffHours(Option<Box<Turn>>),
    /// Its schedule wants so many instances: the window, or none where they are the fewest that it may have.
    Scheduled(u32, Option<String>),
    /// It is so, and its schedule wants another number from then on.
    InHours(Box<Because>, Box<Turn>),
    /// It is so, and a person wants so many until its schedule holds again.
    ByHand(Box<Because>, Timestamp),
    /// It is being built.
    Builds,
    /// Its build failed.
    BuildFailed(String),
    /// Its build failed, and what was built before runs on.
    BuildFailedButRuns(String),
    /// What it needs is not well.
    WaitsFor(Vec<(Name, Option<State>)>),
    /// It runs, and has not answered yet.
    NotWellYet,
    /// It has not answered in the time that it had.
    Late(String),
    /// It was well, and does not answer any more.
    NoAnswer(String),
    /// Its schema could not be moved, or it could not be filled: the whole sentence for it.
    Unfilled(String),
    /// It ended, and is started again.
    StartsAgain(Exit),
    /// It ends again and again.
    Loops(Exit),
    /// It ended, and stays so.
    Ended(Exit),
    /// Somebody else listens on its port.
    PortTaken(u16),
    /// It could not be started.
    CannotStart(String),
    /// Its keeper was killed.
    KeeperLost,
    /// Its keeper lives and does not answer; its process, where that is known.
    KeeperSilent(Option<u32>),
    /// It is a job, and due.
    Due,
    /// It is a job without a time, and has not run since the product came up.
    Once,
    /// It is a job whose run failed: it is tried for the so-many-th of so many times.
    Retry(u32, u32),
    /// It is a job, and runs.
    Runs,
    /// It is a job whose last run failed: why, and what comes next.
    RunFailed(Box<Because>, After),
    /// It is a job that runs next at a time.
    NextRun(Timestamp),
    /// It is a job that ended well.
    EndedWell,
    /// It is a job without a time.
    RunsWhenAsked,
    /// A person wants it to be restarted.
    RestartedByPerson,
    /// Its files have changed.
    FilesChanged(String),
    /// So many of so many are well, and why not the others.
    Some(u32, u32, Box<Because>),
}

/// What comes after a run of a job that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The same run is tried again at a time.
    Try(Timestamp),
    /// Its next run is due at a time.
    Run(Timestamp),
    /// Nothing, until somebody asks.
    Nothing,
}

impl Because {
    /// The sentence for it, with times as somebody wants to read them.
    pub fn told(&self, time: &dyn Fn(Timestamp) -> String) -> String {
        match self {
            Because::NextRun(at) => format!("it runs next at {}", time(*at)),
            Because::OffHours(Some(turn)) => format!(
                "it sleeps until {} (schedule {}); `towpath start` wakes it before",
                time(turn.at),
                turn.of
            ),
            Because::InHours(because, turn) => {
                let because = because.told(time);
                let Turn { at, instances, of } = &**turn;
                let then = match instances {
                    0 => "it sleeps".to_owned(),
                    count => wanted(*count),
                };
                format!("{because}; from {} on {then} (schedule {of})", time(*at))
            }
            Because::ByHand(because, until) => {
                let because = because.told(time);
                let until = time(*until);
                format!("{because}; that was asked for by hand, and from {until} on its schedule holds again")
            }
            Because::RunFailed(why, after) => {
                let why = match &**why {
                    Because::Ended(exit) => exit.to_string(),
                    why => why.to_string(),
                };
                let after = match after {
                    After::Try(at) => format!("it is tried again at {}", time(*at)),
                    After::Run(at) => format!("it runs next at {}", time(*at)),
                    After::Nothing => "`towpath start` runs it again".to_owned(),
                };
                format!("its last run failed: {why}; {after}")
            }
            because => because.to_string(),
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Well(1) => f.write_str("it is well"),
            Because::Well(count) => write!(f, "all {count} instances are well"),
            Because::Serves => f.write_str("its files are there"),
            Because::NoFolder(folder) => write!(
                f,
                "there is no folder {folder}; make it, or let `files` name one that is there"
            ),
            Because::Packed => f.write_str("it is packed"),
            Because::Wanted(count) => f.write_str(&wanted(*count)),
            Because::TooMany => f.write_str("fewer instances are wanted"),
            Because::Changed => f.write_str("what it is started from has changed"),
            Because::Replaced => f.write_str("it was started from something that has changed since"),
            Because::Over => f.write_str("it has ended"),
            Because::NotWanted => f.write_str("it is not in the manifest any more"),
            Because::Down => f.write_str("the product goes down"),
            Because::UsersFirst => f.write_str("those that need it stop first"),
            Because::StoppedByPerson => {
                f.write_str("it was stopped by hand; `towpath start` starts it again")
            }
            Because::NoneWanted => {
                f.write_str("no instance of it is wanted; `towpath scale` says how many are")
            }
            Because::Sleeps => f.write_str("nobody asks for it; the first request wakes it"),
            Because::Builds => f.write_str("it is being built"),
            Because::BuildFailed(why) => write!(f, "its build failed: {why}"),
            Because::BuildFailedButRuns(why) => {
                write!(f, "its build failed, and what was built before runs on: {why}")
            }
            Because::WaitsFor(needs) => {
                let needs: Vec<String> = needs.iter().map(need).collect();
                write!(f, "it waits for {}", needs.join(" and "))
            }
            Because::NotWellYet => f.write_str("it has been started and does not answer yet"),
            Because::Late(why) => write!(f, "it has not become well in the time that it has: {why}"),
            Because::NoAnswer(why) => write!(f, "it was well and is not any more: {why}"),
            Because::Unfilled(why) => f.write_str(why),
            Because::StartsAgain(exit) => write!(f, "it is started again: {exit}"),
            Because::Loops(exit) => write!(f, "it ends again and again: {exit}"),
            Because::Ended(exit) => write!(f, "it has ended and stays so: {exit}"),
            Because::PortTaken(port) => write!(f, "another program listens on its port {port}"),
            Because::CannotStart(why) => write!(f, "it could not be started: {why}"),
            Because::KeeperLost => f.write_str("its keeper was killed, and it with it"),
            Because::KeeperSilent(Some(keeper)) => write!(
                f,
                "its keeper (process {keeper}) does not answer; `kill -CONT {keeper}` wakes one that was stopped, and \
                 `towpath restart` ends it with all that it keeps"
            ),
            Because::KeeperSilent(None) => {
                f.write_str("its keeper does not answer; `towpath restart` ends it with all that it keeps")
            }
            Because::Due => f.write_str("it is its time"),
            Because::Once => f.write_str("it runs once, when the product comes up"),
            Because::Retry(time, of) => write!(f, "its last run failed: try {time} of {of}"),
            Because::Runs => f.write_str("it runs"),
            Because::OffHours(None) => {
                f.write_str("its schedule never wants any of it; `towpath start` starts it all the same")
            }
            Because::Scheduled(count, window) => {
                let many = match count {
                    0 => "none now".to_owned(),
                    1 => "one instance".to_owned(),
                    count => format!("{count} instances"),
                };
                write!(f, "its schedule wants {many}")?;
                window.iter().try_for_each(|window| write!(f, " ({window})"))
            }
            Because::OffHours(Some(_))
            | Because::InHours(..)
            | Because::ByHand(..)
            | Because::NextRun(_)
            | Because::RunFailed(..) => f.write_str(&self.told(&|at| format!("{at:.0}"))),
            Because::EndedWell => f.write_str("it ended well"),
            Because::RunsWhenAsked => f.write_str("it has no time of its own; `towpath start` runs it again"),
            Because::RestartedByPerson => f.write_str("it was restarted by hand"),
            Because::FilesChanged(which) => write!(f, "{which} has changed"),
            Because::Some(well, wanted, why) => write!(f, "{well} of {wanted} instances are well; {why}"),
        }
    }
}

fn wanted(count: u32) -> String {
    match count {
        1 => "one instance is wanted".to_owned(),
        count => format!("{count} instances are wanted"),
    }
}

fn need((name, state): &(Name, Option<State>)) -> String {
    match state {
        Some(state) => format!("`{name}`, which is {state}"),
        None => format!("`{name}`, which is not there"),
    }
}
