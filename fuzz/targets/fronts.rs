//! Any bytes, as the first of a connection: who is in front is understood in one way, however many have come.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| towpath_edge::fuzzing::fronts(bytes));
