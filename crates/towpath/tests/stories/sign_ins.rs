//! Somebody signs in at a provider, and stays so while edges come and go.

use crate::kit::{Product, eventually, kill, pass};
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SHAPE: &str = r#"
[service.web]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }
access = { sign_in = "oidc", issuer = "ISSUER", client = "shop", secret = "SHOP_SECRET", domains = ["example.com"] }

[secret.SHOP_SECRET]
"#;

struct Provider {
    child: Child,
    url: String,
}

impl Provider {
    fn start() -> Option<Provider> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.join("../../target/oidc");
        if !folder.join("node_modules/oauth2-mock-server").exists() {
            return None;
        }
        let mut child = Command::new("node")
            .arg(here.join("../edge/tests/issuer/run.mjs"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is node");
        let mut line = String::new();
        let said = child.stdout.take().expect("it says something");
        let mut said = BufReader::new(said);
        said.read_line(&mut line).expect("it says where it is");
        let url = line.trim().trim_matches('"').to_owned();
        Some(Provider { child, url })
    }

    /// Opens a page of it, and hands back where that leads.
    fn open(&self, address: &str) -> String {
        let path = address.strip_prefix(&self.url).expect("it leads to the provider");
        let host = self.url.trim_start_matches("http://");
        let port = host.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        let mut stream = TcpStream::connect(("127.0.0.1", port.expect("a port"))).expect("it listens");
        let asked = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it is answered");
        header(&answer, "Location: ").to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let value = answer
        .split(name)
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next());
    value.unwrap_or_else(|| panic!("{name}: {answer}"))
}

/// The pair of a cookie that an answer gives.
fn cookie(answer: &str) -> &str {
    let given = header(answer, "set-cookie: ");
    given.split(';').next().expect("a cookie")
}

#[test]
fn a_sign_in_at_a_provider_outlives_the_edge_that_gave_it() {
    let Some(provider) = Provider::start() else {
        println!("left out: oauth2-mock-server is not installed");
        return;
    };
    let product = Product::new("signstory", &SHAPE.replace("ISSUER", &provider.url));
    product.write(".env", "SHOP_SECRET=verys3cret\n");
    product.up();
    let web = |what: &str, headers: &[&str]| product.say("web", what, headers);
    let (status, told) = web("GET /", &[]);
    assert_eq!(status, 401, "{told}");
    let (status, sent) = web("GET /?a=b", &["accept: text/html"]);
    assert_eq!(status, 303, "{sent}");
    let back = provider.open(header(&sent, "location: "));
    let path = back.split(".localhost").nth(1).expect("it leads back");
    let browser = format!("cookie: {}", cookie(&sent));
    let (status, arrived) = web(&format!("GET {path}"), &[&browser, "accept: text/html"]);
    assert_eq!(
        (status, header(&arrived, "location: ")),
        (303, "/?a=b"),
        "{arrived}"
    );
    let session = format!("cookie: {}", cookie(&arrived));
    assert_eq!(web("GET /", &[&session]).0, 200);
    // One that dies as soon as it has begun is waited with.
    pass(Duration::from_millis(1_100));
    let old = product.edge().expect("there is one");
    kill(old, Signal::KILL);
    eventually("it has gone", || (product.edge() != Some(old)).then_some(()));
    eventually("the session goes on", || {
        (web("GET /", &[&session]).0 == 200).then_some(())
    });
    let old = product.edge().expect("there is one");
    let program = product.another_program(0);
    assert!(product.kill_steward(), "there was one");
    product.up_with(&program);
    assert!(
        product.edge().is_some_and(|edge| edge != old),
        "it is another one"
    );
    assert_eq!(web("GET /", &[&session]).0, 200);
    assert_eq!(web("GET /", &[]).0, 401);
    assert!(!product.steward_log().contains("verys3cret") && !product.logs("web").contains("verys3cret"));
    product.well(&["down"]);
    product.leaves_nothing();
}
