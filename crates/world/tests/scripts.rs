//! The scripts, and what they print: run with `TOWPATH_UPDATE=1` to write down what they print now.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "this test reads its scripts")]

use std::path::Path;

#[test]
fn every_script_prints_what_stands_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let update = std::env::var_os("TOWPATH_UPDATE").is_some();
    let mut wrong = Vec::new();
    let mut scripts: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    scripts.sort();
    assert!(!scripts.is_empty(), "there are scripts");
    for path in scripts {
        let beside = path.with_extension("out");
        let said = towpath_world::script::run(&std::fs::read_to_string(&path).unwrap());
        assert!(!said.contains("BROKEN: "), "{}:\n{said}", path.display());
        assert!(!said.contains("misread: "), "{}:\n{said}", path.display());
        if update {
            std::fs::write(&beside, &said).unwrap();
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != said {
            wrong.push(format!("{}:\n{said}", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "TOWPATH_UPDATE=1 writes this down:\n{}",
        wrong.join("\n")
    );
}
