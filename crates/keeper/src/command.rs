//! How a command is started: by itself where it is simple, by a shell where it is not.
//!
//! A command that has nothing but words, quotes and variables is split here, exactly as a shell would, and started
//! directly: it starts a millisecond sooner, and signals reach it and no shell that does not hand them on. Everything
//! that means more to a shell (a pipe, a pattern, an assignment, a word that only a shell knows) is left to the shell as
//! a whole; there is no half.

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Started {
    /// These words, the program first.
    Words(Vec<String>),
    /// The shell, with the command as it stands.
    Shell,
}

/// Words that have a meaning in front of a command, and are no programs.
const SHELL_WORDS: &[&str] = &[
    "!", ".", ":", "alias", "bg", "bind", "break", "builtin", "case", "cd", "command", "continue", "declare",
    "do", "done", "elif", "else", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for",
    "function", "getopts", "hash", "if", "in", "jobs", "local", "read", "readonly", "return", "select",
    "set", "shift", "shopt", "source", "then", "times", "trap", "type", "typeset", "ulimit", "umask",
    "unalias", "unset", "until", "wait", "while", "{", "}", "[[",
];

/// Splits a command as a shell does, with the variables of its environment.
pub(crate) fn split(command: &str, env: &[(String, String)]) -> Started {
    let mut splitter = Splitter {
        rest: command.trim().chars().collect::<Vec<_>>().into_iter().peekable(),
        env,
        words: Vec::new(),
        word: None,
    };
    match splitter.run() {
        Some(()) if is_plain(&splitter.words) => Started::Words(splitter.words),
        _ => Started::Shell,
    }
}

/// Nothing in front of the command is more than a program's name.
fn is_plain(words: &[String]) -> bool {
    words
        .first()
        .is_some_and(|first| !first.contains('=') && !SHELL_WORDS.contains(&first.as_str()))
}

struct Splitter<'a> {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    env: &'a [(String, String)],
    words: Vec<String>,
    /// The word that has begun; one that is empty was quoted.
    word: Option<String>,
}

