//! YAML as people write it: in blocks, with comments that say why, and quotes only where they are needed.
//!
//! A text is told from an expression by its type. Services that read such files look for expressions in every text, so a text
//! of a manifest is broken up where it would be taken for one.

/// The widest that a comment becomes.
const WIDEST: usize = 110;

/// How an expression begins, wherever it stands.
pub(crate) const EXPRESSION: &str = "${{";

/// What can stand behind a key or in a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A text that means itself.
    Text(String),
    /// A text with expressions in it, which are ours.
    Expression(String),
    /// Lines that mean themselves, each on a line of its own.
    Lines(String),
    Number(u64),
    Flag(bool),
    List(Vec<Value>),
    Table(Table),
}

/// Keys with their values, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Table {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// What stands above it.
    why: Option<String>,
    key: String,
    value: Value,
    /// What stands behind it on its line.
    behind: Option<String>,
}

/// An expression that is looked up when it is needed.
pub(crate) fn given(expression: &str) -> Value {
    Value::Expression(format!("{EXPRESSION} {expression} }}}}"))
}

impl Table {
    pub(crate) fn new() -> Self {
        Table::default()
    }

    /// With a further key.
    #[must_use]
    pub(crate) fn put(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.entries.push(Entry {
            why: None,
            key: key.to_owned(),
            value: value.into(),
            behind: None,
        });
        self
    }

    /// With a comment above the key that was put last.
    #[must_use]
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        if let Some(last) = self.entries.last_mut() {
            last.why = Some(why.into());
        }
        self
    }

    /// With a comment above all of it.
    #[must_use]
    pub(crate) fn because_first(mut self, why: impl Into<String>) -> Self {
        if let Some(first) = self.entries.first_mut() {
            first.why = Some(why.into());
        }
        self
    }

    /// With a comment behind the key that was put last.
    #[must_use]
    pub(crate) fn behind(mut self, what: &str) -> Self {
        if let Some(last) = self.entries.last_mut() {
            last.behind = Some(what.to_owned());
        }
        self
    }

    /// With a further key, where there is a value.
    #[must_use]
    pub(crate) fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// As a text that ends its last line.
    pub(crate) fn into_text(self) -> String {
        let mut out = String::new();
        table(&mut out, &self, 0, true);
        out
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Flag(flag)
    }
}

impl From<Table> for Value {
    fn from(table: Table) -> Self {
        Value::Table(table)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        Value::List(list.into_iter().map(Into::into).collect())
    }
}

/// Writes a table; its first line may stand behind a dash already.
fn table(out: &mut String, table: &Table, indent: usize, is_on_new_line: bool) {
    let mut new_line = is_on_new_line;
    for (nth, entry) in table.entries.iter().enumerate() {
        if let Some(why) = entry.why.as_ref().filter(|_| new_line) {
            // What has a reason at the left edge is a part of its own.
            if indent == 0 && nth > 0 {
                out.push('\n');
            }
            comment(out, why, indent);
        }
        if new_line {
            spaces(out, indent);
        }
        new_line = true;
        out.push_str(&key(&entry.key));
        out.push(':');
        behind_key(out, &entry.value, entry.behind.as_deref(), indent);
    }
}

