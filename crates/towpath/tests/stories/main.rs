//! Stories: the real binary runs real products, and everything goes wrong that can.
#![allow(clippy::disallowed_methods, reason = "the real binary runs real processes")]

mod bots;
mod bounds;
mod calls;
mod certificates;
mod closing;
mod commands;
mod disks;
mod edges;
mod edits;
mod faults;
mod gates;
mod guards;
mod handed;
mod handovers;
mod hello;
mod judged;
mod kinds;
mod kit;
mod listening;
mod load;
mod mutual;
mod people;
mod pipelines;
mod programs;
mod releases;
mod resources;
mod secrets;
mod seeing;
mod serving;
mod sign_ins;
mod signing_out;
mod stewards;
mod telling;
