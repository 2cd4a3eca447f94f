//! Gates of a rollout: what is asked of a release before it begins, while it has a share, and when it has all; what comes of
//! that, word for word the same wherever it is told; and what people have to say.

use crate::kit::{Product, Ran, eventually};
use crate::load::Load;

/// A service whose front page fails or is slow as it is told, and what is asked of it.
fn shape(env: &str, rest: &str) -> String {
    format!(
        r#"
[service.web]
run      = "sh ./program web"
replicas = 2
public   = true
health   = {{ path = "/healthz", interval = "50ms", timeout = "1s", deadline = "10s" }}
env      = {{ {env} }}
stop     = {{ within = "2s", drain = "1s" }}
{rest}
"#
    )
}

fn product(name: &str, rest: &str) -> Product {
    let product = Product::new(name, &shape("WORD = \"one\"", rest));
    product.well(&["deploy", "dev"]);
    product
}

/// Deploys what is another release.
fn deploy(product: &Product, env: &str, rest: &str) -> Ran {
    product.manifest(&shape(env, rest));
    product.run(&["deploy", "dev"])
}

/// Which release is current, as it is listed.
fn current(product: &Product) -> String {
    let told = product.well(&["releases", "dev"]).out;
    let line = told.lines().find(|line| line.contains("current"));
    line.and_then(|line| line.split_whitespace().next())
        .expect("one is current")
        .to_owned()
}

const CANARY: &str = r#"
[rollout]
strategy    = "canary"
steps       = ["30% for 2s", "100%"]
judge_every = "500ms"
gates       = ["as-good"]
extend      = "20s"
bake        = "0s"
warm        = "1s"

[gate.as-good]
canary = { errors = "1%" }
"#;

#[test]
fn a_canary_that_fails_comes_back_by_itself_and_says_so_everywhere_in_the_same_words() {
    let product = product("failing", CANARY);
    let before = current(&product);
    let load = Load::begin(&product, product.plain_port("web"));
    load.goes_on();
    let ran = deploy(&product, "WORD = \"two\", FAILS = \"yes\"", CANARY);
    drop(load.end());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(current(&product), before, "{ran:?}");
    let said = ran
        .err
        .lines()
        .find(|line| line.contains("a gate said no"))
        .expect("it says why");
    let why = said.split("a gate said no: ").nth(1).expect("and what");
    // What is current again is said behind it.
    let (why, _) = why.rsplit_once("; ").expect("and what runs now");
    assert!(why.contains("as-good") && why.contains("failed"), "{why}");
    for words in [&["history", "dev"][..], &["explain", "dev", "2"]] {
        let told = product.well(words).out;
        assert!(told.contains(why), "{words:?} does not say `{why}`: {told}");
    }
    let gates = product.well(&["gates", "dev"]).out;
    assert!(gates.contains("fail as-good"), "{gates}");
}

#[test]
fn a_canary_that_does_as_well_as_before_goes_on_by_itself() {
    let product = product("passing", CANARY);
    let load = Load::begin(&product, product.plain_port("web"));
    load.goes_on();
    let ran = deploy(&product, "WORD = \"two\"", CANARY);
    let lost = load.end();
    assert_eq!((ran.code, lost.len()), (Some(0), 0), "{ran:?} {lost:?}");
    let gates = product.well(&["gates", "dev"]).out;
    assert!(gates.contains("pass as-good"), "{gates}");
}

