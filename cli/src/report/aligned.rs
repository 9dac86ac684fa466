//! Tables of text whose columns line up.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// On which side a column's texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Names and texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows of text under a header.
#[derive(Debug)]
pub(crate) struct Aligned {
    indent: usize,
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Aligned {
    /// With this header.
    pub(crate) fn new(columns: &[(&str, Side)]) -> Self {
        let header = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
        Self { indent: 0, sides: columns.iter().map(|(_, side)| *side).collect(), rows: vec![header] }
    }

    /// Without a header.
    pub(crate) fn headless(sides: &[Side]) -> Self {
        Self { indent: 0, sides: sides.to_vec(), rows: Vec::new() }
    }

    /// Further right.
    pub(crate) fn indented(mut self, columns: usize) -> Self {
        self.indent = columns;
        self
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Writes it; columns are parted by two spaces, and no line ends in spaces.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.sides.len())
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect();
        for row in &self.rows {
            let mut line = " ".repeat(self.indent);
            for (place, ((cell, side), width)) in row.iter().zip(&self.sides).zip(&widths).enumerate() {
                if place > 0 {
                    line.push_str("  ");
                }
                let padding = " ".repeat(width.saturating_sub(cell.width()));
                match side {
                    Side::Left => line.extend([cell.as_str(), &padding]),
                    Side::Right => line.extend([&padding, cell.as_str()]),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Aligned::new(&[("name", Side::Left), ("rows", Side::Right)]).indented(1);
        table.row(vec!["é".into(), "1".into()]);
        table.row(vec!["日本語".into(), "1,000".into()]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), " name     rows\n é           1\n 日本語  1,000\n");
    }
}
