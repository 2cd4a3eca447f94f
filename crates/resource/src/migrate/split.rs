//! Cutting a text of SQL into its statements, where `psql` would cut it.
//!
//! A semicolon ends a statement unless it stands in a text, a name, a comment, in brackets, or in the body of a function
//! that is written as statements (`BEGIN ATOMIC … END`). What follows `COPY … FROM stdin;` is no SQL, up to its `\.`.

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// The line on which it begins, from 1.
    pub(crate) line: u32,
    /// Its text, without the semicolon.
    pub(crate) text: &'a str,
    /// The rows that follow it, where it is a `COPY … FROM stdin`.
    pub(crate) rows: Option<&'a str>,
}

impl Statement<'_> {
    /// The first word, in small letters.
    pub(crate) fn first_word(&self) -> String {
        words(self.text).into_iter().next().unwrap_or_default()
    }
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    /// Where the statement begins; nothing while there is only space and comments.
    begun: Option<usize>,
    brackets: usize,
    /// How deep in the body of a function.
    body: usize,
    /// The words of the statement so far, as far as they decide something.
    words: Vec<String>,
    statements: Vec<Statement<'a>>,
}

/// Cuts a text; otherwise the line at which that cannot be done, and why.
pub(crate) fn split(text: &str) -> Result<Vec<Statement<'_>>, (u32, String)> {
    let mut cutter = Cutter {
        text,
        at: 0,
        begun: None,
        brackets: 0,
        body: 0,
        words: Vec::new(),
        statements: Vec::new(),
    };
    while cutter.at < text.len() {
        cutter.step()?;
    }
    cutter.end(text.len());
    Ok(cutter.statements)
}

impl<'a> Cutter<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn step(&mut self) -> Result<(), (u32, String)> {
        let rest = self.rest();
        match rest {
            [b'-', b'-', ..] => self.at += until(rest, b"\n"),
            [b'/', b'*', ..] => self.at += comment(rest),
            [b'\\', ..] if self.begun.is_none() => self.command()?,
            [byte, ..] if byte.is_ascii_whitespace() => self.at += 1,
            [b';', ..] if self.brackets == 0 && self.body == 0 => {
                self.end(self.at);
                self.at += 1;
                self.rows();
            }
            [first, ..] => {
                self.begun.get_or_insert(self.at);
                self.inside(*first, rest);
            }
            [] => {}
        }
        Ok(())
    }

    /// Goes past one thing inside a statement.
    fn inside(&mut self, first: u8, rest: &[u8]) {
        match first {
            b'\'' => self.at += quoted(rest, b'\'', false),
            b'"' => self.at += quoted(rest, b'"', false),
            b'e' | b'E' if rest.get(1) == Some(&b'\'') => self.at += 1 + quoted(&rest[1..], b'\'', true),
            b'$' => self.at += dollars(rest).unwrap_or(1),
            b'(' => {
                self.brackets += 1;
                self.at += 1;
            }
            b')' => {
                self.brackets = self.brackets.saturating_sub(1);
                self.at += 1;
            }
            byte if is_of_word(byte) => {
                let length = rest
                    .iter()
                    .take_while(|byte| is_of_word(**byte) || **byte == b'$')
                    .count();
                self.word(&String::from_utf8_lossy(&rest[..length]).to_ascii_lowercase());
                self.at += length;
            }
            _ => self.at += 1,
        }
    }

    /// Counts how deep in the body of a function we are: `BEGIN` and `CASE` go in, `END` comes out.
    fn word(&mut self, word: &str) {
        let is_routine = self.words.first().is_some_and(|first| first == "create")
            && self
                .words
                .iter()
                .any(|word| word == "function" || word == "procedure");
        if is_routine && self.brackets == 0 {
            match word {
                "begin" => self.body += 1,
                "case" if self.body > 0 => self.body += 1,
                "end" => self.body = self.body.saturating_sub(1),
                _ => {}
            }
        }
        // `CREATE OR REPLACE FUNCTION` is the longest beginning that decides.
        if self.words.len() < 4 {
            self.words.push(word.to_owned());
        }
    }

    fn end(&mut self, end: usize) {
        if let Some(begun) = self.begun.take() {
            self.statements.push(Statement {
                line: line(self.text, begun),
                text: self.text[begun..end].trim_end(),
                rows: None,
            });
        }
        (self.brackets, self.body) = (0, 0);
        self.words.clear();
    }

    /// The rows of a `COPY … FROM stdin`, from the next line to the one that is `\.`.
    fn rows(&mut self) {
        let Some(last) = self.statements.last_mut() else {
            return;
        };
        let words = words(last.text);
        let from_here = words.windows(2).any(|pair| pair == ["from", "stdin"]);
        if last.rows.is_some() || words.first().is_none_or(|word| word != "copy") || !from_here {
            return;
        }
        let rest = &self.text[self.at..];
        let start = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let mut end = start;
        let mut after = rest.len();
        for row in rest[start..].split_inclusive('\n') {
            if row.trim_end() == "\\." {
                after = end + row.len();
                break;
            }
            end += row.len();
        }
        last.rows = Some(&rest[start..end]);
        self.at += after;
    }

    /// A command of `psql`: those with which a dump guards itself are passed over.
    fn command(&mut self) -> Result<(), (u32, String)> {
        let length = until(self.rest(), b"\n");
        let command = &self.text[self.at..self.at + length];
        let word = command.split_whitespace().next().unwrap_or_default();
        if !matches!(word, "\\restrict" | "\\unrestrict") {
            let line = line(self.text, self.at);
            return Err((line, format!("`{word}` is a command of psql, and no SQL")));
        }
        self.at += length;
        Ok(())
    }
}

