//! What makes a component start anew, and what does not.

use super::*;

const TEXT: &str = r#"
[service.api]
run = "api"
uses = ["core"]
memory = "64MiB"
health = "/"
env = { LEVEL = "info", KEY = "secret:KEY" }
[service.core]
run = "core"
[secret.KEY]
"#;

fn digest_of(text: &str, key: &str, artifact: Option<&str>) -> String {
    let file = format!("KEY={key}");
    let launched = with(&environment(text), "dev", &[(".env", &file)], &[]);
    digest(&launched.product.components["api"], artifact, &launched.values)
}

#[test]
fn whatever_an_instance_is_started_with_starts_it_anew() {
    let before = digest_of(TEXT, "k", None);
    assert_eq!(before.len(), 32);
    assert_eq!(before, digest_of(TEXT, "k", None));
    for (from, to) in [
        ("run = \"api\"", "run = \"api --fast\""),
        ("memory = \"64MiB\"", "memory = \"65MiB\""),
        ("memory = \"64MiB\"", "cpu = 1"),
        ("\"info\"", "\"debug\""),
        ("LEVEL = \"info\", ", ""),
        ("health = \"/\"", "dir = \"x\""),
        ("health = \"/\"", "port = 4000"),
        ("health = \"/\"", "stop = \"1s\""),
        ("health = \"/\"", "stop = { signal = \"INT\" }"),
        ("health = \"/\"", "restart = \"never\""),
        ("health = \"/\"", "pids = 10"),
        ("uses = [\"core\"]", ""),
        (
            "LEVEL = \"info\"",
            "LEVEL = { value = \"info\", deliver = \"file\" }",
        ),
    ] {
        assert!(TEXT.contains(from));
        assert_ne!(
            before,
            digest_of(&TEXT.replacen(from, to, 1), "k", None),
            "{from} to {to}"
        );
    }
    assert_ne!(
        before,
        digest_of(TEXT, "other", None),
        "a secret that has changed has to arrive"
    );
    assert_ne!(
        before,
        digest_of(TEXT, "k", Some("a")),
        "what was built has changed"
    );
}

#[test]
fn what_others_look_at_starts_nothing_anew() {
    let before = digest_of(TEXT, "k", None);
    for (from, to) in [
        ("health = \"/\"", "health = \"/healthz\""),
        ("health = \"/\"", "public = true"),
        (
            "health = \"/\"",
            "replicas = { min = 2, max = 3 }\nhealth = \"/\"",
        ),
        ("health = \"/\"", "watch = \"src\""),
        ("health = \"/\"", "domains = \"api.example.com\""),
        ("health = \"/\"", "about = \"What it does\""),
        ("health = \"/\"", "stop = { drain = \"5s\" }"),
        ("health = \"/\"", "route = { path = \"/x\", redirect = \"/y\" }"),
    ] {
        assert_eq!(
            before,
            digest_of(&TEXT.replacen(from, to, 1), "k", None),
            "{from} to {to}"
        );
    }
}
