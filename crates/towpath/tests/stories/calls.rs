//! Ports that somebody else has, and programs that do not answer.

use crate::kit::{Product, eventually};
use std::fs;
use std::net::TcpListener;

#[test]
fn a_fixed_port_that_somebody_else_has_is_named_and_taken_once_it_is_free() {
    let thief = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = thief.local_addr().expect("it has one").port();
    let product = Product::new(
        "fixedport",
        &format!(
            "[service.web]\nrun = \"sh ./program web\"\nport = {port}\nhealth = {{ path = \"/healthz\", interval = \"100ms\" }}\n"
        ),
    );
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    product.until("web", |one| {
        one["because"]
            .as_str()
            .is_some_and(|why| why.contains(&port.to_string()))
    });
    let told = product.explain("web");
    assert!(told.contains(&format!("port {port}")), "{told}");
    drop(thief);
    product.until_state("web", "ready");
}

#[test]
fn a_given_port_that_is_stolen_is_replaced_by_another_one() {
    let product = Product::new(
        "stolenport",
        "[service.web]\nrun = \"test ! -e wait && exec sh ./program web; exit 1\"\nhealth = { path = \"/healthz\", interval = \"100ms\" }\n",
    );
    product.up();
    let port = port_of(&product);
    // It goes for a moment, and somebody else is faster.
    product.write("wait", "");
    crate::kit::kill(product.pid("web"), rustix::process::Signal::KILL);
    let thief = eventually("it lets its port go", || {
        TcpListener::bind(("127.0.0.1", port)).ok()
    });
    product.until("web", |one| {
        one["instances"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["id"] != "web.1"))
    });
    fs::remove_file(product.folder.join("wait")).expect("it was there");
    product.until_state("web", "ready");
    assert_ne!(port_of(&product), port);
    drop(thief);
}

fn port_of(product: &Product) -> u16 {
    let env = fs::read(format!("/proc/{}/environ", product.pid("web"))).expect("it runs");
    let text = String::from_utf8_lossy(&env).into_owned();
    let port = text.split('\0').find_map(|one| one.strip_prefix("PORT="));
    port.expect("it was given one").parse().expect("a number")
}

#[test]
fn who_does_not_answer_is_told_with_the_reason_and_heals_once_it_answers() {
    let product = Product::new(
        "silent",
        "[service.web]\nrun = \"sh ./program web\"\nhealth = { path = \"/healthz\", interval = \"100ms\", timeout = \"200ms\", deadline = \"600ms\" }\n",
    );
    product.write("hang", "");
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("no answer within 200ms"), "{}", ran.err);
    let web = product.component("web");
    assert_eq!(web["state"], "unwell", "{web:#}");
    assert_eq!(product.run(&["status"]).code, Some(1));
    let pid = product.pid("web");
    fs::remove_file(product.folder.join("hang")).expect("it was there");
    product.until_state("web", "ready");
    assert_eq!(product.pid("web"), pid, "whoever was slow is not killed for it");
    // Whoever was well and is silent for its whole deadline is started again.
    product.write("hang", "");
    product.until("web", |_| crate::kit::is_over(pid));
    fs::remove_file(product.folder.join("hang")).expect("it was there");
    product.until_state("web", "ready");
    let told = product.explain("web");
    assert!(told.contains("no answer within 200ms"), "{told}");
}

#[test]
fn a_stranger_on_a_fixed_port_is_named_and_nothing_is_started_beside_it() {
    let thief = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = thief.local_addr().expect("it has one").port();
    let product = Product::new(
        "heldport",
        &format!("[service.web]\nrun = \"touch started; exec sleep 600\"\nport = {port}\n"),
    );
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let words = format!("process {} (stories", std::process::id());
    assert!(
        ran.err.contains(&words) && ran.err.contains("another `port`"),
        "{}",
        ran.err
    );
    assert!(!product.folder.join("started").exists(), "{}", ran.err);
    assert_eq!(product.component("web")["state"], "failed");
}

#[test]
fn an_instance_is_not_ready_through_the_answers_of_a_stranger() {
    let product = Product::new(
        "impostor",
        "[service.web]\nrun = \"echo $PORT > port.txt; while ! test -e go; do sleep 0.02; done; exec sh ./program web\"\nhealth = { path = \"/healthz\", interval = \"100ms\", timeout = \"100ms\", deadline = \"200ms\" }\n",
    );
    let up = product.begin_command(&["up", "--detach"]);
    let port: u16 = eventually("it has a port", || product.read("port.txt").trim().parse().ok());
    let thief = TcpListener::bind(("127.0.0.1", port)).expect("nobody listens yet");
    let end = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let ends = std::sync::Arc::clone(&end);
    let thief = std::thread::spawn(move || {
        for stream in thief.incoming().flatten() {
            if ends.load(std::sync::atomic::Ordering::Relaxed) {
                return;
            }
            answer_once(stream);
        }
    });
    let words = format!("process {} (stories", std::process::id());
    product.until("web", |one| {
        assert_ne!(one["state"], "ready", "{one:#}");
        one["because"].as_str().is_some_and(|why| why.contains(&words))
    });
    assert_eq!(up.end().code, Some(1));
    end.store(true, std::sync::atomic::Ordering::Relaxed);
    drop(std::net::TcpStream::connect(("127.0.0.1", port)));
    thief.join().expect("it goes");
    product.write("go", "");
    product.until_state("web", "ready");
}

/// Says that all is well, to whatever is asked.
fn answer_once(mut stream: std::net::TcpStream) {
    use std::io::{Read, Write};
    // Whoever hangs up has got no answer, and that is all there is to it.
    let _ = stream
        .read(&mut [0; 1024])
        .and_then(|_| stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
}

#[test]
fn a_site_without_its_folder_is_not_ready_until_it_is_there() {
    let product = Product::new("bare", "[site.pages]\nfiles = \"pages\"\npublic = true\n");
    let ran = product.run(&["up", "--detach"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("there is no folder") && ran.err.contains("/pages"),
        "{}",
        ran.err
    );
    fs::create_dir(product.folder.join("pages")).expect("it can be made");
    product.until_state("pages", "ready");
}