fn line(text: &str, at: usize) -> u32 {
    let lines = text.as_bytes()[..at]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

/// The words of a statement, in small letters, without what stands in comments, texts, names and brackets.
fn words(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let (mut words, mut at, mut depth) = (Vec::new(), 0, 0_usize);
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match rest {
            [b'-', b'-', ..] => until(rest, b"\n"),
            [b'/', b'*', ..] => comment(rest),
            [b'\'', ..] => quoted(rest, b'\'', false),
            [b'"', ..] => quoted(rest, b'"', false),
            [b'$', ..] => dollars(rest).unwrap_or(1),
            [b'(', ..] => {
                depth += 1;
                1
            }
            [b')', ..] => {
                depth = depth.saturating_sub(1);
                1
            }
            [byte, ..] if is_of_word(*byte) => {
                let length = rest.iter().take_while(|byte| is_of_word(**byte)).count();
                if depth == 0 {
                    words.push(String::from_utf8_lossy(&rest[..length]).to_ascii_lowercase());
                }
                length
            }
            _ => 1,
        };
    }
    words
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// How far it is to the end of what is looked for; to the end of all, where it is not there.
fn until(rest: &[u8], end: &[u8]) -> usize {
    let found = rest.windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |at| at + end.len())
}

/// Comments stand in comments.
fn comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// A mark that is doubled is one that does not end it, and after that it just goes on.
fn quoted(rest: &[u8], mark: u8, escapes: bool) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' if escapes => at += 2,
            byte if byte == mark => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `$tag$ … $tag$`; nothing where this is another dollar.
fn dollars(rest: &[u8]) -> Option<usize> {
    let tag = 1 + rest[1..].iter().take_while(|byte| is_of_word(**byte)).count();
    if rest.get(tag) != Some(&b'$') || rest[1].is_ascii_digit() {
        return None;
    }
    let mark = &rest[..=tag];
    Some(mark.len() + until(&rest[mark.len()..], mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        split(text)
            .unwrap()
            .iter()
            .map(|statement| statement.text)
            .collect()
    }

    #[test]
    fn a_semicolon_ends_a_statement_unless_it_stands_in_something() {
        assert_eq!(texts("a; b ;; c"), ["a", "b", "c"]);
        assert_eq!(
            texts("select ';', \";\", e'\\';', 'it''s;' ; b"),
            ["select ';', \";\", e'\\';', 'it''s;'", "b"]
        );
        assert_eq!(texts("-- a;\n/* b; /* c; */ d; */ e -- f;\n;"), ["e -- f;"]);
        assert_eq!(
            texts("do $$ a; b $$; do $x$ ; $$ ; $x$; c"),
            ["do $$ a; b $$", "do $x$ ; $$ ; $x$", "c"]
        );
        assert_eq!(
            texts("prepare a as select $1; select a$b$c; d"),
            ["prepare a as select $1", "select a$b$c", "d"]
        );
        assert_eq!(texts("create rule r as on insert to t do (a; b); c").len(), 2);
        assert_eq!(texts("select 'ä;'; b"), ["select 'ä;'", "b"]);
        assert_eq!(texts("  \n -- nothing\n"), [""; 0]);
        assert_eq!(texts("select 'open; b"), ["select 'open; b"]);
        assert_eq!(texts("select $"), ["select $"]);
    }

    #[test]
    fn the_body_of_a_function_belongs_to_it() {
        let function = "create or replace function f(a int) returns int\nbegin atomic\n select case when a > 0 then 1 end;\n select 2;\nend";
        assert_eq!(texts(&format!("{function}; select 3")), [function, "select 3"]);
        assert_eq!(texts("begin; select 1; end; c").len(), 4);
    }

    #[test]
    fn a_statement_knows_its_line() {
        let lines = |text: &str| {
            split(text)
                .unwrap()
                .iter()
                .map(|one| one.line)
                .collect::<Vec<_>>()
        };
        assert_eq!(lines("-- head\n\na\n;\n  b;c"), [3, 5, 5]);
    }

    #[test]
    fn rows_belong_to_their_copy() {
        let text = "COPY public.a (id, b) FROM stdin;\n1\tx;y\n2\t'\n\\.\n\nSELECT 1;\nCOPY b FROM STDIN WITH (FORMAT csv);\n\\.\n";
        let statements = split(text).unwrap();
        assert_eq!(statements[0].rows, Some("1\tx;y\n2\t'\n"));
        assert_eq!((statements[1].text, statements[1].line), ("SELECT 1", 6));
        assert_eq!(statements[2].rows, Some(""));
        assert_eq!(split("COPY a FROM '/stdin';b").unwrap()[0].rows, None);
    }

    #[test]
    fn what_guards_a_dump_is_passed_over_and_other_commands_of_psql_are_told() {
        assert_eq!(
            texts("\\restrict abc\nselect 1;\n\\unrestrict abc\n"),
            ["select 1"]
        );
        assert_eq!(
            split("select 1;\n\\i other.sql\n"),
            Err((2, "`\\i` is a command of psql, and no SQL".to_owned()))
        );
    }
}
