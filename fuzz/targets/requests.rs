//! Any bytes, as what a visitor says: nothing of it is read in two ways or leaves its place.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| towpath_edge::fuzzing::requests(bytes));
