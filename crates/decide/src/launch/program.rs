//! The program that a command begins with, where the command names it by a path.

use std::ops::Range;

/// A program that is named by a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its whole path, without dots in it.
    pub path: String,
    /// It was written as a path from the folder that the command runs in.
    pub is_relative: bool,
    /// Where it stands in the command.
    pub word: Range<usize>,
}

/// The program that a command begins with, where it is named by a path. Variables that are set before it and `exec` are
/// passed over; a word that a shell would take apart is not looked into.
pub fn program(command: &str, dir: &str) -> Option<Program> {
    let is_set = |word: &str| word.split_once('=').is_some_and(|(name, _)| !name.contains('/'));
    let words = command.split_whitespace();
    let word = words.into_iter().find(|word| *word != "exec" && !is_set(word))?;
    let is_plain = !word.contains([
        '"', '\'', '$', '`', '\\', '(', ';', '&', '|', '<', '>', '*', '?', '~',
    ]);
    if !is_plain || !word.contains('/') {
        return None;
    }
    // The word is a part of the command, so the difference is where it begins.
    let begin = word.as_ptr() as usize - command.as_ptr() as usize;
    Some(Program {
        path: super::draft::whole(dir, word),
        is_relative: !word.starts_with('/'),
        word: begin..begin + word.len(),
    })
}

/// Where something lies below a folder; the empty text is the folder itself, and nothing is a place outside.
pub fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        Some(rest) => Some(rest),
        None => rest.is_empty().then_some(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_program_by_a_path() {
        let of =
            |command: &str| program(command, "/p/api").map(|one| (command[one.word].to_owned(), one.path));
        for (command, word, path) in [
            (
                "../target/release/api --x",
                "../target/release/api",
                "/p/target/release/api",
            ),
            ("A=1 exec ./api", "./api", "/p/api/api"),
            ("/p/bin/api", "/p/bin/api", "/p/bin/api"),
            ("../../q/api", "../../q/api", "/q/api"),
        ] {
            assert_eq!(of(command), Some((word.into(), path.into())), "{command}");
        }
        for command in ["python -m api", "\"../a b\"", "$BIN/api", ""] {
            assert_eq!(of(command), None, "{command}");
        }
    }

    #[test]
    fn what_only_begins_like_a_folder_is_not_in_it() {
        assert_eq!(below("/p/api", "/p"), Some("api"));
        assert_eq!(below("/p", "/p"), Some(""));
        assert_eq!(below("/pq/api", "/p"), None);
        assert_eq!(below("/p/api", "/"), Some("p/api"));
    }
}