impl Splitter<'_> {
    /// Reads everything; `None` where a shell would see more than words.
    fn run(&mut self) -> Option<()> {
        while let Some(letter) = self.rest.next() {
            match letter {
                ' ' | '\t' => self.end(),
                '\'' => self.single()?,
                '"' => self.double()?,
                '\\' => match self.rest.next()? {
                    '\n' => {}
                    other => self.push(other),
                },
                '$' => self.spread()?,
                '|' | '&' | ';' | '<' | '>' | '(' | ')' | '`' | '*' | '?' | '[' | '\n' | '{' | '}' => {
                    return None;
                }
                '~' | '#' | '!' if self.word.is_none() => return None,
                // A tilde is expanded behind these, too, in some shells and places.
                '~' if self
                    .word
                    .as_deref()
                    .is_some_and(|word| word.ends_with(['=', ':'])) =>
                {
                    return None;
                }
                other => self.push(other),
            }
        }
        self.end();
        Some(())
    }

    fn push(&mut self, letter: char) {
        self.word.get_or_insert_default().push(letter);
    }

    fn end(&mut self) {
        self.words.extend(self.word.take());
    }

    fn single(&mut self) -> Option<()> {
        let word = self.word.get_or_insert_default();
        loop {
            match self.rest.next()? {
                '\'' => return Some(()),
                other => word.push(other),
            }
        }
    }

    fn double(&mut self) -> Option<()> {
        self.word.get_or_insert_default();
        loop {
            match self.rest.next()? {
                '"' => return Some(()),
                '`' => return None,
                '\\' => match self.rest.next()? {
                    '\n' => {}
                    other @ ('$' | '`' | '"' | '\\') => self.push(other),
                    other => {
                        self.push('\\');
                        self.push(other);
                    }
                },
                '$' => match self.variable()? {
                    Some(value) => self.word.get_or_insert_default().push_str(&value),
                    None => self.push('$'),
                },
                other => self.push(other),
            }
        }
    }

    /// A variable outside of quotes: its value falls into words, and a pattern in it would be one.
    fn spread(&mut self) -> Option<()> {
        let Some(value) = self.variable()? else {
            self.push('$');
            return Some(());
        };
        if value.contains(['*', '?', '[', '\\']) {
            return None;
        }
        for letter in value.chars() {
            if matches!(letter, ' ' | '\t' | '\n') {
                self.end();
            } else {
                self.push(letter);
            }
        }
        Some(())
    }

    /// The value of the variable behind a `$`; `Some(None)` where it is only a `$`.
    fn variable(&mut self) -> Option<Option<String>> {
        let braced = self.rest.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(letter) = self.rest.next_if(|letter| {
            letter.is_ascii_alphabetic() || *letter == '_' || (letter.is_ascii_digit() && !name.is_empty())
        }) {
            name.push(letter);
        }
        if braced && (name.is_empty() || self.rest.next() != Some('}')) {
            return None;
        }
        if name.is_empty() {
            return match self.rest.peek() {
                None | Some(' ' | '\t' | '"' | '/' | '.' | ',' | ':' | '%' | '=' | '+') => Some(None),
                Some(_) => None,
            };
        }
        // The shell knows these by itself, whatever the environment says.
        if matches!(name.as_str(), "IFS" | "PPID" | "PWD" | "OLDPWD" | "OPTIND") {
            return None;
        }
        let value = self.env.iter().rev().find(|(key, _)| *key == name);
        Some(Some(value.map(|(_, value)| value.clone()).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const VARIABLES: &[(&str, &str)] = &[
        ("PORT", "4711"),
        ("WORDS", " two  words "),
        ("EMPTY", ""),
        ("QUOTED", "it's \"here\""),
        ("PATTERN", "*.toml"),
    ];

    fn env() -> Vec<(String, String)> {
        VARIABLES
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    }

    /// Commands that are started directly.
    const SIMPLE: &[&str] = &[
        "printf one two",
        "printf  'single $PORT' \"double $PORT\" bare$PORT ${PORT}x",
        "printf $WORDS \"$WORDS\" x$WORDS",
        "printf $EMPTY \"$EMPTY\" '' x$EMPTY",
        "printf $QUOTED \"$QUOTED\"",
        "printf \"$PATTERN\" a\\ b a\\$PORT \"a\\$b\\\\c\\d\"",
        "printf $MISSING \"${MISSING}\" end",
        "printf a#b a~b a=b --key=$PORT a,b %s\\\\n 100% $",
        "printf a'b'\"c\"d",
        "printf -- --flag=value \"a\tb\" é",
    ];

    /// Commands that are left to the shell.
    const SHELL: &[&str] = &[
        "a | b",
        "a && b",
        "a; b",
        "a > f",
        "a < f",
        "(a)",
        "`a`",
        "a $(b)",
        "\"$(b)\"",
        "a *.c",
        "a ?",
        "a [b]",
        "A=1 b",
        "cd x",
        "exec a",
        "! a",
        "{ a; }",
        "~/a",
        "a ~",
        "a # b",
        "a $1",
        "a $$",
        "a $?",
        "a ${B:-c}",
        "a $PATTERN",
        "a\nb",
        "if a",
        "a {b,c}",
        "a \"unclosed",
        "a $PWD",
        "source x",
        ". x",
        "",
        "a &",
        "\"`b`\"",
    ];

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "the shell of this machine is what we are compared with"
    )]
    fn simple_commands_fall_into_the_words_that_the_shell_sees() {
        for command in SIMPLE {
            let Started::Words(ours) = split(command, &env()) else {
                panic!("{command} is simple");
            };
            let shown = format!(
                "show() {{ for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }}; set -f; {}",
                command.replacen("printf", "show", 1)
            );
            let output = Command::new("/bin/sh")
                .arg("-c")
                .arg(shown)
                .env_clear()
                .envs(VARIABLES.iter().copied())
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let theirs: Vec<&str> = text.split_terminator('\0').collect();
            assert_eq!(ours[1..], theirs, "{command}");
        }
    }

    #[test]
    fn what_means_more_is_left_to_the_shell() {
        for command in SHELL {
            assert_eq!(split(command, &env()), Started::Shell, "{command}");
        }
    }
}
