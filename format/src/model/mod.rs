//! What tables are made of: cells, columns of cells, row groups and schemas. No bytes of a file, no I/O.

mod bound;
pub(crate) mod calendar;
mod cell;
mod cells;
mod changes;
pub(crate) mod decimal;
mod filter;
mod foreign_key;
mod logical;
mod row_group;
mod row_sink;
mod schema;

pub use bound::{Bound, Value, order_numbers_of};
pub use cell::{Cell, CellKind};
pub use cells::{Cells, CellsCursor, CellsIter, CellsParts, Kinds};
pub use changes::{CellPatch, Places};
pub use filter::{Expire, Filter};
pub use foreign_key::ForeignKey;
pub use logical::{AFTER_ALL_TIMES, BEFORE_ALL_TIMES, Logical, MAX_DECIMAL_SCALE};
pub use row_group::RowGroup;
pub use row_sink::RowSink;
pub use schema::{Column, KeyPart, Omission, SchemaObject, SourceDescription, TableSchema, roles};
