//! How an instance of the fake engine behaves, as its command says it.

use towpath_model::unit::{Duration, Unit};

/// How an instance behaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Behavior {
    /// It cannot be started, for this reason: `missing REASON`.
    pub missing: Option<String>,
    /// The lines that it writes when it starts, an error with `err` in front: `says TEXT`, `errs TEXT`.
    pub says: Vec<(bool, String)>,
    /// It ends by itself after a time with a code: `ends CODE after TIME`.
    pub ends: Option<(i32, Duration)>,
    /// It does not hear the signal that asks it to stop: `deaf`.
    pub deaf: bool,
}

impl Behavior {
    /// Reads a command: its parts, with semicolons between them. What is not understood means nothing.
    pub fn read(command: &str) -> Self {
        let mut behavior = Behavior::default();
        for part in command.split(';').map(str::trim) {
            let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
            match word {
                "missing" => behavior.missing = Some(rest.to_owned()),
                "says" => behavior.says.push((false, rest.to_owned())),
                "errs" => behavior.says.push((true, rest.to_owned())),
                "deaf" => behavior.deaf = true,
                "ends" => behavior.ends = end(rest),
                _ => {}
            }
        }
        behavior
    }
}

fn end(text: &str) -> Option<(i32, Duration)> {
    let (code, after) = text.split_once(" after ").unwrap_or((text, "0s"));
    Some((
        code.parse().ok()?,
        Duration::parse(after).unwrap_or(Duration::ZERO),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_as_it_is_written() {
        let behavior = Behavior::read("says one; errs two; ends 3 after 5s");
        assert_eq!(
            behavior.says,
            [(false, "one".to_owned()), (true, "two".to_owned())]
        );
        assert_eq!(behavior.ends, Some((3, Duration::from_secs(5))));
        assert_eq!(Behavior::read("ends 0").ends, Some((0, Duration::ZERO)));
        assert_eq!(
            Behavior::read("target/release/api --port $PORT"),
            Behavior::default()
        );
        assert!(Behavior::read("deaf").deaf);
    }
}
