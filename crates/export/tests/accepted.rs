//! The workflows of the examples are what the schema of workflows accepts.
#![allow(
    clippy::disallowed_methods,
    reason = "the checker is a program, and reads files"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use towpath_export::{File, Product, github, is_ours};
use towpath_model::Desired;
use towpath_model::unit::Name;

const EXAMPLES: &[&str] = &[
    "hello",
    "lockside",
    "phishsentry",
    "reflect-coach",
    "reflectpause",
    "synapse",
    "webapp",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The workflows of an example, from the root of a repository that it is a folder of, or is itself.
fn workflows(example: &str, folder: &str) -> Vec<File> {
    let manifest =
        fs::read(root().join("examples").join(example).join("towpath.toml")).expect("it has a manifest");
    let sources = BTreeMap::from([("towpath.toml".to_owned(), manifest)]);
    let reading = towpath_manifest::read("towpath.toml", &sources);
    let environments: Vec<(&Name, &Desired)> = reading
        .environments
        .iter()
        .map(|(name, layer)| (name, &layer.desired))
        .collect();
    let product = Product {
        root: reading.desired.as_ref().expect("it is a product"),
        environments: &environments,
        folder,
    };
    github(&product).unwrap_or_else(|untold| panic!("{example}: {untold}"))
}

/// Every example's workflows in a folder of their own.
fn written() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut paths = Vec::new();
    for example in EXAMPLES {
        for (name, below) in [
            ((*example).to_owned(), ""),
            (format!("{example}-below"), "products/here"),
        ] {
            for file in workflows(example, below) {
                let path = folder.path().join(&name).join(&file.path);
                fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
                fs::write(&path, &file.text).expect("it can be written");
                paths.push(path);
            }
        }
    }
    assert!(paths.len() > 2 * EXAMPLES.len(), "{paths:?}");
    (folder, paths)
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn the_schema_of_workflows_accepts_every_file() {
    let made = root().join("target/workflows/bin/check-jsonschema");
    let checker = match made.exists() {
        true => made,
        false => PathBuf::from("check-jsonschema"),
    };
    let (_folder, paths) = written();
    let checked = Command::new(&checker)
        .args(["--builtin-schema", "vendor.github-workflows"])
        .args(&paths)
        .output();
    let Ok(checked) = checked else {
        println!("left out: check-jsonschema is not installed");
        return;
    };
    assert!(checked.status.success(), "{}", said(&checked));
}

#[test]
fn every_file_is_known_as_ours_and_is_the_same_each_time() {
    for example in EXAMPLES {
        let files = workflows(example, "");
        assert_eq!(files, workflows(example, ""));
        for file in files {
            assert!(is_ours(&file.text), "{}", file.path);
        }
    }
}

#[test]
fn no_expression_stands_in_a_line_of_a_shell_and_every_action_is_a_commit() {
    for example in EXAMPLES {
        for file in workflows(example, "products/here") {
            let read: serde_json::Value = serde_saphyr::from_str(&file.text).expect("it is read back");
            let jobs = read["jobs"].as_object().expect("it has jobs");
            assert_eq!(read["permissions"], serde_json::json!({}), "{}", file.path);
            for (name, job) in jobs {
                assert!(
                    job["permissions"].is_object(),
                    "{}: {name} asks for what it needs",
                    file.path
                );
                for step in job["steps"].as_array().into_iter().flatten() {
                    let run = step["run"].as_str().unwrap_or_default();
                    assert!(!run.contains("${{"), "{}: {run}", file.path);
                    let uses = step["uses"].as_str().unwrap_or_default();
                    let commit = uses.split_once('@').map(|(_, commit)| commit);
                    let is_commit =
                        |text: &str| text.len() == 40 && text.bytes().all(|one| one.is_ascii_hexdigit());
                    assert!(
                        uses.is_empty() || commit.is_some_and(is_commit),
                        "{}: {uses}",
                        file.path
                    );
                }
            }
        }
    }
}
