//! Stewards that are killed at any moment, and two that would look after the same thing.

use crate::kit::{Product, component, eventually, kill, pass, pids};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

const SHAPE: &str = r#"
[service.web]
run      = "sh ./program web"
replicas = 2
health   = { path = "/healthz", interval = "100ms" }

[worker.count]
run  = "sh ./program count"
uses = [{ name = "web", by = "http", why = "it counts what it is told" }]

[bot.single]
run = "sh ./program bot"
"#;

const WANTED: [(&str, usize); 3] = [("count", 1), ("single", 1), ("web", 2)];

/// The moments at which a steward is killed: after so many writes of its journal, or after so many microseconds.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Writes(usize),
    Micros(u64),
}

/// So many moments of both kinds. The later ones come in steps that share no factor with anything of ours.
fn moments(writes: usize, times: u64) -> impl Iterator<Item = Moment> {
    let writes = (1..=writes).map(Moment::Writes);
    writes.chain((0..times).map(move |nth| Moment::Micros(nth * 60_013 / times.max(1))))
}

/// Kills the steward at a moment, as soon as there is one.
fn kill_at(product: &Product, moment: Moment, is_over: &mut dyn FnMut() -> bool) {
    let size = || fs::metadata(product.state().join("store.db-wal")).map_or(0, |about| about.len());
    let (mut last, mut seen) = (size(), 0);
    match moment {
        Moment::Writes(writes) => {
            while seen < writes && !is_over() {
                let now = size();
                seen += usize::from(now != last);
                last = now;
                thread::yield_now();
            }
        }
        Moment::Micros(micros) => {
            while product.steward().is_none() && !is_over() {
                thread::yield_now();
            }
            pass(Duration::from_micros(micros));
        }
    }
    product.kill_steward();
}

/// Everything is as it is wanted, exactly once, and nothing else is there.
#[track_caller]
fn is_converged(product: &Product, when: &str) -> BTreeMap<String, Vec<u32>> {
    let status = product.status();
    let mut all = BTreeMap::new();
    for (name, wanted) in WANTED {
        let one = component(&status, name);
        assert_eq!(one["state"], "ready", "{when}: {one:#}");
        let told = pids(&one);
        assert_eq!(told.len(), wanted, "{when}: {one:#}");
        assert_eq!(
            one["instances"].as_array().map(Vec::len),
            Some(wanted),
            "{when}: {one:#}"
        );
        assert_eq!(product.running(name), told, "{when}: what runs is what is told");
        all.insert(name.to_owned(), told.into_iter().collect());
    }
    all
}

/// Whoever counts has lost no line.
#[track_caller]
fn has_no_gap(product: &Product, when: &str) {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let text = product.logs("count");
    for line in text.lines() {
        let Some((_, said)) = line.split_once("counts ") else {
            continue;
        };
        let (pid, number) = said.split_once(' ').expect("a process and a number");
        let number: u64 = number.parse().expect("a number");
        let before = last.insert(pid.to_owned(), number).unwrap_or(0);
        assert_eq!(
            number,
            before + 1,
            "{when}: a line of {pid} is missing or comes twice"
        );
    }
    assert!(!last.is_empty(), "{when}: it has counted: {text}");
}

#[test]
fn a_steward_that_is_killed_while_it_starts_everything_leaves_nothing_twice_and_nothing_out() {
    let product = Product::new("killstart", SHAPE);
    for (round, moment) in moments(6, 6).enumerate() {
        let when = format!("{moment:?}");
        let mut up = product.begin_command(&["up", "--detach"]);
        if round % 2 == 0 {
            // Whoever has asked dies, too, or it would start the next one itself.
            let mut over = || up.child.try_wait().is_ok_and(|over| over.is_some());
            kill_at(&product, moment, &mut over);
            up.signal(Signal::KILL);
            up.end();
            product.kill_steward();
        } else {
            let mut over = || up.child.try_wait().is_ok_and(|over| over.is_some());
            kill_at(&product, moment, &mut over);
            up.end();
        }
        product.up();
        is_converged(&product, &when);
        has_no_gap(&product, &when);
        product.well(&["down"]);
        product.leaves_nothing();
    }
}

#[test]
fn a_steward_that_is_killed_while_it_adopts_changes_nothing_of_what_runs() {
    let product = Product::new("killadopt", SHAPE);
    product.up();
    let before = is_converged(&product, "before");
    for moment in moments(3, 5) {
        let when = format!("{moment:?}");
        assert!(product.kill_steward(), "there was one");
        let mut up = product.begin_command(&["up", "--detach"]);
        let mut over = || up.child.try_wait().is_ok_and(|over| over.is_some());
        kill_at(&product, moment, &mut over);
        up.end();
        product.up();
        assert_eq!(
            is_converged(&product, &when),
            before,
            "{when}: everything runs on"
        );
        has_no_gap(&product, &when);
    }
}

#[test]
fn a_steward_that_is_killed_while_it_stops_everything_has_a_successor_that_ends_it() {
    let product = Product::new("killstop", SHAPE);
    for moment in moments(3, 4) {
        let when = format!("{moment:?}");
        product.up();
        is_converged(&product, &when);
        let mut down = product.begin_command(&["down"]);
        let mut over = || down.child.try_wait().is_ok_and(|over| over.is_some());
        kill_at(&product, moment, &mut over);
        let ran = down.end();
        assert_eq!(ran.code, Some(0), "{when}: {}{}", ran.out, ran.err);
        product.well(&["down"]);
        product.leaves_nothing();
        for (name, _) in WANTED {
            assert!(product.running(name).is_empty(), "{when}: {name} has stopped");
        }
    }
}

