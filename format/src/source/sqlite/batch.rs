//! Rows on their way from records to a sink: some hundreds at a time are put together column by column.
//!
//! Few enough to stay in a near cache until whoever takes them has copied them, and enough that loops over one column pay.

use super::layout::{Field, Layout};
use crate::error::Result;
use crate::model::{Cell, CellKind, Cells, RowGroup};
use crate::source::RowSink;
use crate::sqlite_file::{Columns, Malformed, Records, Value as Stored};

/// Rows at most, and bytes of records at which a batch is sent.
const MOST_ROWS: usize = 512;
const MOST_BYTES: usize = 64 << 10;

/// Some rows of one table with UTF-8 texts.
pub(super) struct Batch {
    row_ids: Vec<i64>,
    records: Records,
    /// Without rows; for the room that they have.
    columns: Vec<Cells>,
}

impl Batch {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            row_ids: Vec::with_capacity(MOST_ROWS),
            records: Records::new(layout.fields.len()),
            columns: vec![Cells::new(); layout.columns],
        }
    }

    /// Would a record of so many bytes be copied in vain? It is better sent by itself.
    pub(super) fn is_too_small_for(record: &[u8]) -> bool {
        record.len() > MOST_BYTES
    }

    /// Is it time to send the rows?
    pub(super) fn is_full(&self) -> bool {
        self.row_ids.len() >= MOST_ROWS || self.records.bytes() >= MOST_BYTES
    }

    /// Adds a record, and says how many fields it has.
    pub(super) fn add(&mut self, row_id: i64, record: &[u8]) -> std::result::Result<usize, Malformed> {
        self.row_ids.push(row_id);
        self.records.add(record)
    }

    /// Sends the rows, if there are any, and begins anew. `default` gives the cell of a column that a record does not have.
    pub(super) fn send<'d>(
        &mut self,
        layout: &Layout,
        default: impl Fn(usize) -> Cell<'d>,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let Ok(rows) = u32::try_from(self.row_ids.len()) else { return Ok(()) };
        if rows == 0 {
            return Ok(());
        }
        if let Some(column) = layout.row_id.and_then(|index| self.columns.get_mut(index)) {
            column.fill_with_numbers(self.row_ids.iter().map(|id| (CellKind::Integer, id.cast_unsigned())))?;
        }
        let records = self.records.read();
        for (place, field) in layout.fields.iter().enumerate() {
            let (Field::Cell(index) | Field::Real(index)) = *field else { continue };
            if let Some(column) = self.columns.get_mut(index) {
                fill(column, &records, place, matches!(field, Field::Real(_)), || default(index))?;
            }
        }
        let group = RowGroup::from_columns(rows, std::mem::take(&mut self.columns))?;
        sink.rows(&group)?;
        self.columns = group.into_columns();
        self.columns.iter_mut().for_each(Cells::clear);
        self.row_ids.clear();
        self.records.clear();
        Ok(())
    }
}

/// Makes a column of one field of all records.
fn fill<'d>(
    column: &mut Cells,
    records: &Columns<'_>,
    field: usize,
    is_real: bool,
    default: impl Fn() -> Cell<'d>,
) -> Result<()> {
    if let Some(numbers) = records.numbers(field) {
        return match is_real {
            false => column.fill_with_numbers(numbers.map(|(is_real, bits)| {
                let kind = if is_real { CellKind::Real } else { CellKind::Integer };
                (kind, bits)
            })),
            // SQLite stores reals without fraction as integers.
            true => column.fill_with_numbers(numbers.map(|(is_real, bits)| {
                (CellKind::Real, if is_real { bits } else { (bits.cast_signed() as f64).to_bits() })
            })),
        };
    }
    if let Some(texts) = records.texts(field) {
        column.fill_with_texts(texts)?;
    } else {
        for value in records.values(field) {
            column.push(&match value {
                Some(Stored::Integer(value)) if is_real => Cell::Real(value as f64),
                Some(Stored::Integer(value)) => Cell::Integer(value),
                Some(Stored::Real(value)) => Cell::Real(value),
                Some(Stored::Text(bytes)) => Cell::Text(bytes),
                Some(Stored::Bytes(bytes)) => Cell::Bytes(bytes),
                Some(Stored::Null) => Cell::Null,
                None => default(),
            })?;
        }
    }
    column.tell_raw_texts()
}
