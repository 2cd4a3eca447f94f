//! A bed for tests with real processes: a state folder of its own, and an end of everything in it.
#![allow(clippy::unwrap_used, reason = "a bed that cannot be made is a failed test")]
#![allow(dead_code, reason = "each file of tests needs a part of it")]
#![allow(clippy::disallowed_methods, reason = "real processes are what is tested")]

use std::path::PathBuf;
use towpath_engine::Engine;
use towpath_engine::conformance::{Bed, Does, within};
use towpath_engine::process::Process;
use towpath_keeper::{Facts, Grounds, Layout};
use towpath_model::run::InstanceId;
use towpath_model::unit::Duration;

pub(crate) struct Real {
    pub state: tempfile::TempDir,
    pub engine: Process,
    grounds: Grounds,
}

pub(crate) fn bed() -> Real {
    let state = tempfile::tempdir().unwrap();
    let name = state.path().file_name().unwrap().to_str().unwrap();
    let grounds = Grounds::find(&format!("test-{}", name.trim_start_matches('.')));
    bed_on(state, grounds)
}

/// A bed on a machine where no cgroups can be made.
pub(crate) fn bed_without_groups() -> Real {
    bed_on(tempfile::tempdir().unwrap(), Grounds::default())
}

fn bed_on(state: tempfile::TempDir, grounds: Grounds) -> Real {
    let engine = Process::open_on(state.path(), program(), grounds.clone()).unwrap();
    Real {
        state,
        engine,
        grounds,
    }
}

/// A test that failed leaves nothing behind either.
impl Drop for Real {
    fn drop(&mut self) {
        let layout = Layout::new(self.state.path());
        let entries = std::fs::read_dir(layout.instances())
            .into_iter()
            .flatten()
            .flatten();
        for id in entries.filter_map(|entry| InstanceId::parse(entry.file_name().to_str()?).ok()) {
            if let Some(facts) = Facts::read(&layout, &id) {
                let keeper = rustix::process::Pid::from_raw(facts.keeper.cast_signed()).unwrap();
                let _ = rustix::process::kill_process(keeper, rustix::process::Signal::KILL);
                facts.end();
            }
        }
    }
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
        Process::open_on(self.state.path(), program(), self.grounds.clone()).unwrap()
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
