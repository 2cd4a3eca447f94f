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
