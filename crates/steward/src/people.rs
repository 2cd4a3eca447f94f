//! Certificates of people, in the state of an environment: nobody has to look after it for them to be signed.

use crate::errors::told;
use crate::front::CERTIFICATES;
use std::path::Path;
use std::time::Duration;
use towpath_edge::people;
pub use towpath_edge::people::Issued;

/// Signs one, and writes it with its key into a file that is not there yet.
pub fn issue(state: &Path, person: &str, lasts: Duration, file: &Path) -> Result<Issued, String> {
    people::issue(&state.join(CERTIFICATES), person, lasts, file).map_err(|error| told(&error))
}

/// Those that were signed.
pub fn listed(state: &Path) -> Result<Vec<Issued>, String> {
    people::listed(&state.join(CERTIFICATES)).map_err(|error| told(&error))
}

/// Takes one back, by its serial number.
pub fn revoke(state: &Path, serial: &str) -> Result<Option<Issued>, String> {
    people::revoke(&state.join(CERTIFICATES), serial).map_err(|error| told(&error))
}
