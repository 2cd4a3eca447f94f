//! The part of the terminal that is drawn again and again while something goes on.
#![allow(clippy::disallowed_methods, reason = "this is the door to the terminal")]

use super::terminal::Terminal;
use std::io::{self, Write};

/// Lines at the bottom of the terminal. Each drawing is one write, so that nothing flickers, and what is below them is never
/// touched.
#[derive(Debug)]
pub(crate) struct Live {
    terminal: Terminal,
    drawn: usize,
}

impl Live {
    /// Nothing is drawn yet.
    pub(crate) fn new(terminal: Terminal) -> Self {
        Live { terminal, drawn: 0 }
    }

    /// Draws these lines in place of those that are there.
    pub(crate) fn draw(&mut self, lines: &[String]) {
        // Terminals that know it show all of it at once; the others do not mind.
        let mut text = String::from("\u{1b}[?2026h\u{1b}[?25l");
        self.back(&mut text);
        for line in lines {
            if self.terminal.color_errors {
                text.push_str(line);
            } else {
                text.push_str(&anstream::adapter::strip_str(line).to_string());
            }
            text.push_str("\u{1b}[K\n");
        }
        text.push_str("\u{1b}[J\u{1b}[?2026l");
        self.drawn = lines.len();
        write(&text);
    }

    /// Prints something above the lines, which are drawn again next time.
    pub(crate) fn above(&mut self, text: &str) {
        self.clear();
        self.terminal.tell(text);
    }

    /// Takes the lines away.
    pub(crate) fn clear(&mut self) {
        if self.drawn > 0 {
            let mut text = String::new();
            self.back(&mut text);
            text.push_str("\u{1b}[J\u{1b}[?25h");
            self.drawn = 0;
            write(&text);
        }
    }

    fn back(&self, text: &mut String) {
        text.push('\r');
        if self.drawn > 0 {
            text.push_str(&format!("\u{1b}[{}A", self.drawn));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Where nobody can read it, there is nobody to tell.
fn write(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
