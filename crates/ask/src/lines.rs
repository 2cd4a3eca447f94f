//! What a command writes: bytes into lines, of which the last ones are kept.

use std::collections::VecDeque;

/// A line that is longer is cut into several: something that writes no ends of lines must not fill the memory.
const LONGEST: usize = 64 * 1024;

/// So many lines are kept as evidence: more than a test needs for one failure, and still a screen.
const KEPT: usize = 30;

/// So many letters of each are kept: evidence stands in the journal for ever.
const LETTERS: usize = 500;

/// Bytes on their way to lines.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes bytes, and says each line that ends in them.
    pub fn take(&mut self, bytes: &[u8], mut say: impl FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= LONGEST {
                self.end(&mut say);
            }
        }
    }

    /// Says what is left at the end.
    pub fn end(&mut self, mut say: impl FnMut(&str)) {
        if !self.rest.is_empty() {
            let text = String::from_utf8_lossy(&self.rest);
            let line = text.trim_end_matches(['\n', '\r']);
            // A bar of progress writes itself over and over; what stands there in the end is its line.
            say(line.rsplit('\r').next().unwrap_or(line));
            self.rest.clear();
        }
    }
}

/// The last lines.
#[derive(Debug, Default)]
pub(crate) struct Last {
    lines: VecDeque<String>,
}

impl Last {
    /// Keeps a line, and forgets the oldest one where there are enough.
    pub(crate) fn keep(&mut self, line: &str) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        let mut kept: String = line.chars().take(LETTERS).collect();
        if kept.len() < line.len() {
            kept.push('…');
        }
        self.lines.push_back(kept);
    }

    pub(crate) fn all(self) -> Vec<String> {
        self.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_wherever_they_are_cut() {
        let lines = |parts: &[&[u8]]| {
            let mut said = Vec::new();
            let mut lines = Lines::default();
            for part in parts {
                lines.take(part, |line| said.push(line.to_owned()));
            }
            lines.end(|line| said.push(line.to_owned()));
            said
        };
        assert_eq!(lines(&[b"a\nb", b"c\r\n\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(&[b"10 %\r50 %\r100 %\n"]), ["100 %"]);
        assert_eq!(lines(&[b"10 %\r100 %\n", b"\xff\n"]), ["100 %", "\u{fffd}"]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
        assert_eq!(
            lines(&[&[b'x'; 3 * LONGEST]]).len(),
            1,
            "one read is never that long"
        );
        assert_eq!(lines(&[&[b'x'; LONGEST], b"y\n"]).len(), 2);
    }

    #[test]
    fn only_the_last_lines_are_kept_and_no_long_one() {
        let mut last = Last::default();
        for number in 0..100 {
            last.keep(&format!("{number} {}", "x".repeat(LETTERS)));
        }
        let all = last.all();
        assert_eq!(all.len(), KEPT);
        assert!(all[0].starts_with("70 ") && all.iter().all(|line| line.chars().count() == LETTERS + 1));
    }
}
