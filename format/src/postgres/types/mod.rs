//! PostgreSQL's types: what the cells of a column are, and how they come out of and go into COPY.
//!
//! Types are known by their names, never by their numbers, which differ between servers. A type that is not known here is
//! *opaque*: its values are the texts that its own output function makes, and go back through its input function.

mod array;
mod bits;
mod column_type;
mod copy_reader;
mod copy_text;
mod copy_writer;
mod decode;
mod encode;
mod interval;
#[cfg(test)]
mod live;
mod network;
mod numeric;
mod numeric_text;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rates;
mod time;
mod wire;

pub(crate) use self::column_type::{ColumnType, KeyOrder, TypeFacts};
pub(crate) use self::copy_reader::{CopyColumn, CopyReader};
pub(crate) use self::copy_writer::{CopyForm, CopyWriter};

/// Why bytes of a server are no value, or a cell is no value of a type. Whoever knows the column makes an error of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong(pub(crate) &'static str);

/// What may turn out wrong.
type Checked<T> = Result<T, Wrong>;
