//! What a team would write for the same product: a Procfile for honcho, and a script for each of its lines.
//!
//! Every program has what Towpath gave it, and its address inside is its port. Each waits for the stores; the script of
//! the database waits until it answers, and runs what has not run yet by `psql`.

use super::Peer;
use crate::known::{Run, System};
use crate::outside::{Running, pause, run};
use crate::part::{Address, Part};
use crate::place::{Place, script};
use crate::store;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A product, started by honcho.
pub(crate) struct Honcho {
    folder: PathBuf,
    /// Where the programs are built: in one place for both, so that neither undoes what the other one has built.
    sources: PathBuf,
    program: PathBuf,
    system: &'static System,
    parts: Vec<Part>,
    running: Option<Running>,
}

impl Honcho {
    pub(crate) fn new(place: &Place, system: &'static System, learned: &[Part]) -> Result<Honcho, String> {
        let folder = place.folder.join("honcho").join(system.name);
        let mut procfile = store::scripts(&folder, system, learned)?;
        let mut parts = Vec::new();
        for part in learned {
            let name = part.known.name;
            let port = part.at.as_ref().map(|at| at.port);
            script(&folder, &format!("run-{name}"), &text(part, port))?;
            let _ = writeln!(procfile, "{name}: exec ./run-{name}");
            parts.push(Part {
                known: part.known,
                at: port.map(Address::of),
                env: part.env.clone(),
            });
        }
        fs::write(folder.join("Procfile"), procfile).map_err(|why| why.to_string())?;
        Ok(Honcho {
            folder,
            sources: place.folder.join("towpath"),
            program: place.honcho.clone(),
            system,
            parts,
            running: None,
        })
    }
}

/// The script that starts a component.
fn text(part: &Part, port: Option<u16>) -> String {
    let mut text = String::from("#!/bin/sh\n");
    for (name, value) in &part.env {
        let value = value.replace('\'', "'\\''");
        let _ = writeln!(text, "export {name}='{value}'");
    }
    if let Some(port) = port {
        let _ = writeln!(text, "export PORT={port}");
    }
    let port = port.unwrap_or_default();
    match part.known.run {
        Run::StandIn(program) => {
            let _ = writeln!(text, "exec ../target/debug/{program}");
        }
        Run::Program(program) => {
            let _ = writeln!(
                text,
                "until [ -e ready ]; do sleep 0.05; done\nexec ../target/debug/{program}"
            );
        }
        Run::Files(folder) => {
            let _ = writeln!(
                text,
                "exec python3 -m http.server --bind 127.0.0.1 --directory {folder} $PORT # {port}"
            );
        }
    }
    text
}

impl Peer for Honcho {
    fn forget(&mut self) -> Result<(), String> {
        run(Command::new("rm")
            .args(["-rf", "postgres", "redis", "bucket", "ran", "state"])
            .current_dir(&self.folder))
        .map(drop)
    }

    fn start(&mut self) -> Result<(), String> {
        // As somebody types it who wants to run what is written: built, then started.
        let line = format!(
            "(cd {} && cargo build --quiet --locked --package {}) && rm -f ready && exec {} start",
            self.sources.display(),
            self.system.name,
            self.program.display()
        );
        let mut command = Command::new("sh");
        command.args(["-c", &line]).current_dir(&self.folder);
        self.running = Some(Running::start(&mut command)?);
        self.parts.iter().try_for_each(|part| part.wait(&self.folder))
    }

    fn stop(&mut self) -> Result<(), String> {
        if let Some(running) = self.running.take() {
            // Asked while it still starts, honcho waits for ever.
            pause(300);
            running.stop()?;
        }
        Ok(())
    }
}
