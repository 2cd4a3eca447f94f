//! The `towpath` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    towpath::run()
}
