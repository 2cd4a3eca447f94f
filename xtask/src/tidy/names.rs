//! Names say what a thing is: no `Manager`, no `utils`, no `Config2`.

use super::Finding;
use crate::tree::{Named, Tree};

pub(super) const WHY: &str =
    "a name that fits everything says nothing, and the next thing will be put there too";

/// Words that no name of ours holds, as whole words.
const BANNED: &[&str] = &[
    "manager",
    "managers",
    "helper",
    "helpers",
    "util",
    "utils",
    "utility",
    "utilities",
    "common",
    "misc",
    "data",
    "info",
];

/// Names with a banned word that have no better one: the name and the reason.
const ALLOWED: &[(&str, &str)] = &[];

/// Words with a digit that the world has named, as they stand in a type's name.
const WORDS_WITH_DIGITS: &[&str] = &[
    "Base64", "Blake3", "Ed25519", "F64", "Hmac256", "Http1", "Http2", "Http3", "I64", "Ipv4", "Ipv6", "Md5",
    "Oauth2", "P256", "P50", "P95", "P99", "Rfc3339", "S3", "Sha1", "Sha256", "Sha512", "U16", "U32", "U64",
    "U8", "Utf8", "V4", "V6", "X509",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let stem = file
            .path
            .rsplit('/')
            .find_map(|part| match part.trim_end_matches(".rs") {
                "mod" => None,
                stem => Some(stem),
            });
        findings.extend(stem.and_then(|stem| judge(&file.path, 0, Named::Module, stem)));
        for (kind, name, line) in &file.names {
            // The name of a test is a sentence, and a sentence may hold any word.
            if *kind == Named::Function && file.in_test(*line) {
                continue;
            }
            findings.extend(judge(&file.path, *line, *kind, name));
        }
    }
    findings
}

fn judge(path: &str, line: usize, kind: Named, name: &str) -> Option<Finding> {
    if ALLOWED.iter().any(|(allowed, _)| *allowed == name) {
        return None;
    }
    let words = words(name);
    let banned = words
        .iter()
        .find(|word| BANNED.contains(&word.to_lowercase().as_str()));
    if let Some(word) = banned {
        let what = format!("`{name}` has the word `{word}` in it");
        return Some(Finding::new(
            path,
            line,
            what,
            "name it after what it does or holds",
        ));
    }
    let has_digit = |word: &&String| word.contains(|letter: char| letter.is_ascii_digit());
    let odd = words
        .iter()
        .filter(has_digit)
        .find(|word| !WORDS_WITH_DIGITS.contains(&word.as_str()));
    if let (Named::Type, Some(word)) = (kind, odd) {
        let what = format!("the type `{name}` has a number in it: `{word}`");
        let next =
            "say how it differs, or add the word to xtask/src/tidy/names.rs when the world calls it so";
        return Some(Finding::new(path, line, what, next));
    }
    None
}

/// The words of a name: `HttpsUrl` and `https_url` are two; digits belong to the word before them.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_uppercase();
        // In `URLText` the `T` begins a word: a small letter follows.
        let before_small = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = words.is_empty() || (letter.is_uppercase() && (after_small || before_small));
        match words.last_mut() {
            _ if *letter == '_' => words.push(String::new()),
            Some(word) if !begins => word.push(*letter),
            _ => words.push(letter.to_string()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const PATH: &str = "crates/model/src/unit.rs";

    #[test]
    fn a_name_that_says_nothing_is_found() {
        let text = "struct PlanManager;\nfn string_utils() {}\nmod common {}\nimpl A { fn info(&self) {} }\n";
        assert_eq!(
            found(check, &[(PATH, text)]),
            [
                "crates/model/src/unit.rs:1 `PlanManager` has the word `Manager` in it",
                "crates/model/src/unit.rs:2 `string_utils` has the word `utils` in it",
                "crates/model/src/unit.rs:3 `common` has the word `common` in it",
                "crates/model/src/unit.rs:4 `info` has the word `info` in it",
            ]
        );
        assert_eq!(
            found(
                check,
                &[(PATH, "struct Database; fn information() {} fn update() {}")]
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_file_is_a_module_and_has_its_name() {
        assert_eq!(
            found(check, &[("crates/model/src/helpers/mod.rs", "")]),
            ["crates/model/src/helpers/mod.rs:0 `helpers` has the word `helpers` in it"]
        );
    }

    #[test]
    fn a_type_with_a_number_is_found_unless_the_world_calls_it_so() {
        let text = "struct Config2; struct Sha256Digest; enum IpAddrV4 {} fn step_2() {}";
        assert_eq!(
            found(check, &[(PATH, text)]),
            ["crates/model/src/unit.rs:1 the type `Config2` has a number in it: `Config2`"]
        );
    }

    #[test]
    fn what_another_named_and_what_a_test_tells_is_free() {
        let text = "impl Outside for A { fn data(&self) {} }\n#[test]\nfn data_survives_a_restart() {}\n";
        assert_eq!(found(check, &[(PATH, text)]), [""; 0]);
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("HTTPSUrl"), ["HTTPS", "Url"]);
        assert_eq!(words("read_all"), ["read", "all"]);
        assert_eq!(words("MAX_LINES"), ["MAX", "LINES"]);
        assert_eq!(words("Utf8Text"), ["Utf8", "Text"]);
    }
}
