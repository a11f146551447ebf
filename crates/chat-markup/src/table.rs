//! Lays out a table as lines of monospaced text.

use pulldown_cmark::Alignment;
use unicode_width::UnicodeWidthStr;

/// The widest that a column is padded to, in terminal cells; longer text stands out of its column.
const WIDEST_COLUMN: usize = 32;
/// How much padding a table may have whatever its text, in bytes.
const FREE_PADDING: usize = 64 * 1024;

/// A table as it is read: rows of plain text, the head first.
#[derive(Debug)]
pub(crate) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub(crate) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, rows: Vec::new() }
    }

    /// Begins the next row.
    pub(crate) fn begin_row(&mut self) {
        self.rows.push(Vec::with_capacity(self.alignments.len()));
    }

    /// Adds a cell to the row begun last.
    pub(crate) fn push_cell(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.push(text.trim().replace('\n', " "));
        }
    }

    /// The lines of the table, without a line end at the last; empty if no cell has text. A head without text is left out.
    pub(crate) fn layout(&self) -> String {
        let widths = self.widths();
        let mut out = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let is_head = index == 0;
            if row.iter().all(String::is_empty) && (is_head || out.is_empty()) {
                continue;
            }
            self.push_row(&mut out, row, &widths);
            if is_head && self.rows.len() > 1 {
                push_rule(&mut out, &widths);
            }
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// The width of each column; nothing but ones where padding would outgrow the text many times.
    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![1; self.alignments.len()];
        let mut text = 0;
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                text += cell.len();
                *width = (*width).max(cell.width().min(WIDEST_COLUMN));
            }
        }
        let padded = widths.iter().sum::<usize>().saturating_mul(self.rows.len());
        if padded > FREE_PADDING + 4 * text {
            widths.fill(1);
        }
        widths
    }

    fn push_row(&self, out: &mut String, row: &[String], widths: &[usize]) {
        for (column, ((cell, width), alignment)) in row.iter().zip(widths).zip(&self.alignments).enumerate() {
            if column > 0 {
                out.push_str(" | ");
            }
            let room = width.saturating_sub(cell.width());
            let left = match alignment {
                Alignment::None | Alignment::Left => 0,
                Alignment::Center => room / 2,
                Alignment::Right => room,
            };
            out.extend(std::iter::repeat_n(' ', left));
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', room - left));
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

fn push_rule(out: &mut String, widths: &[usize]) {
    for (column, width) in widths.iter().enumerate() {
        if column > 0 {
            out.push_str("-+-");
        }
        out.extend(std::iter::repeat_n('-', *width));
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(alignments: &[Alignment], rows: &[&[&str]]) -> Table {
        let mut table = Table::new(alignments.to_vec());
        for row in rows {
            table.begin_row();
            for cell in *row {
                table.push_cell(cell);
            }
        }
        table
    }

    #[test]
    fn columns_align_by_display_width() {
        let table = table(
            &[Alignment::None, Alignment::Right, Alignment::Center],
            &[&["名前", "n", "mid"], &["a", "1000", "x"], &["日本", "2", ""]],
        );
        assert_eq!(table.layout(), "名前 |    n | mid\n-----+------+----\na    | 1000 |  x\n日本 |    2 |");
    }

    #[test]
    fn a_head_without_text_is_left_out_and_so_is_an_empty_table() {
        let columns = [Alignment::None, Alignment::None];
        assert_eq!(table(&columns, &[&["", ""], &["a", "b"]]).layout(), "a | b");
        assert_eq!(table(&columns, &[&["", ""], &["", ""]]).layout(), "");
    }

    #[test]
    fn one_long_cell_does_not_pad_all_the_others() {
        let long = "x".repeat(100);
        let table = table(&[Alignment::None, Alignment::None], &[&["h", "k"], &["a", "b"], &[&long, "c"]]);
        let expected = format!("h{0} | k\n{1}-+--\na{0} | b\n{long} | c", " ".repeat(31), "-".repeat(32));
        assert_eq!(table.layout(), expected);
    }
}
