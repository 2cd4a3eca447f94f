//! Visitors who must not notice anything: the steward dies under them, the edge dies, and the program is another one.

use crate::kit::{Product, eventually, kill, pass};
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const SHAPE: &str = r#"
[service.web]
run      = "sh ./program web"
replicas = 2
public   = true
health   = { path = "/healthz", interval = "100ms" }
"#;

/// Nothing here takes so long to be answered unless it was lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// Visitors that keep their connections, ask one thing after the other, and repeat nothing.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    visitors: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    fn begin(product: &Product, port: u16) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let host = format!("web.{}.localhost", product.name);
        let visitors = (0..6).map(|_| {
            let (stop, answered, host) = (Arc::clone(&stop), Arc::clone(&answered), host.clone());
            thread::spawn(move || {
                let mut lost = Vec::new();
                let mut connection = None;
                while !stop.load(Ordering::Relaxed) {
                    match visit(&mut connection, port, &host) {
                        Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        Err(why) => {
                            connection = None;
                            lost.push(why);
                        }
                    }
                }
                lost
            })
        });
        let visitors = visitors.collect();
        Load {
            stop,
            answered,
            visitors,
        }
    }

    /// Waits until so many more were answered.
    fn goes_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        eventually("visitors are answered", || {
            (self.answered.load(Ordering::Relaxed) > before + 50).then_some(())
        });
    }

    /// What was lost of it.
    fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let lost = self.visitors.into_iter();
        lost.flat_map(|visitor| visitor.join().expect("a visitor ends"))
            .collect()
    }
}

/// Asks once, on the connection that is there or a new one.
fn visit(kept: &mut Option<TcpStream>, port: u16, host: &str) -> Result<(), String> {
    let told = |doing: &str| {
        let doing = doing.to_owned();
        move |error: std::io::Error| format!("{doing}: {error}")
    };
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => TcpStream::connect(("127.0.0.1", port)).map_err(told("connecting"))?,
    };
    stream.set_read_timeout(Some(PATIENCE)).map_err(told("waiting"))?;
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(told("asking"))?;
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).map_err(told("reading"))?;
        text.push_str(&String::from_utf8_lossy(&piece[..count]));
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body == "hello"
        {
            if !head.starts_with("HTTP/1.1 200") {
                return Err(text);
            }
            if !head.contains("connection: close") {
                *kept = Some(stream);
            }
            return Ok(());
        }
        if count == 0 {
            return Err(format!("cut off: {text}"));
        }
    }
}

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
    // It says nothing all the while, and is answered in the end.
    let mut idle = TcpStream::connect(("127.0.0.1", port)).expect("it is listened on");
    for version in 0..3 {
        load.goes_on();
        let program = product.another_program(version);
        assert!(product.kill_steward(), "there was one");
        product.up_with(&program);
        load.goes_on();
        let edge = product.edge().expect("there is one");
        assert!(!edges.contains(&edge), "it is another one: {edges:?}");
        edges.push(edge);
    }
    let host = format!("web.{}.localhost", product.name);
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n");
    idle.write_all(request.as_bytes()).expect("it is open");
    let mut answer = String::new();
    idle.read_to_string(&mut answer)
        .expect("it is answered, and closed then");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(load.end(), Vec::<String>::new());
    let now = edges.pop().expect("the last one");
    eventually("those before have ended", || {
        edges.iter().all(|edge| !is_there(*edge)).then_some(())
    });
    assert_eq!(product.edge(), Some(now));
    product.well(&["down"]);
    product.leaves_nothing();
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
