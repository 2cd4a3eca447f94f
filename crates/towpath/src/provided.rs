//! Variables that have no value in the manifest and get one from a `.env` file beside it, as `up` takes them.

use crate::door::files::{self, Place};
use std::collections::BTreeSet;
use towpath_decide::launch::dotenv;
use towpath_manifest::Reading;
use towpath_model::code;
use towpath_model::desired::environment::Engine;
use towpath_model::finding::{Finding, Where};
use towpath_model::spec::Step;
use towpath_model::unit::Name;

/// The most bytes of a `.env` file that are read: it holds settings and keys, and no files.
const MOST: usize = 1024 * 1024;

/// Takes out of what was found that a variable has no value, wherever a file gives it one.
pub(crate) fn provided(place: &Place, reading: &Reading, findings: &mut Vec<Finding>) {
    if !findings.iter().any(|one| one.code == &code::VARIABLE_UNPROVIDED) {
        return;
    }
    let all = said(place, ".env");
    findings.retain_mut(|finding| {
        let (code, Where::Key(path)) = (finding.code, &finding.at) else {
            return true;
        };
        let variable = match path.steps().last() {
            Some(Step::Key(variable)) if code == &code::VARIABLE_UNPROVIDED => variable.clone(),
            _ => return true,
        };
        if reading.environments.is_empty() {
            return !all.contains(&variable);
        }
        let told: Vec<Name> = match finding.environments.as_slice() {
            [] => reading.environments.keys().cloned().collect(),
            some => some.to_vec(),
        };
        let is_missing = |name: &Name| {
            !runs_here(reading, name)
                || !(all.contains(&variable) || said(place, &format!(".env.{name}")).contains(&variable))
        };
        let missing: Vec<Name> = told.iter().filter(|name| is_missing(name)).cloned().collect();
        if missing.len() < told.len() {
            finding.environments.clone_from(&missing);
        }
        !missing.is_empty()
    });
}

/// Whether an environment is started from this folder. Whatever runs elsewhere knows nothing of its files.
fn runs_here(reading: &Reading, environment: &Name) -> bool {
    let desired = reading.environments.get(environment).map(|layer| &layer.desired);
    let own = desired.and_then(|desired| desired.environment.get(environment));
    own.is_none_or(|own| own.engine == Engine::Process)
}

/// The names that a file gives values. One that cannot be read gives none, and `up` says why.
fn said(place: &Place, name: &str) -> BTreeSet<String> {
    let bytes = files::bytes(&place.folder.join(name), MOST).ok().flatten();
    let text = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let entries = dotenv::parse(&text).entries.into_iter();
    entries.map(|entry| entry.name).collect()
}
