//! What is explained of a path: the value that holds, and the line and environment that it comes from.

use std::collections::BTreeMap;
use towpath_manifest::{Origin, Reading, explain_path, print_value, read};
use towpath_model::spec::Path;

const LIKE: &str = r#"product = "x"
[service.web]
run = "web"
replicas = 2
[environment.staging]
engine = "docker"
service.web.replicas = { max = 5 }
[environment.prod]
like = "staging"
service.web.run = "web --fast"
"#;

fn reading() -> Reading {
    let sources = BTreeMap::from([("towpath.toml".to_owned(), LIKE.as_bytes().to_vec())]);
    read("towpath.toml", &sources)
}

/// The value, the environment that says it, and the line.
fn explained(path: &str, environment: Option<&str>) -> (String, String, usize) {
    let found = explain_path(&reading(), &Path::parse(path), environment).expect("it is a word");
    let value = found
        .value
        .as_ref()
        .map_or("nothing".to_owned(), |node| print_value(node));
    match found.origin {
        Origin::Environment { name, line, .. } => (value, name, line),
        Origin::Line { line, .. } => (value, String::new(), line),
        Origin::Default | Origin::Nothing => (value, String::new(), 0),
    }
}

fn holds(value: &str, name: &str, line: usize) -> (String, String, usize) {
    (value.to_owned(), name.to_owned(), line)
}

#[test]
fn what_comes_from_the_environment_that_one_is_like_is_said_to_stand_there() {
    let max = explained("service.web.replicas.max", Some("prod"));
    assert_eq!(max, holds("5", "staging", 7));
    let run = explained("service.web.run", Some("prod"));
    assert_eq!(run, holds("\"web --fast\"", "prod", 10));
}

#[test]
fn what_the_root_says_is_not_said_to_be_laid_over() {
    assert_eq!(
        explained("service.web.replicas.min", Some("prod")),
        holds("2", "", 4)
    );
    assert_eq!(explained("service.web.run", None), holds("\"web\"", "", 3));
}

#[test]
fn a_table_that_an_environment_changed_in_part_points_at_the_change() {
    let replicas = explained("service.web.replicas", Some("prod"));
    assert_eq!(replicas, holds("{ min = 2, max = 5 }", "staging", 7));
}

#[test]
fn an_environment_has_the_settings_of_the_one_that_it_is_like() {
    let engine = explained("environment.prod.engine", None);
    assert_eq!(engine, holds("\"docker\"", "staging", 6));
    let engine = explained("environment.staging.engine", None);
    assert_eq!(engine, holds("\"docker\"", "", 6));
    assert_eq!(explained("environment.prod", None).2, 8);
}
