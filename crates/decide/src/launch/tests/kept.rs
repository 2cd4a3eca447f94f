//! What is kept in front of components: who says what, and who counts more.

use super::*;
use insta::assert_snapshot;
use towpath_model::run::Rules;

fn shown_rules(at: &str, rules: &Rules) -> String {
    let mut text = format!("{at}\n");
    let mut row = |what: &str, said: String| {
        if !said.is_empty() {
            let _ = writeln!(text, "  {what} {said}");
        }
    };
    for (name, value) in &rules.headers {
        row("says", format!("{name}: {value}"));
    }
    let list = |all: &[String]| all.join(" ");
    let allow: Vec<String> = rules.allow.iter().map(ToString::to_string).collect();
    row("lets in", list(&allow));
    let bounds = &rules.bounds;
    row(
        "rate",
        bounds.rate.as_ref().map(ToString::to_string).unwrap_or_default(),
    );
    let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    row("body", count(bounds.body));
    row("soft", count(bounds.soft.map(u64::from)));
    row("hard", count(bounds.hard.map(u64::from)));
    row("unshed", if bounds.unshed { "yes" } else { "" }.to_owned());
    row(
        "time",
        bounds.time.map(|time| time.to_string()).unwrap_or_default(),
    );
    for carried in &rules.require {
        row(
            "needs",
            [&[carried.header.clone()][..], &carried.methods]
                .concat()
                .join(" "),
        );
    }
    row(
        "own pages",
        if rules.own_pages {
            "only".to_owned()
        } else {
            String::new()
        },
    );
    let robots = rules.unwanted.bots.word();
    row(
        "robots",
        if robots == "allow" {
            String::new()
        } else {
            robots.to_owned()
        },
    );
    row("refuses", list(&rules.unwanted.paths));
    row(
        "injections",
        if rules.unwanted.injections {
            "refused".to_owned()
        } else {
            String::new()
        },
    );
    if let Some(access) = &rules.access {
        let secret = access.secret.as_deref().unwrap_or("nothing");
        row(
            "asks",
            format!("for {} {secret}, for {}", access.sign_in, access.lasts),
        );
    }
    row(
        "keeps",
        rules.cache.map(|time| time.to_string()).unwrap_or_default(),
    );
    text
}

/// What is kept in front of a component, and of the parts of its address space.
fn kept(launched: &Launched, name: &str) -> String {
    let listens = launched.product.components[name]
        .listens
        .as_ref()
        .expect("it is reached");
    let mut text = shown_rules(name, &listens.rules);
    for route in &listens.routes {
        let to = route
            .to
            .as_ref()
            .map(|to| format!(" by {to}"))
            .unwrap_or_default();
        text.push_str(&shown_rules(&format!("{name}{}{to}", route.path), &route.rules));
    }
    text + &told("problem", &launched.problems)
}

fn dev(text: &str, name: &str) -> String {
    kept(&with(&environment(text), "dev", &[(".env", "KEY=k")], &[]), name)
}

