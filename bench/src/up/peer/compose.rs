//! `docker-compose`: containers from one file, by a daemon of their own that is stopped afterwards.

use super::{Peer, is_there};
use crate::outside::{BOUND, Running, run, wait_for, wait_for_silence};
use crate::place::{Place, write};
use crate::{Miss, peer};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A daemon of our own: its images, its state and its socket lie in our folder.
pub(crate) struct Engine {
    socket: String,
    running: Option<Running>,
}

impl Engine {
    pub(crate) fn start(place: &Place) -> Result<Engine, Miss> {
        let missing = ["dockerd", "docker-compose"]
            .into_iter()
            .find(|name| !is_there(name));
        if let Some(missing) = missing {
            return Err(Miss::Lacks(format!(
                "{missing} is missing; as root: apt-get install docker.io docker-compose"
            )));
        }
        if fs::metadata("/proc/self").map_or(0, |ours| ours.uid()) != 0 {
            return Err(Miss::Lacks("dockerd wants to be started by root".to_owned()));
        }
        let folder = place.product("dockerd")?;
        let socket = folder.join("socket");
        // The firewall of this machine stays as it is: published ports are passed on by docker's own proxy.
        let mut command = Command::new("dockerd");
        command
            .args([
                "--bridge=none",
                "--iptables=false",
                "--ip-forward=false",
                "--ip-masq=false",
            ])
            .arg("--data-root")
            .arg(folder.join("images"))
            .arg("--exec-root")
            .arg(folder.join("state"))
            .arg("--pidfile")
            .arg(folder.join("pid"))
            .arg(format!("--host=unix://{}", socket.display()));
        let engine = Engine {
            running: Some(Running::start(&mut command)?),
            socket: format!("unix://{}", socket.display()),
        };
        let listens = || std::os::unix::net::UnixStream::connect(&socket).is_ok();
        wait_for("the socket of dockerd", BOUND, listens)
            .map_err(|why| Miss::Lacks(format!("dockerd does not run here: {why}")))?;
        Ok(engine)
    }

    pub(crate) fn compose(&self, folder: &Path) -> Command {
        let mut command = Command::new("docker-compose");
        command.current_dir(folder).env("DOCKER_HOST", &self.socket);
        command
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // Asked, it takes its containers, networks and mounts with it.
            let _ = running.stop();
        }
    }
}

/// docker-compose, with a file.
pub(crate) struct Compose {
    engine: Engine,
    folder: PathBuf,
    ports: Vec<u16>,
    running: Option<Running>,
}

impl Compose {
    pub(crate) fn new(place: &Place, services: usize) -> Result<Compose, Miss> {
        let engine = Engine::start(place)?;
        let ports = peer::ports(services)?;
        let folder = place.product(&format!("compose{services}"))?;
        fs::copy(&place.tiny, folder.join("tiny")).map_err(|why| why.to_string())?;
        write(
            &folder,
            "Dockerfile",
            "FROM scratch\nCOPY tiny /tiny\nCMD [\"/tiny\", \"0.0.0.0:8000\"]\n",
        )?;
        let parts: Vec<String> = ports
            .iter()
            .enumerate()
            .map(|(number, port)| {
                format!(
                    "  part{number}:\n    build: .\n    image: tiny\n    restart: always\n    \
                     stop_grace_period: 1s\n    ports: [\"127.0.0.1:{port}:8000\"]\n"
                )
            })
            .collect();
        write(
            &folder,
            "docker-compose.yml",
            &format!("version: \"2.4\"\nservices:\n{}", parts.concat()),
        )?;
        run(engine.compose(&folder).args(["build", "part0"]))?;
        Ok(Compose {
            engine,
            folder,
            ports,
            running: None,
        })
    }

    /// What a person types who wants to be sure that all of it runs.
    pub(crate) fn up(&self) -> Command {
        let mut command = self.engine.compose(&self.folder);
        command.args(["up", "--detach"]);
        command
    }

    /// The processes in its containers, as this machine sees them.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| {
                let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                words == b"/tiny\x000.0.0.0:8000\0"
            })
            .collect()
    }
}

impl Peer for Compose {
    fn name(&self) -> String {
        "`docker-compose up --detach`".to_owned()
    }

    fn start(&mut self) -> Result<(), String> {
        self.running = Some(Running::start(&mut self.up())?);
        Ok(())
    }

    fn ports(&self) -> &[u16] {
        &self.ports
    }

    fn may_be_asked(&self) -> bool {
        self.processes().len() == self.ports.len()
    }

    fn stop(&mut self) -> Result<(), String> {
        if let Some(mut running) = self.running.take()
            && !running.wait()?
        {
            return Err("docker-compose up ended badly".to_owned());
        }
        run(self.engine.compose(&self.folder).arg("down"))?;
        wait_for_silence(&self.ports)
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        let _ = run(self.engine.compose(&self.folder).args(["down", "--timeout", "1"]));
    }
}
