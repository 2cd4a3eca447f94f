//! A bot, of which there must never be two.

use crate::kit::{Product, eventually, kill, parent};
use rustix::process::Signal;

#[test]
fn a_bot_is_never_alive_twice_whoever_is_killed() {
    let product = Product::new("onebot", "[bot.single]\nrun = \"sh ./program bot\"\n");
    product.up();
    let begun = || product.read("bots.txt").lines().count();
    eventually("it begins", || (begun() > 0).then_some(()));
    for round in 0..4 {
        let before = begun();
        let pid = product.pid("single");
        match round {
            // Its keeper, and the steward with it.
            0 => {
                kill(parent(pid).expect("it has a keeper"), Signal::KILL);
                product.kill_steward();
                product.up();
            }
            1 => kill(parent(pid).expect("it has a keeper"), Signal::KILL),
            2 => {
                product.kill_steward();
                kill(pid, Signal::KILL);
                product.up();
            }
            _ => {
                let restarts = [(); 3].map(|()| product.begin_command(&["restart", "single"]));
                restarts.into_iter().for_each(|one| drop(one.end()));
            }
        }
        eventually("another one begins", || (begun() > before).then_some(()));
        product.until("single", |one| {
            one["state"] == "ready" && one["instances"].as_array().map(Vec::len) == Some(1)
        });
        assert_eq!(product.running("single").len(), 1);
    }
    let told = product.read("bots.txt");
    assert!(!told.contains("NOT ALONE"), "{told}");
}
