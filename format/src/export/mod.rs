//! Rows as text for other programs: CSV and JSON lines.
//!
//! Both stream: one row group is in memory at a time, and a row limit stops the reading. Rows go out in the order they
//! stand in, and cells of a logical type as what they stand for. JSON lines lose nothing; CSV has no kinds, so it suits spreadsheets and loaders
//! that know the types.

mod columns;
mod csv;
mod json_lines;
mod logical;
mod real;

use std::io::Write;

pub use columns::{Chosen, choose_columns};
pub use csv::write_csv;
pub use json_lines::{push_json_cell, push_json_string, write_json_lines};
pub use logical::integer_text;

use crate::archive::Table;
use crate::error::{Error, Result};
use crate::model::Cell;

/// Bytes of text collected before they are written out.
const WRITE_AT: usize = 64 << 10;

/// Appends rows as `format` makes them, and writes them out in large pieces. Gives the number of rows.
fn write_rows(
    table: &Table<'_>,
    columns: &[usize],
    limit: Option<u64>,
    to: &mut dyn Write,
    mut text: Vec<u8>,
    mut format: impl FnMut(&mut Vec<u8>, u64, &[Cell<'_>]) -> Result<()>,
) -> Result<u64> {
    let mut left = limit.unwrap_or(u64::MAX);
    let mut rows = 0;
    let mut groups = table.scan(columns);
    while left > 0 {
        let Some(group) = groups.next() else { break };
        let group = group?;
        let formatted = group.for_each_row(|row| {
            if left > 0 {
                format(&mut text, rows, row)?;
                left -= 1;
                rows += 1;
                if text.len() >= WRITE_AT {
                    write_out(&mut text, to)?;
                }
            }
            Ok(())
        });
        if let Err(error) = formatted {
            // The rows before the one that failed are whole; whoever reads gets them.
            write_out(&mut text, to)?;
            return Err(error.in_table(&table.schema().name));
        }
    }
    write_out(&mut text, to)?;
    to.flush().map_err(failed)?;
    Ok(rows)
}

fn write_out(text: &mut Vec<u8>, to: &mut dyn Write) -> Result<()> {
    to.write_all(text).map_err(failed)?;
    text.clear();
    Ok(())
}

fn failed(cause: std::io::Error) -> Error {
    Error::io("writing rows", cause)
}
