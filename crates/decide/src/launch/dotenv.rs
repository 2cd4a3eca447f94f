//! `.env` files: names and values, a line each.
//!
//! There are as many dialects as there are tools. This one takes what they agree on: `NAME=value`, `export` before it,
//! remarks behind ` #`, values in single marks as they stand, values in double marks with `\n`, `\"` and the like, and
//! quoted values over several lines. Nothing is put in for `${NAME}`: a file in which one value changes another is a
//! program, and what it says depends on who reads it. No message holds a value.

use std::collections::BTreeMap;
use std::fmt;
use towpath_model::Sealed;

/// What stands in a `.env` file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dotenv {
    /// The variables in the order of the file. Of two with one name the later one holds.
    pub entries: Vec<Entry>,
    /// Lines that could not be read, and why.
    pub faults: Vec<Fault>,
    /// Lines that could be read and may mean something else than their author thinks.
    pub doubts: Vec<Fault>,
}

/// A variable of a `.env` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Sealed<String>,
    /// The line that it begins in, counted from 1.
    pub line: u32,
}

/// Something about a line, said without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub hint: &'static str,
}

impl Dotenv {
    /// The value of a name, with the line that it stands in.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.name == name)
    }
}

/// Reads the text of a `.env` file. Whatever it is, something comes of it; what could not be read is told.
pub fn parse(text: &str) -> Dotenv {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut read = Dotenv::default();
    // Where each name stood last: a long file is not searched for every line of it.
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut rest = text;
    let mut line = 0_u32;
    while !rest.is_empty() {
        line = line.saturating_add(1);
        let (first, below) = cut(rest);
        match assignment(first) {
            Assignment::Nothing => {}
            Assignment::Wrong(what, hint) => read.faults.push(Fault { line, what, hint }),
            Assignment::Value { name, value } => {
                // Where the value begins in what is left: both are parts of one text.
                let from = first.len() - value.len();
                let (value, taken) = match quoted(&rest[from..]) {
                    Some(Ok((value, length))) => (value, from + length),
                    Some(Err((what, hint))) => {
                        let what = format!("`{}` {what}", Named(name));
                        read.faults.push(Fault { line, what, hint });
                        rest = below;
                        continue;
                    }
                    None => (bare(value), first.len()),
                };
                let lines = rest[..taken].bytes().filter(|byte| *byte == b'\n').count();
                keep(&mut read, name, value, (line, seen.insert(name, line)));
                let (_, after) = cut(&rest[taken..]);
                line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
                rest = after;
                continue;
            }
        }
        rest = below;
    }
    read
}

/// A value with what is to be said about it.
struct Value {
    text: String,
    /// Whether a tool that puts values in would do so here.
    expands: bool,
}

fn keep(read: &mut Dotenv, name: &str, value: Value, (line, before): (u32, Option<u32>)) {
    let Value { text, expands } = value;
    if text.contains('\0') {
        let what = format!(
            "`{}` has a NUL byte in it, which no variable can have",
            Named(name)
        );
        let hint = "take it out, or deliver what it stands for as a file";
        read.faults.push(Fault { line, what, hint });
        return;
    }
    if expands && names_another(&text) {
        let what = format!(
            "`{}` names another variable, and nothing is put in for it",
            Named(name)
        );
        let hint = "write the whole value; in single marks nobody takes it for a reference";
        read.doubts.push(Fault { line, what, hint });
    }
    if let Some(first) = before {
        let what = format!("`{}` stands in line {first}, too; this one holds", Named(name));
        let hint = "take one of them out";
        read.doubts.push(Fault { line, what, hint });
    }
    read.entries.push(Entry {
        name: name.to_owned(),
        value: Sealed::new(text),
        line,
    });
}

/// The first line of a text without its end, and what comes below it.
fn cut(text: &str) -> (&str, &str) {
    let (line, below) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), below)
}

/// What a line is.
enum Assignment<'a> {
    /// Empty, or a remark.
    Nothing,
    /// A name, and everything behind its `=` but the space there.
    Value { name: &'a str, value: &'a str },
    /// Neither, and what to do about it.
    Wrong(String, &'static str),
}

