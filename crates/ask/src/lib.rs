//! Gates that are asked where the product's folder is: commands, reports that commands write, and files that are weighed.
//!
//! What a report says is decided by `towpath_decide::gate::report`; here commands are run and files are read, and nothing
//! else. A command runs as it is typed in a shell, in the product's folder, in a process group of its own, of which nothing
//! is left when the question has its answer: what has left the group, too, where it had to be killed.
//!
//! **What is kept.** Lines are handed on as they come, with the values of secrets taken out; the last ones are evidence. Of a
//! report at most `towpath_decide::gate::report::MOST` bytes are read, and of a pattern at most `weigh::MOST` files weighed.
//!
//! **What is tried again.** A gate that runs something and fails is asked again as often as its `retries` say, each time with
//! all of its `timeout`. A gate that only reads would read the same again, and is asked once.

mod door;
mod lines;
mod once;
mod read;
mod run;
mod veil;
mod weigh;

#[cfg(test)]
mod tests;

pub use lines::Lines;
use once::once;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use towpath_decide::gate::in_folder;
use towpath_model::desired::gate::Gate;
use towpath_model::run::{Evidence, Found, Verdict};
use towpath_model::sealed::Sealed;
use veil::Veil;

/// Who hears the lines of commands.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Where gates are asked.
#[derive(Clone)]
pub struct Place {
    /// The product's folder: commands run in it, and paths begin there.
    pub folder: PathBuf,
    /// All of the environment that commands are started with, but for what is told them of the release.
    pub env: Vec<(String, Sealed<String>)>,
    /// Values that are taken out of every line and every answer.
    pub secrets: Vec<Sealed<String>>,
    /// The environment that the release comes to: `TOWPATH_ENVIRONMENT`.
    pub environment: String,
    /// The release: `TOWPATH_RELEASE`.
    pub release: String,
    /// Where the product can be reached, where it runs already: `TOWPATH_URL`.
    pub url: Option<String>,
    /// Where each component can be reached: `TOWPATH_URL_API`.
    pub urls: BTreeMap<String, String>,
    /// How many bytes of each component are taken into the release.
    pub weights: BTreeMap<String, u64>,
    /// The environment comes after no other: what is bad enough to keep a release from going on may come into it.
    pub is_first: bool,
    /// Who hears the lines of commands.
    pub say: Say,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("folder", &self.folder)
            .field("environment", &self.environment)
            .field("release", &self.release)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// The environment of a command, for one of what the gate runs against.
    fn variables(&self, gate: &str, over: Option<&str>) -> Vec<(String, Sealed<String>)> {
        let mut env = self.env.clone();
        let mut put = |name: &str, value: &str| env.push((name.to_owned(), Sealed::new(value.to_owned())));
        put("TOWPATH_GATE", gate);
        put("TOWPATH_ENVIRONMENT", &self.environment);
        put("TOWPATH_RELEASE", &self.release);
        if let Some(url) = &self.url {
            put("TOWPATH_URL", url);
        }
        for (component, url) in &self.urls {
            let name = component
                .to_uppercase()
                .replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
            put(&format!("TOWPATH_URL_{name}"), url);
        }
        if let Some(over) = over {
            put("TOWPATH_OVER", over);
        }
        env
    }
}

/// Asks a gate, for each of what it runs against one after the other. One that is not asked in a folder is left open.
pub async fn ask(gate: &Gate, name: &str, place: &Place) -> Found {
    if !in_folder(gate) {
        return Found {
            verdict: Verdict::Inconclusive("it is asked of what runs, and not in a folder".to_owned()),
            measured: None,
            bound: None,
            evidence: Vec::new(),
        };
    }
    let veil = Veil::over(&place.secrets);
    let found = match gate.over.as_slice() {
        [] => tried(gate, name, place, None, &veil).await,
        all => {
            let mut each = Vec::with_capacity(all.len());
            for over in all {
                (place.say)(&format!("over {over}"));
                each.push((over.as_str(), tried(gate, name, place, Some(over), &veil).await));
            }
            joined(each)
        }
    };
    veil.found(found)
}

/// Asks as often as it may fail and be asked again.
async fn tried(gate: &Gate, name: &str, place: &Place, over: Option<&str>, veil: &Veil) -> Found {
    let most = if once::runs(gate) { gate.retries } else { 0 };
    let mut tries = 0_u32;
    loop {
        let mut found = once(gate, name, place, over, veil).await;
        if !matches!(found.verdict, Verdict::Fail(_)) || tries == most {
            if tries > 0 {
                let words = found.measured.get_or_insert_default();
                words.push_str(&format!(", at try {} of {}", tries + 1, u64::from(most) + 1));
            }
            return found;
        }
        tries += 1;
        (place.say)(&format!("it failed, and is tried again ({tries} of {most})"));
    }
}

/// The answers for all of what a gate runs against as one: it fails where it fails for one of them.
fn joined(each: Vec<(&str, Found)>) -> Found {
    let mut whole = Found {
        verdict: Verdict::Pass,
        measured: None,
        bound: each.first().and_then(|(_, found)| found.bound.clone()),
        evidence: Vec::new(),
    };
    let mut words = Vec::new();
    let mut bad = Vec::new();
    for (over, found) in each {
        if let Verdict::Fail(why) = &found.verdict {
            bad.push(format!("{over}: {why}"));
        }
        if let Some(measured) = &found.measured {
            words.push(format!("{over}: {measured}"));
        }
        let named = |one: Evidence| Evidence {
            // What means something by its name keeps it.
            text: format!("over {over}\n{}", one.text),
            ..one
        };
        whole.evidence.extend(found.evidence.into_iter().map(named));
    }
    if !bad.is_empty() {
        whole.verdict = Verdict::Fail(bad.join("; "));
    }
    whole.measured = (!words.is_empty()).then(|| words.join("; "));
    whole
}
