//! Where the edge listens: on the addresses and ports that the manifest names, on no other ones, and elsewhere when it says so.

use crate::kit::{Product, ask, eventually, kill};
use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

const WEB: &str = r#"
[service.web]
run     = "sh ./program web"
public  = true
health  = { path = "/healthz", interval = "100ms" }
[service.inner]
run     = "sh ./program web"
health  = { path = "/healthz", interval = "100ms" }
"#;

/// A port that nobody has at this address. The system gives another one each time.
fn free(address: &str) -> u16 {
    let listener = TcpListener::bind((address, 0)).expect("there is a port");
    listener.local_addr().expect("it has one").port()
}

/// Two of them.
pub(crate) fn two_free(address: &str) -> (u16, u16) {
    let first = TcpListener::bind((address, 0)).expect("there is a port");
    (first.local_addr().expect("it has one").port(), free(address))
}

fn edge(address: &str, (https, http): (u16, u16)) -> String {
    format!("{WEB}[edge]\nlisten = [\"{address}\"]\nhttps = {https}\nhttp = {http}\n")
}

fn answers(product: &Product, address: &str, port: u16, component: &str) -> bool {
    let host = format!("{component}.{}.localhost", product.name);
    let stream = TcpStream::connect((address, port)).ok();
    stream.and_then(|stream| ask(stream, &host, "/")).is_some()
}

/// A visitor with a connection of their own, who asks once more over it.
struct Visitor {
    stream: TcpStream,
    host: String,
}

impl Visitor {
    fn comes(product: &Product, address: &str, port: u16) -> Self {
        let at: SocketAddr = (address.parse::<std::net::IpAddr>().expect("an address"), port).into();
        Visitor {
            stream: TcpStream::connect(at).expect("it is listened on"),
            host: format!("web.{}.localhost", product.name),
        }
    }

    fn asks(&mut self) -> String {
        let request = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", self.host);
        self.stream.write_all(request.as_bytes()).expect("it is open");
        let mut text = String::new();
        let mut piece = [0; 4096];
        while !text.ends_with("hello") {
            match self.stream.read(&mut piece) {
                Ok(count) if count > 0 => text.push_str(&String::from_utf8_lossy(&piece[..count])),
                _ => break,
            }
        }
        text
    }
}

