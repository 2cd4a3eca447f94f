//! Any bytes, as answers of an instance: in whatever pieces they come, they are read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| towpath_edge::fuzzing::answers(bytes));
