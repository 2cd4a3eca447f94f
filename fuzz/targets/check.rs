//! Any bytes, as manifests: checking them, and all that follows, neither panics nor blows up.
#![no_main]

#[path = "../../crates/towpath/tests/fuzzing/mod.rs"]
mod fuzzing;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzing::try_everything(bytes));