fn assignment(line: &str) -> Assignment<'_> {
    const HINT: &str = "write NAME=value, or begin the line with # where it is a remark";
    let said = line.trim();
    if said.is_empty() || said.starts_with('#') {
        return Assignment::Nothing;
    }
    let Some((left, right)) = line.split_once('=') else {
        return Assignment::Wrong("has no `=`".to_owned(), HINT);
    };
    let left = left.trim();
    let exported = left
        .strip_prefix("export")
        .filter(|rest| rest.starts_with([' ', '\t']));
    let name = exported.map_or(left, str::trim_start);
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() {
        return Assignment::Wrong("has no name before its `=`".to_owned(), HINT);
    }
    if !name.bytes().all(fine) {
        // It may be a piece of a value whose marks are wrong, so it is not shown.
        let what = "has something before its `=` that is no name of a variable".to_owned();
        return Assignment::Wrong(what, HINT);
    }
    // The space before a value is looked at when it is clear that there are no marks around it.
    Assignment::Value { name, value: right }
}

/// A name in a message: it has been checked, and may be long.
struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        towpath_model::finding::Shown(self.0).fmt(f)
    }
}

/// What is wrong with a quoted value, and what to do.
type Wrong = (&'static str, &'static str);

/// A value in marks at the beginning of a text, and how many bytes it takes with all that belongs to its last line;
/// nothing where there are none.
fn quoted(text: &str) -> Option<Result<(Value, usize), Wrong>> {
    let space = text.len() - text.trim_start_matches([' ', '\t']).len();
    let mark = text[space..]
        .chars()
        .next()
        .filter(|mark| matches!(mark, '"' | '\''))?;
    let start = space + 1;
    let mut value = String::new();
    let mut expands = false;
    let mut letters = text[start..].char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == mark => {
                let end = start + at + 1;
                let (behind, _) = cut(&text[end..]);
                let said = behind.trim();
                if !said.is_empty() && !said.starts_with('#') {
                    return Some(Err((
                        "has something behind its closing mark",
                        "put a backslash before a mark that belongs to the value, or use the other kind of mark around it",
                    )));
                }
                let text = value;
                return Some(Ok((Value { text, expands }, end + behind.len())));
            }
            '\\' if mark == '"' => match letters.next() {
                Some((_, escaped)) => unescape(escaped, &mut value),
                None => break,
            },
            // The end of a line as Windows writes it is one letter in the value.
            '\r' if text[start + at..].starts_with("\r\n") => {}
            letter => {
                expands |= letter == '$' && mark == '"';
                value.push(letter);
            }
        }
    }
    Some(Err((
        "has an opening mark that is not closed",
        "close it at the end of the value",
    )))
}

/// What a letter behind a backslash stands for. One that stands for nothing keeps its backslash: it is meant so in
/// patterns and in paths of Windows.
fn unescape(letter: char, value: &mut String) {
    match letter {
        'n' => value.push('\n'),
        'r' => value.push('\r'),
        't' => value.push('\t'),
        '\\' | '"' | '$' => value.push(letter),
        other => value.extend(['\\', other]),
    }
}

/// A value without marks: up to a remark, which a space sets apart.
fn bare(text: &str) -> Value {
    let mut end = text.len();
    let mut space = false;
    for (at, letter) in text.char_indices() {
        if letter == '#' && space {
            end = at;
            break;
        }
        space = letter.is_whitespace();
    }
    Value {
        text: text[..end].trim().to_owned(),
        expands: true,
    }
}

/// Whether a text has `${NAME}` in it.
fn names_another(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let rest = &text[at + 2..];
        rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && rest.contains('}')
    })
}

