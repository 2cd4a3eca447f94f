//! Nobody: the processes alone, all started at once. What this takes, nothing can be faster than.

use super::Peer;
use crate::outside::{Running, wait_for_silence};
use crate::place::Place;
use crate::{Miss, peer};
use std::path::PathBuf;
use std::process::Command;

/// The processes alone.
pub(crate) struct Bare {
    tiny: PathBuf,
    ports: Vec<u16>,
    running: Vec<Running>,
}

impl Bare {
    pub(crate) fn new(place: &Place, services: usize) -> Result<Bare, Miss> {
        Ok(Bare {
            tiny: place.tiny.clone(),
            ports: peer::ports(services)?,
            running: Vec::new(),
        })
    }
}

impl Peer for Bare {
    fn name(&self) -> String {
        "the processes alone".to_owned()
    }

    fn start(&mut self) -> Result<(), String> {
        for port in &self.ports {
            let running = Running::start(Command::new(&self.tiny).arg(port.to_string()))?;
            self.running.push(running);
        }
        Ok(())
    }

    fn ports(&self) -> &[u16] {
        &self.ports
    }

    fn stop(&mut self) -> Result<(), String> {
        self.running.clear();
        wait_for_silence(&self.ports)
    }
}
