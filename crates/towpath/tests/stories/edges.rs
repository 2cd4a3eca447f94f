//! Visitors who must not notice anything: the steward dies under them, the edge dies, and the program is another one.

use crate::kit::{Product, eventually, kill, pass};
use crate::load::{Load, visit};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;

use std::time::{Duration, Instant};

const SHAPE: &str = r#"
[service.web]
run      = "sh ./program web"
replicas = 2
public   = true
health   = { path = "/healthz", interval = "100ms" }
"#;

/// Nothing here takes so long to be answered unless it was lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// A little less than a connection may say nothing.
const SILENCE: Duration = Duration::from_secs(29);

const BEGAN: &str = "towpath_edge_counting_since_seconds";

const REQUESTS: &str = r#"towpath_edge_requests_total{component="web",route="/",code="2xx"}"#;

#[test]
fn nobody_notices_that_the_steward_is_killed_and_another_one_comes() {
    let product = Product::new("edgeruns", SHAPE);
    product.up();
    let port = product.plain_port("web");
    let edge = product.edge().expect("it is a process of its own");
    let load = Load::begin(&product, port);
    for _ in 0..4 {
        load.goes_on();
        assert!(product.kill_steward(), "there was one");
        load.goes_on();
        product.up();
    }
    load.goes_on();
    assert_eq!(load.end(), Vec::<String>::new());
    assert_eq!(product.edge(), Some(edge), "it has served all the time");
    // What it has counted is known to the steward that has come last.
    assert!(product.component("web")["requests"].as_u64() > Some(400));
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn an_edge_that_is_killed_is_followed_by_one_on_the_same_sockets_and_nobody_is_refused() {
    let product = Product::new("edgedies", SHAPE);
    product.up();
    let port = product.plain_port("web");
    let host = format!("web.{}.localhost", product.name);
    for _ in 0..3 {
        // One that dies as soon as it has begun is waited with.
        pass(Duration::from_millis(1_100));
        let old = product.edge().expect("there is one");
        kill(old, Signal::KILL);
        for _ in 0..20 {
            // What is open in it is cut off; a new connection is not refused at any moment.
            let stream = TcpStream::connect(("127.0.0.1", port)).expect("it is listened on");
            drop(stream);
        }
        eventually("it has gone", || (product.edge() != Some(old)).then_some(()));
        assert_eq!(visit(&mut None, port, &host), Ok(()));
        assert!(product.edge().is_some_and(|edge| edge != old));
    }
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn another_version_takes_over_under_load_and_nobody_notices() {
    let product = Product::new("edgefollows", SHAPE);
    product.up();
    let port = product.plain_port("web");
    let load = Load::begin(&product, port);
    let mut edges = vec![product.edge().expect("there is one")];
    let host = format!("web.{}.localhost", product.name);
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    // What is asked here is answered when this file has gone, by the edge that was there then.
    product.write("late", "");
    let mut late = Vec::new();
    let mut counts = Counts::of(&product);
    for version in 0..3 {
        load.goes_on();
        let program = product.another_program(version);
        // It says nothing while another edge comes. One that says nothing for half a minute is closed, whoever comes or
        // goes; how slow a machine may be is nothing that this is about.
        let connected = Instant::now();
        let mut idle = TcpStream::connect(("127.0.0.1", port)).expect("it is listened on");
        let mut waits = TcpStream::connect(("127.0.0.1", port)).expect("it is listened on");
        waits.write_all(request("/late").as_bytes()).expect("it is open");
        late.push(waits);
        counts.go_on(&product);
        assert!(product.kill_steward(), "there was one");
        product.up_with(&program);
        counts.go_on(&product);
        load.goes_on();
        let edge = product.edge().expect("there is one");
        assert!(!edges.contains(&edge), "it is another one: {edges:?}");
        edges.push(edge);
        let _ = idle.write_all(request("/").as_bytes());
        let answer = last_answer(&mut idle);
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close")
                || answer.is_empty() && connected.elapsed() > SILENCE,
            "{answer}"
        );
    }
    assert_eq!(product.status()["edge"]["leaving"], 3);
    fs::remove_file(product.folder.join("late")).expect("it was there");
    for mut waits in late {
        let answer = last_answer(&mut waits);
        assert!(answer.ends_with("hello"), "{answer}");
        counts.go_on(&product);
    }
    let answered = load.answered.load(Ordering::Relaxed);
    assert_eq!(load.end(), Vec::<String>::new());
    let now = edges.pop().expect("the last one");
    eventually("those before have ended", || {
        edges.iter().all(|edge| !is_there(*edge)).then_some(())
    });
    assert_eq!(product.edge(), Some(now));
    counts.go_on(&product);
    assert!(
        counts.of_name(REQUESTS) >= Some(answered as f64 + 6.0),
        "{answered}: {counts:?}"
    );
    assert_eq!(product.status()["edge"]["leaving"], 0);

    // One that is killed takes its counts with it, and whoever adds them up sees that they begin anew.
    pass(Duration::from_millis(1_100));
    kill(now, Signal::KILL);
    eventually("it has gone", || (product.edge() != Some(now)).then_some(()));
    let anew = eventually("another one counts", || {
        Some(Counts::of(&product)).filter(|anew| anew.of_name(BEGAN).is_some())
    });
    assert!(anew.of_name(REQUESTS) < counts.of_name(REQUESTS), "{anew:?}");
    assert!(anew.of_name(BEGAN) > counts.of_name(BEGAN), "{anew:?} {counts:?}");
    product.well(&["down"]);
    product.leaves_nothing();
}

/// What is answered before a connection is closed.
fn last_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is a connection");
    // A connection that was closed before it was asked may be reset.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Everything that is counted, as Prometheus reads it, and the requests of a component as `status` tells them.
#[derive(Debug, Default)]
struct Counts(BTreeMap<String, f64>);

impl Counts {
    fn of(product: &Product) -> Counts {
        let text = product.well(&["metrics"]).out;
        let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let counters: BTreeSet<&str> = kinds
            .filter(|kind| !kind.ends_with(" gauge"))
            .filter_map(|kind| kind.split(' ').next())
            .collect();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut all: BTreeMap<String, f64> = lines
            .filter(|line| line.starts_with(BEGAN) || counters.iter().any(|name| line.starts_with(name)))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
            .collect();
        let requests = product.component("web")["requests"].as_f64();
        all.extend(requests.map(|requests| ("requests of status".to_owned(), requests)));
        Counts(all)
    }

    fn of_name(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Looks once more: nothing may be less than it was, or gone.
    #[track_caller]
    fn go_on(&mut self, product: &Product) {
        let now = Counts::of(product);
        for (name, before) in &self.0 {
            let count = now.of_name(name);
            assert!(count >= Some(*before), "{name}: {before}, then {count:?}");
        }
        *self = now;
    }
}

/// The edges of a product, those too that do not serve.
fn edges(product: &Product) -> Vec<u32> {
    let left = product.left().into_iter();
    left.filter(|line| line.contains(" edge --state "))
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .collect()
}

fn is_there(process: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = state
        .rsplit_once(')')
        .map(|(_, rest)| rest.trim_start().to_owned());
    state.is_some_and(|state| !state.starts_with('Z'))
}

#[test]
fn down_ends_the_edge_though_nobody_looks_after_it_any_more() {
    let product = Product::new("edgealone", SHAPE);
    product.up();
    assert!(product.kill_steward(), "there was one");
    assert!(product.edge().is_some());
    product.well(&["down"]);
    product.leaves_nothing();
    assert_eq!(product.edge(), None);
}

#[test]
fn an_edge_whose_folder_has_gone_ends() {
    let product = Product::new("edgehomeless", SHAPE);
    product.up();
    let edge = eventually("there is one", || product.edge());
    assert!(product.kill_steward(), "there was one");
    fs::remove_dir_all(product.state()).expect("it can be deleted");
    eventually("it has ended", || (!is_there(edge)).then_some(()));
    product.leaves_nothing();
}

#[test]
fn an_edge_that_was_told_to_begin_by_a_steward_that_was_killed_is_found_by_the_next_one() {
    let product = Product::new("edgelate", SHAPE);
    product.up();
    let edge = product.edge().expect("there is one");
    // As if it had not come as far as this when the next steward looks for it.
    let (name, hidden) = (product.state().join("edge.sock"), product.state().join("late"));
    fs::rename(&name, &hidden).expect("it is there");
    product.kill_steward();
    let up = product.begin_command(&["up", "--detach"]);
    eventually("another edge is started", || {
        (edges(&product).len() == 2).then_some(())
    });
    fs::rename(&hidden, &name).expect("it is there");
    let up = up.end();
    assert_eq!(up.code, Some(0), "{}", up.err);
    eventually("one is left", || (edges(&product) == [edge]).then_some(()));
    product.well(&["down"]);
    product.leaves_nothing();
}