#[test]
fn nothing_is_deleted_while_what_a_dead_steward_has_left_behind_lives() {
    let product = Product::new("killdelete", SHAPE);
    for millis in [0, 40, 200] {
        product.up();
        is_converged(&product, "before");
        // It takes the question, and dies before it has done anything.
        let steward = product.steward().expect("there is one");
        kill(steward, Signal::STOP);
        let down = product.begin_command(&["down", "--now", "--delete-data", "--yes"]);
        pass(Duration::from_millis(millis));
        kill(steward, Signal::KILL);
        let ran = down.end();
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        for (name, _) in WANTED {
            assert!(product.running(name).is_empty(), "{millis}: {name} has stopped");
        }
        assert!(ran.err.contains("is deleted"), "{}{}", ran.out, ran.err);
        product.leaves_nothing();
    }
}

#[test]
fn a_component_serves_and_is_heard_while_no_steward_lives() {
    let product = Product::new("nosteward", SHAPE);
    product.up();
    let before = is_converged(&product, "before");
    assert!(product.kill_steward());
    // What is told without a steward is what the keepers know, from the first moment on.
    let status = product.status();
    assert_eq!(pids(&component(&status, "web")).len(), 2, "{status:#}");
    eventually("it has gone", || product.steward().is_none().then_some(()));
    let status = product.status();
    assert!(status["steward"].is_null());
    assert_eq!(pids(&component(&status, "web")).len(), 2, "{status:#}");
    let reached = listening(&before["web"]);
    assert_eq!(reached.len(), 2);
    for (nth, port) in reached.iter().enumerate() {
        let stream = std::net::TcpStream::connect(("127.0.0.1", *port)).expect("it listens");
        let said = crate::kit::ask(stream, "localhost", &format!("/say/alone-{nth}"));
        assert_eq!(said.as_deref(), Some("hello"));
    }
    product.up();
    assert_eq!(is_converged(&product, "after"), before);
    let logs = product.logs("web");
    assert!(logs.contains("alone-0") && logs.contains("alone-1"), "{logs}");
    has_no_gap(&product, "after");
}

/// The ports that these processes were given.
fn listening(pids: &[u32]) -> Vec<u16> {
    let port = |pid: &u32| {
        let env = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let text = String::from_utf8_lossy(&env).into_owned();
        text.split('\0')
            .find_map(|one| one.strip_prefix("PORT="))?
            .parse()
            .ok()
    };
    pids.iter().filter_map(port).collect()
}

#[test]
fn of_two_that_come_up_at_once_one_owns_and_both_see_one_steward() {
    let product = Product::new("twoups", SHAPE);
    let (mut first, mut second) = (product.begin_command(&["up"]), product.begin_command(&["up"]));
    first.says("Ctrl-C");
    second.says("Ctrl-C");
    is_converged(&product, "both");
    let owners = [&first, &second].map(|one| one.err().contains("Ctrl-C stops everything"));
    assert!(owners[0] != owners[1], "{}\n{}", first.err(), second.err());
    let (owner, other) = if owners[0] {
        (first, second)
    } else {
        (second, first)
    };
    assert!(
        other
            .err()
            .contains(&format!("(process {}) owns it", owner.child.id())),
        "{}",
        other.err()
    );
    // Whoever owns nothing stops nothing.
    other.signal(Signal::INT);
    assert_eq!(other.end().code, Some(0));
    is_converged(&product, "one has gone");
    owner.signal(Signal::INT);
    let ran = owner.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    product.leaves_nothing();
}

#[test]
fn two_products_of_one_name_in_two_folders_do_not_meet() {
    let (one, other) = (Product::new("samename", SHAPE), Product::new("samename", SHAPE));
    one.up();
    other.up();
    let mine = is_converged(&one, "one");
    let theirs = is_converged(&other, "other");
    assert_ne!(mine, theirs);
    assert_ne!(one.steward(), other.steward());
    one.well(&["down"]);
    assert_eq!(is_converged(&other, "alone"), theirs);
}

#[test]
fn an_up_that_looks_on_follows_to_the_next_steward() {
    let product = Product::new("takeover", SHAPE);
    let mut up = product.begin_command(&["up"]);
    up.says("Ctrl-C stops everything");
    let before = is_converged(&product, "before");
    let old = product.steward().expect("there is one");
    kill(old, Signal::KILL);
    up.says("a new one takes over");
    // Between the two the keepers answer, and the new one has asked nobody yet.
    eventually("a new one is there, and all is well", || {
        let status = product.status();
        let is_new = status["steward"]["pid"]
            .as_u64()
            .is_some_and(|pid| pid != u64::from(old));
        let notes = status["notes"].as_array().into_iter().flatten();
        let has_taken_over = !notes
            .filter_map(|note| note.as_str())
            .any(|note| note.contains("has not taken over yet"));
        let is_well = |name: &str| component(&status, name)["state"] == "ready";
        (is_new && has_taken_over && WANTED.iter().all(|(name, _)| is_well(name))).then_some(())
    });
    assert_eq!(is_converged(&product, "after"), before);
    up.signal(Signal::INT);
    let ran = up.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
