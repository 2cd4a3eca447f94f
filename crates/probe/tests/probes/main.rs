//! Synthetic users against real servers, good ones and bad ones.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "these tests start real servers")]

mod commands;
mod encrypted;
mod kit;
mod requests;
mod sockets;
mod stores;
