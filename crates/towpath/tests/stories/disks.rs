//! A disk that is full.

use crate::kit::{Product, eventually};
use std::fs::{self, OpenOptions};
use std::io::Write;

const SHAPE: &str =
    "[worker.count]\nrun = \"sh ./program count\"\n[worker.quiet]\nrun = \"sleep 600\"\nstop = \"1s\"\n";

fn fill(product: &Product) {
    let path = product.folder.join("ballast");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("it can be opened");
    for size in [1 << 16, 1 << 12, 1 << 8, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn a_full_disk_is_told_and_everything_goes_on_once_there_is_room() {
    let Some(product) = Product::on_small_disk("fulldisk", "6m", SHAPE) else {
        println!("left out: no small disk can be mounted here");
        return;
    };
    product.up();
    let before = product.pid("count");
    // The journal has some room left in what it holds already.
    let restart = eventually("the journal finds no room", || {
        fill(&product);
        let mut restart = product.begin_command(&["restart", "quiet"]);
        let told = restart.says_before_it_ends("the journal cannot be written");
        told.then_some(restart)
    });
    let told = eventually("it is told", || {
        let notes = product.status()["notes"].to_string();
        notes.contains("journal cannot be written").then_some(notes)
    });
    assert!(told.contains("full"), "{told}");
    assert_eq!(product.pid("count"), before, "what runs goes on");
    let refused = product.run(&["maintenance", "on"]);
    assert_ne!(refused.code, Some(0), "{}", refused.err);
    assert!(
        refused
            .err
            .contains("nothing was changed, because the journal cannot be written"),
        "{}",
        refused.err
    );
    fs::remove_file(product.folder.join("ballast")).expect("it was there");
    eventually("it goes on", || {
        (!product.status()["notes"].to_string().contains("journal")).then_some(())
    });
    let ran = restart.end();
    assert_eq!(
        ran.code,
        Some(0),
        "what was asked for is done after all: {}",
        ran.err
    );
    product.until_state("quiet", "ready");
    let last = |text: &str| text.lines().last().map(str::to_owned);
    let log = last(&product.logs("count"));
    eventually("it is written again", || {
        (last(&product.logs("count")) != log).then_some(())
    });
    product.kill_steward();
    product.up();
    assert_eq!(product.pid("count"), before, "nothing was forgotten");
    let notes = product.status()["notes"].to_string();
    assert!(!notes.contains("maintenance"), "what was refused is not: {notes}");
}

#[test]
fn everything_can_be_stopped_on_a_full_disk() {
    let Some(product) = Product::on_small_disk("fulldown", "6m", SHAPE) else {
        println!("left out: no small disk can be mounted here");
        return;
    };
    product.up();
    fill(&product);
    product.well(&["down"]);
    product.leaves_nothing();
    // Nothing is started there, it is said why, and it is done once there is room.
    let mut up = product.begin_command(&["up", "--detach"]);
    up.says("the disk is full");
    assert!(product.running("quiet").is_empty());
    fs::remove_file(product.folder.join("ballast")).expect("it was there");
    let ran = up.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    product.until_state("quiet", "ready");
}
