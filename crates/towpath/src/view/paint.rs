//! Colors, as marks in a text that the terminal takes out where none are wanted.

use towpath_model::run::State;

pub(crate) fn bold(text: &str) -> String {
    marked("1", text)
}

pub(crate) fn dim(text: &str) -> String {
    marked("2", text)
}

pub(crate) fn red(text: &str) -> String {
    marked("31", text)
}

pub(crate) fn yellow(text: &str) -> String {
    marked("33", text)
}

fn marked(mark: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("\u{1b}[{mark}m{text}\u{1b}[0m")
}

/// The word of a state, in the color of what it means.
pub(crate) fn state(state: State) -> String {
    state_as(state, state.word())
}

/// A text in the color of a state.
pub(crate) fn state_as(state: State, text: &str) -> String {
    match state {
        State::Ready | State::Running | State::Done | State::Scheduled | State::Asleep => marked("32", text),
        State::Waiting | State::Building | State::Starting | State::Stopping | State::Degraded => {
            yellow(text)
        }
        State::Unwell | State::Blocked | State::Looping | State::Failed => red(text),
        State::Stopped => dim(text),
    }
}

/// A name in a color that it always has, so that one can be told from another in passing.
pub(crate) fn name(name: &str, padded: &str) -> String {
    // No red, which means failure; the bright ones tell a seventh from the first.
    const COLORS: &[&str] = &["36", "32", "35", "34", "33", "96", "92", "95", "94", "93"];
    let sum = name.bytes().fold(7_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    marked(COLORS[sum % COLORS.len()], padded)
}

/// How many columns a text takes: marks take none.
pub(crate) fn width(text: &str) -> usize {
    let mut width = 0;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(|letter| letter.is_ascii_alphabetic());
        } else {
            width += 1;
        }
    }
    width
}

/// A text of at most so many columns; what is cut off is shown as an ellipsis.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut room = most.saturating_sub(1);
    let mut marks = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            marks = true;
            shown.push(letter);
            for letter in letters.by_ref() {
                shown.push(letter);
                if letter.is_ascii_alphabetic() {
                    break;
                }
            }
        } else if room == 0 {
            break;
        } else {
            room -= 1;
            shown.push(letter);
        }
    }
    shown.push('…');
    if marks {
        shown.push_str("\u{1b}[0m");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_take_no_room() {
        assert_eq!(width(&red("failed")), 6);
        assert_eq!(width(&format!("{} {}", bold("a"), dim("b"))), 3);
    }

    #[test]
    fn what_is_cut_ends_its_colors() {
        assert_eq!(cut("as it is", 8), "as it is");
        assert_eq!(cut("too long a text", 8), "too lon…");
        assert_eq!(cut(&red("too long a text"), 8), "\u{1b}[31mtoo lon…\u{1b}[0m");
        assert_eq!(width(&cut(&red("too long a text"), 8)), 8);
    }

    #[test]
    fn a_name_always_has_the_same_color() {
        assert_eq!(name("web", "web"), name("web", "web"));
        assert!(!name("web", "web").contains("\u{1b}[31m"), "red means failure");
    }
}
