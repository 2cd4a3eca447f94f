//! A bed for tests with real processes: a state folder of its own, and an end of everything in it.
#![allow(dead_code, reason = "each file of tests needs a part of it")]

use std::path::PathBuf;
use towpath_engine::Engine;
use towpath_engine::conformance::{Bed, Does, within};
use towpath_engine::process::Process;
use towpath_model::run::InstanceId;
use towpath_model::unit::Duration;

pub(crate) struct Real {
    pub state: tempfile::TempDir,
    pub engine: Process,
    name: String,
}

pub(crate) fn bed() -> Real {
    let state = tempfile::tempdir().unwrap();
    let name = format!("test-{}", state.path().file_name().unwrap().to_str().unwrap());
    let engine = Process::open(state.path(), program(), &name).unwrap();
    Real { state, engine, name }
}

pub(crate) fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_towpath-nursery").into()
}

impl Bed for Real {
    type Engine = Process;

    fn engine(&self) -> &Process {
        &self.engine
    }

    fn anew(&self) -> Process {
        Process::open(self.state.path(), program(), &self.name).unwrap()
    }

    fn command(&self, does: Does<'_>) -> String {
        match does {
            Does::Stays => "sleep 1000".to_owned(),
            Does::Says(out, err) => format!("echo '{out}'; echo '{err}' >&2; exec sleep 1000"),
            Does::Ends(code) => format!("sh -c 'exit {code}'"),
            Does::Deaf => "trap '' TERM; echo deaf; while :; do sleep 1000; done".to_owned(),
            Does::Missing => "towpath-has-no-such-program".to_owned(),
        }
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time.to_std()).await;
    }

    async fn clear(&self) {
        for seen in self.anew().observe().await.unwrap() {
            self.end(&seen.id).await;
        }
    }
}

impl Real {
    /// Ends an instance and forgets it.
    pub(crate) async fn end(&self, id: &InstanceId) {
        self.engine.stop(id, within(Duration::ZERO)).await.unwrap();
        self.engine.forget(id).await.unwrap();
    }
}
