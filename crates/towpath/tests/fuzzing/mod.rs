//! Everything that can be done with a manifest, for bytes that need not be one: shared by the fuzzer and its smoke test.

use std::collections::BTreeMap;
use towpath::checked::{Checked, check_sources};
use towpath::{render_diagnostics, render_json};

/// Checks the bytes, and shows, writes and decides all that follows from them. A line `# file: NAME` begins a further
/// file, as it does in the pages of the rules.
pub(crate) fn try_everything(bytes: &[u8]) {
    let files = files(bytes);
    let checked = check_sources("towpath.toml", &files, &[]);
    let again = check_sources("towpath.toml", &files, &[]);
    assert_eq!(
        checked.diagnostics, again.diagnostics,
        "checking twice tells the same"
    );
    let size = bytes.len();
    let found = checked.diagnostics.len();
    assert!(found <= 100 + 8 * size, "{found} findings in {size} bytes");
    told(&checked, size);
    if checked.reading.desired.is_some() {
        meant(&checked, size);
    }
}

/// The files that the bytes hold.
fn files(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut name = "towpath.toml".to_owned();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"# file: ") {
            Some(next) => name = String::from_utf8_lossy(next).trim().to_owned(),
            None => files.entry(name.clone()).or_default().extend(line),
        }
    }
    files.entry("towpath.toml".to_owned()).or_default();
    files
}

fn told(checked: &Checked, size: usize) {
    let sources = &checked.reading.sources;
    for color in [false, true] {
        let text = render_diagnostics(&checked.diagnostics, sources, color);
        assert!(
            text.len() <= 1_000_000 + 10 * size,
            "{} bytes are told",
            text.len()
        );
        let raw = |letter: char| letter.is_control() && letter != '\n' && !(color && letter == '\u{1b}');
        assert!(!text.contains(raw), "a terminal would obey {text:?}");
    }
    let json = render_json(&checked.diagnostics, sources).to_string();
    let most = 10_000 + 4_000 * checked.diagnostics.len();
    assert!(json.len() <= most, "{} bytes of JSON", json.len());
}

fn meant(checked: &Checked, size: usize) {
    let environments = checked.environments();
    if let Some(desired) = &checked.reading.desired {
        towpath_manifest::print(desired);
        towpath_decide::cost::estimate(desired, None);
    }
    for (name, product) in &environments {
        let estimated = towpath_decide::cost::estimate(product, Some(name));
        assert!(!estimated.total().is_empty());
        towpath_decide::cost::against_budgets(product, Some(name));
        let plan = towpath_decide::plan::plan(product, name, &environments);
        towpath_decide::plan::text(&plan);
    }
    if let Ok(document) = checked.document() {
        let most = 200_000 + 2_000 * size;
        assert!(document.len() <= most, "{} bytes of document", document.len());
    }
}
