//! The doors to the outside: files and the clock. Everything behind them is handed in as a value.

pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod lines;
pub(crate) mod sockets;
