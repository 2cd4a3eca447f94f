//! `honcho`: what reads a Procfile, in Python.

use super::{Peer, is_there};
use crate::outside::{Running, pause, run, wait_for_silence};
use crate::place::{Place, write};
use crate::{Miss, peer};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that is measured.
const VERSION: &str = "honcho==2.0.0";

/// honcho, with a Procfile.
pub(crate) struct Honcho {
    program: PathBuf,
    folder: PathBuf,
    ports: Vec<u16>,
    running: Option<Running>,
}

impl Honcho {
    pub(crate) fn new(place: &Place, services: usize) -> Result<Honcho, Miss> {
        let program = installed(&place.kept)?;
        let ports = peer::ports(services)?;
        let folder = place.product(&format!("honcho-{services}"))?;
        let lines: Vec<String> = ports
            .iter()
            .enumerate()
            .map(|(number, port)| format!("part{number}: exec {} {port}\n", place.tiny.display()))
            .collect();
        write(&folder, "Procfile", &lines.concat())?;
        Ok(Honcho {
            program,
            folder,
            ports,
            running: None,
        })
    }

    /// The process of honcho itself.
    pub(crate) fn pid(&self) -> Option<u32> {
        let running = self.running.as_ref()?;
        u32::try_from(running.pid()).ok()
    }
}

/// Fetches it into a folder of its own, after saying so.
fn installed(kept: &Path) -> Result<PathBuf, Miss> {
    let folder = kept.join("honcho");
    let program = folder.join("bin/honcho");
    if program.exists() {
        return Ok(program);
    }
    if !is_there("python3") {
        return Err(Miss::Lacks("python3 is missing".to_owned()));
    }
    println!("fetching {VERSION} from PyPI into {}\n", folder.display());
    let lacks = |why: String| Miss::Lacks(format!("honcho could not be fetched: {why}"));
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder)).map_err(lacks)?;
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", VERSION])).map_err(lacks)?;
    Ok(program)
}

impl Peer for Honcho {
    fn name(&self) -> String {
        "`honcho start`".to_owned()
    }

    fn start(&mut self) -> Result<(), String> {
        let running = Running::start(Command::new(&self.program).arg("start").current_dir(&self.folder))?;
        self.running = Some(running);
        Ok(())
    }

    fn ports(&self) -> &[u16] {
        &self.ports
    }

    fn stop(&mut self) -> Result<(), String> {
        if let Some(running) = self.running.take() {
            // Asked while it still starts, honcho waits for ever.
            pause(500);
            running.stop()?;
        }
        wait_for_silence(&self.ports)
    }
}
