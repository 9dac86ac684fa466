//! Rows of cells to COPY data, binary or text, as a server takes it.

use super::copy_reader::{CopyColumn, SIGNATURE};
use super::encode::MAX_FIELD;
use crate::error::{Error, Result};
use crate::model::Cell;

/// The two forms of COPY data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyForm {
    /// `COPY … FROM STDIN (FORMAT binary)`.
    Binary,
    /// `COPY … FROM STDIN`.
    Text,
}

/// Turns rows into the bytes of a stream.
pub(crate) struct CopyWriter {
    columns: Vec<CopyColumn>,
    count: [u8; 2],
    form: CopyForm,
}

impl CopyWriter {
    /// For rows of these columns: binary where all of their types have a binary form that is known.
    pub(crate) fn new(columns: Vec<CopyColumn>) -> Result<Self> {
        let is_binary = columns.iter().all(|column| column.column_type.has_binary());
        Self::of_form(columns, if is_binary { CopyForm::Binary } else { CopyForm::Text })
    }

    /// For rows of these columns in this form.
    pub(crate) fn of_form(columns: Vec<CopyColumn>, form: CopyForm) -> Result<Self> {
        let count = i16::try_from(columns.len())
            .map_err(|_| Error::database(format!("{} columns are more than PostgreSQL allows", columns.len())))?;
        Ok(Self { columns, count: count.to_be_bytes(), form })
    }

    /// The form that the statement must name.
    pub(crate) const fn form(&self) -> CopyForm {
        self.form
    }

    /// Appends what stands before all rows.
    pub(crate) fn begin(&self, out: &mut Vec<u8>) {
        if self.form == CopyForm::Binary {
            out.extend_from_slice(SIGNATURE);
            // No flags, no extension.
            out.extend_from_slice(&[0; 8]);
        }
    }

    /// Appends a row. What was appended of a row that fails is to be thrown away with the whole stream.
    pub(crate) fn row(&self, cells: &[Cell<'_>], out: &mut Vec<u8>) -> Result<()> {
        if cells.len() != self.columns.len() {
            return Err(Error::request(format!("a row of {} cells for {} columns", cells.len(), self.columns.len())));
        }
        let start = out.len();
        if self.form == CopyForm::Binary {
            out.extend_from_slice(&self.count);
        }
        for (place, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let pushed = match self.form {
                CopyForm::Binary => column.column_type.push_binary(cell, out),
                CopyForm::Text => {
                    if place > 0 {
                        out.push(b'\t');
                    }
                    column.column_type.push_text(cell, out)
                }
            };
            pushed.map_err(|wrong| Error::database(format!("column \"{}\": {}", column.name, wrong.0)))?;
        }
        if self.form == CopyForm::Text {
            out.push(b'\n');
        }
        if out.len().saturating_sub(start) > MAX_FIELD {
            return Err(Error::database("a row is longer than PostgreSQL allows"));
        }
        Ok(())
    }

    /// Appends what stands behind all rows.
    pub(crate) fn end(&self, out: &mut Vec<u8>) {
        if self.form == CopyForm::Binary {
            out.extend_from_slice(&(-1_i16).to_be_bytes());
        }
    }
}
