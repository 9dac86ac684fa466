//! Which rows refer to which.

/// Rows of one table refer to rows of another, or of the same one, by the cells of some columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The table whose rows refer.
    pub child: String,
    /// Its columns that do.
    pub child_columns: Vec<String>,
    /// The table whose rows are referred to.
    pub parent: String,
    /// Its columns, one for each of the child's. Cells are compared as those of this column are.
    pub parent_columns: Vec<String>,
    /// How texts in the parent's columns are compared: "BINARY", "NOCASE", "RTRIM", or a name that only the source knows.
    pub collations: Vec<String>,
}