#[test]
fn it_listens_where_the_manifest_says_and_moves_without_cutting_anybody_off() {
    let product = Product::new("moves", "");
    let first = two_free("127.0.0.2");
    product.manifest(&edge("127.0.0.2", first));
    let up = product.up();
    let told = "listens on 127.0.0.2, for this machine alone";
    assert!(up.out.contains(told), "{}{}", up.out, up.err);
    product.until_state("web", "ready");
    product.until_state("inner", "ready");
    let status = product.status();
    assert_eq!(status["steward"]["listens"], json!(["127.0.0.2"]));
    assert_eq!(
        (&status["steward"]["https"], &status["steward"]["http"]),
        (&json!(first.0), &json!(first.1))
    );
    assert!(product.well(&["status"]).out.contains(told));
    let ports = format!("on 127.0.0.2, ports {} and {}", first.0, first.1);
    let doctor = product.run(&["doctor"]).out;
    assert!(doctor.contains(&ports), "{doctor}");
    assert!(answers(&product, "127.0.0.2", first.1, "web"));
    assert!(!answers(&product, "127.0.0.2", first.1, "inner"), "it is private");
    assert!(
        TcpStream::connect(("127.0.0.1", first.1)).is_err(),
        "it is not said"
    );

    // The manifest says something else, and nobody has to start anything.
    let mut visitor = Visitor::comes(&product, "127.0.0.2", first.1);
    assert!(visitor.asks().starts_with("HTTP/1.1 200"));
    let process = product.edge();
    let second = two_free("127.0.0.3");
    product.manifest(&edge("127.0.0.3", second));
    eventually("it has moved", || {
        answers(&product, "127.0.0.3", second.1, "web").then_some(())
    });
    eventually("nobody is where it was", || {
        TcpStream::connect(("127.0.0.2", first.1)).is_err().then_some(())
    });
    assert!(visitor.asks().starts_with("HTTP/1.1 200"), "who was there stays");
    assert_eq!(product.edge(), process, "the same process does it");

    // Whoever dies is followed by one that listens there, too.
    kill(process.expect("there is one"), Signal::KILL);
    eventually("there is another one", || {
        (product.edge().is_some() && product.edge() != process).then_some(())
    });
    assert!(answers(&product, "127.0.0.3", second.1, "web"));
    product.up_with(&product.another_program(1));
    eventually("another program answers there", || {
        answers(&product, "127.0.0.3", second.1, "web").then_some(())
    });
    assert!(product.kill_steward());
    product.up();
    assert_eq!(product.status()["steward"]["listens"], json!(["127.0.0.3"]));
    assert!(answers(&product, "127.0.0.3", second.1, "web"));
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_port_that_somebody_has_is_named_with_them_and_no_other_one_is_taken() {
    let product = Product::new("heldport", "");
    let somebody = TcpListener::bind("127.0.0.2:0").expect("there is a port");
    let held = somebody.local_addr().expect("it has one").port();
    let other = free("127.0.0.2");
    product.manifest(&edge("127.0.0.2", (held, other)));
    let up = product.run(&["up", "--detach"]);
    assert_eq!(up.code, Some(3), "{}{}", up.out, up.err);
    let ourselves = format!(
        "the edge cannot listen on 127.0.0.2:{held}: process {} (",
        std::process::id()
    );
    assert!(up.err.contains(&ourselves), "{}", up.err);
    assert!(
        up.err.contains("`towpath up dev --listen 127.0.0.1`"),
        "{}",
        up.err
    );
    product.leaves_nothing();
    let doctor = product.run(&["doctor"]);
    assert_eq!(doctor.code, Some(3), "{}", doctor.out);
    assert!(doctor.out.contains(&ourselves), "{}", doctor.out);

    // Somebody who only wants to see it says another one, and that holds until it is started without.
    let third = free("127.0.0.2").to_string();
    product.well(&["up", "--detach", "--https", &third]);
    product.until_state("web", "ready");
    assert_eq!(product.status()["steward"]["https"].to_string(), third);
    assert!(answers(&product, "127.0.0.2", other, "web"));
    product.manifest(&format!("{}# a remark\n", edge("127.0.0.2", (held, other))));
    let refused = product.run(&["up", "--detach"]);
    assert!(refused.err.contains(&ourselves), "{}{}", refused.out, refused.err);
    assert!(
        refused.err.contains("it stays on 127.0.0.2, ports"),
        "{}",
        refused.err
    );
    assert_eq!(product.status()["steward"]["https"].to_string(), third);
    drop(somebody);
    product.up();
    assert_eq!(product.status()["steward"]["https"], json!(held));
    product.well(&["down"]);
    product.leaves_nothing();
}

/// Moves this thread, with everything that it starts, into a network of its own: nobody reaches it, and every port is free.
fn leave_the_network() -> Option<()> {
    let mut keeper = Command::new("unshare")
        .args(["--net", "sh", "-c", "ip link set lo up && echo up && exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut said = [0; 3];
    let is_up = keeper.stdout.as_mut()?.read_exact(&mut said).is_ok();
    let network = File::open(format!("/proc/{}/ns/net", keeper.id())).ok();
    let moved = network.filter(|_| is_up).and_then(|network| {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).ok()
    });
    drop(keeper.stdin.take());
    keeper.wait().ok()?;
    moved
}

/// Where a server listens that is told nothing, in a network of its own; nothing where there can be none.
fn serves_everybody() -> Option<()> {
    leave_the_network()?;
    let product = Product::new("server", "");
    let shop = WEB.replacen(
        "public  = true",
        "public  = true\ndomains = [\"shop.example\"]",
        1,
    );
    let live = |edge: &str| {
        product.manifest(&format!(
            "{shop}[edge]\nacme = \"https://127.0.0.1:1/\"\n{edge}[environment.live]\nsecrets = \"dotenv\"\n"
        ));
    };
    let ports = "https = 443\nhttp = 80\n";
    live("");
    let in_live = |words: &[&str]| product.well(&[words, &["--env", "live"]].concat()).out;
    let told = in_live(&["up", "--detach"]);
    assert!(told.contains("https://shop.example\n"), "{told}");
    assert!(
        told.contains("  plain HTTP: port 80\n  listens on 0.0.0.0 and ::, for everybody\n"),
        "{told}"
    );
    let status = || serde_json::from_str::<Value>(&in_live(&["status", "--json"])).expect("it is JSON");
    assert_eq!(status()["steward"]["listens"], json!(["0.0.0.0", "::"]));
    assert!(TcpStream::connect("[::1]:443").is_ok());

    // Strangers are sent to HTTPS, and learn of nothing else that is here.
    let said = |host: &str| {
        let mut stream = TcpStream::connect("127.0.0.2:80").expect("it is one of all");
        let request = format!("GET /a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is open");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        text
    };
    let sent = said("shop.example");
    assert!(sent.contains("location: https://shop.example/a\r\n"), "{sent}");
    for nobody in ["inner.server.localhost", "127.0.0.2", "x.example"] {
        let none = said(nobody);
        assert!(
            none.starts_with("HTTP/1.1 404") && !none.contains("web.server"),
            "{none}"
        );
    }

    // All addresses and one of them cannot be listened on at once: the same ports are let go of, and taken again.
    live(&format!("listen = [\"127.0.0.1\"]\n{ports}"));
    eventually("it listens on one", || {
        (status()["steward"]["listens"] == json!(["127.0.0.1"])).then_some(())
    });
    assert!(TcpStream::connect("127.0.0.1:80").is_ok() && TcpStream::connect("127.0.0.2:80").is_err());
    live(ports);
    eventually("it listens on all", || {
        (status()["steward"]["listens"] == json!(["0.0.0.0", "::"])).then_some(())
    });
    assert!(TcpStream::connect("127.0.0.2:80").is_ok() && TcpStream::connect("[::1]:443").is_ok());
    in_live(&["down"]);
    product.leaves_nothing();
    Some(())
}

#[test]
fn a_server_that_is_told_nothing_listens_for_everybody_on_the_usual_ports() {
    // A thread is in a network for as long as it lives.
    let story = thread::spawn(serves_everybody);
    match story.join() {
        Ok(Some(())) => {}
        Ok(None) => println!("left out: a network of its own cannot be made here"),
        Err(why) => std::panic::resume_unwind(why),
    }
}
