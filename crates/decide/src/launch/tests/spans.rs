//! Where spans go: the manifest's host, or what OpenTelemetry's own words say of it.

use super::{narrow, with};
use towpath_model::run::{SPANS_HEADERS, SPANS_OF, SPANS_SHARE, SPANS_TO};

const HOST: &str = r#"
product = "shop"
[service.web]
run = "web"
[telemetry]
traces = "collector"
[host.collector]
kind = "saas"
url = "https://spans.example.com/otlp/"
secret = "KEY"
[secret.KEY]
[environment.dev]
[environment.prod]
"#;

/// Address, headers and share of an environment with a `.env` file beside its manifest.
fn said(text: &str, environment: &str, file: &str) -> [Option<String>; 3] {
    let launched = with(text, environment, &[(".env", file)], &[]);
    let value = |name: &str| launched.values.get(name).map(|value| value.open().clone());
    assert_eq!(
        value(SPANS_OF),
        value(SPANS_TO).map(|_| environment.to_owned()),
        "whose spans they are is said where they go somewhere"
    );
    [value(SPANS_TO), value(SPANS_HEADERS), value(SPANS_SHARE)]
}

fn some<const N: usize>(texts: [&str; N]) -> [Option<String>; N] {
    texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

#[test]
fn spans_go_to_the_host_that_the_manifest_names_with_the_secret_that_opens_it() {
    let to = "https://spans.example.com/otlp/v1/traces";
    assert_eq!(said(HOST, "dev", ""), some([to, "", ""]));
    assert_eq!(
        said(HOST, "dev", "KEY=k"),
        some([to, "Authorization=Bearer k", ""])
    );
}

#[test]
fn the_words_of_opentelemetry_are_more_exact_than_the_manifest() {
    let all = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\nOTEL_EXPORTER_OTLP_HEADERS=a=b\nOTEL_TRACES_SAMPLER_ARG=0.5\nKEY=k";
    let here = "http://127.0.0.1:4318/v1/traces";
    assert_eq!(said(HOST, "dev", all), some([here, "a=b", "0.5"]));
    let exact = format!(
        "{all}\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:9/own\nOTEL_EXPORTER_OTLP_TRACES_HEADERS=c=d"
    );
    // The address of traces alone is the whole address.
    assert_eq!(
        said(HOST, "dev", &exact),
        some(["http://127.0.0.1:9/own", "c=d", "0.5"])
    );
}

#[test]
fn spans_go_nowhere_where_no_host_is_named_or_it_is_not_used_here() {
    let file = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318";
    let unnamed = HOST.replace("traces = \"collector\"", "");
    assert_eq!(said(&unnamed, "dev", file), some(["", "", ""]));
    let elsewhere = HOST.replace("kind = \"saas\"", "kind = \"saas\"\nonly = [\"prod\"]");
    assert_eq!(said(&elsewhere, "dev", file), some(["", "", ""]));
    assert_eq!(
        said(&elsewhere, "prod", file),
        some(["http://127.0.0.1:4318/v1/traces", "", ""])
    );
    // A host without an address is one that a `.env` file gives it.
    let bare = HOST.replace("url = \"https://spans.example.com/otlp/\"\n", "");
    assert_eq!(said(&bare, "dev", ""), some(["", "", ""]));
    assert_eq!(
        said(&bare, "dev", file),
        some(["http://127.0.0.1:4318/v1/traces", "", ""])
    );
}

#[test]
fn what_the_edge_needs_stays_when_only_a_part_is_started() {
    let text = HOST.replace(
        "run = \"web\"\n",
        "run = \"web\"\npublic = true\naccess = { sign_in = \"password\", secret = \"DOOR\" }\n[secret.DOOR]\ngenerate = \"token\"\n[service.other]\nrun = \"other\"\nenv.KEY = \"secret:KEY\"\n",
    );
    let mut launched = with(&text, "dev", &[(".env", "KEY=k")], &[]);
    narrow(&mut launched, &["web".to_owned()]).expect("it is there");
    assert!(launched.values.contains_key(SPANS_TO) && launched.values.contains_key(SPANS_HEADERS));
    let made: Vec<&str> = launched.generate.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(made, ["DOOR"]);
    assert!(!launched.values.contains_key("KEY"), "only `other` has it");
}
