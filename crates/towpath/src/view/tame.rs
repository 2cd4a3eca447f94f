//! Text of a component, made fit for a terminal: its colors may stay, and nothing else that a terminal obeys.

use std::iter::Peekable;
use std::str::Chars;
use towpath_model::finding::is_unseen;

/// A line that keeps its colors. A component may write anything: a title of the window, a jump to another line, an order to
/// the clipboard. None of that reaches a terminal.
pub(crate) fn tamed(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut colored = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => {
                if let Some(color) = sequence(&mut letters) {
                    colored = true;
                    shown.push_str(&color);
                }
            }
            '\t' => shown.push('\t'),
            letter if letter.is_control() => {}
            letter if is_unseen(letter) => shown.push('\u{fffd}'),
            letter => shown.push(letter),
        }
    }
    if colored {
        shown.push_str("\u{1b}[0m");
    }
    shown
}

/// What follows an escape: a color, or nothing that is kept.
fn sequence(letters: &mut Peekable<Chars<'_>>) -> Option<String> {
    match letters.peek() {
        Some('[') => {
            letters.next();
            let mut inside = String::new();
            for letter in letters.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&letter) {
                    let plain = inside
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b';' || byte == b':');
                    return (letter == 'm' && plain).then(|| format!("\u{1b}[{inside}m"));
                }
                inside.push(letter);
            }
            None
        }
        // A command with a text: it ends with a bell, or with an escape and a backslash.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            letters.next();
            while let Some(letter) = letters.next() {
                if letter == '\u{7}' || (letter == '\u{1b}' && letters.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
            None
        }
        _ => {
            letters.next();
            None
        }
    }
}

/// A text of one line without any color.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(&tamed(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_stay_and_end_with_their_line() {
        assert_eq!(
            tamed("\u{1b}[1;32mok\u{1b}[0m"),
            "\u{1b}[1;32mok\u{1b}[0m\u{1b}[0m"
        );
        assert_eq!(tamed("\u{1b}[38:5:12mblue"), "\u{1b}[38:5:12mblue\u{1b}[0m");
        assert_eq!(plain("\u{1b}[1;32mok"), "ok");
    }

    #[test]
    fn nothing_else_is_obeyed() {
        for text in [
            "\u{1b}]0;a title\u{7}left",
            "\u{1b}]52;c;aGk=\u{1b}\\left",
            "\u{1b}[2J\u{1b}[1;1Hleft",
            "\u{1b}[?1049hleft",
            "\u{1b}Pqleft\u{1b}\\left",
            "\u{1b}cleft",
            "\u{8}\u{7}le\rft",
            "\u{9b}left",
        ] {
            assert_eq!(tamed(text), "left", "{text:?}");
        }
        assert_eq!(tamed("\u{1b}[31"), "");
        assert_eq!(tamed("\u{1b}"), "");
    }
}
