//! A command that has to end with 0.

use super::outcome::{Ended, lines, measured, passed, stopped};
use towpath_model::run::Found;

/// What the end of a command says.
pub fn command(run: &str, ended: &Ended) -> Found {
    if !ended.exit.is_success() {
        return stopped(run, ended);
    }
    passed(measured(ended), "a command that ends with 0", lines(run, ended))
}
