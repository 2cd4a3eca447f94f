//! The writer of Markdown: headings, paragraphs, lists, tables with aligned columns, code and diagrams.

/// A cell that is longer than this does not widen its column: the source stays readable.
const WIDEST: usize = 60;

/// Markdown that grows.
#[derive(Debug, Default)]
pub(crate) struct Page {
    out: String,
}

impl Page {
    /// Whether nothing has been written.
    pub(crate) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// What has been written.
    pub(crate) fn into_text(self) -> String {
        self.out
    }

    /// A block, apart from what stands before it.
    fn block(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A heading; level 1 is the title of the document.
    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {text}", "#".repeat(level)));
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: impl AsRef<str>) {
        self.block(text.as_ref());
    }

    /// Points without an order.
    pub(crate) fn list<T: AsRef<str>>(&mut self, items: impl IntoIterator<Item = T>) {
        let lines: Vec<String> = items
            .into_iter()
            .map(|item| format!("- {}", item.as_ref()))
            .collect();
        self.block(&lines.join("\n"));
    }

    /// Points to be ticked off.
    pub(crate) fn checklist<T: AsRef<str>>(&mut self, items: impl IntoIterator<Item = T>) {
        let lines: Vec<String> = items
            .into_iter()
            .map(|item| format!("- [ ] {}", item.as_ref()))
            .collect();
        self.block(&lines.join("\n"));
    }

    /// Steps, one after the other.
    pub(crate) fn steps<T: AsRef<str>>(&mut self, items: impl IntoIterator<Item = T>) {
        let lines: Vec<String> = (1..)
            .zip(items)
            .map(|(number, item)| format!("{number}. {}", item.as_ref()))
            .collect();
        self.block(&lines.join("\n"));
    }

    /// A table; nothing where it has no rows.
    pub(crate) fn table(&mut self, table: &Table) {
        self.block(&table.text());
    }

    /// Whatever another page holds.
    pub(crate) fn append(&mut self, other: Page) {
        self.block(&other.out);
    }
}

/// A table whose cells are Markdown. Columns that are empty in every row are left out.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new<const N: usize>(head: [&'static str; N]) -> Self {
        Table {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    /// One more row, a cell for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows
            .push(cells.into_iter().map(|cell| in_cell(&cell)).collect());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn text(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let filled = |column: &usize| self.rows.iter().any(|row| !cell(row, *column).is_empty());
        let columns: Vec<usize> = (0..self.head.len()).filter(filled).collect();
        let widths: Vec<usize> = columns
            .iter()
            .map(|column| {
                let head = self.head[*column].chars().count();
                let cells = self.rows.iter().map(|row| cell(row, *column).chars().count());
                let fitting = cells.filter(|width| *width <= WIDEST).max().unwrap_or(0);
                head.max(fitting).max(3)
            })
            .collect();
        let line = |cells: Vec<&str>| {
            let padded: Vec<String> = cells
                .iter()
                .zip(&widths)
                .map(|(text, width)| {
                    format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())))
                })
                .collect();
            format!("| {} |", padded.join(" | "))
        };
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let mut lines = vec![
            line(columns.iter().map(|column| self.head[*column]).collect()),
            line(rules.iter().map(String::as_str).collect()),
        ];
        lines.extend(
            self.rows
                .iter()
                .map(|row| line(columns.iter().map(|column| cell(row, *column)).collect())),
        );
        lines.join("\n")
    }
}

fn cell(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// A text that cannot leave its cell. A backslash before a bar would take its protection away, which is why
/// [`crate::words::code`] never lets one stand there.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace(['\n', '\r'], " ")
        .trim()
        .to_owned()
}

/// A flowchart in mermaid's grammar.
#[derive(Debug)]
pub(crate) struct Chart {
    lines: Vec<String>,
    depth: usize,
}

/// What a node of a chart looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Something of ours that runs.
    Box,
    /// Something that keeps data.
    Cylinder,
    /// Something outside.
    Round,
    /// A question.
    Hexagon,
}

impl Chart {
    /// A chart from top to bottom (`TD`) or from left to right (`LR`).
    pub(crate) fn new(direction: &str) -> Self {
        Chart {
            lines: vec![format!("flowchart {direction}")],
            depth: 1,
        }
    }

    fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", "  ".repeat(self.depth)));
    }

    /// A node. The lines of its label are plain text.
    pub(crate) fn node(&mut self, id: &str, look: Look, label: &[&str]) {
        let (open, close) = match look {
            Look::Box => ("[", "]"),
            Look::Cylinder => ("[(", ")]"),
            Look::Round => ("([", "])"),
            Look::Hexagon => ("{{", "}}"),
        };
        let lines: Vec<String> = label
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| in_label(line))
            .collect();
        self.line(&format!("{id}{open}\"{}\"{close}", lines.join("<br/>")));
    }

    /// An arrow, dotted for what happens rarely or is optional.
    pub(crate) fn arrow(&mut self, from: &str, to: &str, label: &str, dotted: bool) {
        let arrow = if dotted { "-.->" } else { "-->" };
        match label {
            "" => self.line(&format!("{from} {arrow} {to}")),
            label => self.line(&format!("{from} {arrow}|\"{}\"| {to}", in_label(label))),
        }
    }

    /// Begins a frame around what follows.
    pub(crate) fn open(&mut self, id: &str, label: &str) {
        self.line(&format!("subgraph {id}[\"{}\"]", in_label(label)));
        self.depth += 1;
    }

    /// Ends the frame.
    pub(crate) fn close(&mut self) {
        self.depth -= 1;
        self.line("end");
    }

    /// Writes it to a page.
    pub(crate) fn write(self, page: &mut Page) {
        page.block(&format!("```mermaid\n{}\n```", self.lines.join("\n")));
    }
}

/// An id that mermaid takes: letters, digits and underscores, never one of its own words.
pub(crate) fn id(prefix: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{prefix}_{}", name.chars().map(plain).collect::<String>())
}

/// A text that cannot leave the quotation marks of a label.
fn in_label(text: &str) -> String {
    let mut label = String::new();
    for c in text.chars() {
        match c {
            '"' => label.push_str("#quot;"),
            '<' => label.push_str("#lt;"),
            '>' => label.push_str("#gt;"),
            '&' => label.push_str("#amp;"),
            '%' if !label.ends_with('%') => label.push('%'),
            '#' | '`' | '|' | '%' | '\\' | '{' | '}' => label.push_str(&format!("#{};", u32::from(c))),
            c if c.is_control() => label.push(' '),
            c => label.push(c),
        }
    }
    label.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let mut table = Table::new(["Name", "Nothing", "What"]);
        table.row(["a".into(), String::new(), "first".into()]);
        table.row(["longer".into(), String::new(), "x | y".into()]);
        let mut page = Page::default();
        page.table(&table);
        insta::assert_snapshot!(page.into_text(), @r"
        | Name   | What   |
        | ------ | ------ |
        | a      | first  |
        | longer | x \| y |
        ");
    }

    #[test]
    fn a_label_cannot_leave_its_quotation_marks() {
        let mut chart = Chart::new("LR");
        chart.node("a", Look::Box, &["\"] --> evil[\"", "50% | `x`\n#1;"]);
        chart.arrow("a", "b", "says \"hi\"", true);
        let mut page = Page::default();
        chart.write(&mut page);
        insta::assert_snapshot!(page.into_text(), @r##"
        ```mermaid
        flowchart LR
          a["#quot;] --#gt; evil[#quot;<br/>50% #124; #96;x#96; #35;1;"]
          a -.->|"says #quot;hi#quot;"| b
        ```
        "##);
    }
}
