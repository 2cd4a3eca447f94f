//! The terminal: results to standard output, everything else to standard error.
#![allow(clippy::disallowed_methods, reason = "this is the door to the terminal")]

use crate::cli::Color;
use crate::failure::{Failure, Kind};
use std::io::{self, IsTerminal, Write};

/// How much room there is, and whether colors are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Colors for what goes to standard error.
    pub(crate) color_errors: bool,
    /// Colors for what goes to standard output.
    pub(crate) color_results: bool,
}

impl Terminal {
    /// The terminal of this process. `NO_COLOR` says no where `--color` leaves it open.
    pub(crate) fn new(color: Color) -> Self {
        let asked = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                terminal && !refused && !dumb
            }
        };
        Terminal {
            color_errors: asked(io::stderr().is_terminal()),
            color_results: asked(io::stdout().is_terminal()),
        }
    }

    /// Writes a result. A reader that has gone, as `head` does, is no failure.
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        let out = io::stdout();
        let written = if self.color_results {
            out.lock().write_all(text.as_bytes())
        } else {
            anstream::StripStream::new(out.lock()).write_all(text.as_bytes())
        };
        match written.and_then(|()| io::stdout().flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
                Kind::Remote,
                format!("standard output cannot be written: {error}"),
            )),
            _ => Ok(()),
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
}
