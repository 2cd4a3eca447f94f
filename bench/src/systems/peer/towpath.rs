//! Ourselves: `towpath up`, as a person types it.

use super::Peer;
use crate::known::{Run, System};
use crate::outside::run;
use crate::part::{Address, Part};
use crate::place::Place;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use towpath_api::{Component, Status};

/// A product of ours, in a folder of its own. It is taken down when this goes out of use.
pub(crate) struct Towpath {
    program: PathBuf,
    /// Where the authority of this person is kept.
    home: PathBuf,
    folder: PathBuf,
    system: &'static System,
}

impl Towpath {
    pub(crate) fn new(place: &Place, system: &'static System) -> Towpath {
        Towpath {
            program: place.towpath.clone(),
            home: place.folder.join("home"),
            folder: place.folder.join("towpath").join(system.name),
            system,
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(words[0])
            .arg(&self.folder)
            .args(&words[1..])
            .env("XDG_DATA_HOME", &self.home);
        command
    }

    fn status(&self) -> Result<Status, String> {
        let text = run(&mut self.command(&["status", "--json"]))?;
        serde_json::from_str(&text).map_err(|why| format!("towpath status --json: {why}"))
    }

    /// Every component with where it is asked, and what it was given.
    pub(crate) fn learn(&self) -> Result<Vec<Part>, String> {
        let mut parts = self.parts()?;
        for part in &mut parts {
            if let Run::Program(_) = part.known.run {
                let text = run(&mut self.command(&["run", part.known.name, "--", "env", "-0"]))?;
                let pairs = text.split('\0').filter_map(|line| line.split_once('='));
                part.env = pairs
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
            }
        }
        Ok(parts)
    }

    fn parts(&self) -> Result<Vec<Part>, String> {
        let status = self.status()?;
        let plain = status.steward.as_ref().and_then(|steward| steward.http);
        let parts = self.system.parts.iter().map(|known| {
            let one = status.components.iter().find(|one| one.name == known.name);
            let one = one.ok_or_else(|| format!("{} is not there", known.name))?;
            Ok(Part {
                known,
                at: address(one, plain),
                env: BTreeMap::new(),
            })
        });
        parts.collect()
    }
}

/// Where it is asked: from inside, or else as visitors do.
fn address(one: &Component, plain: Option<u16>) -> Option<Address> {
    let port = |url: &str| url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    if let Some(port) = one.inside.as_deref().and_then(port) {
        return Some(Address::of(port));
    }
    let host = one.url.as_deref()?.split("://").nth(1)?.split(':').next()?;
    Some(Address {
        port: plain?,
        host: host.to_owned(),
    })
}

impl Peer for Towpath {
    fn forget(&mut self) -> Result<(), String> {
        run(&mut self.command(&["down", "--delete-data", "--yes"])).map(drop)
    }

    fn start(&mut self) -> Result<(), String> {
        run(&mut self.command(&["up", "--detach", "--yes"]))?;
        let mut parts = self.parts()?;
        // What says by a command that it is well was asked so by the steward, in its own surroundings.
        parts.retain(|part| part.at.is_some());
        parts.iter().try_for_each(|part| part.wait(&self.folder))
    }

    fn stop(&mut self) -> Result<(), String> {
        run(&mut self.command(&["down"])).map(drop)
    }
}

impl Drop for Towpath {
    fn drop(&mut self) {
        let _ = run(&mut self.command(&["down", "--now"]));
    }
}
