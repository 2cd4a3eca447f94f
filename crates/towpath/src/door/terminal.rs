//! The terminal: results to standard output, everything else to standard error.
#![allow(clippy::disallowed_methods, reason = "this is the door to the terminal")]

use crate::cli::Color;
use crate::failure::{Failure, Kind};
use std::io::{self, IsTerminal, Read, Write};
use towpath_model::sealed::Sealed;

/// How much room there is, and whether colors are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Colors for what goes to standard error.
    pub(crate) color_errors: bool,
    /// Colors for what goes to standard output.
    pub(crate) color_results: bool,
    /// Somebody looks at standard error on a terminal that can move its cursor.
    pub(crate) live: bool,
    /// All of it can be drawn on.
    pub(crate) screen: bool,
    /// Somebody can be asked: they see the question, and can type an answer.
    pub(crate) answers: bool,
}

impl Terminal {
    /// The terminal of this process. `NO_COLOR` says no where `--color` leaves it open.
    pub(crate) fn new(color: Color) -> Self {
        let asked = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                terminal && !refused && !dumb()
            }
        };
        let told = io::stderr().is_terminal();
        Terminal {
            color_errors: asked(told),
            color_results: asked(io::stdout().is_terminal()),
            live: told && !dumb(),
            screen: io::stdout().is_terminal() && io::stdin().is_terminal() && !dumb(),
            answers: told && io::stdin().is_terminal(),
        }
    }

    /// Writes a result. A reader that has gone, as `head` does, is no failure.
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        self.stream(text).map(|_| ())
    }

    /// Writes a part of a result that goes on; whether somebody still reads it.
    pub(crate) fn stream(&self, text: &str) -> Result<bool, Failure> {
        let out = io::stdout();
        let written = if self.color_results {
            out.lock().write_all(text.as_bytes())
        } else {
            anstream::StripStream::new(out.lock()).write_all(text.as_bytes())
        };
        match written.and_then(|()| io::stdout().flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::new(
                Kind::Remote,
                format!("standard output cannot be written: {error}"),
            )),
            Ok(()) => Ok(true),
        }
    }

    /// Writes something for the person. Where nobody can read it, there is nobody to tell.
    pub(crate) fn tell(&self, text: &str) {
        let out = io::stderr();
        let _ = if self.color_errors {
            out.lock().write_all(text.as_bytes())
        } else {
            anstream::StripStream::new(out.lock()).write_all(text.as_bytes())
        };
    }

    /// How many columns and lines there are to draw on.
    pub(crate) fn size(&self) -> (usize, usize) {
        match rustix::termios::tcgetwinsize(io::stderr()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (usize::from(size.ws_col), usize::from(size.ws_row))
            }
            _ => (80, 24),
        }
    }

    /// Asks for something that is not shown while it is typed; nothing where nobody can be asked, or they give up.
    pub(crate) fn asks_for(&self, what: &str) -> Result<Option<Sealed<String>>, Failure> {
        if !self.answers {
            return Ok(None);
        }
        self.tell(&format!("{what} (nothing is shown): "));
        let typed = super::keys::typed_unseen();
        self.tell("\n");
        typed
    }

    /// Somebody types what is read.
    pub(crate) fn is_typed(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// All of what is handed to us on standard input, up to so many bytes.
    pub(crate) fn input(&self, most: usize) -> Result<Sealed<Vec<u8>>, Failure> {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(most as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(Kind::Remote, format!("standard input cannot be read: {error}")))?;
        Ok(Sealed::new(bytes))
    }

    /// Asks a question that is answered with yes or no; no where nobody can be asked.
    pub(crate) fn agrees(&self, question: &str) -> bool {
        if !self.answers {
            return false;
        }
        self.tell(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }
}

/// A terminal that can do nothing but print.
fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
