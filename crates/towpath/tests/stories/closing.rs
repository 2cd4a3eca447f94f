//! What visitors get when it is not simply an answer: what was kept, a page of the product's own, and that it is closed.

use crate::kit::{Product, eventually};
use std::fs;

const MANIFEST: &str = r#"
[edge]
error_page = "sorry.html"

[service.web]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }
cache  = { edge = "1h" }

[service.other]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }

[site.pages]
files  = "dist"
public = true
"#;

const BROWSER: &str = "accept: text/html";

#[track_caller]
fn has(answer: &(u16, String), status: u16, words: &str) {
    assert!(answer.0 == status && answer.1.contains(words), "{answer:?}");
}

#[test]
fn maintenance_holds_until_it_is_over_whoever_dies() {
    let product = Product::new("closestory", MANIFEST);
    let lacks = product.run(&["up", "--detach"]);
    assert!(
        lacks
            .err
            .contains("sorry.html, the `error_page` of the edge, is not there"),
        "{}",
        lacks.err
    );
    product.write("sorry.html", "<h1>{{title}}</h1><p>{{reason}}</p>");
    fs::create_dir(product.folder.join("dist")).expect("a folder");
    fs::write(product.folder.join("dist/index.html"), "pages").expect("a file");
    product.up();
    let ask = |name: &str| product.say(name, "GET /", &[BROWSER]);
    has(&ask("web"), 200, "");
    let told = product.well(&[
        "maintenance",
        "on",
        "web",
        "--because",
        "A <new> database",
        "--until",
        "30m",
    ]);
    assert!(
        told.out.contains("web is in maintenance since") && told.out.contains(": A <new> database"),
        "{}",
        told.out
    );
    has(
        &ask("web"),
        503,
        "<h1>Closed for maintenance</h1><p>A &lt;new&gt; database</p>",
    );
    has(&ask("web"), 503, "retry-after: 1");
    has(&ask("other"), 200, "");
    assert!(
        product
            .well(&["status"])
            .out
            .contains("web is in maintenance since")
    );
    // A steward that dies and one that follows know it, and so does another edge.
    assert!(product.kill_steward());
    product.up();
    has(&ask("web"), 503, "Closed for maintenance");
    let edge = product.edge().expect("it is there");
    crate::kit::kill(edge, rustix::process::Signal::KILL);
    eventually("another edge serves", || {
        product.edge().filter(|other| *other != edge)
    });
    has(&ask("web"), 503, "A &lt;new&gt; database");
    product.write("sorry.html", "<h2>{{title}}</h2>");
    product.up();
    eventually("the new page is shown", || {
        ask("web").1.contains("<h2>Closed").then_some(())
    });
    product.well(&["maintenance", "on", "--let-in", "127.0.0.0/8"]);
    has(&ask("web"), 200, "");
    product.well(&["maintenance", "on"]);
    for name in ["web", "other", "pages"] {
        has(&ask(name), 503, "Closed for maintenance");
    }
    let alone = product.run(&["maintenance", "off", "web"]);
    assert!(
        alone.code != Some(0) && alone.err.contains("one component cannot be opened alone"),
        "{}",
        alone.err
    );
    assert_eq!(
        product.well(&["maintenance", "off"]).out,
        "nothing is in maintenance any more\n"
    );
    assert_eq!(
        product.well(&["maintenance", "off"]).out,
        "it is in no maintenance\n"
    );
    for name in ["web", "other", "pages"] {
        has(&ask(name), 200, "");
    }
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn a_page_from_before_a_deploy_finds_its_parts() {
    let product = Product::new("atticstory", MANIFEST);
    product.write("sorry.html", "{{title}}");
    let dist = product.folder.join("dist");
    let build = |name: &str| {
        let _ = fs::remove_dir_all(&dist);
        fs::create_dir(&dist).expect("a folder");
        fs::write(dist.join(name), name).expect("a file");
        fs::write(dist.join("index.html"), name).expect("a file");
    };
    build("app.4f3a2b1c.js");
    product.up();
    let get = |path: &str| product.say("pages", &format!("GET {path}"), &[]);
    has(&get("/app.4f3a2b1c.js"), 200, "app.4f3a2b1c.js");
    eventually("it is kept", || {
        let kept = product.state().join("assets/pages");
        fs::read_dir(kept)
            .ok()?
            .next()?
            .ok()?
            .path()
            .extension()
            .is_none()
            .then_some(())
    });
    build("app.9c8d7e6f.js");
    product.up();
    has(&get("/app.9c8d7e6f.js"), 200, "app.9c8d7e6f.js");
    eventually("the old one is found", || {
        (get("/app.4f3a2b1c.js").0 == 200).then_some(())
    });
    has(&get("/"), 200, "app.9c8d7e6f.js");
    product.well(&["down"]);
    product.leaves_nothing();
}
