//! Keepers whose folder was deleted: nobody could ever end what they keep, so they do when their steward has gone.
#![allow(
    clippy::unwrap_used,
    reason = "a step of a test that fails is a test that fails"
)]
#![allow(clippy::disallowed_methods, reason = "real processes are what is tested")]

mod bed;

use bed::bed;
use rustix::process::{Pid, test_kill_process};
use towpath_engine::Engine;
use towpath_engine::conformance::{Bed, Does, order, runs, within};
use towpath_model::run::Seen;
use towpath_model::unit::Duration;

/// Waits until the process of an instance has gone.
async fn ends(seen: &Seen) {
    let process = Pid::from_raw(seen.life.pid().unwrap().cast_signed()).unwrap();
    for _ in 0..3000 {
        if test_kill_process(process).is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it runs on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_looks_after_ends_when_its_folder_is_deleted() {
    let bed = bed();
    let seen = {
        let engine = bed.anew();
        engine.start(order(&bed, "web", 1, Does::Stays)).await.unwrap()
    };
    std::fs::remove_dir_all(bed.state.path().join("instances/web.1")).unwrap();
    ends(&seen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_looked_after_ends_when_its_folder_was_deleted_and_its_steward_goes() {
    let bed = bed();
    let engine = bed.anew();
    let seen = engine.start(order(&bed, "web", 1, Does::Stays)).await.unwrap();
    std::fs::remove_dir_all(bed.state.path().join("instances/web.1")).unwrap();
    // Its steward is there, and may still ask it for anything.
    let again = engine.restart(&seen.id, within(Duration::ZERO)).await.unwrap();
    assert!(runs(&again) && again.life.pid() != seen.life.pid(), "{again:?}");
    drop(engine);
    ends(&again).await;
}
