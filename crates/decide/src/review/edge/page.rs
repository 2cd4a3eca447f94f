//! The page that browsers are shown for what cannot be answered: what it says in braces.

use std::collections::BTreeSet;
use towpath_model::code;
use towpath_model::desired::edge::PAGE_WORDS;
use towpath_model::finding::Finding;
use towpath_model::near::nearest;
use towpath_model::spec::Path;

/// A word in braces has so many letters at the most. What is longer is something else: scripts have braces, too.
const LONGEST: usize = 40;

/// What is in braces and stands for nothing would be shown to visitors as it is written.
pub(in super::super) fn error_page(at: &Path, file: &str, text: &str) -> Vec<Finding> {
    let unknown: BTreeSet<&str> = in_braces(text)
        .filter(|word| !PAGE_WORDS.contains(word))
        .collect();
    let told = unknown.into_iter().map(|word| {
        let message = format!("{file} shows visitors `{{{{{word}}}}}` as it is: it stands for nothing");
        let meant = nearest(word.trim(), PAGE_WORDS);
        let hint = match meant {
            Some(meant) => format!("write {{{{{meant}}}}}"),
            None => {
                let all: Vec<String> = PAGE_WORDS.iter().map(|word| format!("{{{{{word}}}}}")).collect();
                format!("there are {}", all.join(", "))
            }
        };
        Finding::value(&code::ERROR_PAGE_WORDS, at.clone(), message).hint(hint)
    });
    told.collect()
}

/// The words between two braces on each side, as they are written.
fn in_braces(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| {
        let (word, _) = rest.split_once("}}")?;
        let is_word = !word.trim().is_empty()
            && word.len() <= LONGEST
            && word
                .trim()
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_-. ".contains(letter));
        is_word.then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_for_nothing_are_told_and_scripts_are_left_alone() {
        let text =
            "<title>{{title}} {{ status }} {{reson}}</title><script>f({{a: 1}}, {{}}, `{{\n}}`)</script>{{";
        let told = error_page(&Path::of(["edge", "error_page"]), "sorry.html", text);
        let hints: Vec<&str> = told.iter().filter_map(|one| one.hint.as_deref()).collect();
        assert_eq!(hints, ["write {{status}}", "write {{reason}}"]);
        assert!(told[0].message.contains("`{{ status }}` as it is"), "{told:?}");
        assert!(
            error_page(
                &Path::of(["edge"]),
                "a",
                "{{status}}{{reason}}{{request}}{{title}}"
            )
            .is_empty()
        );
    }
}
