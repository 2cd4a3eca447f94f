//! The examples say what they mean: reading one finds nothing wrong with it.
#![allow(
    clippy::disallowed_methods,
    reason = "examples are files of the repository, and tests read them as they are"
)]

use std::collections::BTreeMap;
use std::path::Path;
use towpath_manifest::{Reading, locate, print, read};

/// Every example, by the name of its folder.
fn examples() -> Vec<(String, Reading)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut examples: Vec<(String, Reading)> = std::fs::read_dir(folder)
        .expect("the folder of examples is there")
        .filter_map(|entry| {
            let folder = entry.expect("it can be listed").path();
            let text = std::fs::read(folder.join("towpath.toml")).ok()?;
            let name = folder.file_name()?.to_string_lossy().into_owned();
            let sources = BTreeMap::from([("towpath.toml".to_owned(), text)]);
            Some((name, read("towpath.toml", &sources)))
        })
        .collect();
    examples.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(examples.len() >= 3, "only {} examples", examples.len());
    examples
}

/// What is wrong with an example, each with its line.
fn told(reading: &Reading) -> Vec<String> {
    reading
        .findings
        .iter()
        .map(|finding| {
            let told = locate(reading, finding);
            let text = &reading.sources[usize::from(told.span.source)].text;
            let before = &text[..text.len().min(told.span.start as usize)];
            let line = before.matches('\n').count() + 1;
            format!(
                "line {line}: {} {} ({})",
                told.code.id,
                told.message,
                told.hint.unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn nothing_is_wrong_with_an_example() {
    for (name, reading) in examples() {
        assert_eq!(told(&reading), Vec::<String>::new(), "in {name}");
        assert!(reading.desired.is_some(), "{name} means something");
    }
}

#[test]
fn an_example_means_the_same_when_it_is_printed() {
    for (name, reading) in examples() {
        let desired = reading.desired.as_ref().expect("it means something");
        let sources = BTreeMap::from([("towpath.toml".to_owned(), print(desired).into_bytes())]);
        let again = read("towpath.toml", &sources);
        // What only an environment uses is unused in what is printed, which is the root without them.
        let mut told = told(&again);
        told.retain(|finding| !finding.contains(" TP0208 "));
        assert_eq!(told, Vec::<String>::new(), "in {name}, printed");
        assert_eq!(again.desired.as_ref(), Some(desired), "{name}");
    }
}
