//! The pages of the rules, and their index.

use super::{Generated, WHOLLY_GENERATED};
use std::fmt::Write;
use towpath::checked::check_example;
use towpath_model::code::{Code, FAMILIES};

/// A page for each rule, and the index of all of them.
pub(super) fn pages() -> Vec<Generated> {
    let codes = FAMILIES.iter().flat_map(|family| family.codes);
    let mut all: Vec<Generated> = codes
        .map(|code| Generated::new(format!("{WHOLLY_GENERATED}/{}.md", code.id), page(code)))
        .collect();
    all.push(Generated::new("docs/reference/codes.md", index()));
    all
}

fn index() -> String {
    let mut text = String::from(
        "# What `towpath check` tells\n\nEvery rule has a code that never changes its meaning. \
         `towpath explain TP0101` prints the page of a code.\n",
    );
    for family in FAMILIES {
        let _ = writeln!(
            text,
            "\n## {}xx: {}\n\n| code | | rule |\n| --- | --- | --- |",
            family.prefix, family.title
        );
        for code in family.codes {
            let _ = writeln!(
                text,
                "| [{0}](codes/{0}.md) | {1} | {2} |",
                code.id,
                code.gravity.word(),
                code.title
            );
        }
    }
    text
}

/// A page as it is written, with what is told of its first wrong example below it.
fn page(code: &Code) -> String {
    let written = code
        .page
        .trim()
        .replace("```toml wrong", "```toml")
        .replace("```toml right", "```toml");
    let mut text = format!("# {}: {}\n\n{written}\n", code.id, code.title);
    if let Some(example) = code.examples("wrong").first() {
        let _ = write!(
            text,
            "\n## What is told\n\n```text\n{}```\n",
            check_example(example).told()
        );
    }
    text
}
