//! Text in columns.

use crate::view::paint::width as wide;

/// On which side a column is even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows with their columns aligned, two spaces between them; the first row is the head.
pub(crate) fn columns(rows: &[Vec<String>], aligned: &[Align]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| wide(cell))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..aligned.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, width), align) in row.iter().zip(&widths).zip(aligned) {
            let space = " ".repeat(width - wide(cell));
            match align {
                Align::Left => line.push_str(&format!("  {cell}{space}")),
                Align::Right => line.push_str(&format!("  {space}{cell}")),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["item".to_owned(), "cost".to_owned()],
            vec!["a".to_owned(), "$10.00".to_owned()],
        ];
        assert_eq!(
            columns(&rows, &[Align::Left, Align::Right]),
            "  item    cost\n  a     $10.00\n"
        );
    }
}
