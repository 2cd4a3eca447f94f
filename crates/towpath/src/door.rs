//! The doors to the outside: files, git, the terminal. Everything behind them is handed in as a value.

pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod kept;
pub(crate) mod person;
pub(crate) mod terminal;
