//! What hangs, floods or goes away: every wait has an end, and what is told of it is enough.

use crate::kit::{Product, component, eventually, kill, parent};
use rustix::process::Signal;

const TWO: &str = r#"
[service.web]
run    = "sh ./program web"
health = { path = "/healthz", interval = "100ms" }

[bot.single]
run = "sh ./program bot"
"#;

#[test]
fn a_stopped_keeper_delays_nobody_and_goes_with_down() {
    let product = Product::new("silent", TWO);
    product.up();
    let pid = product.pid("single");
    let keeper = parent(pid).expect("it has a keeper");
    product.kill_steward();
    kill(keeper, Signal::STOP);
    eventually("the steward has gone", || {
        product.steward().is_none().then_some(())
    });
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let told = format!("its keeper (process {keeper}) does not answer; `kill -CONT {keeper}` wakes");
    assert!(ran.err.contains(&told), "{}", ran.err);
    let status = product.status();
    assert_eq!(component(&status, "web")["state"], "ready", "{status:#}");
    let single = component(&status, "single");
    assert_eq!(single["state"], "unwell", "{single:#}");
    assert!(product.explain("single").contains(&told));
    // It comes back as if nothing had been.
    kill(keeper, Signal::CONT);
    product.until_state("single", "ready");
    assert_eq!(product.pid("single"), pid);
    kill(keeper, Signal::STOP);
    let ran = product.well(&["down"]);
    let told = "single.1: its keeper did not answer, and was killed with all that it kept";
    assert!(ran.err.contains(told), "{}", ran.err);
    product.leaves_nothing();
}

#[test]
fn what_runs_ends_when_its_state_folder_is_deleted() {
    let product = Product::new("homeless", TWO);
    let mut up = product.begin_command(&["up"]);
    // Its logs are followed by now.
    up.says("started as process");
    std::fs::remove_dir_all(product.folder.join(".towpath")).expect("it can be deleted");
    up.says("nobody could reach what runs any more: everything stops");
    assert_eq!(up.end().code, Some(0));
    product.leaves_nothing();
    // The next one starts afresh, and it is the only one.
    product.up();
    assert_eq!(
        (product.running("web").len(), product.running("single").len()),
        (1, 1)
    );
}

#[test]
fn what_runs_ends_when_its_state_folder_is_moved() {
    let product = Product::new("moved", TWO);
    product.up();
    let (here, there) = (product.folder.join(".towpath"), product.folder.join("elsewhere"));
    std::fs::rename(here, there).expect("it can be moved");
    product.leaves_nothing();
}

#[test]
fn what_runs_without_a_steward_ends_when_its_state_folder_is_deleted() {
    let product = Product::new("orphaned", TWO);
    product.up();
    product.kill_steward();
    eventually("the steward has gone", || {
        product.steward().is_none().then_some(())
    });
    assert!(!product.left().is_empty(), "what runs goes on");
    std::fs::remove_dir_all(product.folder.join(".towpath")).expect("it can be deleted");
    product.leaves_nothing();
}

#[test]
fn an_up_that_looks_on_ends_when_somebody_else_stops_everything() {
    let product = Product::new("stopped", TWO);
    let mut up = product.begin_command(&["up"]);
    up.says("Ctrl-C stops everything");
    product.well(&["down"]);
    up.says("everything was stopped by somebody else");
    assert_eq!(up.end().code, Some(0));
    product.leaves_nothing();
}

#[test]
fn what_runs_is_told_while_stewards_die_and_come() {
    let product = Product::new("told", TWO);
    product.up();
    let before = product.pid("web");
    let folder = product.folder.to_string_lossy().into_owned();
    for _ in 0..5 {
        product.kill_steward();
        assert_eq!(product.pid("web"), before, "one that dies takes no answer along");
        eventually("it has gone", || product.steward().is_none().then_some(()));
        // One of which nothing was asked yet has adopted nothing.
        let mut next = product.begin_command(&["steward", "--folder", &folder, "--env", "dev"]);
        next.says("ready");
        let status = product.status();
        assert_eq!(status["steward"]["pid"], next.child.id(), "{status:#}");
        assert_eq!(
            crate::kit::pids(&component(&status, "web")),
            [before].into(),
            "{status:#}"
        );
        product.kill_steward();
        next.end();
        product.up();
        assert_eq!(product.pid("web"), before);
    }
}

#[test]
fn what_is_made_for_it_in_the_system_is_named_once() {
    let product = Product::new("named", TWO);
    product.up();
    let groups = product.groups();
    if groups.is_empty() {
        println!("left out: groups cannot be made here");
    }
    for group in groups {
        let name = group
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        assert!(name.starts_with("towpath-dev-"), "{name}");
    }
}