fn behind_key(out: &mut String, value: &Value, behind: Option<&str>, indent: usize) {
    let end = |out: &mut String| {
        if let Some(behind) = behind {
            out.push_str(" # ");
            out.push_str(&one_line(behind));
        }
        out.push('\n');
    };
    match value {
        Value::Table(inner) if inner.is_empty() => {
            out.push_str(" {}");
            end(out);
        }
        Value::Table(inner) => {
            end(out);
            table(out, inner, indent + 2, true);
        }
        Value::List(items) if items.iter().all(is_scalar) => {
            let items: Vec<String> = items.iter().map(in_flow).collect();
            out.push_str(&format!(" [{}]", items.join(", ")));
            end(out);
        }
        Value::List(items) => {
            end(out);
            list(out, items, indent + 2);
        }
        Value::Lines(text) if fits_block(text) => {
            out.push_str(" |");
            end(out);
            for line in text.trim_end_matches('\n').split('\n') {
                if !line.is_empty() {
                    spaces(out, indent + 2);
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        other => {
            out.push(' ');
            out.push_str(&plain(other));
            end(out);
        }
    }
}

fn list(out: &mut String, items: &[Value], indent: usize) {
    for item in items {
        match item {
            Value::Table(inner) if !inner.is_empty() => {
                if let Some(why) = inner.entries.first().and_then(|entry| entry.why.as_ref()) {
                    comment(out, why, indent);
                }
                spaces(out, indent);
                out.push_str("- ");
                table(out, inner, indent + 2, false);
            }
            other => {
                spaces(out, indent);
                out.push_str(&format!("- {}\n", plain(other)));
            }
        }
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Table(_) | Value::Lines(_))
}

/// A value on one line.
fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Lines(text) => scalar(&broken_up(text)),
        Value::Expression(text) => scalar(text),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(in_flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let entries = table.entries.iter();
            let entries: Vec<String> = entries
                .map(|entry| format!("{}: {}", key(&entry.key), in_flow(&entry.value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A value between brackets, where commas and brackets mean something.
fn in_flow(value: &Value) -> String {
    let text = plain(value);
    let is_text = matches!(value, Value::Text(_) | Value::Expression(_) | Value::Lines(_));
    if is_text && !text.starts_with('"') && text.contains([',', '[', ']', '{', '}']) {
        return quoted(&text);
    }
    text
}

/// A text in which nobody finds an expression.
fn broken_up(text: &str) -> String {
    text.replace(EXPRESSION, "$ {{")
}

/// A key. The word `on` is one for whoever reads these files, and quotes would only surprise.
fn key(text: &str) -> String {
    if text == "on" {
        text.to_owned()
    } else {
        scalar(text)
    }
}

/// A text, in quotes where it would be read as something else without.
fn scalar(text: &str) -> String {
    let first = text.chars().next();
    let begins = first.is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, '$' | '/' | '_'));
    let begins = begins || text.starts_with("./");
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_plain = begins
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(is_hidden)
        && !reserved.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => out.push_str(&format!("\\U{:08X}", u32::from(hidden))),
            shown => out.push(shown),
        }
    }
    out.push('"');
    out
}

/// Whether a letter has no shape of its own, or ends a line for somebody.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// Whether a text can stand as lines of its own and is read back as it was.
fn fits_block(text: &str) -> bool {
    let lines = text.trim_end_matches('\n');
    !lines.is_empty()
        && !text.contains(EXPRESSION)
        && !lines.starts_with([' ', '\n'])
        && !lines.chars().any(|letter| letter != '\n' && is_hidden(letter))
        && lines
            .lines()
            .all(|line| !line.trim().is_empty() || line.is_empty())
}

/// A comment in lines that are not too long.
fn comment(out: &mut String, text: &str, indent: usize) {
    let text = one_line(text);
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && indent + 2 + line.chars().count() + 1 + word.chars().count() > WIDEST {
            spaces(out, indent);
            out.push_str(&format!("# {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    spaces(out, indent);
    out.push_str(&format!("# {line}\n"));
}

fn one_line(text: &str) -> String {
    let shown = |letter: char| if is_hidden(letter) { ' ' } else { letter };
    text.chars().map(shown).collect()
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> serde_json::Value {
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn a_table_is_written_as_people_write_one() {
        let steps = vec![
            Table::new()
                .put("name", "Build")
                .because("Before anything else.")
                .put("run", Value::Lines("make\nmake test\n".to_owned())),
            Table::new().put("uses", "some/action@abc").behind("v1"),
        ];
        let all = Table::new()
            .put(
                "on",
                Table::new().put("push", Table::new().put("branches", vec!["main", "release/**"])),
            )
            .put("permissions", Table::new())
            .because("Nothing is allowed that no job asks for.")
            .put("version", "22")
            .put("host", given("vars.HOST"))
            .put("steps", Value::from(steps));
        insta::assert_snapshot!(all.into_text(), @r#"
        on:
          push:
            branches: [main, release/**]

        # Nothing is allowed that no job asks for.
        permissions: {}
        version: "22"
        host: ${{ vars.HOST }}
        steps:
          # Before anything else.
          - name: Build
            run: |
              make
              make test
          - uses: some/action@abc # v1
        "#);
    }

    #[test]
    fn a_text_of_a_manifest_is_no_expression() {
        let text = Table::new().put("name", "${{ secrets.TOKEN }}").into_text();
        assert!(!text.contains(EXPRESSION), "{text}");
        let text = Table::new()
            .put("run", Value::Lines("echo ${{ github.head_ref }}".to_owned()))
            .into_text();
        assert!(!text.contains(EXPRESSION), "{text}");
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_was(text in "\\PC{0,12}|[ -~\\n\\t]{0,24}", key in "[a-z]{1,4}") {
            prop_assume!(!text.contains(EXPRESSION));
            let written = Table::new()
                .put(&key, text.as_str())
                .because(text.as_str())
                .behind(text.as_str())
                .put("list", vec![text.as_str(), "on"])
                .put("items", Value::List(vec![Value::Table(Table::new().put("it", text.as_str()))]))
                .into_text();
            let read = read(&written);
            prop_assert_eq!(&read[&key], &serde_json::json!(text), "{}", written);
            prop_assert_eq!(&read["list"][0], &serde_json::json!(text), "{}", written);
            prop_assert_eq!(&read["items"][0]["it"], &serde_json::json!(text), "{}", written);
        }

        #[test]
        fn lines_are_read_back_as_they_were(text in "[ -~\\n\\t]{1,40}") {
            prop_assume!(!text.contains(EXPRESSION));
            let written = Table::new().put("run", Value::Lines(text.clone())).into_text();
            let back = read(&written)["run"].as_str().unwrap_or_default().to_owned();
            prop_assert_eq!(back.trim_end_matches('\n'), text.trim_end_matches('\n'), "{}", written);
        }
    }
}
