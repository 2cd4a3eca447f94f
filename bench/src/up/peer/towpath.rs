//! Ourselves: `towpath up`, as a person types it.

use super::Peer;
use crate::outside::{BOUND, Running, run, wait_for, wait_for_silence};
use crate::place::{Place, write};
use crate::{Miss, peer};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use towpath_api::Status;
use towpath_model::run::State;

/// A product of ours, in a folder of its own. It is taken down when this goes out of use.
pub(crate) struct Towpath {
    program: PathBuf,
    pub(crate) folder: PathBuf,
    ports: Vec<u16>,
    running: Option<Running>,
}

impl Towpath {
    /// One of so many services.
    pub(crate) fn new(place: &Place, count: usize) -> Result<Towpath, Miss> {
        let ports = peer::ports(count)?;
        let text = services(&place.tiny.display().to_string(), &ports);
        let mut made = Towpath::of(place, &format!("towpath-{count}"), &text)?;
        made.ports = ports;
        Ok(made)
    }

    /// One with a manifest.
    pub(crate) fn of(place: &Place, name: &str, manifest: &str) -> Result<Towpath, Miss> {
        let Some(program) = place.towpath.clone() else {
            return Err(Miss::Lacks("towpath is not measured with --peers".to_owned()));
        };
        let folder = place.product(name)?;
        write(&folder, "towpath.toml", manifest)?;
        Ok(Towpath {
            program,
            folder,
            ports: Vec::new(),
            running: None,
        })
    }

    /// The program, without a word.
    pub(crate) fn bare(&self) -> Command {
        Command::new(&self.program)
    }

    pub(crate) fn command(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(word).arg(&self.folder);
        command
    }

    /// What a person types who wants to be sure that all of it runs.
    pub(crate) fn up(&self) -> Command {
        let mut command = self.command("up");
        command.args(["--detach", "--yes"]);
        command
    }

    pub(crate) fn status(&self) -> Result<Status, String> {
        let text = run(self.command("status").arg("--json"))?;
        serde_json::from_str(&text).map_err(|why| format!("towpath status --json: {why}"))
    }

    /// The process of its steward.
    pub(crate) fn steward(&self) -> Result<u32, String> {
        let steward = self.status()?.steward;
        steward
            .map(|steward| steward.pid)
            .ok_or_else(|| "there is no steward".to_owned())
    }

    /// Waits until so many components are well.
    pub(crate) fn wait_until_well(&self, count: usize) -> Result<(), String> {
        wait_for(&format!("that {count} components are well"), BOUND, || {
            self.status().is_ok_and(|status| {
                let well = |state: State| state.is_well();
                status.components.iter().filter(|one| well(one.state)).count() >= count
            })
        })
    }
}

/// The manifest of a product of services, each on a port of its own.
fn services(tiny: &str, ports: &[u16]) -> String {
    let mut text = String::from("product = \"bench\"\n\n[environment.dev]\n");
    for (number, port) in ports.iter().enumerate() {
        let _ = write!(
            text,
            "\n[service.part-{number}]\nrun = \"{tiny} {port}\"\nport = {port}\npublic = true\nhealth = \"/\"\n"
        );
    }
    text
}

impl Peer for Towpath {
    fn name(&self) -> String {
        "`towpath up --detach`".to_owned()
    }

    fn start(&mut self) -> Result<(), String> {
        self.running = Some(Running::start(&mut self.up())?);
        Ok(())
    }

    fn ports(&self) -> &[u16] {
        &self.ports
    }

    fn stop(&mut self) -> Result<(), String> {
        if let Some(mut running) = self.running.take()
            && !running.wait()?
        {
            return Err("towpath up ended badly".to_owned());
        }
        run(&mut self.command("down"))?;
        wait_for_silence(&self.ports)
    }
}

impl Drop for Towpath {
    fn drop(&mut self) {
        // Where it has gone already, this does nothing.
        let _ = run(&mut self.command("down"));
    }
}
