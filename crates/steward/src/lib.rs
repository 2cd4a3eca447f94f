//! The daemon that watches and acts.
