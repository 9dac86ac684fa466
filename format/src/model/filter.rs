//! Rules by which rows of a table are left out, so that what is kept of it is a part. These structures are stored as they
//! stand (`spec/format.md` §5.1).

use serde::{Deserialize, Serialize};

/// One rule. Of a table with several, the rows are kept that all of them keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Filter {
    /// Kept are the rows for which an expression of the source's language is true.
    Where {
        /// The expression as it was given.
        expression: String,
    },
    /// Left out are the rows that are too old.
    Expire(Expire),
}

/// Rows are left out whose time is before `instant` less `age`; those that are exactly so old, and those without a time,
/// are kept. What is a time says [`crate::history::expiry`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expire {
    /// The column that holds the time, one of the schema's.
    pub column: String,
    /// Microseconds.
    pub age: u64,
    /// When the age was counted from, in microseconds since 1970-01-01T00:00:00Z.
    pub instant: i64,
}