/// A line of a `.env` file that every tool reads back as this value.
pub fn line(name: &str, value: &str) -> String {
    let mut line = format!("{name}=\"");
    for letter in value.chars() {
        match letter {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\\' | '"' | '$' => line.extend(['\\', letter]),
            letter => line.push(letter),
        }
    }
    line.push_str("\"\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let entries = parse(text).entries.into_iter();
        entries
            .map(|entry| (entry.name, entry.value.open().clone()))
            .collect()
    }

    fn told(faults: &[Fault]) -> Vec<String> {
        faults
            .iter()
            .map(|fault| format!("{}: {}", fault.line, fault.what))
            .collect()
    }

    #[test]
    fn every_way_to_write_a_value_is_read() {
        for (text, value) in [
            ("A=b", "b"),
            ("A=", ""),
            ("  A = b c  ", "b c"),
            ("export A=b", "b"),
            ("export\tA='b'", "b"),
            ("A=b # remark", "b"),
            ("A=b#c", "b#c"),
            ("A=#b", "#b"),
            ("A= # remark", ""),
            ("A='b # c' # remark", "b # c"),
            (r"A='b\n'", r"b\n"),
            (r#"A="b\n\"c\" \$d \\ \e""#, "b\n\"c\" $d \\ \\e"),
            ("A=\"b\nc\"", "b\nc"),
            ("A=\"b\r\nc\"\r\n", "b\nc"),
            ("A='b\nc'", "b\nc"),
            ("\u{feff}A=b", "b"),
            ("A=b=c==", "b=c=="),
            ("A=it's", "it's"),
            ("A=x\"y\"", "x\"y\""),
            ("A=postgres://u:p@h/d?x=1", "postgres://u:p@h/d?x=1"),
            ("A=\"\"", ""),
        ] {
            assert_eq!(pairs(text), [("A".to_owned(), value.to_owned())], "{text:?}");
        }
        assert!(pairs("\n# A=b\n   \r\n\t# c\n").is_empty());
        assert!(pairs("exported=1")[0].0 == "exported");
    }

    #[test]
    fn what_stands_below_a_value_of_several_lines_keeps_its_line() {
        let read = parse("A=\"1\n2\n3\" # three\nB=4\n\nC\nD=5");
        let lines: Vec<(&str, u32)> = read
            .entries
            .iter()
            .map(|one| (one.name.as_str(), one.line))
            .collect();
        assert_eq!(lines, [("A", 1), ("B", 4), ("D", 7)]);
        assert_eq!(told(&read.faults), ["6: has no `=`"]);
    }

    #[test]
    fn a_bad_line_is_told_without_its_value_and_the_rest_is_read() {
        let read = parse("sup3rsecret\n=sup3rsecret\nsup3r secret=1\nA=\"sup3rsecret\nB='x'sup3rsecret\nC=1");
        insta::assert_snapshot!(told(&read.faults).join("\n"), @r"
        1: has no `=`
        2: has no name before its `=`
        3: has something before its `=` that is no name of a variable
        4: `A` has an opening mark that is not closed
        5: `B` has something behind its closing mark
        ");
        assert_eq!(read.entries.len(), 1);
    }

    #[test]
    fn what_other_tools_would_put_in_is_doubted() {
        let read = parse("A=${B}/x\nC=\"${D}\"\nE='${F}'\nG=\"\\${H}\"\nI=$J\nA=2");
        assert_eq!(
            told(&read.doubts),
            [
                "1: `A` names another variable, and nothing is put in for it",
                "2: `C` names another variable, and nothing is put in for it",
                "6: `A` stands in line 1, too; this one holds",
            ]
        );
        assert_eq!(read.get("A").map(|entry| entry.value.open().as_str()), Some("2"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_nothing_is_shown(text in "(?s).{0,200}") {
            let read = parse(&text);
            let shown = format!("{read:?}");
            prop_assert!(!read.entries.iter().any(|entry| entry.value.open().len() > 8 && shown.contains(entry.value.open().as_str()) && !entry.name.contains(entry.value.open().as_str())));
        }

        #[test]
        fn texts_made_of_what_matters_are_read(text in "[A-B='\"\\\\ #$\\{\\}\r\nx]{0,60}") {
            let read = parse(&text);
            let lines = u32::try_from(text.lines().count()).expect("few");
            for line in read.entries.iter().map(|one| one.line).chain(read.faults.iter().map(|one| one.line)) {
                prop_assert!((1..=lines).contains(&line));
            }
        }

        #[test]
        fn what_is_written_is_read_back(values in prop::collection::vec("(?s)[^\0]{0,40}", 0..6)) {
            let text: String = values.iter().enumerate().map(|(number, value)| line(&format!("V{number}"), value)).collect();
            let read = parse(&text);
            prop_assert!(read.faults.is_empty());
            let back: Vec<&String> = read.entries.iter().map(|entry| entry.value.open()).collect();
            prop_assert_eq!(back, values.iter().collect::<Vec<_>>());
        }
    }
}
