//! Reading manifests from memory: what is understood, and what is told.

use std::collections::BTreeMap;
use towpath_manifest::{Reading, locate, print, read};

fn reading(text: &str) -> Reading {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), text.as_bytes().to_vec())]);
    read("towpath.toml", &sources)
}

fn codes(reading: &Reading) -> Vec<String> {
    reading
        .findings
        .iter()
        .map(|finding| {
            let at = locate(reading, finding);
            let text = &reading.sources[usize::from(at.span.source)].text;
            let range = at.span.start as usize..at.span.end as usize;
            format!(
                "{} `{}` {}",
                finding.code.id,
                text.get(range).unwrap_or("?"),
                finding.message
            )
        })
        .collect()
}

const SHORT: &str = r#"
product = "reflect"

[service.edge]
run = "edge"
public = true
replicas = 2
uses = ["core", "db"]
scale = { cpu = "70%", queue = { redis = "x", each = 100 } }

[service.core]
run = "core"

[postgres.db]
version = 16

[environment.dev]
on = "pull-request"
service.edge.replicas = { max = 1 }

[environment.prod]
like = "dev"
service.edge.replicas.max = 5
service.edge.scale = false
"#;

#[test]
fn a_short_manifest_is_understood() {
    let reading = reading(SHORT);
    assert_eq!(codes(&reading), Vec::<String>::new());
    let desired = reading.desired.as_ref().expect("it is readable");
    let (_, _, edge) = desired.component("edge").expect("it is there");
    assert_eq!((edge.replicas.min, edge.replicas.most()), (2, 2));
    let (_, _, prod) = reading.environments["prod"]
        .desired
        .component("edge")
        .expect("it is there");
    assert_eq!((prod.replicas.min, prod.replicas.most()), (2, 5));
    assert!(prod.scale.is_none() && edge.scale.is_some());
}

#[test]
fn what_is_printed_means_the_same() {
    let first = reading(SHORT);
    let desired = first.desired.as_ref().expect("it is readable");
    let again = reading(&print(desired));
    assert_eq!(codes(&again), Vec::<String>::new());
    assert_eq!(again.desired.as_ref(), Some(desired));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let reading = reading(
        r#"
prodct = "x"
[service.Edge]
run = "edge"
[service.core]
replicas = "two"
healht = "/"
health = { intervall = "1s", timeout = 5 }
uses = ["dbb"]
cron = "daily"
[postgres.db]
backup = { full = "dayly" }
"#,
    );
    let told = codes(&reading);
    assert_eq!(told.len(), 9, "{told:#?}");
}