#[test]
fn nothing_begins_before_the_people_who_are_asked_have_said_yes() {
    let rest = r#"
[rollout]
strategy = "rolling"
bake     = "0s"
warm     = "0s"

[gate.yes]
stage    = "enter"
approval = ["ana@example.com"]
"#;
    let product = Product::new("approving", &shape("WORD = \"one\"", rest));
    let ran = product.run(&["deploy", "dev"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("ana@example.com"), "{ran:?}");
    let by = |who: &str| product.run(&["gate", "approve", "dev", "yes", "--by", who]);
    assert_eq!(by("ben@example.com").code, Some(0));
    let told = product.well(&["rollout", "dev", "--json"]).out;
    assert!(
        told.contains("awaits"),
        "somebody else's yes is not what is waited for: {told}"
    );
    assert_eq!(by("ana@example.com").code, Some(0));
    product.well(&["rollout", "dev"]);
    assert!(!current(&product).is_empty());
    let unknown = product.run(&["gate", "approve", "dev", "no-such"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("there are yes"), "{unknown:?}");
}

const AFTER: &str = r#"
[rollout]
strategy    = "rolling"
after       = ["smoke"]
judge_every = "200ms"
bake        = "400ms"
warm        = "1m"

[gate.smoke]
command = "sh smoke.sh"
waive   = { people = ["ana@example.com"], most = "2h" }
"#;

#[test]
fn what_fails_after_the_switch_brings_the_release_back_unless_somebody_who_may_has_waived_it() {
    let product = Product::new("smoked", &shape("WORD = \"one\"", AFTER));
    product.write("smoke.sh", "echo looked at $TOWPATH_ENVIRONMENT; exit 0");
    product.well(&["deploy", "dev"]);
    let before = current(&product);
    product.write("smoke.sh", "echo nobody can sign in; exit 7");
    let ran = deploy(&product, "WORD = \"two\"", AFTER);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.contains("smoke: `sh smoke.sh` ended with code 7"),
        "{ran:?}"
    );
    assert_eq!(current(&product), before);
    let gates = product.well(&["gates", "dev"]).out;
    assert!(gates.contains("nobody can sign in"), "{gates}");
    let waive = |by: &str, until: &str| {
        product.run(&[
            "gate", "waive", "dev", "smoke", "--by", by, "--until", until, "--reason", "known",
        ])
    };
    assert_eq!(waive("ben@example.com", "1h").code, Some(2));
    assert_eq!(waive("ana@example.com", "9h").code, Some(2));
    let waived = waive("ana@example.com", "1h");
    assert_eq!(waived.code, Some(0), "{waived:?}");
    let ran = deploy(&product, "WORD = \"three\"", AFTER);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_ne!(current(&product), before);
    product.well(&["gate", "unwaive", "dev", "smoke"]);
}

const PROBED: &str = r#"
[rollout]
strategy    = "blue-green"
gates       = ["front", "same"]
judge_every = "200ms"
bake        = "0s"
warm        = "1m"

[probe.front]
of     = "web"
http   = "GET /"
expect = ["status = 200", "p95 < 2s"]
runs   = 10

[probe.same]
of      = "web"
fixture = { request = "POST /env/WORD", body = "question", hash = "stable" }
"#;

#[test]
fn probes_ask_the_new_release_before_anybody_else_does() {
    let product = Product::new("probed", &shape("WORD = \"one\"", PROBED));
    product.write("question", "what do you say?");
    product.well(&["deploy", "dev"]);
    let before = current(&product);
    let load = Load::begin(&product, product.plain_port("web"));
    load.goes_on();
    let failing = deploy(&product, "WORD = \"one\", FAILS = \"yes\"", PROBED);
    let other = deploy(&product, "WORD = \"two\"", PROBED);
    let same = deploy(&product, "WORD = \"one\", ASIDE = \"two\"", PROBED);
    let lost = load.end();
    assert_eq!(
        (failing.code, other.code, same.code),
        (Some(1), Some(1), Some(0)),
        "{failing:?}\n{other:?}\n{same:?}"
    );
    assert!(
        failing.err.contains("front: ") && failing.err.contains("`500` came"),
        "{failing:?}"
    );
    assert!(other.err.contains("same: "), "{other:?}");
    assert!(lost.is_empty(), "visitors meet nothing of it: {lost:?}");
    assert_ne!(current(&product), before);
}

#[test]
fn what_a_release_has_to_show_where_it_comes_from_is_asked_there() {
    let rest = r#"
[rollout]
strategy = "rolling"
bake     = "0s"
warm     = "0s"

[probe.front]
of     = "web"
http   = "GET /"
expect = "status = 200"

[environment.prod]
after = "dev"
gates = ["front"]
"#;
    let product = Product::new("onward", &shape("WORD = \"one\", FAILS = \"yes\"", rest));
    product.well(&["deploy", "dev"]);
    let refused = product.run(&["promote", "dev", "prod"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("front: "), "{refused:?}");
    product.manifest(&shape("WORD = \"one\"", rest));
    product.well(&["deploy", "dev"]);
    let ran = product.well(&["promote", "dev", "prod"]);
    assert!(ran.err.contains("front") || ran.out.contains("front"), "{ran:?}");
    let told = eventually("it is told", || {
        let told = product.run(&["gates", "prod"]);
        (told.code == Some(0)).then_some(told.out)
    });
    assert!(told.contains("pass front"), "{told}");
    product.well(&["down", "prod"]);
}
