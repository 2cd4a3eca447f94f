//! Any bytes, as a table of routes and questions to it: the answer is that of somebody who reads all lines.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| towpath_edge::fuzzing::routes(bytes));
