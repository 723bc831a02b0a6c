//! Tables for people.

use std::fmt;

use auth_core::domain::escape;
use unicode_width::UnicodeWidthStr;

/// Rows below their headings, in columns as wide as they need to be.
///
/// Control and bidirectional characters are escaped: what a stranger chose as a name must not move the cursor of the
/// operator who looks at it (AU3).
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(headings: [&str; N]) -> Self {
        Self { rows: vec![headings.map(str::to_owned)] }
    }

    /// Without headings.
    pub(super) fn plain() -> Self {
        Self { rows: Vec::new() }
    }

    #[must_use]
    pub(super) fn row(mut self, cells: [&str; N]) -> Self {
        self.rows.push(cells.map(|cell| escape(cell, MAX_CELL)));
        self
    }
}

/// Characters of a cell.
const MAX_CELL: usize = 400;

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| self.rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
        let widths: [usize; N] = std::array::from_fn(width);
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // AU3: names are strangers' words.
    #[test]
    fn au3_tables_are_aligned_and_escaped() {
        let table = Table::new(["NAME", "STATUS"]).row(["\u{1b}[2Jann", "active"]).row(["安", "suspended"]);
        assert_eq!(table.to_string(), "NAME          STATUS\n\\u{1b}[2Jann  active\n安            suspended\n");
    }
}
