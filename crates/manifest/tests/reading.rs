//! Reading manifests from memory: what is understood, and what is told.

use std::collections::BTreeMap;
use towpath_manifest::{Reading, locate, print, read};
use towpath_model::code;
use towpath_model::finding::Finding;
use towpath_model::spec::Path;

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

/// The hints of all findings, in the order of the findings.
fn hints(text: &str) -> Vec<String> {
    let found = reading(text).findings;
    found.into_iter().filter_map(|finding| finding.hint).collect()
}

#[test]
fn a_word_of_a_table_inside_is_sent_into_it() {
    let told = hints("product = \"x\"\n[environment.preview]\non = \"pull-request\"\nexpires = \"3d\"\n");
    assert_eq!(told, ["it belongs into `preview`: preview = { expires = .. }"]);
}

#[test]
fn a_word_of_another_tool_is_known_in_an_environment_too() {
    let told = hints(
        "product = \"x\"\n[environment.dev]\n[environment.prod]\nextends = \"dev\"\ntrigger = \"push main\"\nreplicas = 2\n",
    );
    assert_eq!(
        told,
        [
            "did you mean `like`?",
            "did you mean `on`?",
            "that is a word of a component: write it in [environment.NAME.service.NAME]",
        ]
    );
}

#[test]
fn variables_at_the_root_are_told_once() {
    let told = hints("product = \"x\"\n[env]\nNODE_ENV = \"production\"\nPORT = 3000\n");
    assert_eq!(
        told,
        ["variables belong to a component: write [service.NAME.env]"]
    );
}

#[test]
fn a_word_that_only_another_kind_has_is_explained() {
    let told = hints("product = \"x\"\n[worker.beat]\nrun = \"beat\"\nschedule = \"daily\"\n");
    assert_eq!(
        told,
        ["only a job runs at times; make it a [job.NAME] of its own"]
    );
}

#[test]
fn who_uses_a_database_by_its_kind_is_told_its_name() {
    let told = hints(
        "product = \"x\"\n[service.web]\nrun = \"web\"\nuses = [\"redis\"]\n[redis.cache]\n[bucket.media]\n",
    );
    assert_eq!(told[0], "did you mean `cache`?");
}

#[test]
fn what_a_hint_declares_has_a_name_that_may_be() {
    let told = hints("product = \"x\"\n[service.web]\nrun = \"web\"\nenv = { A = \"secret:a_token\" }\n");
    assert_eq!(told, ["call it `A_TOKEN`, and declare it: [secret.A_TOKEN]"]);
}

#[test]
fn a_number_without_a_unit_is_offered_the_unit_of_its_field() {
    let told = hints("product = \"x\"\n[postgres.db]\nbackup = { full = \"daily\", keep = 30 }\n");
    assert_eq!(told[0], "did you mean \"30d\"?");
}

#[test]
fn one_value_in_brackets_is_offered_without_them() {
    let told = hints("product = \"x\"\n[service.web]\nrun = \"web\"\nport = [\"8000:8000\"]\n");
    assert_eq!(told, ["there is only one: write \"8000\", without brackets"]);
}

const ONE_OF: &str = r#"
product = "x"
[service.web]
run = "web"
[gate.tests]
junit = { report = "unit.xml", run = "make unit" }
[channel.ops]
slack = "secret:OPS_WEBHOOK"
[secret.OPS_WEBHOOK]
[environment.dev]
gate.tests.command = "make quick"
channel.ops = { email = "ana@example.com" }
[environment.staging]
gates = ["tests"]
gate.tests.sarif = "scan.sarif"
[environment.prod]
like = "staging"
gate.tests.command = "make all"
"#;

#[test]
fn what_an_environment_chooses_takes_the_place_of_what_the_root_chose() {
    let reading = reading(ONE_OF);
    let told: Vec<String> = codes(&reading)
        .into_iter()
        .filter(|told| told.starts_with("TP0107"))
        .collect();
    assert_eq!(told, Vec::<String>::new());
    let gate = |environment: &str| {
        let gate = &reading.environments[environment].desired.gate["tests"];
        (gate.command.is_some(), gate.junit.is_some(), gate.sarif.is_some())
    };
    assert_eq!(gate("dev"), (true, false, false));
    assert_eq!(gate("staging"), (false, false, true));
    assert_eq!(gate("prod"), (true, false, false));
    let channel = &reading.environments["dev"].desired.channel["ops"];
    assert!(channel.slack.is_none() && !channel.email.is_empty());
}

#[test]
fn an_environment_that_chooses_two_is_told() {
    let text = ONE_OF.replace(
        "gate.tests.sarif = \"scan.sarif\"",
        "gate.tests = { sarif = \"scan.sarif\", cost = \"$5\" }",
    );
    let told = codes(&reading(&text));
    assert!(
        told.iter().any(|told| told.contains("can be only one")),
        "{told:#?}"
    );
}

#[test]
fn a_choice_of_another_tool_is_known() {
    let told = hints(
        "product = \"x\"\n[service.web]\nrun = \"web\"\nrestart = \"unless-stopped\"\n[host.a]\nkind = \"vps\"\nonly = true\n[environment.dev]\nrollout = \"RollingUpdate\"\nat = \"a\"\n",
    );
    assert_eq!(told[0], "did you mean \"always\"?", "{told:?}");
    assert_eq!(told[1], "did you mean \"machine\"?", "{told:?}");
    assert!(told.contains(&"did you mean \"rolling\"?".to_owned()), "{told:?}");
}

#[test]
fn a_price_for_each_is_not_offered_without_its_unit() {
    let found = reading("product = \"x\"\n[cost.a]\nprice = \"$26/seat\"\n").findings;
    let told: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "`$26/seat` is not a price: it has `/seat` behind it; what one unit is stands in `unit`, and in which time in `every`"
        ]
    );
    assert!(
        !found[0]
            .hint
            .as_deref()
            .unwrap_or_default()
            .contains("did you mean")
    );
}

#[test]
fn what_every_environment_says_otherwise_is_found_there() {
    let reading = reading(
        "product = \"x\"\n[service.web]\nrun = \"web\"\nreplicas = 2\n[environment.prod]\nservice.web.replicas.min = 3\n",
    );
    let text = &reading.sources[0].text;
    let at = |field: &str| {
        let path = Path::parse("service.web.replicas").key(field);
        let finding = Finding::value(&code::MISSING_WORD, path, "said of it");
        let start = locate(&reading, &finding).span.start as usize;
        text[start..].lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!((at("min"), at("max")), ("3".to_owned(), "2".to_owned()));
}
