//! The doors to the outside: files, git, the terminal, processes, signals, the clock. Everything behind them is handed in
//! as a value.

pub(crate) mod clock;
pub(crate) mod elsewhere;
pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod kept;
pub(crate) mod keys;
pub(crate) mod live;
pub(crate) mod machine;
pub(crate) mod person;
pub(crate) mod processes;
pub(crate) mod requests;
pub(crate) mod server;
pub(crate) mod signals;
pub(crate) mod state;
pub(crate) mod terminal;