#[test]
fn a_set_of_headers_is_what_a_careful_engineer_would_write() {
    let text = |headers: &str| {
        dev(
            &format!("[service.web]\nrun = 'a'\npublic = true\nheaders = {headers}"),
            "web",
        )
    };
    assert_snapshot!(text("'strict'"), @r#"
    web
      says Content-Security-Policy: default-src 'self'; base-uri 'self'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; report-uri /.well-known/towpath/csp; report-to towpath
      says Reporting-Endpoints: towpath="/.well-known/towpath/csp"
      says Strict-Transport-Security: max-age=31536000
      says Referrer-Policy: strict-origin-when-cross-origin
      says Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()
      says X-Content-Type-Options: nosniff
    "#);
    assert_snapshot!(text("'basic'"), @r#"
    web
      says Strict-Transport-Security: max-age=31536000
      says X-Content-Type-Options: nosniff
    "#);
    assert_snapshot!(text("'none'"), @"web");
    assert_snapshot!(
        text("{ csp = \"default-src 'self' cdn.example.com\", hsts = '2y', referrer = 'no-referrer', permissions = 'camera=(self)', add = { X-Robots-Tag = 'noindex' } }"), @r#"
    web
      says Content-Security-Policy: default-src 'self' cdn.example.com; report-uri /.well-known/towpath/csp; report-to towpath
      says Reporting-Endpoints: towpath="/.well-known/towpath/csp"
      says Strict-Transport-Security: max-age=63072000
      says Referrer-Policy: no-referrer
      says Permissions-Policy: camera=(self)
      says X-Frame-Options: DENY
      says X-Content-Type-Options: nosniff
      says X-Robots-Tag: noindex
    "#);
    assert_snapshot!(text("{ set = 'none', hsts = '1d', add = { strict-transport-security = 'max-age=1; includeSubDomains' } }"), @r#"
    web
      says strict-transport-security: max-age=1; includeSubDomains
    "#);
}

#[test]
fn what_is_more_exact_counts_more() {
    let text = r#"
[service.web]
run = "web"
public = true
limit = { rate = "100/s per ip", body = "1MiB", time = "30s", soft = 4, hard = 6, shed = false }
allow = ["203.0.113.0/24"]
require = [{ header = "Idempotency-Key", methods = ["post"] }]
csrf = true
waf = { block_paths = ["/.git"] }
cache = { edge = "1h" }
access = { sign_in = "token", secret = "KEY" }
route = [
  { path = "/upload", body = "20MB", limit = { rate = "5/min per user" } },
  { path = "/old", redirect = "/new" },
  { path = "/admin", waf = { bots = "block", injections = false }, access = { sign_in = "password", secret = "KEY", lasts = "1h" } },
  { path = "/api", to = "api", cache = { edge = "5s" }, require = ["X-Tenant"] },
]
[service.api]
run = "api"
limit = { rate = "7/s per token" }
route = [
  { path = "/api/inner", access = { sign_in = "token", secret = "KEY" } },
  { path = "/other", body = "1KiB" },
]
[edge]
waf = { block_paths = ["/wp-admin"], bots = "slow" }
[secret.KEY]
"#;
    assert_snapshot!(dev(text, "web"), @r#"
    web
      lets in 203.0.113.0/24
      rate 100/s per ip
      body 1048576
      soft 4
      hard 6
      unshed yes
      time 30s
      needs Idempotency-Key POST
      own pages only
      robots slow
      refuses /wp-admin /.git
      injections refused
      asks for token KEY, for 12h
      keeps 1h
    web/api/inner by api
      lets in 203.0.113.0/24
      rate 7/s per token
      needs X-Tenant
      robots slow
      refuses /wp-admin
      injections refused
      asks for token KEY, for 12h
      keeps 5s
    web/upload
      lets in 203.0.113.0/24
      rate 5/min per user
      body 20000000
      soft 4
      hard 6
      unshed yes
      time 30s
      needs Idempotency-Key POST
      own pages only
      robots slow
      refuses /wp-admin /.git
      injections refused
      asks for token KEY, for 12h
      keeps 1h
    web/admin
      lets in 203.0.113.0/24
      rate 100/s per ip
      body 1048576
      soft 4
      hard 6
      unshed yes
      time 30s
      needs Idempotency-Key POST
      own pages only
      robots block
      refuses /wp-admin /.git
      asks for password KEY, for 1h
      keeps 1h
    web/old
      lets in 203.0.113.0/24
      rate 100/s per ip
      body 1048576
      soft 4
      hard 6
      unshed yes
      time 30s
      needs Idempotency-Key POST
      own pages only
      robots slow
      refuses /wp-admin /.git
      injections refused
      asks for token KEY, for 12h
      keeps 1h
    web/api by api
      lets in 203.0.113.0/24
      rate 7/s per token
      needs X-Tenant
      robots slow
      refuses /wp-admin
      injections refused
      asks for token KEY, for 12h
      keeps 5s
    "#);
    assert_snapshot!(dev(text, "api"), @r#"
    api
      rate 7/s per token
    api/api/inner
      rate 7/s per token
      asks for token KEY, for 12h
    api/other
      rate 7/s per token
      body 1024
    "#);
}

#[test]
fn an_environment_stands_in_front_of_everything_public_in_it() {
    let text = r#"
product = "shop"
[service.web]
run = "web"
public = true
route = [{ path = "/api", to = "api" }]
[service.own]
run = "own"
public = true
access = { sign_in = "token", secret = "KEY" }
[service.api]
run = "api"
[environment.dev]
access = { sign_in = "password", secret = "SITE_PASSWORD" }
[secret.KEY]
[secret.SITE_PASSWORD]
generate = "token"
"#;
    let launched = with(text, "dev", &[(".env", "KEY=k")], &[]);
    let all: String = ["web", "own", "api"].map(|name| kept(&launched, name)).concat();
    assert_snapshot!(all, @r#"
    web
      asks for password SITE_PASSWORD, for 12h
    web/api by api
      asks for password SITE_PASSWORD, for 12h
    own
      asks for token KEY, for 12h
    api
    "#);
    let made: Vec<&str> = launched.generate.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(made, ["SITE_PASSWORD"]);
    assert!(launched.values.contains_key("KEY"));
}

#[test]
fn calls_are_signed_with_what_callers_name_and_have() {
    let text = r#"
[service.ai]
run = "ai"
[service.core]
run = "core"
uses = [{ name = "ai", trust = "hmac", secret = "NEW" }, { name = "jobs", trust = "hmac", secret = "OLD" }]
[service.jobs]
run = "jobs"
uses = [{ name = "ai", trust = "hmac", secret = "OLD" }, { name = "core", trust = "network" }]
[service.idle]
run = "idle"
uses = [{ name = "ai", trust = "hmac", secret = "NONE", optional = true }]
[secret.NEW]
generate = "token"
[secret.OLD]
[secret.NONE]
"#;
    let launched = with(&environment(text), "dev", &[(".env", "OLD=o")], &[]);
    let signs = |name: &str| {
        let listens = launched.product.components[name].listens.as_ref();
        listens.expect("it is reached").rules.signs.join(" ")
    };
    assert_eq!(["ai", "jobs", "core"].map(signs), ["NEW OLD", "OLD", ""]);
}

#[test]
fn a_sign_in_says_all_that_the_edge_needs() {
    let text = r#"
[service.web]
run = "web"
public = true
access = { sign_in = "oidc", issuer = "https://id.example.com", client = "shop", secret = "KEY", groups = ["ops"] }
require = [{ header = "Authorization", issuer = "http://127.0.0.1:9000", audience = "api" }]
route = [{ path = "/machines", access = { sign_in = "certificate", authority = "certificates/machines.pem" } }]
[secret.KEY]
"#;
    let launched = with(&environment(text), "dev", &[(".env", "KEY=k")], &[]);
    assert_eq!(told("problem", &launched.problems), "");
    let listens = launched.product.components["web"]
        .listens
        .as_ref()
        .expect("it is reached");
    let access = listens.rules.access.as_ref().expect("people sign in");
    assert_eq!(
        access.issuer.as_ref().map(|issuer| issuer.as_str()),
        Some("https://id.example.com")
    );
    assert_eq!(
        (access.client.as_deref(), access.secret.as_deref()),
        (Some("shop"), Some("KEY"))
    );
    let carried = &listens.rules.require[0];
    assert_eq!(
        carried.issuer.as_ref().map(|issuer| issuer.as_str()),
        Some("http://127.0.0.1:9000")
    );
    assert_eq!(carried.audience.as_deref(), Some("api"));
    let machines = listens.routes[0].rules.access.as_ref().expect("machines sign in");
    assert_eq!(
        machines.authority.as_deref(),
        Some("/p/certificates/machines.pem")
    );
}

#[test]
fn what_is_not_kept_is_not_started() {
    let text = r#"
[service.web]
run = "web"
public = true
access = { sign_in = "certificate", authority = "people.pem" }
require = [{ header = "Authorization", issuer = "http://id.example.com" }]
waf = { block_countries = ["XX"] }
route = [{ path = "/api", to = "api" }, { path = "/private", access = { sign_in = "password", secret = "UNKNOWN" } }]
[service.api]
run = "api"
public = true
access = { sign_in = "oidc", issuer = "http://accounts.example.com", client = "shop" }
[secret.UNKNOWN]
"#;
    let launched = launched(&environment(text), "dev");
    assert_snapshot!(told("problem", &launched.problems), @r#"
    problem at service.web.require[0].issuer: `web` would ask id.example.com for its keys in a way that whoever is in between can change
      help: give its address with https://
    problem at service.web.waf.block_countries: `web` is to refuse countries, and this version does not know which network is in which one
      help: take `block_countries` out here, and let what stands in front of the edge do it
    problem at service.api.access.issuer: `api` would ask accounts.example.com for its keys in a way that whoever is in between can change
      help: give its address with https://
    problem at service.web.route[1].access.secret: `web` does not start without `UNKNOWN`, which has no value
      help: write UNKNOWN=.. into .env
    "#);
}
