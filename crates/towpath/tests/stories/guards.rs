//! What the manifest says in front of a component is kept, and is told in words.

use crate::kit::{Product, eventually};

const MANIFEST: &str = r#"
[service.web]
run     = "sh ./program web"
public  = true
health  = { path = "/healthz", interval = "100ms" }
headers = { set = "strict", hsts = "1y", add = { X-Robots-Tag = "noindex" } }
csrf    = true
require = [{ header = "Idempotency-Key", methods = ["PUT"] }]
limit   = { body = "1KiB" }
waf     = { block_paths = ["/wp-admin"] }

[[service.web.route]]
path  = "/few"
limit = "2/hour per ip"

[[service.web.route]]
path   = "/private"
access = { sign_in = "password", secret = "SITE_PASSWORD", lasts = "1h" }

[[service.web.route]]
path   = "/programs"
access = { sign_in = "token", secret = "ACCESS_TOKEN" }

[[service.web.route]]
path = "/people"
waf  = { bots = "challenge" }

[service.near]
run    = "sh ./program web"
public = true
health = { path = "/healthz", interval = "100ms" }
allow  = ["203.0.113.0/24"]

[secret.SITE_PASSWORD]
[secret.ACCESS_TOKEN]
"#;

fn has(answer: &(u16, String), status: u16, words: &[&str]) {
    assert_eq!(answer.0, status, "{}", answer.1);
    for words in words {
        assert!(answer.1.contains(words), "{words}: {}", answer.1);
    }
}

#[test]
fn what_is_said_in_front_of_a_component_is_kept() {
    let product = Product::new("guardstory", MANIFEST);
    product.write(".env", "SITE_PASSWORD=open\nACCESS_TOKEN=t0ken\n");
    product.up();
    let web = |what: &str, headers: &[&str]| product.say("web", what, headers);
    let policy = "content-security-policy: default-src 'self'; base-uri 'self'; object-src 'none'; ";
    has(
        &web("GET /", &[]),
        200,
        &[policy, "x-content-type-options: nosniff", "x-robots-tag: noindex"],
    );
    assert!(
        !web("GET /", &[]).1.contains("strict-transport-security"),
        "it is this machine"
    );
    let foreign = web("POST /", &["origin: https://evil.example", "content-length: 0"]);
    has(
        &foreign,
        403,
        &["Only our own pages may ask for this\nIt comes from https://evil.example"],
    );
    has(
        &web("PUT /", &["content-length: 0"]),
        400,
        &["This request has to carry Idempotency-Key."],
    );
    has(
        &web("POST /", &["content-length: 2000"]),
        413,
        &["Its body may have 1024 bytes."],
    );
    has(
        &web("GET /%77p-admin/setup.php", &[]),
        403,
        &["This path is closed"],
    );
    has(
        &web("GET /?id=1'+or+1=1--", &[]),
        403,
        &["looks like a piece of SQL"],
    );
    has(
        &product.say("near", "GET /", &[]),
        403,
        &["Only some networks reach this"],
    );
    let few = ["1", "0"].map(|left| format!("ratelimit: \"edge\";r={left};"));
    has(&web("GET /few", &[]), 200, &[&few[0]]);
    has(&web("GET /few", &[]), 200, &[&few[1]]);
    has(
        &web("GET /few", &[]),
        429,
        &["retry-after: ", "There may be 2 in 3600 seconds."],
    );
    has(&web("GET /", &[]), 200, &[]);
    has(
        &web("GET /private", &[]),
        401,
        &["www-authenticate: Basic realm=\"web.guardstory.localhost\""],
    );
    // ana:open
    let opened = web("GET /private", &["authorization: Basic YW5hOm9wZW4="]);
    has(&opened, 200, &["set-cookie: towpath-signed-in="]);
    has(
        &web("GET /programs", &["authorization: Basic YW5hOm9wZW4="]),
        401,
        &["A token is needed"],
    );
    has(&web("GET /programs", &["authorization: Bearer t0ken"]), 200, &[]);
    let asked = web("GET /people", &["user-agent: curl/8"]);
    has(
        &asked,
        429,
        &["One moment", "refresh: 1", "set-cookie: towpath-pass="],
    );
    let cookie = asked
        .1
        .split("set-cookie: ")
        .nth(1)
        .and_then(|rest| rest.split(';').next());
    let cookie = format!("cookie: {}", cookie.expect("it is given"));
    has(&web("GET /people", &["user-agent: curl/8", &cookie]), 200, &[]);
    // Another value is known without a new start.
    let pid = product.pid("web");
    product.write(".env", "SITE_PASSWORD=open\nACCESS_TOKEN=another\n");
    product.up();
    eventually("the new token holds", || {
        (web("GET /programs", &["authorization: Bearer another"]).0 == 200).then_some(())
    });
    has(&web("GET /programs", &["authorization: Bearer t0ken"]), 401, &[]);
    assert_eq!(product.pid("web"), pid);
    assert!(!product.steward_log().contains("another") && !product.logs("web").contains("another"));
    product.well(&["down"]);
    product.leaves_nothing();
}

#[test]
fn what_is_not_kept_is_refused_where_it_is_written() {
    let manifest = MANIFEST.replace("allow  =", "waf = { block_countries = [\"XX\"] }\nallow =");
    let product = Product::new("guardnotkept", &manifest);
    product.write(".env", "SITE_PASSWORD=open\nACCESS_TOKEN=t0ken\n");
    let ran = product.run(&["up"]);
    let words = "`near` is to refuse countries, and this version does not know which network";
    assert!(ran.code != Some(0) && ran.err.contains(words), "{}", ran.err);
    product.leaves_nothing();
}
