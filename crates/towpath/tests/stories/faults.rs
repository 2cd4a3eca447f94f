//! Components that do not go, keepers that are killed, and more processes than anybody wants.

use crate::kit::{Product, eventually, is_over, kill, parent};
use rustix::process::Signal;

#[test]
fn an_instance_whose_keeper_was_killed_is_replaced_and_it_is_said() {
    let product = Product::new("lostkeeper", "[worker.count]\nrun = \"sh ./program count\"\n");
    product.up();
    let pid = product.pid("count");
    kill(parent(pid).expect("it has a keeper"), Signal::KILL);
    eventually("it dies with its keeper", || is_over(pid).then_some(()));
    product.until("count", |one| {
        one["state"] == "ready" && one["instances"][0]["id"] == "count.2"
    });
    assert_eq!(product.running("count").len(), 1);
    let told = product.explain("count");
    assert!(told.contains("its keeper was killed"), "{told}");
}

#[test]
fn who_does_not_stop_in_time_is_killed_and_it_is_said() {
    let product = Product::new(
        "deaf",
        "[worker.deaf]\nrun = \"trap '' TERM; echo deaf; while :; do sleep 1; done\"\nstop = \"200ms\"\n",
    );
    product.up();
    eventually("it is deaf", || {
        product.logs("deaf").contains("deaf").then_some(())
    });
    product.well(&["stop", "deaf"]);
    assert!(product.running("deaf").is_empty());
    let said = product.logs("deaf");
    assert!(said.contains("killed: it did not stop within 200ms"), "{said}");
}

#[test]
fn a_second_interrupt_ends_everything_at_once() {
    let product = Product::new(
        "impatient",
        "[worker.deaf]\nrun = \"trap '' TERM; echo deaf; while :; do sleep 1; done\"\nstop = \"5m\"\n",
    );
    let mut up = product.begin_command(&["up"]);
    up.says("Ctrl-C stops everything");
    up.says("| deaf");
    up.signal(Signal::INT);
    up.says("Ctrl-C once more");
    // It has been asked to stop, and does not.
    product.until_state("deaf", "stopping");
    up.signal(Signal::INT);
    let ran = up.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("at once"), "{}", ran.err);
    product.leaves_nothing();
}

#[test]
fn a_fork_bomb_and_daemons_that_run_away_leave_nothing_behind() {
    let product = Product::new(
        "bombs",
        r#"
[worker.bomb]
run  = "while :; do sleep 600 & done"
pids = 32
stop = "100ms"

[worker.daemons]
run  = "(setsid sh -c 'setsid sleep 600 & sleep 600' &); echo away; exec sleep 600"
stop = "1s"
"#,
    );
    // The bomb may be well or not, as it happens.
    product.run(&["up", "--detach"]);
    eventually("the daemons have run away", || {
        (product.running("daemons").len() >= 4).then_some(())
    });
    // A shell that may not fork any more ends, and takes all of it with it: it is started again, and goes off again.
    eventually("the bomb has gone off", || {
        let restarts = product.component("bomb")["instances"][0]["restarts"].as_u64();
        (restarts > Some(0) || product.running("bomb").len() >= 8).then_some(())
    });
    assert!(product.running("bomb").len() <= 33, "it has no more than it may");
    product.well(&["down"]);
    product.leaves_nothing();
    assert!(product.running("bomb").is_empty() && product.running("daemons").is_empty());
}
